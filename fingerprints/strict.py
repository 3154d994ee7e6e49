"""Reading TOML tables strictly: every value is checked where it enters, unknown keys are errors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fingerprints.model import InputError
from fingerprints.model.spelling import did_you_mean, nearest


class RuleError(InputError):
    """Raised for a rule file, category file or example that cannot be used; the message starts with its path."""


class Table:
    """One TOML table whose keys are taken one by one; `done` then refuses what is left over."""

    def __init__(self, where: str, data: Mapping[str, Any]) -> None:
        self.where = where
        self._data = dict(data)
        self._asked: set[str] = set()

    def take(
        self, key: str, kind: type | tuple[type, ...], default: Any = None, *, required: bool = False
    ) -> Any:
        """The value of a key; RuleError when it is missing though required, or of another type."""
        self._asked.add(key)
        if key not in self._data:
            if required:
                misspelt = nearest(key, self._data)
                hint = f"; did you mean it by {misspelt!r}?" if misspelt else ""
                raise RuleError(f"{self.where}: key {key!r} is missing{hint}")
            return default
        value = self._data.pop(key)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(k.__name__ for k in kinds)
            raise RuleError(f"{self.where}: {key}: {value!r} is a {type(value).__name__}, expected {wanted}")
        return value

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        value: str = self.take(key, str, default, required=required)
        if required and not value.strip():
            raise RuleError(f"{self.where}: {key}: must not be empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one."""
        value = self.take(key, (list, str), [])
        items = [value] if isinstance(value, str) else value
        for item in items:
            if not isinstance(item, str) or not item:
                raise RuleError(f"{self.where}: {key}: {item!r} is not a non-empty string")
        return tuple(items)

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        value = self.text(key, default or "", required=default is None)
        if value not in allowed:
            listed = ", ".join(sorted(allowed))
            raise RuleError(
                f"{self.where}: {key}: {value!r} is not one of {listed}{did_you_mean(value, allowed)}"
            )
        return value

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._data

    def done(self) -> None:
        """Raise RuleError when a key was not asked for."""
        for key in self._data:
            listed = ", ".join(sorted(self._asked))
            raise RuleError(
                f"{self.where}: unknown key {key!r}{did_you_mean(key, self._asked)}; allowed: {listed}"
            )
