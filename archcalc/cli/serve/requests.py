"""What a request asks for: its values, checked and bounded, and the network that it is about."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.core.errors import Location, UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.graph.inputs import parse_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.objects import Analysis, Network
from archcalc.spec.build import build
from archcalc.spec.catalogue import default_member, entries, find, is_file_name, is_pattern, key_of
from archcalc.spec.load import spec_of
from archcalc.spec.patterns import parse_pattern, pattern_notes
from archcalc.spec.schema import json_schema
from archcalc.spec.source import LARGEST_FILE, parse_source
from archcalc.spec.spec import Spec

#: The file that places in a text are of.
TEXT = "<text>"
#: More layers than this are left to the command line.
MOST_LAYERS = 10_000
#: A model file as it comes, before base64.
LARGEST_MODEL = 48 << 20
_LONGEST_WORD = 200
_MOST_PARAMETERS = 100
#: A comment, a document's start or `key:` begins a spec; a word of the catalogue and a pattern have neither.
_YAML = re.compile(r"\s*(?:#|---|[\w\"'-]+\s*:(?:\s|$))")
#: JSON can hold one of two parts of a character, UTF-8 cannot.
_HALF = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[\w .+/-]{1,80}(?:@[\w .+@-]{1,80})?")


class Request(NamedTuple):
    """The object that a page sent; its readers raise `UsageError` that names the value and what was wanted."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, values: Any) -> Request:
        if not isinstance(values, Mapping):
            raise UsageError(f"a request is a JSON object, not {_kind(values)}")
        return cls(values)

    def _value(self, key: str, wanted: type | tuple[type, ...], words: str) -> Any:
        value = self.values.get(key)
        if value is None:
            raise UsageError(f"the request needs {key!r}, {words}")
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise UsageError(f"{key!r} is {words}, not {_kind(value)}")
        return value

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, longest: int = _LONGEST_WORD) -> str:
        """A text of at most so many characters."""
        value: str = self._value(key, str, "a text")
        if len(value) > longest:
            raise UsageError(f"{key!r} has {len(value):,} characters; at most {longest:,} are read")
        if not value.isascii() and _HALF.search(value):
            raise UsageError(f"{key!r} holds half a character, which is no text")
        return value

    def choice(self, key: str, known: Sequence[str], default: str) -> str:
        """One of the known words."""
        value = self.text(key) if self.has(key) else default
        if value not in known:
            raise UsageError(
                f"there is no {key} {value[:60]!r}{did_you_mean(value, known)}; there are {', '.join(known)}"
            )
        return value

    def number(self, key: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        value: int = self._value(key, int, "a whole number")
        if not least <= value <= most:
            raise UsageError(f"{key!r} is a whole number from {least:,} to {most:,}, not {str(value)[:40]}")
        return value

    def data(self, key: str, largest: int) -> bytes:
        """The bytes of a file, which came in base64."""
        text = self.text(key, largest * 4 // 3 + 4)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise UsageError(f"{key!r} is no base64") from None

    def objects(self, key: str, most: int) -> list[Request]:
        """A list of objects."""
        value: list[Any] = self._value(key, list, "a list of objects")
        if len(value) > most:
            raise UsageError(f"{key!r} has {len(value):,} entries; at most {most:,} are read")
        return [Request.of(one) for one in value]

    def source(self, key: str = "source") -> Source:
        """The network that the request is about."""
        inner = Request.of(self._value(key, Mapping, "an object with the text of a network"))
        size = inner.text("input") if inner.has("input") else ""
        given = inner.values.get("parameters") or {}
        if not isinstance(given, Mapping) or len(given) > _MOST_PARAMETERS:
            raise UsageError(f"'parameters' is an object of at most {_MOST_PARAMETERS} values")
        return Source(inner.text("text", LARGEST_FILE), size.strip(), json.dumps(given, sort_keys=True))


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


class Source(NamedTuple):
    """The text of a network (a spec, a pattern or a name of the catalogue), its input and its parameters as JSON."""

    text: str
    size: str = ""
    parameters: str = "{}"

    @property
    def is_yaml(self) -> bool:
        return _YAML.match(self.text) is not None or "\n" in self.text.strip()

    @property
    def is_pattern(self) -> bool:
        return not self.is_yaml and is_pattern(self.text)

    def spec(self) -> tuple[Spec, str | None, str | None]:
        """The spec, its member and its variant. Raises as `archcalc.load`; no file is ever read for a text."""
        if self.is_yaml:
            spec = _spec(self.text)
            return spec, default_member(spec), None
        if self.is_pattern:
            return spec_of(parse_pattern(self.text)), None, None
        name = self.text.strip()
        if not name:
            raise UsageError("write a network: a spec, a pattern such as 32x32x3 -> conv3-64 -> fc10, or a name")
        base = name.partition("@")[0]
        if not _NAME.fullmatch(name) or is_file_name(name) or key_of(base) not in entries():
            keys = [key for key in json_schema()["properties"] if key.startswith(name)]
            if keys:
                raise UsageError(f"a spec begins with lines such as {keys[0]}: …; go on, or write a name or a pattern")
            known = [entry.name for entry in entries().values()]
            hint = did_you_mean(base, known) or "; the catalogue lists all"
            raise UsageError(f"there is no network {name[:80]!r}{hint}")
        return find(name)

    def graph(self) -> LayerGraph:
        """The layers. Raises `SpecError` for faults in a spec, `UsageError` for more layers than are worked on here."""
        spec, member, variant = self.spec()
        shape = parse_inputs(self.size) if self.size else None
        graph = build(spec, member, variant, json.loads(self.parameters), shape)
        if len(graph) > MOST_LAYERS:
            raise UsageError(
                f"{graph.name} has {len(graph):,} layers; the playground takes {MOST_LAYERS:,}, the command line more"
            )
        return replace(graph, notes=pattern_notes(graph)) if self.is_pattern else graph

    def analyse(self) -> Analysis:
        """All numbers of the network. Raises `SpecError` that names inputs which would fit."""
        return _analysis(self)


@lru_cache(maxsize=4)
def _spec(text: str) -> Spec:
    return spec_of(parse_source(text, TEXT))


@lru_cache(maxsize=4)
def _analysis(source: Source) -> Analysis:
    """While somebody types, the table and the picture of one text are asked for one after the other."""
    return Network.of(source.graph()).analyse()


def own_line(location: Location | None) -> tuple[int, int] | None:
    """Line and column of a place in the text that was sent; None for a place in another file."""
    return (location.line, location.column) if location and location.file == TEXT and location.line else None
