"""What somebody may have meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 3
"""A word of one or two characters is like everything."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, None when none is.

    >>> nearest("shopfy", ["wix-stores", "shopify"]), nearest("gogle", ["bing"])
    ('shopify', None)
    """
    import difflib  # only a mistake needs it

    close = difflib.get_close_matches(word, list(known), n=1) if len(word) >= SHORTEST else []
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A clause for the end of a message that suggests the nearest known word, or nothing.

    >>> did_you_mean("strenght", ["strength", "name"])
    "; did you mean 'strength'?"
    """
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else ""
