"""Evidence into detections: combination, gates, exclusions and implications, in that order of trust.

1. Each technology's evidence becomes a confidence (rules.Combine).
2. A technology with `requires` waits until one of them is resolved; requiring is never evidence.
3. `excludes` removes the weaker of two: by confidence, then pieces of evidence, then slug. What was
   removed implies nothing and does not come back by implication.
4. `implies` runs to a fixpoint; an implied technology is marked, has no evidence, and is never
   evidence for itself. It fills an empty version and raises nothing. What only an embed implies is
   an embed: somebody's picture on CloudFront does not put this site on Amazon.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fingerprints.hosts import host_of
from fingerprints.model import EMBED_KINDS, Detection, DetectionState, Evidence
from fingerprints.pixels import LISTENING_CATEGORIES
from fingerprints.rules import DEFAULT_KINDS, Combine, Gate, Implied, Rule

PRESENT_FROM = {Combine.INDEPENDENT: 0.70, Combine.SUM: 0.50}
WEAK_FROM = {Combine.INDEPENDENT: 0.30, Combine.SUM: 0.01}
MAX_EVIDENCE = 8
"""Pieces kept per technology; the strongest first."""

_VERSION_TRUST = {"header": 0, "meta": 1, "global": 2, "url": 3}
"""Channels in the order their versions are believed; the rest come after."""


class _Found(NamedTuple):
    rule: Rule
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    version: str = ""
    implied_by: str = ""
    is_embed: bool = False
    """Whether only images, media and links speak for it, or for what implies it."""


def resolve(evidence: Iterable[Evidence], rules: Mapping[str, Rule]) -> tuple[Detection, ...]:
    """Detections of one site, sorted by slug; `evidence` may come from several pages.

    Raises KeyError for evidence of a technology that `rules` does not have.
    """
    counted = list(evidence)
    seen = {slug: rules[slug] for slug in {item.technology for item in counted}}
    held = [item for item in counted if item.signal in seen[item.technology].gated]
    if held:
        counted = [item for item in counted if item.signal not in seen[item.technology].gated]
    direct = _aggregate(counted, seen)
    open_slugs = {slug for slug, found in direct.items() if found.rule.gate is None}
    while True:
        resolved = _settle({slug: direct[slug] for slug in direct.keys() & open_slugs}, rules)
        present = [found.rule for found in resolved.values() if _is_present(found)]
        freed = [item for item in held if is_open(seen[item.technology].gated[item.signal], present)]
        if freed:
            held = [item for item in held if item not in freed]
            counted += freed
            direct = _aggregate(counted, seen)
        admitted = {slug for slug in direct.keys() - open_slugs if is_open(direct[slug].rule.gate, present)}
        if not admitted and not freed:
            break
        open_slugs |= admitted
    return tuple(_detection(found) for _, found in sorted(resolved.items()))


def combine(strengths_by_place: Mapping[str, float], how: Combine) -> float:
    """Confidence 0..1 from the strongest signal of each independent place, rounded to 4 digits."""
    if how is Combine.SUM:
        return min(1.0, round(sum(strengths_by_place.values()), 4))
    doubt = 1.0
    for strength in strengths_by_place.values():
        doubt *= 1 - strength
    return round(1 - doubt, 4)


def _aggregate(evidence: Iterable[Evidence], rules: Mapping[str, Rule]) -> dict[str, _Found]:
    by_technology: dict[str, list[Evidence]] = {}
    for item in evidence:
        by_technology.setdefault(item.technology, []).append(item)
    found = {}
    for slug, items in by_technology.items():
        rule = rules[slug]
        confidence = combine(_independent(items, rule.combine), rule.combine)
        kept = [item for item in items if item.strength > 0]
        if confidence >= WEAK_FROM[rule.combine]:
            found[slug] = _Found(
                rule, confidence, _strongest(kept), _version(items), is_embed=_is_embed(kept, rule)
            )
    return found


def _independent(items: Iterable[Evidence], how: Combine) -> dict[str, float]:
    """The strongest strength per signal, then per place: one thing seen twice is one thing.

    The sum of the Wappalyzer format counts every pattern once, wherever it matched.
    """
    by_signal: dict[str, Evidence] = {}
    for item in items:
        known = by_signal.get(item.signal)
        if known is None or item.strength > known.strength:
            by_signal[item.signal] = item
    if how is Combine.SUM:
        return {signal: item.strength for signal, item in by_signal.items()}
    by_place: dict[str, float] = {}
    for item in by_signal.values():
        by_place[item.place] = max(item.strength, by_place.get(item.place, 0.0))
    return by_place


def _strongest(items: Sequence[Evidence]) -> tuple[Evidence, ...]:
    if len(items) < 2:
        return tuple(items)
    seen: set[tuple[str, str]] = set()
    kept = []
    for item in sorted(items, key=lambda e: (-e.strength, e.signal, e.page_url)):
        if (item.signal, item.excerpt) not in seen:
            seen.add((item.signal, item.excerpt))
            kept.append(item)
    return tuple(kept[:MAX_EVIDENCE])


def _version(items: Iterable[Evidence]) -> str:
    """The version of the most trusted channel, among those the most specific."""
    candidates = [item for item in items if item.version]
    if not candidates:
        return ""
    best = min(
        candidates,
        key=lambda e: (_VERSION_TRUST.get(e.channel, 9), -e.version.count("."), -len(e.version), e.version),
    )
    return best.version


def _settle(active: Mapping[str, _Found], rules: Mapping[str, Rule]) -> dict[str, _Found]:
    """Apply exclusions, then implications, never bringing back what was excluded."""
    remaining = dict(active)
    excluded: set[str] = set()
    by_trust = sorted(active, key=lambda slug: (-active[slug].confidence, -len(active[slug].evidence), slug))
    for slug in by_trust:
        if slug not in excluded and _is_present(active[slug]):
            excluded.update(other for other in active[slug].rule.excludes if other != slug)
    for slug in excluded:
        remaining.pop(slug, None)
    # Embeds come last: what the site itself implies is the site's own, whoever embeds it as well.
    queue = deque(sorted(filter(remaining.__contains__, by_trust), key=lambda slug: remaining[slug].is_embed))
    while queue:
        source = remaining[queue.popleft()]
        for implied in source.rule.implies:
            if implied.slug in excluded or implied.slug not in rules:
                continue
            known = remaining.get(implied.slug)
            if known is None or _is_surer(source, implied, known):
                remaining[implied.slug] = _Found(
                    rules[implied.slug],
                    min(source.confidence, implied.confidence),
                    known.evidence if known else (),
                    version=(known.version if known else "") or implied.version,
                    implied_by=source.rule.slug,
                    is_embed=source.is_embed,
                )
                excluded.update(other for other in rules[implied.slug].excludes if other not in remaining)
                queue.appendleft(implied.slug)
            elif not known.version and implied.version:
                remaining[implied.slug] = known._replace(version=implied.version)
    return remaining


def is_open(gate: Gate | None, present: Iterable[Rule]) -> bool:
    """Whether nothing has to be present, or something of it is."""
    return gate is None or any(
        rule.slug in gate.requires
        or set(rule.technology.categories) & set(gate.categories)
        or set(rule.category_numbers) & set(gate.numbers)
        for rule in present
    )


def _is_surer(source: _Found, implied: Implied, known: _Found) -> bool:
    """Whether an implication says more than what was seen: that it is there, or that it is the site's own.

    A faint trace must not make less of a technology than no trace at all. In the Wappalyzer format an
    implication never raises what was found.
    """
    how = known.rule.combine
    if how is Combine.SUM or min(source.confidence, implied.confidence) < PRESENT_FROM[how]:
        return False
    return not _is_present(known) or (known.is_embed and not source.is_embed)


def _is_present(found: _Found) -> bool:
    return found.confidence >= PRESENT_FROM[found.rule.combine]


def _detection(found: _Found) -> Detection:
    technology = found.rule.technology
    accounts = dict.fromkeys(item.account for item in found.evidence if item.account)
    return Detection(
        slug=technology.slug,
        name=technology.name,
        category=technology.category,
        categories=technology.categories,
        state=DetectionState.PRESENT if _is_present(found) else DetectionState.WEAK,
        confidence=found.confidence,
        version=found.version,
        accounts=tuple(accounts),
        implied_by=found.implied_by,
        scope="embed" if found.is_embed else "site",
        pricing=technology.pricing,
        evidence=found.evidence,
    )


PLATFORM_CATEGORIES = frozenset(
    {
        "ecommerce_platform",
        "ecommerce_platform_regional",
        "headless_storefront",
        "cms",
        "site_builder",
        "seo_wp_plugins",
        "server_stack",
        "hosting",
        "cdn_edge",
    }
)
"""What a site runs on. It serves the pictures of its sites, so one of them may be of anybody's site."""


def _is_embed(evidence: Sequence[Evidence], rule: Rule) -> bool:
    """Whether only pictures, media and links speak for it that may be another site's content."""
    return bool(evidence) and all(_may_be_content(item, rule) for item in evidence)


def _may_be_content(item: Evidence, rule: Rule) -> bool:
    """Whether a reference may show what somebody else runs, rather than be the tool at work on this site.

    A picture from a tool that only listens is a pixel, and a rule that asks for links or pictures by name
    says that these are how its tool is used: a careers page at a hiring tool, say.
    """
    if item.kind not in EMBED_KINDS or _is_own(item):
        return False
    category = rule.technology.category
    if category in PLATFORM_CATEGORIES:
        return True
    signal = next((signal for signal in rule.signals if signal.id == item.signal), None)
    is_asked_for = signal is not None and signal.kinds != DEFAULT_KINDS
    return category not in LISTENING_CATEGORIES and not is_asked_for


def _is_own(item: Evidence) -> bool:
    host = host_of(item.page_url)
    return bool(host) and host_of(item.place.removeprefix("url:")) == host
