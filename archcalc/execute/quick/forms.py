"""How a group of layers runs on channels-last maps. What has no form of its own runs as its plain kernel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np

from archcalc.core.shapes import Shape
from archcalc.execute.kernels import KERNELS, Array, Kernel, Switches, activation
from archcalc.execute.kernels.reshape import cropped
from archcalc.execute.kernels.windows import lay
from archcalc.execute.quick import kernels as fast
from archcalc.execute.quick.arena import Map
from archcalc.execute.quick.fuse import Group
from archcalc.execute.runner.calls import array_sizes, settings_of
from archcalc.execute.runner.weights import Weights
from archcalc.graph.layer_graph import Layer, LayerGraph

#: A convolution that runs once is not worth Winograd's transformation of its weights on maps smaller than this.
WORTH_TRANSFORMING = 40 * 40


class Place(Protocol):
    """Where the result of a layer goes."""

    def new(self, shape: Shape) -> Map:
        """Memory that nobody reads: its part of a concatenation, where it has one."""
        ...

    def over(self, x: Map) -> Map:
        """The memory of the input itself if no other layer reads it, else new memory of its size."""
        ...


@dataclass
class Room:
    """Bytes by which prepared weights may still be larger than plain ones; `None`: any number."""

    left: int | None


@dataclass
class Task:
    """A group, and all that it keeps from run to run.

    `arrays` and `uses` are what was seen: the arrays of each layer as they were consumed.
    """

    graph: LayerGraph
    group: Group
    weights: Weights
    workspace: fast.Workspace
    room: Room
    once: bool
    gives_switches: bool
    switches: dict[int, Switches]
    arrays: dict[int, Mapping[str, Shape]] = field(default_factory=dict)
    prepared: Any = None

    @property
    def layer(self) -> Layer:
        """The first layer, which does the work."""
        return self.graph.layers[self.group.first]

    @property
    def kernel(self) -> Kernel:
        return KERNELS[self.layer.op.kind]

    @property
    def nbytes(self) -> int:
        """Bytes of what was prepared."""
        if isinstance(self.prepared, (fast.Prepared, fast.TransposedConvolution)):
            return self.prepared.nbytes
        values = self.prepared.values() if isinstance(self.prepared, dict) else self.prepared or ()
        return sum(array.nbytes for array in values if array is not None)

    def multiplications(self, x: Array, out: Array) -> int:
        """Multiply-adds of one image: how often the weights were used for these maps (N, C, H, W)."""
        if self.kernel.weight_uses is None:
            return 0
        return self.kernel.weight_uses(x, out) * prod(self.arrays[self.group.first]["weight"])

    def settings(self, names: Collection[str]) -> dict[str, Any]:
        return settings_of(self.layer, names)

    def take(self, index: int, x: Array) -> dict[str, Array]:
        """The arrays of a layer that reads the map x (N, C, H, W), in the type of the map."""
        layer = self.graph.layers[index]
        sizes = array_sizes(KERNELS[layer.op.kind], layer, x)
        given = dict(self.weights.of(layer.name, sizes)) if sizes else {}
        self.arrays[index] = {name: array.shape for name, array in given.items()}
        return {name: array.astype(x.dtype, copy=False) for name, array in given.items()}


#: Runs a group on its maps.
Form = Callable[[Task, Sequence[Map], Place], Map]


def channels_first(array: Array) -> Array:
    """(N, H, W, C) seen as (N, C, H, W); flat maps as they are."""
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array


def channels_last(array: Array) -> Array:
    """(N, C, H, W) seen as (N, H, W, C); flat maps as they are."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def convolution(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A convolution, with all that follows it in its group."""
    x = maps[0].array
    if task.prepared is None:
        task.prepared = _prepare(task, channels_first(x))
    prepared: fast.Prepared = task.prepared
    out = place.new(prepared.output_shape(x.shape))
    residual = maps[1].array if task.group.residual else None
    fast.run(prepared, x, out.array, task.workspace, residual=residual, relu=task.group.relu)
    return out


def _prepare(task: Task, x: Array) -> fast.Prepared:
    op: Any = task.layer.op
    arrays = task.take(task.group.first, x)
    weight, bias = arrays.pop("weight"), arrays.pop("bias", None)
    groups = x.shape[1] if op.kind == "depthwise_conv2d" else op.groups
    frame = lay(x, (weight.shape[2], weight.shape[3]), op.stride, op.padding, op.dilation)
    geometry = fast.Geometry(frame.kernel_size, frame.stride, frame.sides, frame.dilation)
    size = geometry.positions(x.shape[2], x.shape[3])
    # As large as the result, without its memory: the layers that are folded in see their input's shape.
    result = np.broadcast_to(x.dtype.type(0), (len(x), len(weight), *size))
    for index in task.group.folded:
        weight, bias = _folded(task, index, result, weight, bias)
    return fast.prepare(
        weight,
        bias,
        stride=frame.stride,
        padding=frame.sides,
        dilation=frame.dilation,
        groups=groups,
        map_size=size,
        algorithm=_affordable(task, fast.choose(weight.shape, geometry, groups, size), weight, size),
    )


