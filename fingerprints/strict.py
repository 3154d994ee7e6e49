"""Reading TOML tables strictly: every value is checked where it enters, unknown keys are errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from fingerprints.model import InputError
from fingerprints.model.spelling import did_you_mean, nearest

T = TypeVar("T")


class RuleError(InputError):
    """Raised for a rule file, category file or example that cannot be used.

    The message has a line for each mistake, which starts with the file's path.
    """


class Table:
    """One TOML table whose keys are taken one by one; `done` then raises for every mistake in it.

    Until then a value that is missing or wrong is its key's default, or of the kind that was asked for:
    fit to go on with, not to be used.
    """

    def __init__(self, where: str, data: object) -> None:
        """Raises RuleError when the data is no table."""
        if not isinstance(data, Mapping):
            raise RuleError(f"{where}: {data!r} is a {type(data).__name__}, expected a table")
        self.where = where
        self._data = dict(data)
        self._asked: set[str] = set()
        self._missing: dict[str, str] = {}
        """Required keys that are not there, with what is to be said about them."""
        self._mistakes: list[str] = []

    def take(
        self, key: str, kind: type | tuple[type, ...], default: Any = None, *, required: bool = False
    ) -> Any:
        """The value of a key; the default when it is missing or, as a mistake, of another type."""
        self._asked.add(key)
        if key not in self._data:
            if required:
                self.miss(key)
            return default
        value = self._data.pop(key)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(k.__name__ for k in kinds)
            self.refuse(f"{key}: {value!r} is a {type(value).__name__}, expected {wanted}")
            return default
        return value

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        given: str | None = self.take(key, str, required=required)
        if required and given is not None and not given.strip():
            self.refuse(f"{key}: must not be empty")
        return default if given is None else given

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one."""
        value = self.take(key, (list, str), [])
        items = [value] if isinstance(value, str) else value
        for item in items:
            if not isinstance(item, str) or not item:
                self.refuse(f"{key}: {item!r} is not a non-empty string")
        return tuple(item for item in items if isinstance(item, str) and item)

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of the allowed words; without a default the key is required."""
        given: str | None = self.take(key, str, required=default is None)
        if given is not None and given in allowed:
            return given
        if given is not None:
            listed = ", ".join(sorted(allowed))
            self.refuse(f"{key}: {given!r} is not one of {listed}{did_you_mean(given, allowed)}")
        return next(iter(allowed)) if default is None else default

    def gather(self, key: str, read: Callable[[int, Any], T]) -> tuple[T, ...]:
        """What `read` makes of each item of a list and its number from 1; what it raises is kept for `done`."""
        made = []
        for number, item in enumerate(self.take(key, list, []), start=1):
            try:
                made.append(read(number, item))
            except RuleError as exc:
                self._mistakes += str(exc).splitlines()
        return tuple(made)

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._data

    def miss(self, key: str, what: str = "") -> None:
        """A key is required and not there; `what` says what it would hold."""
        self._missing[key] = f": {what}" if what else ""

    def refuse(self, mistake: str) -> None:
        """A mistake in this table, to be raised by `done`."""
        self._mistakes.append(f"{self.where}: {mistake}")

    @property
    def has_mistakes(self) -> bool:
        """Whether any was found so far; keys that are not known are found by `done`."""
        return bool(self._mistakes or self._missing)

    def done(self, also: Collection[str] = ()) -> None:
        """Raise RuleError when there was a mistake or a key was not asked for, those of `also` apart."""
        known = self._asked.union(also)
        unknown = [key for key in self._data if key not in known]
        for key, what in self._missing.items():
            misspelt = nearest(key, unknown)
            if misspelt:
                unknown.remove(misspelt)
            hint = f"; did you mean it by {misspelt!r}?" if misspelt else ""
            self.refuse(f"key {key!r} is missing{what}{hint}")
        for key in unknown:
            self.refuse(f"unknown key {key!r}{did_you_mean(key, known)}; allowed: {', '.join(sorted(known))}")
        if self._mistakes:
            raise RuleError("\n".join(self._mistakes))
