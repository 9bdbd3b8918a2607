"""What the functions that make layers of operations share: an operation with its inputs, and its registration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.interop.program import Constant, Node
from archcalc.interop.recognise_filters import scattered
from archcalc.interop.recognise_layers import MOST_AXES, Fixed, UnknownFormError
from archcalc.interop.recognise_maps import Maps
from archcalc.interop.recognise_views import BATCH, Axes, Factor, View, axis_size, whole, whole_axes
from archcalc.ops.axes import axes_named

Tensor = View | Fixed


class Handler:
    """One operation: its inputs, and what its function needs to make layers."""

    def __init__(self, layers: Maps, env: Mapping[str, Tensor], node: Node, inputs: Sequence[Tensor | None]) -> None:
        self.layers, self.env, self.node, self.inputs = layers, env, node, inputs
        self.attributes = node.attributes

    def view(self, index: int = 0) -> View:
        """An input that depends on the network's input."""
        tensor = self.inputs[index]
        if not isinstance(tensor, View):
            raise UnknownFormError("a fixed tensor in this place")
        return tensor

    def stored(self, index: int) -> str | None:
        """The stored tensor that an input is, in whatever arrangement; None where there is none."""
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if tensor is None:
            return None
        if not isinstance(tensor, Fixed):
            raise UnknownFormError("weights that depend on the input")
        return self.layers.derived(tensor) if tensor.axes is None else tensor.sources[0]

    def weights(self, index: int = 1) -> tuple[dict[str, Any], dict[str, str]]:
        """The setting of a layer whose weights are made of other arrays, none by default; and its stored tensors."""
        tensor = self.inputs[index]
        node = self.layers.stored.get(tensor.name) if isinstance(tensor, Fixed) and tensor.axes is None else None
        if node is not None and node.op == "weight_norm" and node.attributes["dim"] == 0:
            v, g = (self._source(name) for name in node.inputs)
            if v is not None and g is not None:
                return {"weight_norm": True}, {"original0": g, "original1": v}
        if node is not None and (found := scattered(node, self.layers.program.constants)) is not None:
            return {"connections": found[0]}, {"weight": found[1].name}
        if node is not None and node.op == "div" and len(node.inputs) == 2:
            # W/σ with σ = uᵀ·(W·v)
            dot = self.layers.stored.get(node.inputs[1] or "")
            is_dot = dot is not None and dot.op in ("vdot", "dot")
            product = self.layers.stored.get(dot.inputs[1] or "") if dot is not None and is_dot else None
            if dot is not None and product is not None and product.op == "mv":
                names = (node.inputs[0], dot.inputs[0], product.inputs[1])
                weight, u, v = (self._source(name) for name in names)
                if weight is not None and weight == self._source(product.inputs[0]) and u is not None and v is not None:
                    return {"spectral_norm": True}, {"weight": weight, "_u": u, "_v": v}
        source = self.stored(index)
        return {}, {} if source is None else {"weight": source}

    def _source(self, name: str | None) -> str | None:
        """The one stored tensor that a value is, in whatever arrangement."""
        fixed = self.layers.fixed.get(name or "")
        return fixed.sources[0] if fixed is not None and fixed.axes is not None and len(fixed.sources) == 1 else None

    def constant(self, index: int) -> Constant | None:
        """The stored tensor itself."""
        name = self.stored(index)
        return None if name is None else self.layers.program.constants[name]

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """The shape of an input."""
        name = self.node.inputs[index]
        assert name is not None
        return self.layers.program.shape(name)

    @property
    def made_shape(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return self.layers.program.shape(self.node.outputs[0])

    def arrays(self, names: Sequence[str], first: int = 1) -> dict[str, str]:
        """The stored tensors by archcalc's names; those that are left out are not there."""
        found = {name: self.stored(index) for index, name in enumerate(names, first)}
        return {name: source for name, source in found.items() if source is not None}

    def add(self, op: str, fields: Mapping[str, Any], inputs: Sequence[str], **more: Any) -> str:
        """Add a layer."""
        return self.layers.add(self.node, op, fields, inputs, **more)

    def on_map(self, layer: str, batch: Axes) -> View:
        """The tensor (batch, channels, *positions) of a layer."""
        return View(layer, (images(batch), *whole_axes(self.layers.shapes[layer])))


def images(axes: Axes) -> tuple[Factor, ...]:
    """The images of the batch in the first axis of a tensor."""
    return tuple([factor for axis in axes for factor in axis if factor.axis == BATCH])


def with_images(axes: Axes, *like: Axes) -> Axes:
    """The axes with the images of the batch where one of the other tensors has them, from the last axis on."""
    found = list(axes)
    for other in like:
        for back, axis in enumerate(reversed(other), 1):
            of_batch = images((axis,))
            if of_batch and back <= len(found):
                found[-back] = (*of_batch, *found[-back])
                return tuple(found)
    return axes


Function = Callable[[Handler], list[Tensor]]
HANDLERS: dict[str, Function] = {}


def handles(*names: str) -> Callable[[Function], Function]:
    """Register a function for operations."""

    def register(function: Function) -> Function:
        for name in names:
            HANDLERS[name] = function
        return function

    return register


def each_position(
    call: Handler,
    view: View,
    channels: int,
    op: str,
    fields: Mapping[str, Any],
    arrays: Mapping[str, str],
    goal: Axes | None = None,
) -> View:
    """A layer that keeps the positions, whatever their order; the channels are one axis of the tensor."""
    view = call.layers.map_of(view, channels, call.node)
    layer = call.add(op, fields, [view.layer], arrays=arrays, goal=goal)
    size = call.layers.shapes[layer][0]
    axes = [axis if index != channels else whole(0, size) for index, axis in enumerate(view.axes)]
    return View(layer, tuple(axes))


def pointwise(call: Handler, op: str, fields: Mapping[str, Any], index: int = 0) -> list[Tensor]:
    """A layer that keeps the arrangement."""
    view = call.view(index)
    return [View(call.add(op, fields, [view.layer]), view.axes)]


#: More equal parts than this are places: a class token is no chunk of the row.
_MOST_CHUNKS = 8


def part(call: Handler, view: View, dim: int, start: int, count: int, step: int = 1) -> View:
    """Some places of an axis of the tensor."""
    axis = view.axes[dim]
    size = axis_size(axis)
    if (start, count, step) == (0, size, 1):
        return view
    if len(axis) != 1 or axis[0].axis < 0 or not _can_cut(call, view, axis[0], step, count):
        view = call.layers.map_of(view, dim, call.node)
        axis = view.axes[dim]
    if not axis:
        raise UnknownFormError("a part of an axis that the layer does not have")
    factor = axis[0]
    shape = call.layers.shapes[view.layer]
    whole_size = shape[factor.axis]
    name = axes_named(shape)[factor.axis]
    fields: dict[str, Any] = {"axis": name} if factor.axis else {}
    if factor.size * factor.stride == whole_size and step == 1:
        run = count * factor.stride
        first = start * factor.stride
        if whole_size % run == 0 and first % run == 0 and whole_size // run <= _MOST_CHUNKS:
            layer = call.add(
                "chunk", {**fields, "chunks": whole_size // run, **_index(first // run)}, [view.layer], once=True
            )
        else:
            layer = call.add("narrow", {**fields, **_start(first), "length": run}, [view.layer], once=True)
        made = Factor(factor.axis, count, factor.stride)
    else:
        # Every n-th: the innermost factor of its axis, one place of it; or a whole axis with a step.
        every = factor.size if factor.size != whole_size else step
        layer = call.add(
            "narrow",
            {**fields, **_start(start), "length": _count_of(whole_size, every, count, factor), "step": every},
            [view.layer],
            once=True,
        )
        made = Factor(factor.axis, count, 1)
    axes: list[tuple[Factor, ...]] = []
    for index, other in enumerate(view.axes):
        if index == dim:
            axes.append((made,) if count > 1 else ())
        elif made.stride == 1 and factor.size * factor.stride != whole_size:
            shrunk = [f._replace(stride=f.stride // factor.size) if f.axis == factor.axis else f for f in other]
            axes.append(tuple(shrunk))
        else:
            axes.append(other)
    return View(layer, tuple(axes))


def _index(value: int) -> dict[str, int]:
    return {"index": value} if value else {}


def _start(value: int) -> dict[str, int]:
    return {"start": value} if value else {}


def _count_of(size: int, every: int, count: int, factor: Factor) -> int:
    """Places taken of an axis."""
    return count if factor.size == size else size // every


def _can_cut(call: Handler, view: View, factor: Factor, step: int, count: int) -> bool:
    """Whether a part of a factor is a run of its axis, or one place of it, which is every n-th of the axis."""
    size = call.layers.shapes[view.layer][factor.axis]
    if factor.size * factor.stride == size and (step == 1 or factor.stride == 1):
        return True
    return factor.stride == 1 and step == 1 and factor.size != size and count == 1


def with_axis(view: View, dim: int, axis: tuple[Factor, ...]) -> View:
    return View(view.layer, (*view.axes[:dim], axis, *view.axes[dim + 1 :]))


def as_tensor(call: Handler, view: View) -> View:
    """The tensor on a map with the same axes, from the second on: (channels, *positions)."""
    axes = view.axes
    first = 0 if axes and axes[0] else 1
    goal = axes[first:]
    if len(goal) > MOST_AXES:
        goal = tuple([axis for axis in axes if axis])
    if not 1 <= len(goal) <= MOST_AXES:
        raise UnknownFormError("more axes than a map has")
    layer = call.layers.arranged(view.layer, goal, call.node)
    made = list(whole_axes(call.layers.shapes[layer]))
    if len(goal) == len(axes) - first:
        return View(layer, ((), *made)[1 - first :])
    return View(layer, tuple([made.pop(0) if axis else () for axis in axes]))


def short(sizes: Any) -> Any:
    """A number where all are equal, else a list."""
    sizes = list(sizes)
    return sizes[0] if len(set(sizes)) == 1 else sizes
