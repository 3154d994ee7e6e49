"""The query language of `find`: text in, a tree of typed terms out.

    tech:shopify AND lacks:reviews          a platform, and a category assessed as lacking
    category:live_chat (tier:A OR score>=70) NOT outcome:parked

Terms side by side mean AND, which binds tighter than OR. A comma in a value means OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fingerprints.model.spelling import nearest
from store.names import Names
from store.query import And, Node, Not, Or
from store.terms import KEYS, QueryError, Value, read_term

MAX_TERMS = 200
"""SQLite refuses expressions of more than 1,000 levels; nobody writes a query this long by hand."""

MAX_DEPTH = 8
"""SQLite's parser has room for 100 open symbols (YYSTACKDEPTH); with 3.40 the worst query fits 9 times."""


def parse(text: str, names: Names) -> Node:
    """The tree of a query. Raises QueryError, for an empty query too."""
    return _Parser(_tokens(text), names, end=len(text) + 1).query()


@dataclass(frozen=True, slots=True)
class _Token:
    """A parenthesis, a word, or a term when it has a key."""

    text: str
    column: int
    key: str = ""
    op: str = ""
    value: str = ""
    value_column: int = 0


_TOKEN = re.compile(
    r"""(?P<paren>[()])
      | (?P<key>[A-Za-z_.]+)\s*(?P<op>>=|<=|[:<>=])\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s()"]+))
      | (?P<word>[^\s()]+)""",
    re.VERBOSE,
)


def _tokens(text: str) -> list[_Token]:
    return [_token(match) for match in _TOKEN.finditer(text)]


def _token(match: re.Match[str]) -> _Token:
    if not match["key"]:
        return _Token(match[0], match.start() + 1)
    part = "plain" if match["quoted"] is None else "quoted"
    return _Token(
        match[0], match.start() + 1, match["key"].lower(), match["op"], match[part], match.start(part) + 1
    )


class _Parser:
    """Recursive descent: any_of (OR) -> all_of (AND) -> one (NOT, parentheses) -> term."""

    def __init__(self, tokens: list[_Token], names: Names, end: int) -> None:
        self._tokens = tokens
        self._names = names
        self._end = end
        self._next = 0
        self._depth = 0

    def query(self) -> Node:
        if not self._tokens:
            raise QueryError(1, f"the query is empty; {_TERMS_ARE}")
        if sum(token.key != "" for token in self._tokens) > MAX_TERMS:
            raise QueryError(1, f"the query has more than {MAX_TERMS} terms")
        node = self._any_of()
        if self._next < len(self._tokens):
            raise QueryError(self._column(), "')' without '('")
        return node

    def _any_of(self) -> Node:
        terms = [self._all_of()]
        while self._accept("OR"):
            terms.append(self._all_of())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all_of(self) -> Node:
        terms = [self._one()]
        while self._accept("AND") or self._word() not in ("", "OR", ")"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _one(self) -> Node:
        if self._accept("NOT"):
            return Not(self._deeper(self._one))
        if self._accept("("):
            node = self._deeper(self._any_of)
            if not self._accept(")"):
                raise QueryError(self._column(), "')' is missing")
            return node
        if self._word() in ("", "AND", "OR", ")"):
            raise QueryError(self._column(), f"a term is missing; {_TERMS_ARE}")
        self._next += 1
        return self._term(self._tokens[self._next - 1])

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(self._column(), f"nested more than {MAX_DEPTH} deep")
        node = part()
        self._depth -= 1
        return node

    def _term(self, token: _Token) -> Node:
        if not token.key:
            raise QueryError(token.column, self._advice(token.text))
        if token.key not in KEYS:
            near = nearest(token.key, KEYS)
            hint = f"did you mean {near!r}?" if near else _TERMS_ARE
            raise QueryError(token.column, f"unknown term {token.key!r}; {hint}")
        return read_term(token.key, token.op, Value(token.value, token.value_column), self._names)

    def _advice(self, word: str) -> str:
        if word.rstrip(":").lower() in KEYS:
            return f"{word!r} needs a value"
        if technology := self._names.technology(word):
            return f"{word!r} is not a term; write tech:{technology.slug}"
        if category := self._names.category(word):
            return f"{word!r} is not a term; write category:{category} or lacks:{category}"
        return f"{word!r} is not a term; {_TERMS_ARE}"

    def _accept(self, word: str) -> bool:
        if self._word() != word:
            return False
        self._next += 1
        return True

    def _word(self) -> str:
        """The next token in upper case; empty at the end."""
        return self._tokens[self._next].text.upper() if self._next < len(self._tokens) else ""

    def _column(self) -> int:
        return self._tokens[self._next].column if self._next < len(self._tokens) else self._end


_TERMS_ARE = f"terms are {', '.join(f'{key}:' for key in KEYS if key != 'score')} and score>="
