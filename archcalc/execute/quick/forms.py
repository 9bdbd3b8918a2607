"""The quick form of each op. An op without one, and every case that a form does not take, runs as its plain kernel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from archcalc.execute.calls import run
from archcalc.execute.kernels import Array, activation
from archcalc.execute.kernels.reshape import cropped
from archcalc.execute.kernels.windows import frame_of
from archcalc.execute.quick import kernels as fast
from archcalc.execute.quick.arena import Map, Memory
from archcalc.execute.quick.registry import Group, Place, Role, Run, Task, form, form_of
from archcalc.graph.layer_graph import LayerGraph

#: A convolution that runs once is not worth Winograd's transformation of its weights on maps smaller than this.
WORTH_TRANSFORMING = 40 * 40
#: What a convolution does of the layers after it, and what other layers do.
ALL_ROLES: frozenset[Role] = frozenset(("nothing", "scale", "add", "rectify"))
RECTIFIED: frozenset[Role] = frozenset(("nothing", "rectify"))


def run_of(graph: LayerGraph, group: Group, switched: Collection[int]) -> Run:
    """What runs a group; a pool whose switches are read is left to the plain kernel, for quick forms have none."""
    found = None if group.first in switched else form_of(graph.layers[group.first].op)
    return plain if found is None else found.run


def plain(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """The plain kernels of a group, on the maps seen channels first."""
    seen = {source: channels_first(each.array) for source, each in zip(task.group.inputs, maps, strict=True)}
    if task.prepared is None:
        task.prepared = {}
    out = channels_last(plain_values(task, seen, task.prepared))
    result = place.new(out.shape)
    np.copyto(result.array, out)
    return result


def plain_values(task: Task, seen: dict[int, Array], prepared: dict[int, dict[str, Array]]) -> Array:
    """The plain kernel of every layer of a group, one after the other: its last map (N, C, H, W).

    seen: the maps that the group reads, by layer. prepared: keeps the arrays of the layers.
    """
    for index in task.group.layers:
        layer = task.graph.layers[index]
        inputs = [seen[source] for source in layer.inputs] or [task.batch]
        if index not in prepared:
            prepared[index] = task.take(index, *inputs)
        seen[index] = run(layer, inputs, prepared[index], task.pools)
    return seen[task.group.last]


def channels_first(array: Array) -> Array:
    """(N, *positions, C) seen as (N, C, *positions); flat maps as they are."""
    return np.moveaxis(array, -1, 1)


def channels_last(array: Array) -> Array:
    """(N, C, *positions) seen as (N, *positions, C); flat maps as they are."""
    return np.moveaxis(array, 1, -1)


def prepared_bytes(task: Task) -> int:
    """Bytes of what was prepared for a task."""
    if isinstance(task.prepared, (fast.Prepared, fast.TransposedConvolution)):
        return task.prepared.nbytes
    if isinstance(task.prepared, dict):
        return sum(array.nbytes for arrays in task.prepared.values() for array in arrays.values())
    return sum(array.nbytes for array in task.prepared or () if array is not None)


def multiplies_less(task: Task) -> bool:
    """Whether a convolution is computed with fewer multiplications than its definition has."""
    return isinstance(task.prepared, fast.Prepared) and task.prepared.algorithm.startswith("winograd")


def _has_no_table(op: Any) -> bool:
    """A table of connections is left to the plain kernel."""
    return getattr(op, "connections", None) is None


@form("conv2d", does=ALL_ROLES, suits=_has_no_table)
@form("depthwise_conv2d", does=ALL_ROLES)
def convolution(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A convolution, with all that follows it in its group."""
    x = maps[0].array
    if task.prepared is None:
        task.prepared = _prepare(task, channels_first(x))
    prepared: fast.Prepared = task.prepared
    out = place.new(prepared.output_shape(x.shape))
    residual = maps[1].array if task.group.residual else None
    prepared.run(x, out.array, task.workspace, residual=residual, relu=task.group.relu)
    return out


def _prepare(task: Task, x: Array) -> fast.Prepared:
    op: Any = task.layer.op
    arrays = task.take(task.group.first, x)
    weight, bias = arrays.pop("weight"), arrays.pop("bias", None)
    groups = x.shape[1] // weight.shape[1]
    frame: Any = frame_of(x, weight.shape[2:], op.stride, op.padding, op.dilation)
    geometry = fast.Geometry(frame.kernel_size, frame.stride, frame.sides, frame.dilation)
    size = geometry.positions(x.shape[2], x.shape[3])
    # As large as the result, without its memory: the arrays of the layers that are folded in depend on its shape.
    result = np.broadcast_to(x.dtype.type(0), (len(x), len(weight), *size))
    for index in task.group.scaled:
        weight, bias = _folded(task, index, result, weight, bias)
    chosen = _affordable(task, fast.choose(weight.shape, geometry, groups, size), weight, size)
    return fast.prepare(weight, bias, geometry, groups, chosen)


