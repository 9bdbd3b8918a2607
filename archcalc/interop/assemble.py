"""A foreign network put together layer by layer, with the shape of every layer known at once.

The readers of Caffe, Darknet and Keras need the shapes while they read: to lay out paddings, to cut maps to the size of
others, and to give opaque layers a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archcalc.core.errors import Location, Problem, ShapeError, SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.graph.inputs import inputs_in_words
from archcalc.graph.layer_graph import Layer
from archcalc.graph.shaping import shape_layer
from archcalc.interop.foreign import ForeignNetwork, ForeignNode, LazyArray
from archcalc.ops import Op
from archcalc.ops.axes import axes_named
from archcalc.spec.single import make_op
from archcalc.spec.values import MOST_LAYERS


def fault(message: str, place: str, layer: str = "", *details: str) -> SpecError:
    """One thing that is wrong, at a place such as `deploy.prototxt:12:3`."""
    shown = f'"{layer[:200]}"' if layer else None
    return SpecError([Problem(message, Location(place, 0, 0) if place else None, shown, details)])


class Assembler:
    """Collects the layers of a foreign network; each is checked against the shapes that reach it when it is added.

    >>> net = Assembler("tiny")
    >>> image = net.input("data", (3, 32, 32))
    >>> conv = net.add("conv", "conv2d", [image], {"out_channels": 8, "kernel_size": 3})
    >>> net.shape(conv)
    (8, 30, 30)
    >>> net.add("all", "add", [image, conv], place="tiny.cfg:9:1")
    Traceback (most recent call last):
    archcalc.core.errors.SpecError: tiny.cfg:9:1: layer "all" (add): the maps to add differ in shape
        inputs 32×32×3, 30×30×8
    """

    def __init__(self, name: str, title: str = "", shapes: Mapping[str, Shape] | Shape | None = None) -> None:
        """`shapes`: other sizes of the inputs, by name or in their order; a shape alone is that of the first."""
        self.name, self.title, self._given = name, title, shapes
        self.inputs: dict[str, Shape] = {}
        self.nodes: list[ForeignNode] = []
        self.outputs: dict[str, str] = {}
        self.notes: list[str] = []
        #: Maps with −∞ around them: the map itself, and the begin of each axis and then the end of each.
        self.borders: dict[str, tuple[str, list[int]]] = {}
        #: Layers in place of which others may be read: left out where nothing reads them.
        self.spare: set[str] = set()
        #: Layers that skip some of the values that they read.
        self.masked: set[str] = set()
        self._shapes: dict[str, Shape] = {}
        self._ops: dict[str, Op] = {}
        self._with_arrays: set[str] = set()
        self._counts: dict[str, int] = {}

    def input(self, name: str, shape: Shape) -> str:
        """An input of the network, (channels, *positions), or in the size that was given for it."""
        found = self.given(name) or tuple(shape)
        name = self.free(name)
        self.inputs[name] = self._shapes[name] = found
        return name

    def given(self, name: str) -> Shape | None:
        """The size that was given for the next input; None for its own."""
        if isinstance(self._given, Mapping):
            others = list(self._given.values())[len(self.inputs) :]
            return self._given.get(name, others[0] if others else None)
        return self._given if not self.inputs else None

    @property
    def is_resized(self) -> bool:
        """Whether sizes of inputs were given, so that those in the file do not hold."""
        return self._given is not None

    def free(self, name: str) -> str:
        """The name, or with a number after it where it is taken."""
        found = name
        while found in self._shapes:
            self._counts[name] = self._counts.get(name, 1) + 1
            found = f"{name}_{self._counts[name]}"
        return found

    def shape(self, name: str) -> Shape:
        """The output shape of a layer or an input."""
        return self._shapes[name]

    def has_arrays(self, name: str) -> bool:
        """Whether a layer owns arrays, or uses those of another."""
        return name in self._with_arrays

    def note(self, text: str) -> None:
        """Something that a user has to know, said once."""
        if text not in self.notes:
            self.notes.append(text)

    def add(
        self,
        name: str,
        op: str,
        inputs: Sequence[str],
        fields: Mapping[str, Any] | None = None,
        *,
        place: str = "",
        weights: str | None = None,
        arrays: Mapping[str, LazyArray] | None = None,
        frozen: bool = False,
    ) -> str:
        """Add a layer and give its name, which is the one that was asked for, or that with a number.

        Raises `SpecError` with the place for a setting that the op does not have and for shapes that it cannot take.
        """
        if len(self._shapes) >= MOST_LAYERS:
            raise fault(f"{self.name} has more than the {MOST_LAYERS:,} layers that a network may have", place)
        name = self.free(name)
        given = dict(fields or {})
        node = ForeignNode(name, op, given, tuple(inputs), weights, place, arrays or {}, frozen)
        self._shapes[name] = self._output_shape(node)
        self.nodes.append(node)
        return name

    def opaque(
        self,
        name: str,
        of: str,
        inputs: Sequence[str],
        shape: Shape,
        params: int = 0,
        *,
        multiplications: int | None = 0,
        place: str = "",
    ) -> str:
        """Add a layer that archcalc does not have, by its output shape and its number of parameters.

        `multiplications` are those of one image; None where they are not known.
        """
        fields = {"of": of, "shape": tuple(shape), "params": params, "multiplications": multiplications}
        return self.add(name, "opaque", inputs, fields, place=place)

    def _output_shape(self, node: ForeignNode) -> Shape:
        key = f"{node.op} {node.fields!r}"
        try:
            op = self._ops.get(key) or self._ops.setdefault(key, make_op(node.op, node.fields))
            most = op.most_inputs
            if len(node.inputs) < op.fewest_inputs or (most is not None and len(node.inputs) > most):
                wanted = inputs_in_words(op.fewest_inputs, most)
                raise ShapeError(f"{op.kind} takes {wanted}, {len(node.inputs)} reach it")
            shapes = tuple([self._shapes[source] for source in node.inputs])
            resolved, output = shape_layer(Layer(node.name, op, ()), shapes)
            if resolved.param_shapes(shapes):
                self._with_arrays.add(node.name)
            return output
        except UsageError as error:
            raise fault(str(error), node.place, node.name) from None
        except ShapeError as error:
            problem = Problem(error.message, None, f'"{node.name[:200]}" ({node.op})', error.details)
            at = Location(node.place, 0, 0) if node.place else None
            raise SpecError([problem._replace(location=at)]) from None

    # --- what takes several layers

    def concat(self, name: str, inputs: Sequence[str], axis: int, *, place: str = "") -> str:
        """Join maps along an axis of their shapes: 0 the channels; a position axis changes places with them first."""
        if len(inputs) == 1:
            return inputs[0]
        if axis == 0:
            return self.add(name, "concat", inputs, place=place)
        dims = {"dims": ("channels", axes_named(self.shape(inputs[0]))[axis])}
        turned = [self.add(f"{name}/transpose", "transpose", [source], dims, place=place) for source in inputs]
        joined = self.add(f"{name}/concat", "concat", turned, place=place)
        return self.add(f"{name}/back", "transpose", [joined], dims, place=place)

    def permute(self, name: str, source: str, order: Sequence[int], *, place: str = "") -> str:
        """The axes in another order: for each new one the old one by index."""
        if list(order) == list(range(len(order))):
            return source
        known = axes_named(self.shape(source))
        return self.add(name, "permute", [source], {"dims": [known[axis] for axis in order]}, place=place)

    def network(self) -> ForeignNetwork:
        """What was put together; a border that became the padding of all that reads it is no layer.

        Nor is a flattened map that nothing reads in its order.
        """
        read = {name for node in self.nodes for name in node.inputs} | set(self.outputs.values())
        spare = self.spare | self.borders.keys()
        kept = [node for node in self.nodes if node.name in read or node.name not in spare]
        nodes = tuple([replace(node, masked=True) if node.name in self.masked else node for node in kept])
        return ForeignNetwork(self.name, self.title or self.name, self.inputs, nodes, self.outputs, tuple(self.notes))
