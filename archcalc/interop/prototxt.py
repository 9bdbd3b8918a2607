"""Protobuf's text format, as Caffe's networks are written in it: fields of any name, kept with their places.

Source: protobuf.dev, Text Format Language Specification. No schema is needed: what a field should be is asked when it
is read.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archcalc.core.shapes import LARGEST_FLAT
from archcalc.core.suggest import did_you_mean
from archcalc.interop.assemble import fault
from archcalc.spec.values import MOST_LAYERS

#: No message inside messages goes deeper; Caffe's have four levels.
DEEPEST = 32
_TOKEN = re.compile(
    r"""(?P<skip>(?:\s+|\#[^\n]*)+)|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>[A-Za-z_][\w./-]*|[-+]?\.?\d[\w.+-]*|-[A-Za-z_]\w*)|(?P<mark>[{}<>:\[\],;])"""
)
_ESCAPE = re.compile(r"\\(.)")
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,5})?[fF]?")
_FLAGS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


class Scalar(NamedTuple):
    """A value as it is written, without quotes."""

    text: str
    place: str


@dataclass
class Message:
    """The fields between two braces, by name in the order of the file."""

    place: str
    fields: dict[str, list[Scalar | Message]] = field(default_factory=dict)
    #: The names that were asked for.
    read: set[str] = field(default_factory=set)

    def messages(self, name: str) -> list[Message]:
        """All messages of a name. Raises `SpecError` where a plain value stands."""
        self.read.add(name)
        found = self.fields.get(name, [])
        for one in found:
            if not isinstance(one, Message):
                raise fault(f"{name} should be a message, {name} {{ … }}, not {one.text[:60]!r}", one.place)
        return [one for one in found if isinstance(one, Message)]

    def message(self, name: str) -> Message:
        """The last message of a name; an empty one where there is none."""
        return (self.messages(name) or [Message(self.place)])[-1]

    def values(self, name: str) -> list[Scalar]:
        """All plain values of a name. Raises `SpecError` where a message stands."""
        self.read.add(name)
        found = self.fields.get(name, [])
        for one in found:
            if not isinstance(one, Scalar):
                raise fault(f"{name} should be a value, {name}: …, not a message", one.place)
        return [one for one in found if isinstance(one, Scalar)]

    def text(self, name: str, default: str = "") -> str:
        """The last value of a name as it is written."""
        found = self.values(name)
        return found[-1].text if found else default

    def texts(self, name: str) -> list[str]:
        """All values of a name as they are written."""
        return [one.text for one in self.values(name)]

    def integers(self, name: str, least: int = 0) -> list[int]:
        """All values of a name as whole numbers from `least` on."""
        return [_integer(name, one, least) for one in self.values(name)]

    def integer(self, name: str, default: int, least: int = 0) -> int:
        """The last value of a name as a whole number from `least` on."""
        found = self.values(name)
        return _integer(name, found[-1], least) if found else default

    def numbers(self, name: str) -> list[float]:
        """All values of a name as finite numbers."""
        return [_number(name, one) for one in self.values(name)]

    def number(self, name: str, default: float) -> float:
        """The last value of a name as a finite number."""
        found = self.values(name)
        return _number(name, found[-1]) if found else default

    def flag(self, name: str, default: bool) -> bool:
        """The last value of a name as true or false."""
        found = self.values(name)
        if not found:
            return default
        if found[-1].text.lower() not in _FLAGS:
            raise fault(f"{name} should be true or false, not {found[-1].text[:60]!r}", found[-1].place)
        return _FLAGS[found[-1].text.lower()]

    def choice(self, name: str, options: Sequence[str]) -> str:
        """The last value of a name as one of an enumeration, whose index may stand for it; by default the first."""
        found = self.values(name)
        if not found:
            return options[0]
        text = found[-1].text
        if text.isdecimal() and len(text) < 4 and int(text) < len(options):
            return options[int(text)]
        if text not in options:
            hint = did_you_mean(text, options)
            raise fault(f"{name} is {text[:60]!r}, not one of {', '.join(options)}{hint}", found[-1].place)
        return text


def _integer(name: str, value: Scalar, least: int) -> int:
    if not _INTEGER.fullmatch(value.text):
        raise fault(f"{name} should be a whole number, not {value.text[:60]!r}", value.place)
    # Python refuses to read thousands of digits.
    found = int(value.text) if len(value.text) <= 20 else LARGEST_FLAT + 1
    if not least <= found <= LARGEST_FLAT:
        text = f"{name} should lie between {least} and {LARGEST_FLAT:,}, not {value.text[:20]}"
        raise fault(text + "…" * (len(value.text) > 20), value.place)
    return found


