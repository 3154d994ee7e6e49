"""Conditions on facts about a company: values joined from the user's own files, not observed by a crawl."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from icp.account import Account
from icp.amount import parse_amount
from icp.verdict import NO, YES, Verdict


@dataclass(frozen=True, slots=True)
class FactIn:
    """The fact's value, or one of its `;`-separated values, is listed; case and spacing do not matter."""

    key: str
    values: tuple[str, ...]

    def judge(self, account: Account) -> Verdict:
        value = account.fact(self.key)
        if value is None:
            return _no_value(self.key)
        is_listed = not {_folded(part) for part in value.split(";")}.isdisjoint(map(_folded, self.values))
        wanted = "" if is_listed else f", wants {' or '.join(self.values)}"
        return Verdict(YES if is_listed else NO, f"{self.key} {value}{wanted}")


@dataclass(frozen=True, slots=True)
class FactBetween:
    """The fact is a number, or a range, inside inclusive bounds."""

    key: str
    low: Decimal
    high: Decimal

    def judge(self, account: Account) -> Verdict:
        value = account.fact(self.key)
        if value is None:
            return _no_value(self.key)
        amount = parse_amount(value)
        if amount is None:
            return Verdict(None, f"{self.key} {value!r} is not a number")
        wanted = f"{self.key} {value}, wants {self.low:f}-{self.high:f}"
        if self.low <= amount[0] and amount[1] <= self.high:
            return Verdict(YES, f"{self.key} {value}")
        is_outside = amount[1] < self.low or amount[0] > self.high
        return Verdict(NO, wanted) if is_outside else Verdict(None, f"{wanted}: may lie on either side")


@dataclass(frozen=True, slots=True)
class FactTrue:
    key: str

    def judge(self, account: Account) -> Verdict:
        value = account.fact(self.key)
        if value is None:
            return _no_value(self.key)
        degree = _TRUTH.get(_folded(value))
        return Verdict(
            degree, f"{self.key} {value}" + ("" if degree is not None else " is neither yes nor no")
        )


_TRUTH = dict.fromkeys(("true", "yes", "y", "1", "x"), YES) | dict.fromkeys(("false", "no", "n", "0"), NO)


def _no_value(key: str) -> Verdict:
    return Verdict(None, f"no {key} value")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