def _folded(task: Task, index: int, x: Array, weight: Array, bias: Array | None) -> tuple[Array, Array | None]:
    """Weight and bias of one convolution that also does what layer `index` does to its result `x`."""
    op = task.graph.layers[index].op
    found = form_of(op)
    assert found is not None
    assert found.scale is not None
    return fast.fold(weight, bias, *found.scale(op, task.take(index, x)))


def _affordable(task: Task, chosen: fast.Algorithm, weight: Array, size: tuple[int, int]) -> fast.Algorithm:
    """An algorithm that needs no more memory for its weights than the budget, nor more time than it saves."""
    # Where places of maxima are read, a rounded digit may move a value to another position.
    is_plain = bool(task.pools.read) or (task.once and size[0] * size[1] < WORTH_TRANSFORMING)
    if is_plain and chosen in ("winograd2", "winograd4"):
        return "matrix"
    smaller: dict[fast.Algorithm, fast.Algorithm] = {"winograd4": "winograd2", "winograd2": "matrix"}
    while chosen in smaller:
        points = (4 if chosen == "winograd4" else 2) + weight.shape[2] - 1
        more = weight.nbytes * points**2 // (weight.shape[2] * weight.shape[3]) - weight.nbytes
        if task.once or task.budget.left is None:
            break
        if more <= task.budget.left:
            task.budget.left -= more
            break
        chosen = smaller[chosen]
    return chosen


