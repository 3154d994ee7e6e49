"""The one way a rule file is laid out: key order, one blank line between tables, comments kept in place."""

from __future__ import annotations

import re

KEYS = {
    "": (
        "name website vendor pricing status cpe description source checked "
        "aliases also loads_others implies requires requires_category excludes"
    ),
    "signal": "on host type name selector attribute text pattern kind party strength version account",
    "example": (
        "expect url html script_src resource kind script header cookie meta global text css "
        "json_ld dns tls_issuer robots container version account"
    ),
}
"""Table to the keys it may have, in their order; those of the file itself under the empty name."""
_TABLE = re.compile(r"\[\[(\w+)\]\]\s*(#.*)?\Z")
_KEY = re.compile(r"([\w-]+)\s*=\s*(.*)\Z", re.DOTALL)


def canonical(text: str) -> str:
    """The rule file's text in canonical form; `canonical(canonical(x)) == canonical(x)`.

    Values are not rewritten, so a file that parsed still parses to the same data.
    """
    return "\n".join(_block(header, lines) for header, lines in _blocks(text))


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    """The file's tables: header line (empty for the first) and the lines below it."""
    blocks: list[tuple[str, list[str]]] = [("", [])]
    for item in _items(text):
        if _TABLE.match(item):
            blocks.append((item, []))
        else:
            blocks[-1][1].append(item)
    return blocks


def _items(text: str) -> list[str]:
    """Lines, with values that go on over several lines kept as one item; blank lines dropped."""
    items: list[str] = []
    pending = ""
    for line in text.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        if _is_open(pending):
            continue
        if pending.strip():
            items.append(pending.strip())
        pending = ""
    return items + ([pending.strip()] if pending.strip() else [])


def _is_open(text: str) -> bool:
    """Whether the value that starts in this text goes on in the next line."""
    match = _KEY.match(text)
    if not match:
        return False
    value = match[2]
    for quotes in ("'''", '"""'):
        if value.startswith(quotes):
            return quotes not in value[3:]
    return value.startswith("[") and _depth(value) > 0


def _depth(value: str) -> int:
    """How many brackets are open at the end, outside strings and comments."""
    depth, quote, skip = 0, "", False
    for index, char in enumerate(value):
        if skip:
            skip = char != "\n"
        elif quote:
            if char == quote and not (quote == '"' and value[index - 1] == "\\"):
                quote = ""
        elif char in "\"'":
            quote = char
        elif char == "#":
            skip = True
        else:
            depth += {"[": 1, "]": -1}.get(char, 0)
    return depth


def _block(header: str, items: list[str]) -> str:
    match = _TABLE.match(header)
    order = KEYS.get(match[1] if match else "", "").split()
    entries: list[tuple[int, str]] = []
    comments: list[str] = []
    for item in items:
        key = _KEY.match(item)
        if item.startswith("#") or not key:
            comments.append(item)
            continue
        rank = order.index(key[1]) if key[1] in order else len(order)
        entries.append((rank, "\n".join([*comments, f"{key[1]} = {key[2]}"])))
        comments = []
    lines = [entry for _, entry in sorted(entries, key=lambda entry: entry[0])] + comments
    return "\n".join([*([header] if header else []), *lines]) + "\n"