def _folded(task: Task, index: int, x: Array, weight: Array, bias: Array | None) -> tuple[Array, Array | None]:
    """Weight and bias of one convolution that also does what layer `index` does to its result `x`."""
    op: Any = task.graph.layers[index].op
    if op.kind == "multiply":
        return weight * weight.dtype.type(op.factor), None if bias is None else bias * weight.dtype.type(op.factor)
    arrays = task.take(index, x)
    return fast.fold_batch_norm(
        weight,
        bias,
        arrays.get("weight"),
        arrays.get("bias"),
        arrays["running_mean"],
        arrays["running_var"],
        op.epsilon,
    )


def _affordable(task: Task, chosen: fast.Algorithm, weight: Array, size: tuple[int, int]) -> fast.Algorithm:
    """A form that needs no more memory for its weights than there is room, nor more time than it saves."""
    if task.once and chosen in ("winograd2", "winograd4") and size[0] * size[1] < WORTH_TRANSFORMING:
        return "matrix"
    smaller: dict[fast.Algorithm, fast.Algorithm] = {"winograd4": "winograd2", "winograd2": "matrix"}
    while chosen in smaller:
        points = (4 if chosen == "winograd4" else 2) + weight.shape[2] - 1
        more = weight.nbytes * points**2 // (weight.shape[2] * weight.shape[3]) - weight.nbytes
        if task.once or task.room.left is None:
            break
        if more <= task.room.left:
            task.room.left -= more
            break
        chosen = smaller[chosen]
    return chosen