@form("conv_transpose2d")
def transposed_convolution(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A transposed convolution: one matrix product where the filters do not overlap in the result."""
    op: Any = task.layer.op
    apart = op.kernel_size == op.stride and set(op.dilation) == {1}
    if not apart or any(op.padding) or any(op.output_padding) or op.groups != 1:
        return plain(task, maps, place)
    x = maps[0].array
    if task.prepared is None:
        arrays = task.take(task.group.first, channels_first(x))
        task.prepared = fast.TransposedConvolution.prepare(arrays["weight"], arrays.get("bias"))
    prepared: fast.TransposedConvolution = task.prepared
    out = place.new(prepared.output_shape(x.shape))
    prepared.run(x, out.array, task.workspace)
    return out


def _flattens(op: Any) -> bool:
    """A dense layer at each position is left to the plain kernel."""
    return not op.per_position


@form("linear", does=RECTIFIED, suits=_flattens)
def linear(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A dense layer, rectified where its group says so; a map is read channel by channel."""
    x = channels_first(maps[0].array)
    if task.prepared is None:
        arrays = task.take(task.group.first, x)
        task.prepared = arrays["weight"], arrays.get("bias")
    weight, bias = task.prepared
    out = place.new((len(x), len(weight)))
    flat = x.reshape(len(x), -1)
    fast.dense(flat, weight, bias, out.array, task.workspace, relu=task.group.relu)
    return out


def _normalisation(op: Any, arrays: Mapping[str, Array]) -> tuple[Array, Array]:
    return fast.batch_norm_factors(
        arrays.get("weight"), arrays.get("bias"), arrays["running_mean"], arrays["running_var"], op.epsilon
    )


@form("batch_norm2d", does=RECTIFIED, role="scale", scale=_normalisation)
def batch_norm(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Batch normalisation that no convolution has taken on."""
    x = maps[0].array
    if task.prepared is None:
        scale, shift = _normalisation(task.layer.op, task.take(task.group.first, channels_first(x)))
        task.prepared = scale.astype(x.dtype), shift.astype(x.dtype)
    scale, shift = task.prepared
    out = place.over(maps[0])
    fast.pointwise.scale_shift(x, scale, shift, out.array, task.workspace, relu=task.group.relu)
    return out


@form("max_pool2d")
def max_pool(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Max pooling."""
    return _pool(task, maps[0].array, place, fast.max_pool)


@form("avg_pool2d")
def avg_pool(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Average pooling."""
    op: Any = task.layer.op
    return _pool(task, maps[0].array, place, partial(fast.avg_pool, count_include_pad=op.count_include_pad))


def _pool(task: Task, x: Array, place: Place, function: Callable[..., None]) -> Map:
    frame: Any = frame_of(channels_first(x), **task.settings(*POOLING))
    out = place.new((len(x), *frame.positions(channels_first(x)), x.shape[3]))
    geometry = fast.Geometry(frame.kernel_size, frame.stride, frame.sides, frame.dilation)
    function(x, geometry, out.array, task.workspace)
    return out


#: The settings that say where the windows of a pool lie.
POOLING = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "clip_last_window")


@form("global_avg_pool2d")
def global_avg_pool(_task: Task, maps: Sequence[Map], place: Place) -> Map:
    """The mean of each channel."""
    x = maps[0].array
    out = place.new((len(x), 1, 1, x.shape[3]))
    fast.global_avg_pool(x, out.array)
    return out


@form("local_response_norm")
def local_response_norm(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Response normalisation across channels."""
    x = maps[0].array
    if x.ndim != 4:
        return plain(task, maps, place)
    out = place.new(x.shape)
    settings = task.settings("size", "alpha", "beta", "k")
    fast.local_response_norm(x, out.array, task.workspace, **settings)
    return out


def _pointwise(function: Callable[..., Any]) -> Run:
    """An activation function, over its input where it may."""

    def run_pointwise(task: Task, maps: Sequence[Map], place: Place) -> Map:
        out = place.over(maps[0])
        fast.pointwise.by_blocks(function, [maps[0].array], out.array, task.workspace)
        return out

    return run_pointwise


form("relu", role="rectify")(_pointwise(activation.relu))
form("relu6")(_pointwise(activation.relu6))
form("sigmoid")(_pointwise(activation.sigmoid))
form("tanh")(_pointwise(activation.tanh))
form("scaled_tanh")(_pointwise(activation.scaled_tanh))


@form("softmax")
def softmax(_task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Softmax over the channels, over its input where it may."""
    out = place.over(maps[0])
    activation.softmax(channels_first(maps[0].array), out=channels_first(out.array))
    return out


def _of_one_shape(op: Any) -> bool:
    """Maps that are spread are left to the plain kernel."""
    return not op.broadcast


@form("add", does=RECTIFIED, role="add", suits=_of_one_shape)
def add(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A sum, rectified where its group says so."""
    out = place.new(maps[0].array.shape)
    arrays = [each.array for each in maps]
    if any(each.shape != out.array.shape for each in arrays):
        raise ValueError(f"maps of different shapes: {', '.join(str(channels_first(each).shape) for each in arrays)}")
    fast.pointwise.add(arrays, out.array, task.workspace, relu=task.group.relu)
    return out


def _factor(op: Any, _arrays: Mapping[str, Array]) -> tuple[Any, Any]:
    return op.factor, 0.0


@form("multiply", role="scale", scale=_factor, suits=_of_one_shape)
def multiply(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """A product; a value for each channel is spread over the positions."""
    op: Any = task.layer.op
    largest = max((each.array for each in maps), key=lambda each: each.size)
    # What is as large as the result has its shape, whether flat or not; the rest is one value a channel.
    spread = (len(largest), *(1,) * (largest.ndim - 2), -1)
    arrays = [each.array.reshape(largest.shape if each.array.size == largest.size else spread) for each in maps]
    out = place.new(largest.shape)
    fast.pointwise.multiply(arrays, op.factor, out.array, task.workspace)
    return out


@form("dropout", role="nothing")
@form("stochastic_depth", role="nothing")
@form("drop_block", role="nothing")
@form("feature_dropout", role="nothing")
@form("alpha_dropout", role="nothing")
@form("feature_alpha_dropout", role="nothing")
@form("identity", role="nothing")
def view(_task: Task, maps: Sequence[Map], _place: Place) -> Map:
    """What does nothing at inference."""
    return maps[0]._replace(home=None)


@form("flatten")
def flatten(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """All values of an image, channel by channel: a view where a channel is a single value."""
    x = maps[0].array
    if x.size == len(x) * x.shape[-1] and x.flags.c_contiguous:
        return Map(x.reshape(len(x), -1), maps[0].memory)
    return plain(task, maps, place)


@form("concat", joins=True, suits=lambda op: op.axis == "channels")
def concat(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """Maps one after another; those that were written where they belong are not copied."""
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


@form("parameter")
def parameter(task: Task, _maps: Sequence[Map], _place: Place) -> Map:
    """The array itself for each image, which is prepared once and not copied."""
    if task.prepared is None:
        weight = task.take(task.group.first, task.batch)["weight"]
        task.prepared = (np.ascontiguousarray(np.moveaxis(weight, 0, -1)),)
    (array,) = task.prepared
    return Map(np.broadcast_to(array, (len(task.batch), *array.shape)), Memory(np.empty(0, np.uint8)))


@form("crop2d")
def crop(task: Task, maps: Sequence[Map], place: Place) -> Map:
    """What is left of a map without its margins."""
    op: Any = task.layer.op
    like = channels_first(maps[1].array) if len(maps) > 1 else None
    kept = channels_last(cropped(channels_first(maps[0].array), like, op.margins))
    out = place.new(kept.shape)
    np.copyto(out.array, kept)
    return out
