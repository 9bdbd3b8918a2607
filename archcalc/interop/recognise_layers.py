"""The layers that a program becomes, with the shapes of their maps and the stored tensors that they have."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.shapes import AXES, Shape, format_shape, spec_shape
from archcalc.interop.foreign import ForeignNode
from archcalc.interop.opaque_costs import multiplications_of
from archcalc.interop.program import Constant, Node, Program
from archcalc.interop.recognise_names import Names, Wanted
from archcalc.interop.recognise_views import (
    BATCH,
    Axes,
    Factor,
    View,
    axis_size,
    reshaped,
    whole_axes,
)
from archcalc.ops import Op
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

    def __init__(self, program: Program, lifted: Collection[str] = ()) -> None:
        """`lifted`: trained tensors that layers have in several forms: each is a map of its own, once."""
        self.program, self.lifted = program, lifted
        self.several_forms: set[str] = set()
        #: The layer that a stored tensor is as a map of its own, and its axes there.
        self.parameters: dict[str, tuple[str, Axes]] = {}
        self.nodes: list[ForeignNode] = []
        self.shapes: dict[str, Shape] = {}
        #: The layer that owns a stored tensor, and the array that it is there.
        self.owners: dict[str, tuple[str, str]] = {}
        #: The axes in which a layer has a stored tensor, where they are others.
        self.goals: dict[str, Axes] = {}
        #: Every layer that has a stored tensor of its own, and the name of the tensor.
        self.held: list[tuple[str, str]] = []
        self.notes: list[str] = []
        #: Notes that name layers: the text with {} in their places, and the layers.
        self.named_notes: list[tuple[str, tuple[str, ...]]] = []
        #: The images of the batch, which the layers are without.
        self.images = 1
        #: The values that an operation reads or that the program gives.
        self.used = {name for node in program.nodes for name in node.inputs} | set(program.wanted)
        #: Makes layers of a value that is computed from stored tensors alone.
        self.compute: Callable[[str], View] | None = None
        #: The operations that compute with stored tensors alone, and what they give, by value.
        self.stored: dict[str, Node] = {}
        self.fixed: dict[str, Fixed] = {}
        #: The result of the operation that each incomplete layer is.
        self.unfinished: dict[str, str] = {}
        self.names = Names(program.inputs)
        #: The ops by their kind and settings: equal layers share one.
        self._ops: dict[tuple[Any, ...], Op] = {}
        self._made: dict[tuple[Any, ...], str] = {}

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
        is_path = bool(node.path) and not once
        name = self.names.free(Wanted(node.path if is_path else op, is_path, is_arrangement=once))
        if goal is not None and arrays:
            self.goals.setdefault(arrays["weight"], goal)
        weights, loaded = self._arrays(name, arrays or {})
        if goal is not None and "weight" in loaded:
            loaded["weight"] = partial(rearranged, loaded["weight"], goal)
        self._note_buffers(name, made.param_shapes(shapes), arrays or {})
        sizes = {param.name: tuple(map(int, param.shape)) for param in made.param_shapes(shapes)}
        loaded = {array: partial(_in_shape, load, sizes[array]) if array in sizes else load
                  for array, load in loaded.items()}  # fmt: skip
        self.nodes.append(
            ForeignNode(name, op, fields, tuple(inputs), weights, node.place, loaded, frozen, node.call, _value(node))
        )
        self.shapes[name] = shape
        self._made[key] = name
        return name

    def is_trained(self, fixed: Fixed) -> bool:
        """Whether a tensor of stored ones holds a parameter."""
        return any(self.program.constants[name].role == "parameter" for name in fixed.sources)

    def fits(self, source: str, goal: Axes | None = None) -> bool:
        """Whether a layer can have a stored tensor in these axes: no other layer has it in another form."""
        plain = whole_axes(self.program.constants[source].shape)
        is_same = source not in self.owners or (goal or plain) == self.goals.get(source, plain)
        if source in self.lifted or (is_same and source not in self.parameters):
            return source not in self.lifted
        self.several_forms.add(source)
        return False

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
                text = f"{{}}: {fixed:,} of its {count:,} parameters are frozen; all count as trainable"
                self.named_notes.append((text, (layer,)))
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

    def _note_buffers(self, name: str, params: Sequence[Any], arrays: Mapping[str, str]) -> None:
        """A note on a layer that trains some of its arrays, and whose others are buffers of the program."""
        own = [arrays[each.name] for each in params if each.name in arrays and not each.buffer]
        found = [self.program.constants[source] for source in own]
        fixed = sum(each.size for each in found if each.role == "buffer")
        if fixed and any(each.role == "parameter" for each in found):
            count = sum(each.size for each in found)
            text = f"{{}}: {fixed:,} of its {count:,} parameters are buffers; all count as parameters"
            self.named_notes.append((text, (name,)))

    def _arrays(self, name: str, arrays: Mapping[str, str]) -> tuple[str | None, dict[str, Any]]:
        """The layer whose arrays are the same, and the arrays of this one."""
        owned = [self.owners[source] for source in arrays.values() if source in self.owners]
        if arrays and len(owned) == len(arrays) and len({layer for layer, _ in owned}) == 1:
            return owned[0][0], {}
        loaded = {}
        for array, source in arrays.items():
            constant = self.program.constants[source]
            if source in self.owners and constant.role == "parameter":
                text = f"{{}} has the {array} of {{}} too; its {constant.size:,} values count again"
                self.named_notes.append((text, (name, self.owners[source][0])))
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
        name = self.names.free(Wanted(node.path or node.op, is_path=bool(node.path)))
        weights, loaded = self._arrays(name, arrays)
        self.unfinished[name] = node.outputs[0]
        self.nodes.append(
            ForeignNode(
                name, INCOMPLETE, fields, tuple(inputs), weights, node.place, loaded, call=node.call, value=_value(node)
            )
        )
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
        name = self.names.free(Wanted(node.path or node.op, is_path=bool(node.path)))
        fields = {"of": node.op, "shape": spec_shape(tuple(sizes)), **({"params": params} if params else {})}
        if (products := multiplications_of(node, self.program, self.images)) is not None:
            fields["multiplications"] = products
        self.nodes.append(
            ForeignNode(name, "opaque", fields, inputs, None, node.place, call=node.call, value=_value(node))
        )
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

    def derived(self, fixed: Fixed, besides: Collection[str] = ()) -> str:
        """A tensor that is computed from one trained tensor of its size, as a stored one that takes its place.

        `besides`: trained tensors that multiply it as well and that another layer has.
        """
        constants = self.program.constants
        trained = [name for name in fixed.sources if constants[name].role == "parameter" and name not in besides]
        if len(trained) != 1 or not fixed.name or constants[trained[0]].size != math.prod(fixed.shape):
            raise UnknownFormError("weights that are computed")
        name = f"{trained[0]} as {fixed.name}"
        if name not in constants:
            assert isinstance(constants, dict)
            source = constants[trained[0]]
            load = None if self.program.compute is None else self.program.compute(fixed.name, besides)
            constants[name] = replace(source, name=name, shape=fixed.shape, load=load, values=None,
                                      sources=source.sources or (source.name,))  # fmt: skip
            op = self.stored[fixed.name].op
            self.notes.append(f"weights that are computed at inference count as those that are stored ({op})")
        if trained[0] in self.owners:
            self.owners.setdefault(name, self.owners[trained[0]])
        return name


def _value(node: Node) -> str:
    """The value that a layer of an operation gives."""
    return node.outputs[0] if node.outputs else ""


def _in_shape(load: Any, shape: Shape) -> Any:
    """The values of an array in the shape that the layer has for it."""
    return load().reshape(shape)


def rearranged(load: Callable[[], Any], goal: Axes) -> Any:
    """A stored array with its factors in another order."""
    array = load()
    factors = [factor for axis in goal for factor in axis]
    order = sorted(factors, key=lambda factor: (factor.axis, -factor.stride))
    split = array.reshape([factor.size for factor in order])
    return split.transpose([order.index(factor) for factor in factors]).reshape(tuple(map(axis_size, goal)))