def transposed_convolution(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A transposed convolution: one matrix product where the stamps do not overlap."""
    op: Any = task.layer.op
    if op.kernel_size != op.stride or any(op.padding) or any(op.output_padding) or op.groups != 1:
        return plain(task, maps, place)
    x = maps[0].array
    if task.prepared is None:
        arrays = task.take(task.group.first, channels_first(x))
        task.prepared = fast.TransposedConvolution.prepare(arrays["weight"], arrays.get("bias"))
    prepared: fast.TransposedConvolution = task.prepared
    out = place.new(prepared.output_shape(x.shape))
    prepared.run(x, out.array, task.workspace)
    return out


def linear(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A dense layer, rectified where its group says so; a map is read channel by channel."""
    x = channels_first(maps[0].array)
    if task.prepared is None:
        arrays = task.take(task.group.first, x)
        task.prepared = arrays["weight"], arrays.get("bias")
    weight, bias = task.prepared
    out = place.new((len(x), len(weight)))
    flat = x.reshape(len(x), -1)
    fast.dense(flat, weight, bias, relu=task.group.relu, out=out.array, workspace=task.workspace)
    return out


def batch_norm(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Batch normalisation that stands by itself."""
    x = maps[0].array
    if x.ndim != 4:
        return plain(task, maps, place)
    if task.prepared is None:
        op: Any = task.layer.op
        arrays = task.take(task.group.first, channels_first(x))
        numbers = (arrays.get("weight"), arrays.get("bias"), arrays["running_mean"], arrays["running_var"])
        scale, shift = fast.batch_norm_factors(*numbers, op.epsilon)
        task.prepared = scale.astype(x.dtype), shift.astype(x.dtype)
    scale, shift = task.prepared
    out = place.over(maps[0])
    fast.pointwise.scale_shift(x, scale, shift, out.array, relu=task.group.relu, workspace=task.workspace)
    return out


def max_pool(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Max pooling."""
    return _pool(task, maps[0].array, place, fast.max_pool, {})


def avg_pool(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Average pooling."""
    op: Any = task.layer.op
    return _pool(task, maps[0].array, place, fast.avg_pool, {"count_include_pad": op.count_include_pad})


def _pool(task: Task, x: Array, place: Place, function: Callable[..., Array], more: dict[str, Any]) -> Map:
    frame = lay(channels_first(x), **task.settings(FRAME))
    size = frame.positions(channels_first(x))
    out = place.new((len(x), *size, x.shape[3]))
    function(
        x,
        frame.kernel_size,
        stride=frame.stride,
        padding=frame.sides,
        dilation=frame.dilation,
        output_size=size,
        out=out.array,
        workspace=task.workspace,
        **more,
    )
    return out


#: The settings that say where the windows of a pool lie.
FRAME = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "clip_last_window")


def global_avg_pool(_task: Task, maps: Sequence[Map], place: Place) -> Map:
    """The mean of each channel."""
    x = maps[0].array
    out = place.new((len(x), 1, 1, x.shape[3]))
    fast.global_avg_pool(x, out.array)
    return out


def local_response_norm(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Response normalisation across channels."""
    x = maps[0].array
    if x.ndim != 4:
        return plain(task, maps, place)
    out = place.new(x.shape)
    settings = task.settings(("size", "alpha", "beta", "k"))
    fast.local_response_norm(x, **settings, out=out.array, workspace=task.workspace)
    return out


def pointwise(function: Callable[..., Any]) -> Form:
    """An activation function, over its input where it may."""

    def form(task: Task, maps: Sequence[Map], place: Place) -> Map:
        out = place.over(maps[0])
        fast.pointwise.by_blocks(function, [maps[0].array], out.array, task.workspace)
        return out

    return form


def softmax(_task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Softmax over the channels, over its input where it may."""
    out = place.over(maps[0])
    activation.softmax(channels_first(maps[0].array), out=channels_first(out.array))
    return out


def add(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A sum, rectified where its group says so."""
    out = place.new(maps[0].array.shape)
    arrays = [each.array for each in maps]
    if any(each.shape != out.array.shape for each in arrays):
        raise ValueError(f"maps of different shapes: {', '.join(str(channels_first(each).shape) for each in arrays)}")
    fast.pointwise.add(arrays, out.array, relu=task.group.relu, workspace=task.workspace)
    return out


def multiply(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A product; a value for each channel is spread over the positions."""
    op: Any = task.layer.op
    largest = max((each.array for each in maps), key=lambda each: each.size)
    arrays = [
        each.array if each.array.ndim == largest.ndim else each.array.reshape(len(largest), 1, 1, -1) for each in maps
    ]
    out = place.new(largest.shape)
    fast.pointwise.multiply(arrays, op.factor, out.array, workspace=task.workspace)
    return out


def view(_task: Task, maps: Sequence[Map], _place: Place) -> Map:
    """What does nothing at inference."""
    return maps[0]._replace(home=None)


def flatten(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """All values of an image, channel by channel: a view where a channel is a single value."""
    x = maps[0].array
    if x.ndim == 2 or (x.shape[1:3] == (1, 1) and x.flags.c_contiguous):
        return Map(x.reshape(len(x), -1), maps[0].memory)
    return plain(task, maps, place)


def concat(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Maps behind one another; those that were written where they belong are not copied."""
    arrays = [each.array for each in maps]
    total = sum(each.shape[-1] for each in arrays)
    out = place.new((*arrays[0].shape[:-1], total))
    start = 0
    for position, each in enumerate(maps):
        stop = start + each.array.shape[-1]
        if each.home != (task.group.first, position):
            np.copyto(out.array[..., start:stop], each.array)
        start = stop
    return out


def crop(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """What is left of a map without its margins."""
    op: Any = task.layer.op
    like = channels_first(maps[1].array) if len(maps) > 1 else None
    kept = channels_last(cropped(channels_first(maps[0].array), like, op.margins))
    out = place.new(kept.shape)
    np.copyto(out.array, kept)
    return out


def plain(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """The plain kernel, on the maps seen channels first."""
    kernel = task.kernel
    inputs = [channels_first(each.array) for each in maps]
    arguments = task.settings(kernel.settings)
    if task.prepared is None:
        task.prepared = task.take(task.group.first, inputs[0])
    if kernel.takes_switches_of is not None:
        arguments["switches"] = task.switches[task.layer.inputs[kernel.takes_switches_of]]
    if task.gives_switches:
        assert kernel.run_with_switches is not None
        out, task.switches[task.group.first] = kernel.run_with_switches(*inputs, **task.prepared, **arguments)
    else:
        out = kernel.run(*inputs, **task.prepared, **arguments)
    result = place.new(channels_last(out).shape)
    np.copyto(result.array, channels_last(out))
    return result


FORMS: dict[str, Form] = {
    "add": add,
    "avg_pool2d": avg_pool,
    "batch_norm2d": batch_norm,
    "concat": concat,
    "conv2d": convolution,
    "conv_transpose2d": transposed_convolution,
    "depthwise_conv2d": convolution,
    "crop2d": crop,
    "dropout": view,
    "flatten": flatten,
    "global_avg_pool2d": global_avg_pool,
    "identity": view,
    "linear": linear,
    "local_response_norm": local_response_norm,
    "max_pool2d": max_pool,
    "multiply": multiply,
    "relu": pointwise(activation.relu),
    "relu6": pointwise(activation.relu6),
    "scaled_tanh": pointwise(activation.scaled_tanh),
    "sigmoid": pointwise(activation.sigmoid),
    "softmax": softmax,
    "tanh": pointwise(activation.tanh),
}


def form_of(task: Task) -> Form:
    """The form of a group; a table of connections and the switches of a pool are left to the plain kernels."""
    if task.gives_switches or getattr(task.layer.op, "connections", None) is not None:
        return plain
    return FORMS.get(task.layer.op.kind, plain)
