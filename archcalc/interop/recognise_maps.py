"""The maps that the tensors of a program lie on, in the arrangement that a layer wants."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import partial

from archcalc.core.shapes import Shape, spec_shape
from archcalc.interop.foreign import ForeignNode
from archcalc.interop.program import Node, Program
from archcalc.interop.recognise_layers import MOST_AXES, Fixed, Layers, UnknownFormError, rearranged
from archcalc.interop.recognise_names import Wanted
from archcalc.interop.recognise_views import (
    BATCH,
    COPIES,
    Axes,
    Factor,
    View,
    axis_size,
    joined,
    whole,
    whole_axes,
    without,
)
from archcalc.ops.axes import axes_named


class Maps(Layers):
    """Layers, and those that bring the map of one into another arrangement."""

    def __init__(self, program: Program, lifted: Collection[str] = ()) -> None:
        super().__init__(program, lifted)
        self._arranged: dict[tuple[str, Axes], str] = {}

    def parameter(self, fixed: Fixed, goal: Axes, node: Node) -> str:
        """A stored tensor as a map, which is there once; `goal` are its axes, of the axes of the tensor."""
        if len(fixed.sources) != 1 or fixed.axes is None:
            raise UnknownFormError("a tensor that is computed from weights")
        source = fixed.sources[0]
        constant = self.program.constants[source]
        goal = tuple(map(joined, goal))
        sizes = tuple(map(axis_size, goal))
        if math.prod(sizes) != constant.size:
            raise UnknownFormError("a part of a stored tensor")
        if source in self.parameters:
            name, first = self.parameters[source]
            return name if goal == first else self.arranged(name, self.on_arranged(goal, first), node)
        if source in self.owners and constant.role == "parameter":
            self.several_forms.add(source)
            self.notes.append(f"{source} is used in several forms; its {constant.size:,} values count again")
        name = self.names.free(Wanted(source))
        loaded = {"weight": partial(rearranged, constant.load, goal)} if constant.load is not None else {}
        self.owners.setdefault(source, (name, "weight"))
        self.held.append((name, source))
        fields = {"shape": spec_shape(sizes), **({} if constant.role == "parameter" else {"buffer": True})}
        self.nodes.append(ForeignNode(name, "parameter", fields, (), None, node.place, loaded))
        self.shapes[name] = sizes
        self.parameters[source] = (name, goal)
        return name

    def map_of(self, view: View, channels: int, node: Node) -> View:
        """The view on a map whose channels are this axis of the tensor and nothing else; positions lie as they will."""
        shape = self.shapes[view.layer]
        axes = without(without(view.axes, BATCH), COPIES)
        if axes != without(view.axes, BATCH):
            raise UnknownFormError("copies of a map")
        if axes[channels] == whole(0, shape[0]):
            return view
        positions = [axis for index, axis in enumerate(axes) if index != channels and axis]
        while len(positions) > MOST_AXES - 1:
            positions[-2:] = [(*positions[-2], *positions[-1])]
        goal = (axes[channels], *positions)
        layer = self.arranged(view.layer, goal, node)
        return View(layer, self.on_arranged(view.axes, goal))

    def without_copies(self, view: View, node: Node) -> View:
        """The view with copies that are there: a map several times along its channels."""
        for dim, axis in enumerate(view.axes):
            for place, factor in enumerate(axis):
                if factor.axis == COPIES:
                    size = self.shapes[view.layer][0]
                    layer = self.add(node, "concat", {}, [view.layer] * factor.size, once=True)
                    copies = (*axis[:place], Factor(0, factor.size, size), *axis[place + 1 :])
                    return self.without_copies(View(layer, (*view.axes[:dim], copies, *view.axes[dim + 1 :])), node)
        return view

    def on_arranged(self, axes: Axes, goal: Axes) -> Axes:
        """The axes of a tensor as factors of the map that `goal` arranges."""
        where: list[tuple[Factor, Factor]] = []
        for index, axis in enumerate(goal):
            inner = axis_size(axis)
            for factor in axis:
                inner //= factor.size
                where.append((factor, Factor(index, factor.size, inner)))
        found = []
        for axis in axes:
            parts: list[Factor] = []
            for factor in axis:
                if factor.axis == BATCH:
                    parts.append(factor)
                    continue
                inside = [(old, new) for old, new in where if _is_part(old, factor)]
                inside.sort(key=lambda pair: -pair[0].stride)
                if not inside:
                    raise UnknownFormError("a part of an axis")
                parts += [new for _, new in inside]
            found.append(joined(parts))
        return tuple(found)

    def positions_of(self, view: View, channels: int, node: Node) -> str:
        """The map whose axes are the channels axis of the tensor and then its other axes, in order, but the first."""
        axes = without(view.axes, BATCH)
        others = [index for index in range(1, len(axes)) if index != channels]
        if axes and channels != 0 and axes[0]:
            raise UnknownFormError("positions in the batch")
        goal = (axes[channels], *(axes[index] for index in others))
        return self.arranged(view.layer, goal, node)

    def arranged(self, layer: str, goal: Axes, node: Node) -> str:
        """The map of a layer with other axes; the layers that make it are added."""
        goal = tuple(map(joined, goal))
        if goal == whole_axes(self.shapes[layer]) and len(goal) == len(self.shapes[layer]):
            return layer
        key = (layer, goal)
        if key not in self._arranged:
            self._arranged[key] = self._arrange(layer, goal, node)
        return self._arranged[key]

    def is_arranged(self, layer: str, goal: Axes) -> bool:
        """Whether the map of a layer with other axes is there already."""
        return (layer, tuple(map(joined, goal))) in self._arranged

    def _arrange(self, layer: str, goal: Axes, node: Node) -> str:
        shape = self.shapes[layer]
        factors = [factor for axis in goal for factor in axis]
        if any(factor.axis < 0 for factor in factors):
            raise UnknownFormError("copies of a map")
        sizes = tuple(map(axis_size, goal))
        if math.prod(sizes) != math.prod(shape):
            raise UnknownFormError("a part of a map")
        if joined(factors) == joined([factor for axis in whole_axes(shape) for factor in axis]) or _in_order(factors):
            return self._reshape(layer, goal, sizes, node)
        if found := self._named(layer, goal, shape, node):
            return found
        return self._by_steps(layer, goal, sizes, node)

    def _reshape(self, layer: str, goal: Axes, sizes: Shape, node: Node) -> str:
        """The same values in the same order."""
        shape = self.shapes[layer]
        if len(sizes) == 1:
            return self.add(node, "flatten", {}, [layer], once=True)
        if len(sizes) == 2 and len(shape) > 2 and sizes[0] == shape[0]:
            return self.add(node, "tokens", {}, [layer], once=True)
        if len(shape) == 2 and len(sizes) > 2 and sizes[0] == shape[0]:
            return self.add(node, "grid", {"size": list(sizes[1:])}, [layer], once=True)
        return self.add(node, "reshape", {"shape": spec_shape(sizes)}, [layer], once=True)

    def _named(self, layer: str, goal: Axes, shape: Shape, node: Node) -> str | None:
        """An arrangement that has a name: a permutation, a channel shuffle, a pixel shuffle."""
        if len(goal) == len(shape):
            axes = whole_axes(shape)
            if sorted(goal) == sorted(axes) and len(set(axes)) == len(axes):
                order = [axes.index(axis) for axis in goal]
                names = axes_named(shape)
                if len(shape) == 2:
                    return self.add(node, "transpose", {"dims": list(names)}, [layer], once=True)
                return self.add(node, "permute", {"dims": [names[index] for index in order]}, [layer], once=True)
            if goal[1:] == axes[1:] and len(goal[0]) == 2:
                outer, inner = goal[0]
                if outer.stride == 1 and inner.stride == outer.size and inner.axis == outer.axis == 0:
                    return self.add(node, "channel_shuffle", {"groups": inner.size}, [layer], once=True)
            if found := self._pixel_shuffle(layer, goal, shape, node):
                return found
        return None

    def _pixel_shuffle(self, layer: str, goal: Axes, shape: Shape, node: Node) -> str | None:
        rank = len(shape) - 1
        up = [axis[-1].size for axis in goal[1:] if len(axis) == 2 and axis[-1].axis == 0]
        if len(up) == rank and len(set(up)) == 1 and rank == 2:
            factor, depth = up[0], shape[0] // up[0] ** 2
            strides = [(Factor(1 + i, shape[1 + i]), Factor(0, factor, factor ** (rank - 1 - i))) for i in range(rank)]
            wanted = ((Factor(0, depth, factor**2),) if depth > 1 else (), *strides)
            if goal == wanted:
                return self.add(node, "pixel_shuffle", {"upscale_factor": factor}, [layer], once=True)
        if rank == 2 and len(goal[0]) >= 2 and goal[0][-1].axis == 2 and goal[0][-1].stride == 1:
            factor = goal[0][-1].size
            channels = (*whole(0, shape[0]), Factor(1, factor), Factor(2, factor))
            rest = [(Factor(1 + i, shape[1 + i] // factor, factor),) for i in range(rank)]
            if goal == (channels, *[joined(axis) for axis in rest]):
                return self.add(node, "pixel_unshuffle", {"downscale_factor": factor}, [layer], once=True)
        return None

    def _by_steps(self, layer: str, goal: Axes, sizes: Shape, node: Node) -> str:
        """Any arrangement: factors move forward one after another, each past those that it does not stand with."""
        wanted = [factor for axis in goal for factor in axis]
        order = sorted(wanted, key=lambda factor: (factor.axis, -factor.stride))
        if len(order) <= MOST_AXES:
            layer = self._as(layer, tuple([factor.size for factor in order]), node)
            names = axes_named(self.shapes[layer])
            dims = [names[order.index(factor)] for factor in wanted]
            return self._as(self.add(node, "permute", {"dims": dims}, [layer], once=True), sizes, node)
        for place, factor in enumerate(wanted):
            now = order.index(factor)
            if now == place:
                continue
            # A run of factors that belong together in the goal moves at once.
            run = 1
            while place + run < len(wanted) and order[now : now + run + 1] == wanted[place : place + run + 1]:
                run += 1
            parts = (order[:place], order[place:now], order[now : now + run], order[now + run :])
            shape = tuple([math.prod(each.size for each in part) for part in parts])
            kept = [index for index, size in enumerate(shape) if size > 1]
            layer = self._as(layer, tuple([shape[index] for index in kept]), node)
            names = axes_named(self.shapes[layer])
            dims = [names[kept.index(index)] for index in (0, 2, 1, 3) if index in kept]
            layer = self.add(node, "permute", {"dims": dims}, [layer], once=True)
            order = [*parts[0], *parts[2], *parts[1], *parts[3]]
        return self._as(layer, sizes, node)

    def _as(self, layer: str, sizes: Shape, node: Node) -> str:
        """The same values in the same order under another shape."""
        if self.shapes[layer] == sizes:
            return layer
        return self.add(node, "reshape", {"shape": spec_shape(sizes)}, [layer], once=True)

    def view_of(self, fixed: Fixed, node: Node) -> View:
        """A stored tensor as a view of a map whose channels are its last axis; a computed one as its layers give it."""
        if fixed.axes is None and fixed.name and self.compute is not None:
            return self.compute(fixed.name)
        if len(fixed.sources) != 1 or fixed.axes is None:
            raise UnknownFormError("a tensor that is computed from weights")
        sizes = self.program.constants[fixed.sources[0]].shape
        own = [axis for axis in whole_axes(sizes) if axis] or [()]
        goal = [own[-1], *own[:-1]]
        while len(goal) > MOST_AXES:
            goal[-2:] = [(*goal[-2], *goal[-1])]
        return View(self.parameter(fixed, tuple(goal), node), self.on_arranged(fixed.axes, tuple(goal)))


def _is_part(part: Factor, of: Factor) -> bool:
    """Whether a factor lies within another one of the same axis."""
    end, its_end = part.size * part.stride, of.size * of.stride
    return part.axis == of.axis and part.stride >= of.stride and end <= its_end and its_end % end == 0


def _in_order(factors: Sequence[Factor]) -> bool:
    """Whether factors that cover a map stand in the order of its values."""
    keys = [(factor.axis, -factor.stride) for factor in factors]
    return keys == sorted(keys)
