"""Amounts as they stand in CRM columns: `1,200`, `$10M`, `51-200`, `10,001+`."""

from __future__ import annotations

import re
from decimal import Decimal

_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
_AMOUNT = re.compile(
    r"[$€£]?\s*(\d{1,3}(?:[,' _]\d{3})+|\d{1,15})(\.\d{1,9})?\s*(k|mn?|bn?)?\s*(\+)?", re.IGNORECASE
)
_RANGE = re.compile(r"\s*(?:-|–|—|to|\.\.)\s*")  # noqa: RUF001 - CRMs write ranges with dashes
_UNBOUNDED = Decimal(10) ** 18

Amount = tuple[Decimal, Decimal]
"""Inclusive bounds; equal for a single number."""


def parse_amount(text: str) -> Amount | None:
    """The number or range a cell states, or None when it states none.

    >>> parse_amount("$10.5M")
    (Decimal('10500000'), Decimal('10500000'))
    >>> [int(bound) for bound in parse_amount("51-200")]
    [51, 200]
    >>> parse_amount("about fifty") is None
    True
    """
    parts = _RANGE.split(text.strip().lower())
    bounds = [amount for part in parts if (amount := _bounds(part))]
    if len(bounds) != len(parts) or len(bounds) > 2:
        return None
    low, high = bounds[0][0], bounds[-1][1]
    return (low, high) if low <= high else None


def _bounds(text: str) -> Amount | None:
    match = _AMOUNT.fullmatch(text)
    if not match:
        return None
    whole, fraction, suffix, plus = match.groups()
    number = Decimal(re.sub(r"[,' _]", "", whole) + (fraction or "")) * _FACTORS[(suffix or "").lower()]
    number = number.to_integral_value() if number == number.to_integral_value() else number
    return number, _UNBOUNDED if plus else number
