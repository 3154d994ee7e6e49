from __future__ import annotations

import pytest

from fingerprints.model.cells import CELL_CHARS, CsvSafety, clean, safe_cell


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Fine things, café 東京", "Fine things, café 東京"),
        ("", ""),
        ("a\tb\r\nc\u2028d", "a\tb\nc\nd"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("moc.\u202eevil\u2066\u200f", "moc.evil"),
        ("non\u00a0breaking", "non\u00a0breaking"),
        ("x" * (CELL_CHARS + 1), "x" * CELL_CHARS),
        ("x\n" * CELL_CHARS, ("x\n" * CELL_CHARS)[:CELL_CHARS]),
    ],
    ids=["plain", "empty", "line ends", "control", "direction", "space", "long", "long lines"],
)
def test_text_of_strangers_is_cleaned(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize("start", [*"=+-@\t\r\n\0", "\uff1d", "\u202e=", "\x1b="])
def test_formula_is_disarmed_left_out_or_kept_as_asked(start):
    text = f"{start}HYPERLINK(1)"
    assert safe_cell(text).startswith("'")
    assert safe_cell(text, CsvSafety.CRM) == ""
    assert safe_cell(text, CsvSafety.RAW) == text


def test_numbers_stay_numbers():
    assert [safe_cell(value) for value in (-1.5, 0, True, None)] == ["-1.5", "0", "TRUE", ""]
