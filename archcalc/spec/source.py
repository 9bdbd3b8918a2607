"""YAML read into plain values that know their place in the file.

A spec is hostile input: tags, merge keys and recursion are refused, aliases are counted at their expanded size, and
file size, nesting and number of values are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from archcalc.core.errors import Location, Problem, SpecError
from archcalc.core.files import read_bytes

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]  # another class for the same

LARGEST_FILE = 1 << 20
DEEPEST_NESTING = 40
MOST_VALUES = 200_000
_TOO_DEEP = f"is nested more than {DEEPEST_NESTING} deep"

#: What no YAML text may hold. Compiled where it is needed, which is seldom.
_NOT_TEXT = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_INTEGER = re.compile(r"[-+]?\d+")
_DECIMAL = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d{1,3})?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

Mark = tuple[int, int]


class MarkedDict(dict[str, Any]):
    """A mapping; `keys_at` and `values_at` hold line and column of each key and value."""

    __slots__ = ("at", "keys_at", "values_at")

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}


class MarkedList(list[Any]):
    """A sequence; `items_at` holds line and column of each item."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at
        self.items_at: list[Mark] = []


class Quoted(str):
    """A string that was written in quotes: never a number."""

    __slots__ = ()


def within(raw: Any, at: Mark, offset: int) -> Mark:
    """The place of a character of an expression; a quote before it counts."""
    return (at[0], at[1] + offset + isinstance(raw, Quoted))


class Source(NamedTuple):
    """A parsed file: its name as the user gave it, and its value."""

    file: str
    value: Any

    def locate(self, path: Sequence[Any]) -> Location:
        """Place of the value at a path of keys and indices; steps that the document does not have are skipped."""
        value = self.value
        mark: Mark = getattr(value, "at", (1, 1))
        for step in path:
            if isinstance(value, MarkedDict) and step in value.values_at:
                mark, value = value.values_at[step], value[step]
            elif isinstance(value, MarkedList) and isinstance(step, int) and step < len(value):
                mark, value = value.items_at[step], value[step]
        return Location(self.file, *mark)

    def locate_key(self, path: Sequence[Any]) -> Location:
        """Place of the key that the path ends with."""
        value = self.value
        for step in path[:-1]:
            is_step = isinstance(value, MarkedList) and isinstance(step, int)
            if is_step or (isinstance(value, MarkedDict) and step in value):
                value = value[step]
        if isinstance(value, MarkedDict) and path[-1] in value.keys_at:
            return Location(self.file, *value.keys_at[path[-1]])
        return self.locate(path)


def read_source(path: Path, shown: str | None = None) -> Source:
    """Read a YAML file. Raises `UsageError` where it cannot be read and `SpecError` where it is no plain YAML."""
    name = shown or str(path)
    data = read_bytes(path, LARGEST_FILE, "spec", name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        problem = Problem("is not a text file in UTF-8", Location(name, line, column))
        raise SpecError([problem]) from None
    return parse_source(text, name)


def parse_source(text: str, file: str, plain: Callable[[str], Any] | None = None) -> Source:
    """Parse YAML text; `file` is the name to show in errors, `plain` reads scalars without quotes (else `scalar`)."""
    try:
        return Source(file, _Reader(text, file, plain or scalar).read())
    except yaml.MarkedYAMLError as error:
        what = error.problem or error.context or ""
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if "nesting depth" in what:  # libyaml looks ahead, and from 0.2.6 on has a bound of its own
            raise SpecError([Problem(_TOO_DEEP, Location(file, line + 1, column + 1))]) from None
        from archcalc.spec.no_yaml import Found, explain

        found = explain(text, error) or Found("this does not fit the lines above", line, column)
        location = Location(file, found.line + 1, found.column + 1)
        raise SpecError([Problem(f"is not valid YAML: {found.message}", location, details=found.details)]) from None
    except yaml.YAMLError as error:
        what = str(error).splitlines()[0]
        wrong = re.search(_NOT_TEXT, text)
        before = text[: wrong.start()] if wrong else ""
        location = Location(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise SpecError([Problem(f"is not valid YAML: {what}", location)]) from None


def compose(text: str) -> yaml.Node | None:
    """The nodes of a text that `parse_source` reads, with their places; an alias is its anchor's node."""
    found: yaml.Node | None = yaml.compose(text, Loader=Loader)
    return found


class _Reader:
    """Builds values from the parser's events, without the constructors that YAML tags can call."""

    def __init__(self, text: str, file: str, plain: Callable[[str], Any]) -> None:
        self.file = file
        self.plain = plain
        self.events = yaml.parse(text, Loader=Loader)
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.count = 0

    def fail(self, message: str, mark: Mark) -> SpecError:
        return SpecError([Problem(message, Location(self.file, *mark))])

    def read(self) -> Any:
        value = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.fail("holds more than one YAML document", _mark(event))
                value = self._value(next(self.events), 0)
        if value is None:
            raise self.fail("is empty", (1, 1))
        return value

    def _value(self, event: Any, depth: int) -> Any:
        mark = _mark(event)
        self.count += 1
        if self.count > MOST_VALUES:
            raise self.fail(f"holds more than {MOST_VALUES:,} values once its aliases are expanded", mark)
        if depth > DEEPEST_NESTING:
            raise self.fail(_TOO_DEEP, mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), mark)
        if event.tag is not None and event.tag != "!":
            raise self.fail(f"tag {event.tag!r}: tags are not part of the spec language", mark)
        before = self.count
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        value = self._node(event, depth, mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.count - before + 1)
        return value

    def _node(self, event: Any, depth: int, mark: Mark) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self.plain(event.value) if event.style in (None, "") else Quoted(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(depth, mark)
        return self._dict(depth, mark)

    def _alias(self, anchor: str, mark: Mark) -> Any:
        if anchor not in self.anchors:
            raise self.fail(f"alias *{anchor} stands before or inside its anchor", mark)
        value, size = self.anchors[anchor]
        self.count += size
        if self.count > MOST_VALUES:
            raise self.fail(f"holds more than {MOST_VALUES:,} values once its aliases are expanded", mark)
        return value

    def _list(self, depth: int, mark: Mark) -> MarkedList:
        result = MarkedList(mark)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            result.items_at.append(_mark(event))
            result.append(self._value(event, depth + 1))
        return result

    def _dict(self, depth: int, mark: Mark) -> MarkedDict:
        result = MarkedDict(mark)
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = _mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.fail("a key must be a plain word or number", at)
            key = event.value
            if key == "<<":
                raise self.fail("merge keys (<<) are not part of the spec language; use blocks", at)
            if key in result:
                raise self.fail(f"key {key!r} is given twice in one mapping", at)
            value_event = next(self.events)
            result.keys_at[key] = at
            result.values_at[key] = _mark(value_event)
            result[key] = self._value(value_event, depth + 1)
        return result


def _mark(event: Any) -> Mark:
    return (event.start_mark.line + 1, event.start_mark.column + 1)


def scalar(text: str) -> Any:
    """A plain YAML scalar: null, true, false, a whole number, a decimal number, or a string (YAML 1.2 core schema)."""
    first = text[:1]
    if first.isdigit() or first in ("+", "-", "."):
        if len(text) <= 40:
            if _INTEGER.fullmatch(text):
                return int(text)
            if _DECIMAL.fullmatch(text):
                return float(text)
        return text
    return _WORDS.get(text, text)
