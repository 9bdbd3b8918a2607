"""The layers that a program becomes, and the maps that its tensors lie on."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.shapes import AXES, Shape, format_shape, spec_shape
from archcalc.interop.foreign import ForeignNode
from archcalc.interop.program import Constant, Node, Program
from archcalc.interop.recognise_views import (
    BATCH,
    COPIES,
    Axes,
    Factor,
    View,
    axis_size,
    joined,
    reshaped,
    whole,
    whole_axes,
    without,
)
from archcalc.ops import Op
from archcalc.ops.axes import axes_named
from archcalc.spec.single import make_op

#: The most axes that a map has: channels and positions.
MOST_AXES = len(AXES)

#: The kind of a layer that only becomes an op together with those around it.
INCOMPLETE = "attention within windows"


class Fixed(NamedTuple):
    """A tensor that does not depend on the input: computed from stored tensors.

    `axes` are its arrangement of the one tensor that it holds; None where it was computed: it is then the value `name`.
    """

    sources: tuple[str, ...]
    shape: tuple[int, ...]
    axes: Axes | None = None
    name: str = ""


class UnknownFormError(Exception):
    """An operation that archcalc's ops do not cover in this form: it becomes an opaque layer."""


class Layers:
    """Collects the layers, with the shapes of their maps."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: list[ForeignNode] = []
        self.shapes: dict[str, Shape] = {}
        #: The layer that owns a stored tensor, and the array that it is there.
        self.owners: dict[str, tuple[str, str]] = {}
        #: Every layer that has a stored tensor of its own, and the name of the tensor.
        self.held: list[tuple[str, str]] = []
        self.notes: list[str] = []
        #: The images of the batch, which the layers are without.
        self.images = 1
        #: The values that an operation reads or that the program gives.
        self.used = {name for node in program.nodes for name in node.inputs} | set(program.outputs.values())
        #: Makes layers of a value that is computed from stored tensors alone.
        self.compute: Callable[[str], View] | None = None
        #: The operations that compute with stored tensors alone, and what they give, by value.
        self.stored: dict[str, Node] = {}
        self.fixed: dict[str, Fixed] = {}
        #: The result of the operation that each incomplete layer is.
        self.unfinished: dict[str, str] = {}
        self._names: dict[str, int] = {}
        self._arranged: dict[tuple[str, Axes], str] = {}
        #: The ops by their kind and settings: equal layers share one.
        self._ops: dict[tuple[Any, ...], Op] = {}
        self._made: dict[tuple[Any, ...], str] = {}

    def name(self, wanted: str) -> str:
        """A name that no other layer has."""
        count = self._names.get(wanted, 0) + 1
        self._names[wanted] = count
        if count == 1:
            return wanted
        return self.name(f"{wanted}_{count}")

    def add(
        self,
        node: Node,
        op: str,
        fields: Mapping[str, Any],
        inputs: Sequence[str],
        arrays: Mapping[str, str] | None = None,
        *,
        frozen: bool = False,
        once: bool = False,
        goal: Axes | None = None,
    ) -> str:
        """Add a layer and give its name; `arrays` maps archcalc's names of arrays to stored tensors.

        `goal` are the axes of the array, of those of the stored tensor. With `once` a layer that is there already is
        taken again. Raises `UnknownFormError` where the op cannot take
        these.
        """
        key = (op, repr(sorted(fields.items())), tuple(inputs))
        if once and key in self._made:
            return self._made[key]
        shapes = [self.shapes[name] for name in inputs]
        try:
            if key[:2] not in self._ops:
                self._ops[key[:2]] = make_op(op, fields)
            made = self._ops[key[:2]].resolve(shapes)
            made.check(shapes)
            shape = tuple(map(int, made.output_shape(shapes)))
        except (ShapeError, UsageError) as error:
            raise UnknownFormError(str(error)) from error
        self._check_arrays(made.param_shapes(shapes), arrays or {})
        name = self.name(_joined_path(node.path, op) if once else node.path or op)
        weights, loaded = self._arrays(name, arrays or {})
        if goal is not None:
            loaded = {array: partial(_rearranged, load, goal) for array, load in loaded.items()}
        sizes = {param.name: tuple(map(int, param.shape)) for param in made.param_shapes(shapes)}
        loaded = {array: partial(_in_shape, load, sizes[array]) if array in sizes else load
                  for array, load in loaded.items()}  # fmt: skip
        self.nodes.append(
            ForeignNode(name, op, fields, tuple(inputs), weights, node.place, loaded, frozen)
        )  # fmt: skip
        self.shapes[name] = shape
        self._made[key] = name
        return name

    def with_frozen(self) -> tuple[ForeignNode, ...]:
        """The layers; those are frozen whose parameters are all not trained, and a note names those with some."""
        owned: dict[str, list[Constant]] = {}
        for source, (layer, _) in self.owners.items():
            if (constant := self.program.constants[source]).role == "parameter":
                owned.setdefault(layer, []).append(constant)
        frozen = set(self._of_buffers(owned))
        for layer, constants in owned.items():
            fixed = sum(constant.size for constant in constants if not constant.trained)
            if not any(constant.trained for constant in constants):
                frozen.add(layer)
            elif fixed:
                count = sum(constant.size for constant in constants)
                self.notes.append(f"{layer}: {fixed:,} of its {count:,} parameters are frozen; all count as trainable")
        return tuple([replace(node, frozen=True) if node.name in frozen else node for node in self.nodes])

    def _of_buffers(self, owned: Mapping[str, Sequence[Constant]]) -> list[str]:
        """The layers whose weights are stored tensors that are no parameters, as the filters of a blur; a note."""
        found = {
            layer: self.program.constants[source].size
            for source, (layer, array) in self.owners.items()
            if array == "weight" and layer not in owned and self.program.constants[source].role != "parameter"
        }
        kinds = {node.name: node.op for node in self.nodes}
        found = {layer: size for layer, size in found.items() if kinds[layer] not in ("parameter", "opaque")}
        if found:
            self.notes.append(f"{sum(found.values()):,} values of buffers are weights: they count as frozen parameters")
        return list(found)

    def _check_arrays(self, params: Sequence[Any], arrays: Mapping[str, str]) -> None:
        """Raise `UnknownFormError` where the stored tensors are not as large as the arrays of the layer."""
        for param in params:
            stored = self.program.constants.get(arrays.get(param.name, ""))
            if stored is not None and stored.size != math.prod(map(int, param.shape)):
                raise UnknownFormError(f"{param.name} has {stored.size} values, the layer {math.prod(param.shape)}")

    def _arrays(self, name: str, arrays: Mapping[str, str]) -> tuple[str | None, dict[str, Any]]:
        """The layer whose arrays are the same, and the arrays of this one."""
        owned = [self.owners[source] for source in arrays.values() if source in self.owners]
        if arrays and len(owned) == len(arrays) and len({layer for layer, _ in owned}) == 1:
            return owned[0][0], {}
        loaded = {}
        for array, source in arrays.items():
            constant = self.program.constants[source]
            if source in self.owners and constant.role == "parameter":
                self.notes.append(
                    f"{name} has the {array} of {self.owners[source][0]} too; its {constant.size:,} values count again"
                )
            self.owners.setdefault(source, (name, array))
            self.held.append((name, source))
            if constant.load is not None:
                loaded[array] = constant.load
        return None, loaded

    def stored_as(self, other: Constant) -> str:
        """The name of a stored tensor that the program does not have, which takes the place of one that it has."""
        assert isinstance(self.program.constants, dict)
        return self.program.constants.setdefault(other.name, other).name  # type: ignore[no-any-return]

    def incomplete(
        self, node: Node, fields: Mapping[str, Any], inputs: Sequence[str], shape: Shape, arrays: Mapping[str, str]
    ) -> str:
        """A layer that is no op by itself: `recognise_whole` joins it with those around it."""
        name = self.name(node.path or node.op)
        weights, loaded = self._arrays(name, arrays)
        self.unfinished[name] = node.outputs[0]
        self.nodes.append(ForeignNode(name, INCOMPLETE, fields, tuple(inputs), weights, node.place, loaded))
        self.shapes[name] = shape
        return name

    def opaque(self, node: Node, views: Sequence[View | Fixed | None], shape: Sequence[int]) -> View:
        """A layer for an operation that archcalc does not have: the tensor without the batch.

        Raises `UsageError` where several images of a batch lie on no axis of the tensor.
        """
        read = [view for view in views if isinstance(view, View)]
        inputs = tuple(dict.fromkeys(view.layer for view in read)) or (self.program.inputs[0],)
        stored = [name for view in views if isinstance(view, Fixed) for name in view.sources]
        own = [name for name in stored if self.program.constants[name].role == "parameter" and name not in self.owners]
        params = sum(self.program.constants[name].size for name in dict.fromkeys(own))
        held = self._axis_of_images(node, read, shape)
        one = [size // self.images if index == held else size for index, size in enumerate(shape)]
        left_out = one.index(1) if 1 in one else None
        if held is not None and one[held] == 1:
            left_out = held
        sizes = [size for index, size in enumerate(one) if index != left_out] or [1]
        while len(sizes) > MOST_AXES:
            sizes[-2:] = [sizes[-2] * sizes[-1]]
        name = self.name(node.path or node.op)
        fields = {"of": node.op, "shape": spec_shape(tuple(sizes)), **({"params": params} if params else {})}
        self.nodes.append(ForeignNode(name, "opaque", fields, inputs, None, node.place))
        self.shapes[name] = tuple(sizes)
        for source in dict.fromkeys(own):
            self.owners[source] = (name, "weight")
            self.held.append((name, source))
        axes = list(reshaped(whole_axes(tuple(sizes)), one) or ())
        if held is not None:
            axes[held] = (Factor(BATCH, self.images), *axes[held])
        return View(name, tuple(axes))

    def _axis_of_images(self, node: Node, views: Sequence[View], shape: Sequence[int]) -> int | None:
        """The axis of an output that holds the images of the batch: where an input has them, or the first one."""
        places = [
            (index, len(view.axes))
            for view in views
            for index, axis in enumerate(view.axes)
            if any(factor.axis == BATCH for factor in axis)
        ]
        if not places:
            return None
        same = [index for index, rank in places if rank == len(shape)]
        for index in (*same, 0):
            if index < len(shape) and shape[index] % self.images == 0:
                return index
        raise UsageError(
            f"{node.place or node.path}: {node.op} gives {format_shape(tuple(shape))}, in which the batch of "
            f"{self.images} has no axis; write the model with a batch of 1"
        )

    def input(self, name: str, shape: Sequence[int], batch: int = 0) -> View:
        """The view of an input of the network: (batch, channels, *positions), or with the batch on another axis.

        An input of one axis has no batch: its values are channels.
        """
        if len(shape) < 2:
            self.shapes[name] = tuple(shape) or (1,)
            return View(name, whole_axes(tuple(shape)))
        images = shape[batch]
        sizes: Shape = tuple([size for index, size in enumerate(shape) if index != batch])
        if len(sizes) > MOST_AXES:
            raise UsageError(
                f"the input {name} has {len(sizes) - 1} position axes; at most {MOST_AXES - 1} are possible"
            )
        self.shapes[name] = sizes
        axes = list(whole_axes(sizes))
        if images > 1:
            if self.images not in (1, images):
                raise UsageError(
                    f"the input {name} has a batch of {images} and another input one of {self.images}; "
                    "write the model with a batch of 1"
                )
            self.images = images
            self.notes.append(f"{name} is a batch of {images}; sizes and counts are those of one image of it")
        axes.insert(batch, (Factor(BATCH, images),) if images > 1 else ())
        return View(name, tuple(axes))

    # --- maps in a wanted arrangement -------------------------------------------------------------------------------

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

    def derived(self, fixed: Fixed, besides: Collection[str] = ()) -> str:
        """A tensor that is computed from one trained tensor of its size, as a stored one that takes its place.

        `besides`: trained tensors that it is computed from as well and that another layer has.
        """
        constants = self.program.constants
        trained = [name for name in fixed.sources if constants[name].role == "parameter" and name not in besides]
        if len(trained) != 1 or not fixed.name or constants[trained[0]].size != math.prod(fixed.shape):
            raise UnknownFormError("weights that are computed")
        name = f"{trained[0]} as {fixed.name}"
        if name not in constants:
            assert isinstance(constants, dict)
            constants[name] = replace(constants[trained[0]], name=name, shape=fixed.shape, load=None, values=None)
            op = self.stored[fixed.name].op
            self.notes.append(f"weights that are computed at inference count as those that are stored ({op})")
        if trained[0] in self.owners:
            self.owners.setdefault(name, self.owners[trained[0]])
        return name

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
            self._arranged[key] = self._arrange(layer, goal, replace(node, path=node.path.rpartition("/")[0]))
        return self._arranged[key]

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

    def parameter(self, fixed: Fixed, goal: Axes, node: Node) -> str:
        """A stored tensor as a map; `goal` are its axes, of the axes of the tensor."""
        if len(fixed.sources) != 1 or fixed.axes is None:
            raise UnknownFormError("a tensor that is computed from weights")
        source = fixed.sources[0]
        constant = self.program.constants[source]
        sizes = tuple(map(axis_size, goal))
        if math.prod(sizes) != constant.size:
            raise UnknownFormError("a part of a stored tensor")
        name = self.name(source)
        is_trained = constant.role == "parameter"
        loaded = {"weight": partial(_rearranged, constant.load, goal)} if constant.load is not None else {}
        weights = None
        if source in self.owners and is_trained:
            self.notes.append(f"{source} is used in several forms; its {constant.size:,} values count again")
        self.owners.setdefault(source, (name, "weight"))
        self.held.append((name, source))
        fields = {"shape": spec_shape(sizes), **({} if is_trained else {"buffer": True})}
        self.nodes.append(ForeignNode(name, "parameter", fields, (), weights, node.place, loaded))
        self.shapes[name] = sizes
        return name

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
        key = (f"stored {fixed.sources[0]}", tuple(goal))
        if key not in self._arranged:
            self._arranged[key] = self.parameter(fixed, tuple(goal), node)
        return View(self._arranged[key], self.on_arranged(fixed.axes, tuple(goal)))


def _in_shape(load: Any, shape: Shape) -> Any:
    """The values of an array in the shape that the layer has for it."""
    return load().reshape(shape)


def _rearranged(load: Callable[[], Any], goal: Axes) -> Any:
    """A stored array with its factors in another order."""
    array = load()
    factors = [factor for axis in goal for factor in axis]
    order = sorted(factors, key=lambda factor: (factor.axis, -factor.stride))
    split = array.reshape([factor.size for factor in order])
    return split.transpose([order.index(factor) for factor in factors]).reshape(tuple(map(axis_size, goal)))


def _joined_path(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _is_part(part: Factor, of: Factor) -> bool:
    """Whether a factor lies within another one of the same axis."""
    end, its_end = part.size * part.stride, of.size * of.stride
    return part.axis == of.axis and part.stride >= of.stride and end <= its_end and its_end % end == 0


def _in_order(factors: Sequence[Factor]) -> bool:
    """Whether factors that cover a map stand in the order of its values."""
    keys = [(factor.axis, -factor.stride) for factor in factors]
    return keys == sorted(keys)
