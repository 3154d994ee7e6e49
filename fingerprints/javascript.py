"""Regular expressions as JavaScript writes them, in the syntax of the engines here."""

from __future__ import annotations

import re

_KEPT_LETTERS = frozenset("dDwWsSbBnrtfv0123456789")
_PLAIN_WHEN_ESCAPED = frozenset("/\"'`<>=!:;,#%&@~ _")
_CODE_POINT = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_REPEAT = re.compile(r"\{\d+(?:,\d*)?\}")
_CLASS_WITHOUT_MEMBERS = {"[^]": r"[\s\S]", "[]": r"[^\s\S]"}
_GROUP_NUMBER = re.compile(r"\\([1-9]\d?)")
_GROUP_NAME = re.compile(r"\\k<(\w+)>")
_BEFORE_CLASS = re.compile(r"-\\[dDwWsS]")


def translate(pattern: str) -> str:
    """A JavaScript regular expression in RE2's syntax, with the meaning its author documented.

    `\\/` is a slash, other escaped letters JavaScript takes literally are those letters, `[^]` is any
    character, `{,n}` is literal, `\\uXXXX` is that character. A reference to a group that took no part
    matches nothing at all, which is no failure.

    >>> translate(r"a\\/b[^]{,3}\\p")
    'a/b[\\\\s\\\\S]\\\\{,3}p'
    """
    out: list[str] = []
    index = 0
    in_class = False
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            reference = None if in_class else _reference(pattern, index)
            piece, index = reference or _escape(pattern, index)
            out.append(piece)
            continue
        empty = (
            "" if in_class else next((c for c in _CLASS_WITHOUT_MEMBERS if pattern.startswith(c, index)), "")
        )
        if empty:
            out.append(_CLASS_WITHOUT_MEMBERS[empty])
            index += len(empty)
            continue
        if char == "[":
            out.append("\\[" if in_class else char)
            in_class = True
        elif char == "]":
            in_class = False
            out.append(char)
        elif in_class and _BEFORE_CLASS.match(pattern, index):
            out.append("\\-")  # `[.-\w]` is no range
        elif char == "{" and not in_class and not _REPEAT.match(pattern, index):
            out.append("\\{")
        else:
            out.append(char)
        index += 1
    return "".join(out)


def _reference(pattern: str, index: int) -> tuple[str, int] | None:
    """The back-reference at an index for `re`, which fails where the group took no part, and the index after it."""
    number = _GROUP_NUMBER.match(pattern, index)
    if number:
        return f"(?({number[1]}){number[0]})", number.end()
    name = _GROUP_NAME.match(pattern, index)
    if name and f"(?<{name[1]}>" in pattern:
        return f"(?({name[1]})(?P={name[1]}))", name.end()
    return None


def _escape(pattern: str, index: int) -> tuple[str, int]:
    """What the escape at an index means in our syntax, and the index after it."""
    code_point = _CODE_POINT.match(pattern, index)
    if code_point:
        return re.escape(chr(int(code_point[1] or code_point[2], 16))), code_point.end()
    following = pattern[index + 1]
    if following in _PLAIN_WHEN_ESCAPED or (following.isalnum() and following not in _KEPT_LETTERS):
        return following, index + 2
    return "\\" + following, index + 2


def for_python(pattern: str) -> str:
    """The pattern for `re` on bytes: `$` must not match before a final newline, and groups are named with a `P`."""
    named = re.sub(r"(?<!\\)((?:\\\\)*)\(\?<(?=[A-Za-z_])", r"\1(?P<", pattern)
    return re.sub(r"(?<!\\)((?:\\\\)*)\$(?=\)|\||\Z)", r"\1\\Z", named)
