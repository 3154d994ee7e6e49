"""Regular expressions that strangers' pages are searched with: linear-time only, and their literals.

RE2 never backtracks, so a hostile page cannot make a pattern slow. What RE2 cannot do (look-around,
back-references) is confirmed by `re` on at most BACKTRACK_BYTES at a time.
"""

from __future__ import annotations

import functools
import itertools
import re
import re._constants as sre
import re._parser as sre_parser
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import re2

from fingerprints.frequency import document_frequency
from fingerprints.model import InputError

BACKTRACK_BYTES = 2048
"""A polynomial pattern over 2 KB stays in the milliseconds (measured on real rule sets, 2026-11)."""

PATTERN_BYTES = 500_000
"""Most memory of one pattern and of what RE2 remembers of its searches: a crawl uses thousands of patterns,
and with RE2's own 8 MB a worker grows by twice as much (measured 2026-11)."""
LARGE_PATTERN_BYTES = 8 << 20
"""For the few that need more."""

_MAX_CANDIDATES = 20
"""Places on one text that a pattern with look-around is tried at."""

_LOOKS = ("(?=", "(?!", "(?<=", "(?<!")
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<?[=!]|.", re.DOTALL)
"""What a parenthesis may hide in: an escape, a character class; and the look-arounds themselves."""

MIN_LITERAL = 3
"""Shorter runs occur on nearly every page, so searching for them first saves nothing."""

WHOLE_WORD = "\b"
"""Before a literal: no letter, digit or underscore stands beside it. A scanner may overlook this."""

_MAX_ALTERNATIVES = 64


class PatternError(InputError):
    """Raised when a pattern cannot be compiled; the message says what is wrong with it."""


Match = Any
"""What a search returns: `re2` and `re` matches alike have group, groups and span."""

Search = Callable[..., Match]
"""Takes the text and, if only a part of it is meant, where to begin and to end in it."""


def compile_search(pattern: str, *, backtracks: bool = False) -> Search:
    """A case-insensitive, unanchored search over UTF-8 bytes. Raises PatternError."""
    if backtracks:
        return _backtracking_search(pattern)
    search: Search = _re2(pattern).search
    return search


def _backtracking_search(pattern: str) -> Search:
    """A search by `re` near the places RE2 points at.

    A pattern can match only where it matches without its look-around, which RE2 finds in linear time; what
    has back-references is looked for in the first BACKTRACK_BYTES only.
    """
    exact = re.compile(pattern.encode(), re.IGNORECASE)
    loose = without_look_around(pattern)
    if loose is None or uses_backtracking(loose):
        return lambda text, start=0, end=BACKTRACK_BYTES: exact.search(
            text, start, min(end, start + BACKTRACK_BYTES)
        )
    candidate = _re2(loose).search
    sees_the_end = re.search(r"\$|\\[Zz]", pattern) is not None

    def search(text: bytes, start: int = 0, end: int | None = None) -> Match:
        limit = len(text) if end is None else end
        for _ in range(_MAX_CANDIDATES):
            found = candidate(text, start, limit)
            if found is None:
                return None
            began, ended = found.span()
            cut = min(limit, began + BACKTRACK_BYTES)
            matched = exact.search(text, began, cut)
            if matched and not (sees_the_end and matched.end() == cut < limit):
                return matched
            start = max(ended, began + 1)
        return None

    return search


def without_look_around(pattern: str) -> str | None:
    """The pattern with every look-around taken out, None where a back-reference needs what was matched.

    >>> without_look_around(r"<(?!svg)[^>]+\\sdata-v"), without_look_around(r"(a)\\1")
    ('<(?:)[^>]+\\\\sdata-v', None)
    """
    if re.search(r"(?<!\\)(?:\\\\)*(?:\\[1-9]|\(\?P=)", pattern):
        return None
    pieces, opened = [], 0
    for piece in _PIECE.findall(pattern):
        if opened:
            opened += piece.startswith("(") - (piece == ")")
        elif piece in _LOOKS:
            opened = 1
            pieces.append("(?:)")
        else:
            pieces.append(piece)
    return "".join(pieces)


