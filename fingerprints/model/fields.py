"""Values of a JSON object, checked as they are taken: JSON lets anybody write anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn, Self, TypeVar

from fingerprints.model import InputError

E = TypeVar("E", bound=StrEnum)


class RecordFormatError(InputError):
    """Raised when a JSON object is not a record: names the field and what was expected."""


@dataclass(frozen=True, slots=True)
class Fields:
    """One object. A field that is left out or null has its empty value unless its method says otherwise."""

    data: Mapping[str, Any]
    where: str
    """What error messages put before a field's name, as `scan.pages.`."""

    @classmethod
    def of(cls, data: object, where: str) -> Self:
        if not isinstance(data, Mapping):
            found = repr(data)[:_SHOWN_CHARS]
            raise RecordFormatError(f"{where.rstrip('.') or 'record'}: expected an object, not {found}")
        return cls(data, where)

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if value is None:
            return ""
        return value if isinstance(value, str) else self._refuse(key, "text")

    def required_text(self, key: str) -> str:
        return self.text(key) or self._refuse(key, "text")

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        return (
            tuple(values) if all(isinstance(v, str) for v in values) else self._refuse(key, "a list of texts")
        )

    def text_mapping(self, key: str) -> dict[str, str]:
        data = self.object(key).data
        return dict(data) if all(isinstance(v, str) for v in data.values()) else self._refuse(key, "texts")

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number; needed when there is no default."""
        value = self.data.get(key, default)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if is_number else self._refuse(key, "a number")

    def whole(self, key: str) -> int | None:
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        return self._refuse(key, "a whole number")

    def flag(self, key: str) -> bool | None:
        value = self.data.get(key)
        return value if value is None or isinstance(value, bool) else self._refuse(key, "true, false or null")

    def time(self, key: str) -> str:
        text = self.text(key)
        try:
            if text:
                datetime.fromisoformat(text)
        except ValueError:
            self._refuse(key, "an ISO 8601 time")
        return text

    def choice(self, key: str, choices: type[E]) -> E:
        """One of the words of the enum; always needed."""
        try:
            return choices(str(self.data.get(key)))
        except ValueError:
            self._refuse(key, f"one of {', '.join(choices)}")

    def choices(self, key: str, choices: type[E]) -> tuple[E, ...]:
        """Words of the enum."""
        try:
            return tuple(choices(text) for text in self.texts(key))
        except ValueError:
            self._refuse(key, f"some of {', '.join(choices)}")

    def object(self, key: str) -> Fields:
        value = self.data.get(key)
        return Fields.of({} if value is None else value, f"{self.where}{key}.")

    def objects(self, key: str) -> list[Fields]:
        return [Fields.of(item, f"{self.where}{key}.") for item in self._list(key)]

    def _list(self, key: str) -> list[Any]:
        value = self.data.get(key)
        if value is None:
            return []
        return value if isinstance(value, list) else self._refuse(key, "a list")

    def _refuse(self, key: str, expected: str) -> NoReturn:
        found = (
            f"not {self.data[key]!r}"[:_SHOWN_CHARS] if self.data.get(key) is not None else "which is missing"
        )
        raise RecordFormatError(f"{self.where}{key}: expected {expected}, {found}")


_SHOWN_CHARS = 200
