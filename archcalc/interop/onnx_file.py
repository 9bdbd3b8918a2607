"""The structure of an ONNX file, read without its weights: large arrays are left in the file until they are asked for.

An ONNX file is a protobuf message. Its fields are walked on the wire: arrays above `LARGEST_KEPT` bytes are cut out
and only their place is noted; the rest is small and is parsed by the `onnx` package. So a file of gigabytes costs the
memory of its structure, and what is truncated or hostile is refused before anything is parsed.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.core.errors import MissingPackageError, UsageError
from archcalc.core.files import note_input, read_bytes
from archcalc.interop.arrays import present

if TYPE_CHECKING:
    import onnx

#: Arrays of more bytes stay in the file.
LARGEST_KEPT = 1 << 12
#: No network has more bytes besides its arrays. Some exporters write a trace of calls for every node.
LARGEST_STRUCTURE = 64 << 20
#: Nodes of a graph, those of its functions counted wherever they are called.
MOST_NODES = 100_000
#: Fields of a file that are looked at one by one, those inside small parts not among them.
MOST_FIELDS = 1 << 22
#: What is read from stdin has to be held in memory; protobuf allows no larger messages.
LARGEST_PIPE = 2 << 30

Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class Message:
    """What is done with the fields of a protobuf message, by their numbers in `onnx.proto`."""

    name: str
    #: Messages inside that may hold arrays.
    parts: Mapping[int, Message]
    #: Fields that hold the values of an array.
    arrays: frozenset[int] = frozenset()
    #: Fields that say nothing about the network.
    dropped: frozenset[int] = frozenset()
    #: The field that may occur once only.
    single: int | None = None


_TENSOR = Message("TensorProto", {}, arrays=frozenset({4, 9, 10}), dropped=frozenset({12}))
_ATTRIBUTE = Message("AttributeProto", {5: _TENSOR}, dropped=frozenset({13}))
_NODE = Message("NodeProto", {5: _ATTRIBUTE}, dropped=frozenset({6}))
_GRAPH = Message("GraphProto", {1: _NODE, 5: _TENSOR}, dropped=frozenset({10, 14}))
_MODEL = Message("ModelProto", {7: _GRAPH}, dropped=frozenset({6, 20}), single=7)
_NODES = 1  # the field of GraphProto

#: Where an array is: the index of each part on the way from the model to its tensor.
Way = tuple[tuple[int, int], ...]


class Span(NamedTuple):
    """Bytes of a file."""

    start: int
    length: int
    field: int


@dataclass(frozen=True)
class OnnxFile:
    """A model without its large arrays, the places of these, and a function that reads bytes of the file."""

    #: What errors call it.
    name: str
    model: onnx.ModelProto
    spans: Mapping[Way, Span]
    read: Callable[[Span], bytes]

    @property
    def stem(self) -> str:
        """The name of the network: that of the file without its ending."""
        return Path(self.name).stem if self.name != "-" else self.model.graph.name or "model"


def open_model(path: str | Path) -> OnnxFile:
    """The structure of an ONNX file; `-` is stdin.

    Raises `UsageError` where it cannot be read, is no ONNX model, is truncated, or is larger than a network can be.
    """
    name = str(path)
    place = note_input(path)
    if place.is_char_device() or place.is_block_device():
        raise UsageError(f"{name} is a device, not a file, and no ONNX model")
    if name == "-" or not place.is_file():
        data = read_bytes(path, LARGEST_PIPE, "ONNX model")
        return _opened(name, data, lambda span: data[span.start : span.start + span.length])
    try:
        with place.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise UsageError(f"{name} is empty, and no ONNX model")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return _opened(name, mapped, lambda span: _read(place, span))
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None


def _opened(name: str, data: Buffer, read: Callable[[Span], bytes]) -> OnnxFile:
    onnx = import_onnx(name)
    walk = _Walk(name, data)
    structure = walk.skeleton(_MODEL, 0, len(data), ())
    if not walk.has_graph:
        raise UsageError(f"{name} is no ONNX model: it holds no graph")
    return OnnxFile(name, _parsed(onnx, name, structure), walk.spans, read)


def _parsed(onnx: Any, name: str, structure: bytes) -> onnx.ModelProto:
    from google.protobuf.message import DecodeError

    try:
        parsed = onnx.ModelProto.FromString(structure)
    except (DecodeError, RecursionError) as error:
        reason = str(error).splitlines()[0][:100] if str(error) else "it cannot be parsed"
        raise UsageError(f"{name} is no ONNX model, is damaged, or nests too deeply: {reason}") from None
    return parsed  # type: ignore[no-any-return]  # protobuf has no types


def import_onnx(name: str) -> Any:
    """The package `onnx`. Raises `MissingPackageError` with the line that installs it."""
    try:
        with present():
            import onnx
    except ImportError:
        message = f"to read {name} archcalc needs the package onnx: pip install 'archcalc[onnx]'"
        raise MissingPackageError("onnx", message) from None
    return onnx


def _read(path: Path, span: Span) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(span.start)
            found = file.read(span.length)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if len(found) != span.length:
        raise UsageError(f"{path} has changed since it was opened")
    return found


class _Walk:
    """A walk over the fields of a protobuf message."""

    def __init__(self, name: str, data: Buffer) -> None:
        self.name = name
        self.data = data
        self.spans: dict[Way, Span] = {}
        self.has_graph = False
        self.kept = self.fields = 0

    def wrong(self, position: int, what: str) -> UsageError:
        """The error for bytes that are no ONNX model."""
        return UsageError(f"{self.name} is no ONNX model, or is damaged: {what} at byte {position:,}")

    def skeleton(self, message: Message, start: int, end: int, way: Way) -> bytes:
        """The bytes of a message without its large arrays."""
        pieces: list[bytes] = []
        counts: dict[int, int] = {}
        copied = position = start
        while position < end:
            begin = position
            key, position = self.varint(position, end)
            field, wire = key >> 3, key & 7
            self.fields += 1
            if not field:
                raise self.wrong(begin, "a field with the number 0")
            if self.fields > MOST_FIELDS:
                raise UsageError(f"{self.name} has more than {MOST_FIELDS:,} fields; no network needs that many")
            if wire != 2:
                position = self.after_number(wire, position, begin, end)
                continue
            tag_end = position
            length, position = self.varint(position, end)
            after = position + length
            if after > end:
                raise self.wrong(begin, f"a field of {length:,} bytes goes beyond the end of its {message.name}")
            ordinal = counts[field] = counts.get(field, -1) + 1
            self.check_count(message, field, ordinal)
            part = message.parts.get(field)
            if field in message.dropped:
                self.keep(pieces, copied, begin)
                copied = after
            elif field in message.arrays and length > LARGEST_KEPT:
                if way in self.spans:
                    raise self.wrong(begin, "an array in two pieces")
                self.spans[way] = Span(position, length, field)
                self.keep(pieces, copied, begin)
                copied = after
            elif part is not None and (length > LARGEST_KEPT or message.single == field):
                self.has_graph |= message.single == field
                self.keep(pieces, copied, tag_end)
                inner = self.skeleton(part, position, after, (*way, (field, ordinal)))
                pieces += _varint(len(inner)), inner
                copied = after
            position = after
        self.keep(pieces, copied, end)
        return b"".join(pieces)

    def keep(self, pieces: list[bytes], start: int, end: int) -> None:
        """Copy bytes into the structure, which has a limit."""
        self.kept += end - start
        if self.kept > LARGEST_STRUCTURE:
            limit = f"{LARGEST_STRUCTURE >> 20} MiB"
            raise UsageError(f"{self.name} has more than {limit} besides its arrays; no network needs that much")
        pieces.append(self.data[start:end])

    def check_count(self, message: Message, field: int, ordinal: int) -> None:
        """Refuse too many nodes, and a second graph."""
        if message is _GRAPH and field == _NODES and ordinal >= MOST_NODES:
            raise UsageError(f"{self.name} has more than {MOST_NODES:,} nodes; no network needs that many")
        if field == message.single and ordinal:
            raise UsageError(f"{self.name} is no ONNX model: it holds two graphs")

    def after_number(self, wire: int, position: int, begin: int, end: int) -> int:
        """The position after a number of this wire type."""
        if wire == 0:
            return self.varint(position, end)[1]
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            raise self.wrong(begin, f"wire type {wire}")
        if position + size > end:
            raise self.wrong(begin, "the end inside a number")
        return position + size

    def varint(self, position: int, end: int) -> tuple[int, int]:
        """A number of 7 bits a byte, the lowest first, and the position after it."""
        begin, value = position, 0
        for shift in range(0, 70, 7):
            if position >= end:
                raise self.wrong(begin, "the end inside a number")
            byte = self.data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
        raise self.wrong(begin, "a number of more than 64 bits")


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
