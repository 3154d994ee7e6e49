"""Cells for CSV files and terminals: text written by strangers, made safe to open.

A title or an excerpt may start with `=` and be run as a formula by a spreadsheet (CWE-1236, OWASP ASVS
1.2.10), or carry control and bidirectional characters that rewrite a terminal line.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

CELL_CHARS = 32_000
"""Spreadsheets refuse cells above 32,767 characters."""

_FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001 - full-width forms are read as formulas too
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")


class CsvSafety(StrEnum):
    SPREADSHEET = "spreadsheet"
    """Formula-like text gets a leading apostrophe."""
    CRM = "crm"
    """Formula-like text is left out: the apostrophe would become part of the CRM's value."""
    RAW = "raw"


def clean(text: str) -> str:
    """The text without control and bidirectional characters, with `\\n` line ends, at most CELL_CHARS."""
    return printable(text[: 2 * CELL_CHARS])[:CELL_CHARS]


def printable(text: str) -> str:
    """The text without what rewrites a terminal: control and bidirectional characters, but `\\n` and tabs."""
    if text.isprintable():  # nearly every text: nothing to take out
        return text
    text = _NEWLINES.sub("\n", _BIDI.sub("", text))
    return "".join(c for c in text if c == "\n" or c == "\t" or unicodedata.category(c) != "Cc")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would read the text as a formula.

    >>> is_formula("=1+1"), is_formula("acme.com")
    (True, False)
    """
    return text[:1] in _FORMULA_STARTS and text != ""


def safe_cell(value: object, safety: CsvSafety = CsvSafety.SPREADSHEET) -> str:
    """The value as one CSV cell; None is empty, numbers stay numbers, booleans are TRUE and FALSE.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell(-1.5), safe_cell(None)
    ("'=HYPERLINK(1)", '-1.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    if safety is CsvSafety.RAW:
        return text
    if is_formula(text) or is_formula(clean(text)):
        return "" if safety is CsvSafety.CRM else "'" + clean(text)
    return clean(text)
