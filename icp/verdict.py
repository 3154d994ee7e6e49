"""What a predicate says about an account: a degree from 0 to 1 or unknown, why, and resting on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fingerprints.model import Detection

NO, YES = Decimal(0), Decimal(1)

EVIDENCE_SHOWN = 3
"""Pieces of evidence kept per line, strongest first; the record has them all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one predicate says about one account."""

    degree: Decimal | None
    """0..1; None when unknown."""
    reason: str
    evidence: tuple[str, ...] = ()
    low: Decimal = NO
    high: Decimal = YES
    """What an unknown can turn out to be at worst and at best."""
    if_low: str = "not met"
    if_high: str = "met"
    """What would have to be found out for that."""


def exactly(degree: Decimal) -> Verdict:
    return Verdict(degree, "", low=degree, high=degree)


def negated(verdict: Verdict) -> Verdict:
    degree = None if verdict.degree is None else YES - verdict.degree
    low, high = YES - verdict.high, YES - verdict.low
    return Verdict(degree, verdict.reason, verdict.evidence, low, high, verdict.if_high, verdict.if_low)


def joined(
    verdicts: Sequence[Verdict], degree: Decimal | None, low: Decimal = NO, high: Decimal = YES
) -> Verdict:
    reason = "; ".join(dict.fromkeys(v.reason for v in verdicts))
    evidence = tuple(dict.fromkeys(item for v in verdicts for item in v.evidence))[:EVIDENCE_SHOWN]
    return Verdict(degree, reason, evidence, low, high)


def evidence_of(detections: tuple[Detection, ...]) -> tuple[str, ...]:
    """The strongest pieces, as `shopify#1 @ https://acme.com/ script`; for an implied technology, by what."""
    pieces = [item for detection in detections for item in detection.evidence]
    pieces.sort(key=lambda item: (-item.strength, item.signal, item.page_url))
    shown = [f"{item.signal} @ {item.page_url} {item.channel}" for item in pieces]
    shown += [f"implied by {d.implied_by}" for d in detections if d.implied_by and not d.evidence]
    return tuple(dict.fromkeys(shown))[:EVIDENCE_SHOWN]