@functools.cache
def _re2(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_BYTES
    try:
        with suppress(re2.error):
            return re2.compile(pattern, options)
        options.max_mem = LARGE_PATTERN_BYTES
        return re2.compile(pattern, options)
    except UnicodeEncodeError as exc:
        raise PatternError(f"{pattern!r}: half of a surrogate pair, which no page in UTF-8 holds") from exc
    except re2.error as exc:
        reason = exc.args[0] if exc.args else exc
        raise PatternError(
            f"{pattern!r}: {reason.decode() if isinstance(reason, bytes) else reason}"
        ) from exc


def group_count(pattern: str) -> int:
    """How many capture groups a pattern has. Raises PatternError when no engine can compile it."""
    try:
        return int(sre_parser.parse(pattern, re.IGNORECASE).state.groups - 1)
    except (re.error, OverflowError, RecursionError) as exc:
        raise PatternError(f"{pattern!r}: {exc}") from exc


def uses_backtracking(pattern: str) -> bool:
    """Whether the pattern needs look-around or back-references, or is otherwise more than RE2 does."""
    try:
        _re2(pattern)
    except PatternError:
        return True
    return False


# --- required literals -------------------------------------------------------------------------


Literals = frozenset[str]
"""Alternatives, lower case: whatever the pattern matches contains at least one of them."""


_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
"""As `[[:space:]]`, which RE2 knows and Python's parser takes for other characters."""


@functools.lru_cache(maxsize=16)  # several questions are asked about one pattern after another
def _parsed(pattern: str) -> list[tuple[Any, Any]] | None:
    """The parse tree of a pattern; None when Python's parser cannot read it, or reads it as RE2 does not."""
    if _POSIX_CLASS.search(pattern):
        return None
    try:
        return list(sre_parser.parse(pattern, re.IGNORECASE | re.ASCII))
    except (re.error, OverflowError, RecursionError):
        return None


def required_literals(pattern: str) -> list[Literals]:
    """Sets of literals, each of which every match must hit; empty when nothing can be required.

    Sound for any syntax: what is not understood requires nothing.

    >>> sorted(map(sorted, required_literals(r'js(?:-eu1)?\\.hs-scripts\\.com/(\\d+)\\.js')))
    [['.hs-scripts.com/'], ['.js']]
    """
    found = list(_sequence(_parsed(pattern) or ()))
    return [literals for literals in found if all(len(literal) >= MIN_LITERAL for literal in literals)]


def _sequence(items: Iterable[tuple[Any, Any]]) -> Iterator[Literals]:
    """Requirements of a concatenation: runs of plain characters, and what its parts require.

    A run goes on through an alternation of plain texts, once for each: `mbox(?:Create|Update)` requires
    `mboxcreate` or `mboxupdate`, which is rarer than either half.
    """
    runs = {""}
    for op, argument in _flatten(items):
        texts = _plain_texts(op, argument)
        if texts and len(runs) * len(texts) <= _MAX_ALTERNATIVES:
            runs = {run + text for run in runs for text in texts}
            continue
        if runs != {""}:
            yield frozenset(runs)
        if op is sre.BRANCH and len(runs) == 1:
            (run,) = runs
            yield from (found for found in _part(op, _with_prefix(run, argument)) if run not in found)
        else:
            yield from _part(op, argument)
        runs = {""}
    if runs != {""}:
        yield frozenset(runs)


def _with_prefix(run: str, branch: tuple[Any, Any]) -> tuple[Any, Any]:
    """The alternation with the run that stands before it drawn in: `hi(?:secos|os)` requires `hisecos` or `hios`."""
    prefix = [(sre.LITERAL, ord(char)) for char in run]
    return branch[0], [prefix + list(items) for items in branch[1]]


def _flatten(items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The items with plain groups opened, so that a run of characters may cross their borders."""
    for op, argument in items:
        if op is sre.SUBPATTERN and not argument[1] and not argument[2]:
            yield from _flatten(argument[3])
        elif op is sre.MAX_REPEAT and argument[:2] == (1, 1):
            yield from _flatten(argument[2])
        else:
            yield op, argument


def _plain_texts(op: Any, argument: Any) -> set[str]:
    """The lower-case ASCII texts an item stands for, if it stands for a few plain ones; else nothing."""
    if op is sre.LITERAL:
        return {chr(argument).lower()} if argument < 128 else set()
    if (
        op is sre.IN
        and len(argument) <= 3
        and all(kind is sre.LITERAL and code < 128 for kind, code in argument)
    ):
        return {chr(code).lower() for _, code in argument}
    if op is sre.BRANCH:
        return _plain_branches(argument[1])
    if op is sre.SUBPATTERN and not argument[1] and not argument[2]:
        items = list(argument[3])
        return _plain_texts(*items[0]) if len(items) == 1 else set()
    return set()


def _plain_branches(branches: Iterable[Iterable[tuple[Any, Any]]]) -> set[str]:
    texts: set[str] = set()
    for branch in branches:
        pieces = [_plain_texts(op, argument) for op, argument in branch if op is not sre.BRANCH]
        if not pieces or len(pieces) != len(list(branch)) or any(len(piece) != 1 for piece in pieces):
            return set()
        texts.add("".join(next(iter(piece)) for piece in pieces))
    return texts


def _part(op: Any, argument: Any) -> Iterator[Literals]:
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", None)):
        least, _, inner = argument
        if least >= 1:
            yield from _sequence(inner)
    elif op is sre.SUBPATTERN:
        yield from _sequence(argument[3])
    elif op is sre.ATOMIC_GROUP:
        yield from _sequence(argument)
    elif op is sre.BRANCH:
        alternatives = _branches(argument[1])
        if alternatives:
            yield alternatives


def _branches(branches: Iterable[Iterable[tuple[Any, Any]]]) -> Literals | None:
    """One requirement for an alternation: the best of each branch, or None when a branch has none."""
    union: set[str] = set()
    for branch in branches:
        options = [o for o in _sequence(branch) if all(len(literal) >= MIN_LITERAL for literal in o)]
        if not options:
            return None
        union |= rarest(options)
    return frozenset(union) if len(union) <= _MAX_ALTERNATIVES else None


def rarest(options: Sequence[Literals]) -> Literals:
    """The requirement that the fewest pages meet. `options` must not be empty."""
    return min(options, key=rarity)


def rarity(literals: Literals) -> tuple[float, int, list[str]]:
    """A sort key by the share of pages that meet a requirement, then the longest, then always the same."""
    return sum(map(_share, literals)), -min(map(len, literals)), sorted(literals)


def _share(literal: str) -> float:
    """Estimated share of pages (0..1) that hold the literal; a word of its own is rarer than its characters."""
    if literal.startswith(WHOLE_WORD):
        return document_frequency(literal.removeprefix(WHOLE_WORD)) / 4
    return document_frequency(literal)


# --- parts of a pattern -------------------------------------------------------------------------


def from_rare_run(pattern: str, least: int, enough: int, share: float) -> str:
    """Each alternative from its first rare run of plain characters on: matches wherever the pattern does.

    Rare: at least so long, and on less than this share of pages. A run that is long enough stands for all
    that follows it, too. What begins at every line may do with a shorter and commoner run. The pattern is
    one without counts, as `x{2}`. What is not understood stays as it is.

    >>> from_rare_run(r"^//[a-z-]+\\.acmeshop\\.com/(\\d+)|//acme/(\\d+)|/c?|^https?:.*\\.php", 6, 8, 0.1)
    '\\\\.acmeshop\\\\.com/|//acme/(\\\\d+)|/c?|\\\\.php'
    """
    if _NO_PARTS.search(pattern) or _POSIX_CLASS.search(pattern):
        return pattern
    alternatives: list[list[str]] = [[]]
    depth = 0
    for piece in _PIECE.findall(pattern):
        if depth or (piece in ("*", "+", "?") and alternatives[-1]):
            alternatives[-1][-1] += piece
        elif piece == "|":
            alternatives.append([])
        else:
            alternatives[-1].append(piece)
        depth += piece.startswith("(") - (piece == ")")
    return "|".join("".join(_from_rare_run(items, least, enough, share)) for items in alternatives)


_OF_A_LINE = (4, 0.8)
"""Length and share of a run that a pattern does better to begin with than with each line."""


_NO_PARTS = re.compile(r"\(\?[a-zA-Z-]*\)|\(\?P=|\\[1-9xpPQcuU0]")
"""What says something of all that follows, or of another part; escapes of more than one character."""


def _from_rare_run(items: Sequence[str], least: int, enough: int, share: float) -> Sequence[str]:
    start = 0
    while start < len(items):
        run = "".join(item[-1] for item in itertools.takewhile(_is_plain, items[start:])).lower()
        if len(run) >= least and document_frequency(run) < share:
            return items[start : start + len(run)] if len(run) >= enough else items[start:]
        start += len(run) or 1
    if items[:1] == ["^"] and (least, share) != _OF_A_LINE:
        shortest, commonest = _OF_A_LINE
        return _from_rare_run(items, shortest, len(items), commonest)  # a common run is never enough
    return items


def _is_plain(item: str) -> bool:
    """Whether a part of a pattern stands for one character and nothing else."""
    if len(item) == 2:
        return item[0] == "\\" and not item[1].isalnum()
    return len(item) == 1 and item not in ".^$"


# --- what a match cannot cross -----------------------------------------------------------------


def crosses(pattern: str, char: str) -> bool:
    """Whether a match may hold an ASCII character anywhere but at its end, or depends on where a text begins or ends.

    >>> crosses(r"<link [^>]*href=.{3}", ">"), crosses(r"<link [^>]*/a\\.css[^>]*>", ">")
    (True, False)
    """
    tree = _parsed(pattern)
    return tree is None or _crosses(tree, ord(char))


def _crosses(items: Sequence[tuple[Any, Any]], code: int) -> bool:
    if not items:
        return False
    *before, (op, argument) = items
    if any(_holds(part, inner, code) for part, inner in before):
        return True
    if op in (sre.LITERAL, sre.IN, sre.NOT_LITERAL):
        return False
    if op is sre.SUBPATTERN:
        return _crosses(list(argument[3]), code)
    if op is sre.BRANCH:
        return any(_crosses(list(branch), code) for branch in argument[1])
    return _holds(op, argument, code)


def _holds(op: Any, argument: Any, code: int) -> bool:
    """Whether an item may match the character; true for whatever is not understood."""
    match op:
        case sre.LITERAL:
            return bool(argument == code)
        case sre.NOT_LITERAL:
            return bool(argument != code)
        case sre.IN:
            negated = argument[0][0] is sre.NEGATE
            lists = [_lists(part, inner, code) for part, inner in argument[negated:]]
            return None in lists or any(lists) != negated
        case sre.MAX_REPEAT | sre.MIN_REPEAT:
            return any(_holds(part, inner, code) for part, inner in argument[2])
        case sre.SUBPATTERN:
            return any(_holds(part, inner, code) for part, inner in argument[3])
        case sre.ASSERT | sre.ASSERT_NOT:
            return any(_holds(part, inner, code) for part, inner in argument[1])
        case sre.BRANCH:
            return any(_holds(part, inner, code) for branch in argument[1] for part, inner in branch)
        case sre.AT:
            return argument not in (sre.AT_BOUNDARY, sre.AT_NON_BOUNDARY)
        case _:
            return True


def _lists(op: Any, argument: Any, code: int) -> bool | None:
    """Whether a part of a character class names the character; None when it is not understood."""
    char = chr(code)
    if op is sre.LITERAL:
        return bool(argument == code)
    if op is sre.RANGE:
        return bool(argument[0] <= code <= argument[1])
    if op is sre.CATEGORY and argument in (sre.CATEGORY_DIGIT, sre.CATEGORY_NOT_DIGIT):
        return char.isdigit() == (argument is sre.CATEGORY_DIGIT)
    if op is sre.CATEGORY and argument in (sre.CATEGORY_WORD, sre.CATEGORY_NOT_WORD):
        return (char.isalnum() or char == "_") == (argument is sre.CATEGORY_WORD)
    if op is sre.CATEGORY and argument in (sre.CATEGORY_SPACE, sre.CATEGORY_NOT_SPACE):
        return char.isspace() == (argument is sre.CATEGORY_SPACE)
    return None


# --- versions ----------------------------------------------------------------------------------

_TERNARY = re.compile(r"\\(\d)\?([^:]*):(.*)\Z", re.DOTALL)
_REFERENCE = re.compile(r"\\(\d)")
_VERSION_CHARS = 32
_HASH = re.compile(r"[0-9a-f]{7,}\Z", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"0*[1-9]\d{4,}(?![\da-z])", re.IGNORECASE)
"""From 10,000 on: times and cache keys, whatever stands behind a dot."""
_DATE = re.compile(r"(?:19|20)\d{6}(?:\d{2,6})?\Z")


def expand(template: str, match: Match) -> str:
    """The version a template makes of a match: `\\1` is a group, `\\1?a:b` chooses, the rest is text.

    Groups that did not take part and groups the pattern does not have become nothing.
    """
    if template == "\\1":  # as most of them
        return b"".join(filter(None, match.groups()[:1])).decode("utf-8", "replace").strip()
    groups = [match.group(0), *match.groups()]
    values = ["" if value is None else value.decode("utf-8", "replace") for value in groups]

    def value(index: str) -> str:
        return values[int(index)] if int(index) < len(values) else ""

    while ternary := _TERNARY.search(template):
        index, yes, no = ternary.groups()
        template = template[: ternary.start()] + (yes if value(index) else no)
    return _REFERENCE.sub(lambda reference: value(reference[1]), template).strip()


def plausible_version(text: str) -> str:
    """The text if it can be a version, else nothing: short and printable, no hash, no date, no cache key.

    >>> plausible_version("6.4.2"), plausible_version("20240101"), plausible_version("123a8470")
    ('6.4.2', '', '')
    """
    text = text.strip().strip(".")
    if not text.isprintable() or not text or len(text) > _VERSION_CHARS or _DATE.match(text):
        return ""
    if _LEADING_NUMBER.match(text):
        return ""
    if _HASH.match(text) and any(c.isdigit() for c in text) and any(c.isalpha() for c in text):
        return ""
    return text
