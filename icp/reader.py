"""A strict look at a YAML file: every value keeps its line, and every mistake is collected with its remedy.

PyYAML's own loading lets duplicate keys overwrite each other and guesses types: `no` becomes False, `017`
becomes 15, `1:30` becomes 90, `10e6` stays text. So the file is only composed into nodes here, and each
value is read from its text as the type its key asks for.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import yaml

from fingerprints.model import InputError
from fingerprints.model.spelling import did_you_mean

MAX_FILE_BYTES = 1_000_000
"""An ICP file has a few kB; anything larger is another file given by mistake."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:_\d{3})+)(?:\.\d+)?(?:[eE]\+?\d{1,2})?")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_SCALARS = {
    "bool": "a yes/no value",
    "timestamp": "a date",
    "null": "nothing",
    "int": "a number",
    "float": "a number",
}


class ProfileError(InputError):
    """Raised for an ICP file that cannot be used: a line per mistake, each `file:line: key: what; remedy`."""


@dataclass(slots=True)
class Findings:
    """Mistakes and warnings of one file, in the order they were met."""

    path: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Raise ProfileError when there was any mistake."""
        if self.errors:
            raise ProfileError("\n".join(self.errors))


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the file. Reading it as the wrong type records a mistake and gives a harmless stand-in."""

    node: yaml.Node
    key: str
    """The path of keys that leads here, as `criteria[0].points`; empty for the whole file."""
    findings: Findings

    @property
    def at(self) -> str:
        place = f"{self.findings.path}:{self.node.start_mark.line + 1}: "
        return f"{place}{self.key}: " if self.key else place

    def fail(self, what: str) -> None:
        self.findings.errors.append(self.at + what)

    def warn(self, what: str) -> None:
        self.findings.warnings.append(self.at + what)

    @property
    def is_table(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def pairs(self) -> dict[str, Value]:
        """The entries of a mapping whose keys the file chooses; a repeated key is a mistake."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(f"expected keys with values, not {self._shape()}")
            return {}
        found: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for key_node, node in self.node.value:
            name = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            value = Value(node, f"{self.key}.{name}".lstrip("."), self.findings)
            if name in found:
                here = Value(key_node, value.key, self.findings)
                here.fail(f"key given twice, first in line {lines[name]}; keep one of them")
            found.setdefault(name, value)
            lines.setdefault(name, key_node.start_mark.line + 1)
        return found

    def table(self, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Value]:
        """The entries of a mapping whose keys the format fixes; unknown and missing keys are mistakes."""
        found = self.pairs()
        for name in [name for name in found if name not in allowed]:
            found.pop(name).fail(f"unknown key{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}")
        if self.is_table:
            for name in required:
                if name not in found:
                    self.fail(f"key {name!r} is missing; add it")
        return found

    def entries(self) -> list[Value]:
        """The items of a list, which must have at least one."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail(f"expected a list, not {self._shape()}")
            return []
        if not self.node.value:
            self.fail("the list is empty; add at least one item or remove the key")
        return [Value(node, f"{self.key}[{i}]", self.findings) for i, node in enumerate(self.node.value)]

    def text(self) -> str:
        """The text of a scalar. What YAML reads as another type must be quoted; numbers may stay bare."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail(f"expected text, not {self._shape()}")
            return ""
        guess = self._guess()
        if guess in ("bool", "timestamp", "null") and self.node.value:
            self.fail(
                f"YAML reads {self.node.value} as {_SCALARS[guess]}; write it in quotes: '{self.node.value}'"
            )
        elif not self.node.value.strip():
            self.fail("the value is empty; write something or remove the key")
        return str(self.node.value).strip()

    def slug(self) -> str:
        text = self.text()
        if text and not _SLUG.fullmatch(text):
            self.fail(f"{text!r} is not a slug; use lower-case letters, digits and hyphens")
        return text

    def number(self, *, low: str = "-1e15", high: str = "1e15") -> Decimal:
        """The number as written, exactly, within inclusive bounds."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else None
        if text is None:
            self.fail(f"expected a number, not {self._shape()}")
        elif not _NUMBER.fullmatch(text):
            self.fail(f"{text!r} is not a number; write it as 25, 2.5 or 10_000_000")
        elif self._is_quoted():
            self.fail(f"{text!r} is in quotes, so it is text; remove the quotes")
        elif not Decimal(low) <= Decimal(text.replace("_", "")) <= Decimal(high):
            self.fail(f"{text} is out of range; use {low} to {high}")
        else:
            return Decimal(text.replace("_", ""))
        return Decimal(low)

    def positive(self) -> Decimal:
        """A number above zero."""
        before = len(self.findings.errors)
        number = self.number(low="-1000000", high="1000000")
        if number <= 0:
            if len(self.findings.errors) == before:
                self.fail(f"{number} is not above zero; give it points, or remove the entry")
            return Decimal(1)
        return number

    def integer(self, *, low: int, high: int) -> int:
        number = self.number(low=str(low), high=str(high))
        if number != int(number):
            self.fail(f"{number} is not a whole number")
        return int(number)

    def boolean(self) -> bool:
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else None
        if text not in ("true", "false") or self._is_quoted():
            self.fail(f"expected true or false, not {self._shape() if text is None else repr(text)}")
        return text == "true"

    def date(self) -> datetime.date | None:
        text = str(self.node.value)
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is not a date; write it as 2026-09-30")
            return None

    def choice(self, allowed: Collection[str]) -> str:
        text = self.text()
        if text and text not in allowed:
            self.fail(f"{text!r} is not one of {', '.join(allowed)}{did_you_mean(text, allowed)}")
        return text

    def _shape(self) -> str:
        if isinstance(self.node, yaml.MappingNode):
            return "keys with values"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return repr(self.node.value) if self.node.value else "nothing"

    def _guess(self) -> str:
        return self.node.tag.removeprefix("tag:yaml.org,2002:")

    def _is_quoted(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.style in ("'", '"')


class _Loader(yaml.SafeLoader):
    """Composes nodes, but no aliases: a few nested ones stand for billions of values, or for themselves."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases (*name) are not used here; write the value out", problem_mark=mark
            )
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> Value:
    """The whole file as one Value. Raises ProfileError when it cannot be read or is not one YAML document."""
    text = _read_text(path)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        what = exc.problem or exc.context
        raise ProfileError(
            f"{path}:{line}: not valid YAML: {what}; check indentation, colons and quotes"
        ) from exc
    except yaml.YAMLError as exc:
        raise ProfileError(f"{path}: not a text file: {str(exc).splitlines()[0]}") from exc
    except RecursionError as exc:
        raise ProfileError(f"{path}: nested too deeply to be an ICP") from exc
    if node is None:
        raise ProfileError(
            f"{path}: the file is empty; start from `technograph icp schema` or a file in data/icp"
        )
    root = Value(node, "", Findings(str(path)))
    _refuse_own_tags(root)
    return root


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ProfileError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes, so not an ICP file")
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise ProfileError(f"{path}: cannot read the ICP: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ProfileError(f"{path}: not a UTF-8 text file; save it as UTF-8") from exc


def _refuse_own_tags(root: Value) -> None:
    for node in _nodes(root.node):
        if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
            Value(node, "", root.findings).fail(f"tag {node.tag!r} is not used here; remove it")


def _nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _nodes(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _nodes(key)
            yield from _nodes(value)
