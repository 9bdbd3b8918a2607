"""What the readers of Caffe's layers share: the names of a file, and how a layer is added."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.shapes import Shape
from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.prototxt import Message


class Blob(NamedTuple):
    """What a name in the file stands for at this moment: a node and how many images it holds; no node for labels."""

    name: str
    node: str
    batch: int


class Caffe:
    """The network while it is read: what each name stands for, who shares weights, and what nobody reads."""

    def __init__(self, net: Assembler) -> None:
        self.net = net
        self.blobs: dict[str, Blob] = {}
        self.read: set[str] = set()
        self.written: list[Blob] = []
        #: The scale that the batch norm that is read now is followed by, and those that were taken into one.
        self.scale_after: Message | None = None
        self.taken: set[int] = set()
        #: The layer that owns the arrays of these names.
        self.owners: dict[str, str] = {}

    def input(self, name: str, shape: Sequence[int] | None, place: str) -> None:
        """An input of the network by its shape with the batch. Raises `SpecError` where there is none."""
        known = self.net.given(name) or tuple((shape or ())[1:])
        if not known:
            raise fault(f"the size of the input {name[:60]!r} is not in the file", place, "", "give it with --input")
        self.blobs[name] = Blob(name, self.net.input(name, known), shape[0] if shape else 1)

    def blob(self, name: str, place: str, layer: str) -> Blob:
        """What a bottom stands for. Raises `SpecError` where nothing has written it."""
        found = self.blobs.get(name)
        if found is None:
            raise fault(f"it reads {name[:60]!r}, which no layer before it writes", place, layer)
        if not found.node:
            raise fault(f"it reads {name[:60]!r}, whose size is not known", place, layer)
        return found

    def full(self, blob: Blob) -> Shape:
        """The shape as Caffe has it, with the batch."""
        return (blob.batch, *self.net.shape(blob.node))

    def leave_out(self, name: str, kind: str, bottoms: Sequence[str], tops: Sequence[str]) -> None:
        """Leave out what is not part of the network when it runs; what it writes has no size."""
        if kind.lower() != "silence":
            self.net.note(f"{name} ({kind}) is left out: what it reads is an output")
        for top in tops:
            self.blobs[top] = Blob(top, "", 1)
        for bottom in bottoms:
            blob = self.blobs.get(bottom)
            if blob is not None and kind.lower() == "silence":
                self.read.add(blob.node)

    def ends(self, place: str) -> list[Blob]:
        """What no layer reads: the outputs. Raises `SpecError` where there is none."""
        known = {*self.read, *self.net.inputs, ""}
        ends = {blob.node: blob for blob in self.written if blob.node not in known}
        if not ends:
            raise fault("no layer gives an output", place)
        return list(ends.values())


#: Reads a layer: the network, the message, the name and what reaches it; gives what it writes.
Maker = Callable[[Caffe, Message, str, list[Blob]], list[Blob]]


def one(
    caffe: Caffe, message: Message, name: str, bottoms: list[Blob], op: str, fields: Mapping[str, Any], **more: Any
) -> list[Blob]:
    """A layer with one output that reads all that reaches it."""
    node = caffe.net.add(name, op, [blob.node for blob in bottoms], fields, place=message.place, **more)
    return [after(bottoms, node)]


def after(bottoms: Sequence[Blob], node: str) -> Blob:
    return Blob("", node, bottoms[0].batch if bottoms else 1)


def opaque(
    caffe: Caffe, message: Message, name: str, bottoms: list[Blob], shape: Shape, params: int = 0, products: int = 0
) -> list[Blob]:
    """A layer that archcalc does not have, with its multiplications."""
    node = caffe.net.opaque(
        name, message.text("type"), [blob.node for blob in bottoms], shape, params, multiplications=products,
        place=message.place,
    )  # fmt: skip
    return [after(bottoms, node)]


def rank_of(caffe: Caffe, message: Message, name: str, bottoms: Sequence[Blob]) -> int:
    """Position axes of what reaches a layer. Raises `SpecError` where nothing does, or it has none."""
    if not bottoms:
        raise fault("it needs a bottom", message.place, name)
    rank = len(caffe.net.shape(bottoms[0].node)) - 1
    if rank < 1:
        raise fault("it needs a map, but what reaches it is flat", message.place, name)
    return rank


def trained(caffe: Caffe, message: Message, arrays: int, name: str) -> dict[str, Any]:
    """Whose arrays a layer uses, by the names of its parameters, and whether they are fixed: a learning rate of 0."""
    given = (
        message.messages("param") if all(isinstance(one, Message) for one in message.fields.get("param", [])) else []
    )
    named = [one.text("name") for one in given] or message.texts("param")
    rates = [one.number("lr_mult", 1) for one in given] or message.numbers("blobs_lr")
    found: dict[str, Any] = {"frozen": len(rates) >= arrays > 0 and not any(rates)}
    shared = [one for one in named if one]
    owners = {caffe.owners[one] for one in shared if one in caffe.owners}
    if owners:
        if len(owners) > 1 or len(shared) != arrays or not all(one in caffe.owners for one in shared):
            raise fault("it shares some of its arrays; archcalc shares all of a layer's, or none", message.place, name)
        found["weights"] = owners.pop()
    return found


def note_names(caffe: Caffe, message: Message, node: str) -> None:
    """Note the names of the arrays that a layer owns."""
    given = message.fields.get("param", [])
    for one in given:
        shared = one.text("name") if isinstance(one, Message) else one.text
        if shared:
            caffe.owners.setdefault(shared, node)


def with_arrays(
    caffe: Caffe, message: Message, name: str, bottoms: list[Blob], op: str, fields: Mapping[str, Any], arrays: int
) -> list[Blob]:
    """A layer with arrays, shared and fixed as the file says."""
    made = one(caffe, message, name, bottoms, op, fields, **trained(caffe, message, arrays, name))
    note_names(caffe, message, made[0].node)
    return made


def sizes_of(part: Message, name: str, short: str, rank: int, default: int, least: int = 0) -> list[int]:
    """A setting for each axis: one number or several, or `short_h` and `short_w`."""
    pair = [part.integer(f"{short}_{side}", -1, least) for side in ("h", "w")]
    if min(pair) >= 0 and rank == 2:
        return pair
    found = part.integers(name, least) or [default]
    if len(found) not in (1, rank):
        raise fault(f"{name} needs one number, or {rank}", part.place)
    return found if len(found) == rank else found * rank


def plain(sizes: Sequence[int]) -> int | list[int]:
    """A number where all axes have the same."""
    return sizes[0] if len(set(sizes)) == 1 else list(sizes)


def axis_of(part: Message, name: str, default: int, full: Shape, message: Message, layer: str, least: int = 1) -> int:
    """An axis of a shape with the batch, counted from the end where it is below 0."""
    given = part.integer(name, default, -8)
    found = given + len(full) if given < 0 else given
    if not least <= found < len(full):
        raise fault(
            f"{name} {given} is not among the axes {least} to {len(full) - 1} of its input", message.place, layer
        )
    return found


def same_shape(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """A layer without parameters that archcalc does not have, and that keeps the shape."""
    if not bottoms:
        raise fault("it needs a bottom", message.place, name)
    return opaque(caffe, message, name, bottoms, caffe.net.shape(bottoms[0].node))