def _number(name: str, value: Scalar) -> float:
    found = float(value.text.rstrip("fF")) if _NUMBER.fullmatch(value.text) else math.nan
    if not math.isfinite(found):
        raise fault(f"{name} should be a number, not {value.text[:60]!r}", value.place)
    return found


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    def marks(self, marks: str) -> bool:
        """Whether this is one of some marks: braces, colons, commas."""
        return self.kind == "mark" and self.text in marks


def parse_prototxt(text: str, file: str) -> Message:
    """The whole text as a message. Raises `SpecError` with line and column.

    >>> net = parse_prototxt('layer { name: "conv1" convolution_param { pad: 1 pad: 2 } }', "a.prototxt")
    >>> net.message("layer").message("convolution_param").integers("pad")
    [1, 2]
    """
    return _Parser(text, file).parse()


class _Parser:
    """Reads token by token; messages that are open lie on a list, so that depth costs no stack."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.root = Message(f"{file}:1:1")
        self.tokens = self.scan()
        self.token = next(self.tokens)

    def scan(self) -> Iterator[_Token]:
        """The tokens, without blanks and comments, and one for the end."""
        position, text = 0, self.text
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise fault(f"cannot read {text[position : position + 20].splitlines()[0]!r}", self.place(position))
            if match.lastgroup != "skip":
                yield _Token(match.lastgroup, match[0], position)
            position = match.end()
        yield _Token("end", "the end of the file", len(text))

    def place(self, at: int) -> str:
        """The file, line and column of a character."""
        line = bisect_right(self.lines, at)
        return f"{self.file}:{line}:{at - self.lines[line - 1] + 1}"

    def take(self) -> _Token:
        """Give the token and go on to the next."""
        taken = self.token
        if taken.kind != "end":
            self.token = next(self.tokens)
        return taken

    def want(self, ok: bool, wanted: str) -> None:
        """Raise `SpecError` unless this token is what is wanted."""
        if not ok:
            found = self.token.text if self.token.kind == "end" else repr(self.token.text[:40])
            raise fault(f"{wanted} is expected here, not {found}", self.place(self.token.at))

    def parse(self) -> Message:
        """The whole text."""
        opened = [(self.root, "")]
        while self.token.kind != "end":
            message, closing = opened[-1]
            if closing and self.token.marks(closing):
                opened.pop()
                self.take()
            else:
                self.want(self.token.kind == "word", "the name of a field")
                inner = self.field(message, len(opened))
                if inner is not None:
                    opened.append(inner)
                    continue
            if self.token.marks(",;"):
                self.take()
        message, closing = opened[-1]
        if len(opened) > 1:
            line = message.place.rsplit(":", 2)[1]
            raise fault(
                f"the file ends, and {closing!r} is missing for the message in line {line}", self.place(self.token.at)
            )
        return self.root

    def field(self, message: Message, depth: int) -> tuple[Message, str] | None:
        """A field up to its end; of a message only its brace, and the message with what closes it."""
        name, at = self.token.text, self.token.at
        self.take()
        found = message.fields.setdefault(name, [])
        if message is self.root and len(found) >= MOST_LAYERS:
            raise fault(f"more than {MOST_LAYERS:,} times {name}; no network has so many layers", self.place(at))
        colon = self.token.marks(":")
        if colon:
            self.take()
        if self.token.marks("{<"):
            if depth > DEEPEST:
                raise fault(f"messages lie inside one another more than {DEEPEST} deep", self.place(at))
            inner = Message(self.place(at))
            found.append(inner)
            return inner, {"{": "}", "<": ">"}[self.take().text]
        self.want(colon, f"':' or '{{' after {name}")
        if not self.token.marks("["):
            found.append(self.value(name))
            return None
        self.take()
        while not self.token.marks("]"):
            found.append(self.value(name))
            self.want(self.token.marks(",]"), "',' or ']'")
            if self.token.marks(","):
                self.take()
        self.take()
        return None

    def value(self, name: str) -> Scalar:
        """A plain value; strings next to one another are one."""
        self.want(self.token.kind in ("word", "string"), f"a value of {name}")
        at, parts = self.token.at, [self.take()]
        while parts[0].kind == "string" and self.token.kind == "string":
            parts.append(self.take())
        return Scalar("".join(map(_unquoted, parts)), self.place(at))


def _unquoted(token: _Token) -> str:
    return _ESCAPE.sub(r"\1", token.text[1:-1]) if token.kind == "string" else token.text
