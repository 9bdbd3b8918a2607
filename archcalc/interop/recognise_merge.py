"""Layers that join tensors: sums, products, concatenations; and stored tensors that are added or multiply."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from archcalc.interop.program import Constant
from archcalc.interop.recognise_handler import (
    Handler,
    Tensor,
    as_tensor,
    handles,
    images,
    part,
    pointwise,
    with_axis,
    with_images,
)
from archcalc.interop.recognise_layers import MOST_AXES, Fixed, UnknownFormError
from archcalc.interop.recognise_views import (
    BATCH,
    COPIES,
    Axes,
    Axis,
    View,
    arranged_like,
    axis_size,
    common_sizes,
    joined,
    refined,
    reshaped,
    whole,
    whole_axes,
    without,
)

#: Ops whose inputs may change places.
_SYMMETRIC = ("add", "multiply")
_JOINS = {"add": "add", "mul": "multiply", "sub": "subtract", "div": "divide"}


@handles("add", "mul", "sub", "div")
def _join_two(call: Handler) -> list[Tensor]:
    op = _JOINS[call.node.op]
    if len(call.inputs) == 1:
        return _with_number(call, op, float(call.attributes["other"]))
    if len(call.inputs) > 2:
        return [_sum_of_several(call, [call.view(index) for index in range(len(call.inputs))])]
    first, second = call.inputs
    if isinstance(first, View) and isinstance(second, View):
        return [_both(call, op, first, second)]
    view, fixed = (first, second) if isinstance(first, View) else (second, first)
    assert isinstance(view, View)
    assert isinstance(fixed, Fixed)
    return [with_fixed(call, op, view, fixed)]


def _sum_of_several(call: Handler, views: Sequence[View]) -> View:
    """The sum of more than two tensors: one layer where they are of one shape, else one after another."""
    plain = [View(view.layer, without(without(view.axes, COPIES), BATCH)) for view in views]
    base, shape = plain[0], call.layers.shapes[plain[0].layer]
    goals = [arranged_like(view.axes, base.axes, shape) for view in plain[1:]]
    sizes = [None if goal is None else tuple(map(axis_size, goal)) for goal in goals]
    if any(size != shape for size in sizes):
        first, *others = views
        for other in others:
            first = _both(call, "add", first, other)
        return first
    pairs = zip(plain[1:], goals, strict=True)
    inputs = [base.layer, *(call.layers.arranged(view.layer, goal or (), call.node) for view, goal in pairs)]
    return View(call.add("add", {}, inputs), with_images(base.axes, *(view.axes for view in views)))


def _with_number(call: Handler, op: str, number: float, index: int = 0) -> list[Tensor]:
    """A tensor and a number after it."""
    if op == "divide" and number == 0:
        raise UnknownFormError("a division by zero")
    if number == (0 if op in ("add", "subtract") else 1):
        return [call.view(index)]
    if op in ("add", "subtract"):
        return pointwise(call, "rescale", {"offset": number if op == "add" else -number}, index)
    return pointwise(call, "multiply", {"factor": number if op == "multiply" else 1 / number}, index)


@handles("rsub")
def _subtract_from(call: Handler) -> list[Tensor]:
    return pointwise(call, "rescale", {"factor": -1.0, "offset": float(call.attributes["other"])})


@handles("neg")
def _negate(call: Handler) -> list[Tensor]:
    return pointwise(call, "multiply", {"factor": -1.0})


_POWERS = {"square": 2.0, "sqrt": 0.5, "rsqrt": -0.5, "reciprocal": -1.0}


@handles("pow", *_POWERS)
def _power(call: Handler) -> list[Tensor]:
    if len(call.inputs) > 1:
        raise UnknownFormError("a power that is computed")
    exponent = float(_POWERS.get(call.node.op) or call.attributes["other"])
    return pointwise(call, "power", {"exponent": exponent})


def _both(call: Handler, op: str, first: View, second: View) -> View:
    """The sum or the product of two tensors, one of which may be spread over the other."""
    if cuts := _beside_copies(first.axes, second.axes):
        one, other = (View(view.layer, _cut(view.axes, cuts)) for view in (first, second))
        made = of_two(call, op, one, other, rank=len(one.axes))
        axes = iter(made.axes)
        return View(made.layer, tuple([joined([factor for _ in cut for factor in next(axes)]) for cut in cuts]))
    return of_two(call, op, first, second, rank=len(call.made_shape))


def _beside_copies(first: Axes, second: Axes) -> list[list[int]]:
    """Sizes into which the axes of both are cut so that copies are axes of their own; none where they are already."""
    mixed = any(len(axis) > 1 and any(factor.axis == COPIES for factor in axis) for axis in (*first, *second))
    if not mixed or len(first) != len(second):
        return []
    pairs = zip(first, second, strict=True)
    cuts = [common_sizes(one, other) if axis_size(one) == axis_size(other) else [0] for one, other in pairs]
    return [cut or [0] for cut in cuts if cut is not None] if None not in cuts else []


def _cut(axes: Axes, cuts: Sequence[Sequence[int]]) -> Axes:
    """The axes in parts of these sizes; with one part, as they are."""
    parts = [(axis,) if len(cut) == 1 else refined(axis, cut) or () for axis, cut in zip(axes, cuts, strict=True)]
    return tuple([part for each in parts for part in each])


def of_two(call: Handler, op: str, first: View, second: View, rank: int) -> View:
    """The same where copies are axes of their own; `rank` is the number of axes of the result."""
    plain = [View(view.layer, without(without(view.axes, COPIES), BATCH)) for view in (first, second)]
    shapes = [view.shape for view in plain]
    large, small = (0, 1) if _holds(shapes[0], shapes[1]) else (1, 0)
    if not _holds(shapes[large], shapes[small]):
        return _over_one_another(call, op, plain, (first.axes, second.axes))
    base, other = plain[large], plain[small]
    shape = call.layers.shapes[base.layer]
    goal = arranged_like(other.axes, base.axes, shape)
    if goal is not None and shapes[0] == shapes[1] and goal != whole_axes(call.layers.shapes[other.layer]):
        # The first is in the arrangement of the second already, as it was before a block that is added to it.
        back = arranged_like(base.axes, other.axes, call.layers.shapes[other.layer])
        if back is not None and call.layers.is_arranged(base.layer, back):
            large, base, other, goal = 1 - large, other, base, back
            shape = call.layers.shapes[base.layer]
    if goal is None:
        base = as_tensor(call, base)
        shape = call.layers.shapes[base.layer]
        goal = arranged_like(other.axes, base.axes, shape)
    if goal is None:
        other = as_tensor(call, other)
        goal = arranged_like(other.axes, base.axes, shape)
    if goal is None or not _is_spread(goal, shape):
        return _over_one_another(call, op, plain, (first.axes, second.axes))
    source = call.layers.arranged(other.layer, goal, call.node)
    sizes = call.layers.shapes[source]
    inputs = [base.layer, source] if large == 0 else [source, base.layer]
    is_channel_gate = op == "multiply" and sizes == (shape[0], *(1,) * (len(shape) - 1))
    fields = {} if sizes == shape or is_channel_gate else {"broadcast": True}
    layer = call.add(op, fields, inputs)
    axes = ((),) * (rank - len(base.axes)) + base.axes
    return View(layer, with_images(axes, first.axes, second.axes))


def _over_one_another(call: Handler, op: str, plain: Sequence[View], like: Sequence[Axes]) -> View:
    """Two tensors, each of which is spread over the other: on maps whose axes are runs of axes that belong together."""
    rank = max(len(view.axes) for view in plain)
    both = [((),) * (rank - len(view.axes)) + view.axes for view in plain]
    kinds = [tuple(bool(axes[dim]) for axes in both) for dim in range(rank)]
    runs: list[list[int]] = []
    for dim, kind in enumerate(kinds):
        if any(kind):
            if runs and kinds[runs[-1][-1]] == kind:
                runs[-1].append(dim)
            else:
                runs.append([dim])
    if len(runs) > MOST_AXES:
        raise UnknownFormError("both tensors are spread over one another")
    layers = [
        call.layers.arranged(
            view.layer, tuple([tuple([f for dim in run for f in axes[dim]]) for run in runs]), call.node
        )
        for view, axes in zip(plain, both, strict=True)
    ]
    layer = call.add(op, {"broadcast": True}, layers)
    made = call.layers.shapes[layer]
    found: list[Axis] = [()] * rank
    for index, run in enumerate(runs):
        split = reshaped((whole(index, made[index]),), [max(axis_size(axes[dim]) for axes in both) for dim in run])
        for dim, axis in zip(run, split or (), strict=True):
            found[dim] = axis
    return View(layer, with_images(tuple(found), *like))


def _is_spread(goal: Axes, shape: Sequence[int]) -> bool:
    """Whether each axis of a map is whole or of size 1: a part of the channels, as those of a head, is neither."""
    return all(axis_size(axis) in (1, size) for axis, size in zip(goal, shape, strict=True))


def _holds(large: Sequence[int], small: Sequence[int]) -> bool:
    """Whether a tensor of the small shape is spread over the large one."""
    if len(small) > len(large):
        return all(size == 1 for size in small[: len(small) - len(large)]) and _holds(large, small[-len(large) :])
    return all(size in (1, whole) for size, whole in zip(small[::-1], large[::-1], strict=False))


@handles("addcmul")
def _add_product(call: Handler) -> list[Tensor]:
    """A tensor plus a number times the product of two others."""
    tensors, value = call.inputs, float(call.attributes["value"])
    y, z = (tensor if isinstance(tensor, View) else call.layers.view_of(_fixed(tensor), call.node)
            for tensor in tensors[1:])  # fmt: skip
    made = _both(call, "multiply", y, z)
    if value != 1:
        made = View(call.add("multiply", {"factor": value}, [made.layer]), made.axes)
    first = tensors[0]
    return [
        _both(call, "add", first, made) if isinstance(first, View) else with_fixed(call, "add", made, _fixed(first))
    ]


@handles("maximum", "minimum")
def _larger(call: Handler) -> list[Tensor]:
    """The larger of two is a + max(b − a, 0), the smaller one a − max(a − b, 0)."""
    if len(call.inputs) < 2:
        raise UnknownFormError("a bound")
    a, b = (call.layers.view_of(each, call.node) if isinstance(each, Fixed) else call.view(index)
            for index, each in enumerate(call.inputs))  # fmt: skip
    is_larger = call.node.op == "maximum"
    more = _both(call, "subtract", *((b, a) if is_larger else (a, b)))
    more = View(call.add("relu", {}, [more.layer]), more.axes)
    return [_both(call, "add" if is_larger else "subtract", a, more)]


@handles("masked_fill")
def _masked_fill(call: Handler) -> list[Tensor]:
    """A tensor with a number in some places, which a stored mask says: times 0 or 1, plus the number or 0."""
    view, mask, value = call.view(), call.inputs[1], float(call.attributes["value"])
    if not isinstance(mask, Fixed) or len(mask.sources) != 1 or mask.axes is None:
        raise UnknownFormError("a mask that is computed")
    constant = call.layers.program.constants[mask.sources[0]]
    if not math.isinf(value):
        view = with_fixed(call, "multiply", view, _of_mask(call, mask, constant, (1.0, 0.0)))
    elif constant.load is None:
        raise UnknownFormError("a mask whose values are not known")
    return [with_fixed(call, "add", view, _of_mask(call, mask, constant, (0.0, value)))]


def _of_mask(call: Handler, mask: Fixed, constant: Constant, numbers: tuple[float, float]) -> Fixed:
    """A stored tensor with one number where a value stays, and another one where it does not."""
    kept, other = numbers
    pair = (other, kept) if call.attributes["keeps"] else (kept, other)
    load = None if constant.load is None else partial(_chosen, constant.load, pair)
    name = f"{constant.name} as {pair[0]:g} or {pair[1]:g}"
    made = replace(constant, name=name, dtype="float32", role="constant", load=load, values=None)
    return Fixed((call.layers.stored_as(made),), mask.shape, mask.axes)


def _chosen(load: Callable[[], Any], numbers: tuple[float, float]) -> Any:
    from archcalc.interop.arrays import np

    return np.where(load(), numbers[1], numbers[0]).astype("float32")


def _fixed(tensor: Tensor | None) -> Fixed:
    assert isinstance(tensor, Fixed)
    return tensor


def with_fixed(call: Handler, op: str, view: View, fixed: Fixed) -> View:
    """A stored tensor is added, or multiplies: a scale of the channels, or a value for every value of the map."""
    shape = call.layers.shapes[view.layer]
    constants = [call.layers.program.constants[name] for name in fixed.sources]
    is_trained = call.layers.is_trained(fixed)
    number = constants[0].values if len(constants) == 1 and fixed.axes is not None else None
    place = 0 if isinstance(call.inputs[0], View) else 1
    if math.prod(fixed.shape) == 1 and not is_trained and number is not None and (place == 0 or op in _SYMMETRIC):
        (found,) = _with_number(call, op, float(number[0]), place)
        assert isinstance(found, View)
        return found
    plain = View(view.layer, without(view.axes, BATCH))
    goal = None
    if fixed.axes is not None and _holds(plain.shape, fixed.shape):
        goal = arranged_like(fixed.axes, plain.axes, shape)
    if goal is None or not _is_spread(goal, shape):
        stored_view = call.layers.view_of(fixed, call.node)
        return _both(call, op, *((view, stored_view) if place == 0 else (stored_view, view)))
    lies = tuple(map(axis_size, goal))
    arrays = {"weight": fixed.sources[0]}
    is_plain = math.prod(lies) == constants[0].size and call.layers.fits(fixed.sources[0], goal)
    if op == "multiply" and is_trained and is_plain and lies == (shape[0], *(1,) * (len(shape) - 1)):
        return View(call.add("scale", {}, [view.layer], arrays=arrays), view.axes)
    if op == "add" and is_trained and is_plain and lies == shape:
        name = call.add("position_embedding", {}, [view.layer], arrays=arrays, goal=goal)
        return View(name, view.axes)
    stored = call.layers.parameter(fixed, goal, call.node)
    fields = {} if lies == shape else {"broadcast": True}
    inputs = [view.layer, stored] if place == 0 or op in _SYMMETRIC else [stored, view.layer]
    return View(call.add(op, fields, inputs), view.axes)


@handles("cat")
def _cat(call: Handler) -> list[Tensor]:
    dim = call.attributes["dim"]
    tensors = [tensor for tensor in call.inputs if tensor is None or 0 not in tensor.shape]
    if len(tensors) == 1:
        return [tensor for tensor in tensors if tensor is not None]
    if any(isinstance(tensor, Fixed) for tensor in tensors):
        try:
            return [_with_tokens(call, tensors, dim)]
        except UnknownFormError:
            tensors = [
                call.layers.view_of(tensor, call.node) if isinstance(tensor, Fixed) else tensor for tensor in tensors
            ]
    return [join(call, [view for view in tensors if isinstance(view, View)], dim)]


def join(call: Handler, views: Sequence[View], dim: int) -> View:
    """Tensors one after another along an axis."""
    like = [view.axes for view in views]
    views = [View(view.layer, without(view.axes, BATCH)) for view in views]
    base = call.layers.map_of(views[0], dim, call.node)
    shape = call.layers.shapes[base.layer]
    inputs = []
    for view in views:
        if not view.axes[dim]:
            # One channel: its axis has no factors, so its place is marked.
            goal = arranged_like(with_axis(view, dim, ()).axes, with_axis(base, dim, ()).axes, shape)
            inputs.append(call.layers.arranged(view.layer, ((), *(goal or ())[1:]), call.node))
            continue
        sized = with_axis(base, dim, whole(0, axis_size(view.axes[dim])))
        goal = arranged_like(view.axes, sized.axes, shape)
        if goal is None:
            raise UnknownFormError("tensors in arrangements that do not fit together")
        inputs.append(call.layers.arranged(view.layer, goal, call.node))
    layer = call.add("concat", {}, inputs)
    axes = [*base.axes]
    axes[dim] = whole(0, call.layers.shapes[layer][0])
    return View(layer, with_images(tuple(axes), *like))


def _with_tokens(call: Handler, tensors: Sequence[Tensor | None], dim: int) -> View:
    """Stored tokens before a row of tokens."""
    *before, row = tensors
    if not isinstance(row, View) or not all(isinstance(tensor, Fixed) for tensor in before):
        raise UnknownFormError("stored values between others")
    channels = 3 - dim
    if len(row.axes) != 3 or dim not in (1, 2):
        raise UnknownFormError("stored values before a map")
    batch = images(row.axes)
    axes = [batch, (), ()]
    layer = call.layers.positions_of(row, channels, call.node)
    axes[channels], axes[dim] = whole_axes(call.layers.shapes[layer])
    row = View(layer, tuple(axes))
    for tensor in reversed(before):
        assert isinstance(tensor, Fixed)
        tokens = tensor.shape[dim]
        if (
            tensor.axes is None
            or len(tensor.sources) != 1
            or call.layers.program.constants[tensor.sources[0]].size != math.prod(tensor.shape)
            or tensor.sources[0] in call.layers.lifted
        ):
            raise UnknownFormError("tokens that are computed")
        fields = {} if tokens == 1 else {"num_tokens": tokens}
        goal = (tensor.axes[channels], tensor.axes[dim])
        layer = call.add("class_token", fields, [row.layer], arrays={"weight": tensor.sources[0]}, goal=goal)
        row = with_axis(View(layer, row.axes), dim, whole(1, call.layers.shapes[layer][1]))
    return row


@handles("unfold")
def _unfold(call: Handler) -> list[Tensor]:
    """Windows of an axis, which lie over one another where the step is smaller: place by place of the window."""
    view, dim, size, step = call.view(), *(call.attributes[name] for name in ("dim", "size", "step"))
    count = call.made_shape[dim]
    places = [part(call, view, dim, start, count, step) for start in range(size)]
    return [join(call, [View(each.layer, (*each.axes, ())) for each in places], len(view.axes))]


@handles("stack")
def _stack(call: Handler) -> list[Tensor]:
    dim = call.attributes["dim"]
    views = [call.view(index) for index in range(len(call.inputs))]
    grown = [View(view.layer, (*view.axes[:dim], (), *view.axes[dim:])) for view in views]
    return [join(call, grown, dim)]
