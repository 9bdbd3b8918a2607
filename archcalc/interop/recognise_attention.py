"""Attention, however a program spells it: heads and windows are found in where the axes of q, k and v lie."""

from __future__ import annotations

import math
from typing import Any

from archcalc.interop.recognise_channels import dense
from archcalc.interop.recognise_handler import Handler, Tensor, handles, images, short
from archcalc.interop.recognise_layers import Fixed, UnknownFormError
from archcalc.interop.recognise_masks import HIDDEN, MOST_VALUES
from archcalc.interop.recognise_positions import table_of_pairs
from archcalc.interop.recognise_shifts import as_scores, shift_of, values_of
from archcalc.interop.recognise_views import (
    BATCH,
    COPIES,
    Axes,
    Factor,
    View,
    axis_size,
    joined,
    permuted,
    reshaped,
    whole,
    whole_axes,
    without,
)


@handles("scaled_dot_product_attention")
def _scaled_dot_product_attention(call: Handler) -> list[Tensor]:
    mask = call.inputs[3] if len(call.inputs) > 3 else None
    scale = call.attributes.get("scale")
    return [attend(call, scale, call.attributes.get("is_causal", False), [mask] if mask is not None else [])]


@handles("attention")
def _attention(call: Handler) -> list[Tensor]:
    """Decomposed attention: the keys are transposed already."""
    keys, last = _as_view(call, 1), len(call.shape(1)) - 1
    turned = View(keys.layer, permuted(keys.axes, [*range(last - 1), last, last - 1]))
    call.inputs = [call.inputs[0], turned, *call.inputs[2:]]
    return [attend(call, call.attributes["scale"], False, list(call.inputs[3:]))]


def attend(call: Handler, scale: float | None, is_causal: bool, biases: list[Tensor | None]) -> View:
    """softmax(qkᵀ·scale + biases)·v for tensors (…, positions, channels of a head)."""
    call.inputs = [*(_as_view(call, index) for index in range(3)), *call.inputs[3:]]
    q, k, v = (View(view.layer, without(view.axes, BATCH)) for view in (call.view(0), call.view(1), call.view(2)))
    heads_axes, others = _heads(q.axes[:-2])
    hidden = call.attributes.get("hides", False)
    if len(biases) == 1 and not is_causal and _is_causal(call, biases[0], call.shape(0)[-2], hidden):
        biases, is_causal = [], True
    if others or any(bias is not None for bias in biases):
        try:
            return _within_windows(call, scale, (q, k, v), [bias for bias in biases if bias is not None])
        except UnknownFormError:
            if any(bias is not None for bias in biases):
                raise
        # Wherever the heads lie, each is attention by itself.
        heads_axes = tuple([axis for axis in q.axes[:-2] if axis])
    heads = math.prod(axis_size(axis) for axis in heads_axes)
    if is_causal:
        k, v = (_for_heads(call, view, q) for view in (k, v))
    layers = []
    for view in (q, k, v):
        its_heads = tuple([axis for axis in view.axes[:-2] if axis])
        if tuple(map(axis_size, its_heads)) != tuple(map(axis_size, heads_axes)):
            raise UnknownFormError("attention whose heads differ")
        channels = joined([factor for axis in [*its_heads, view.axes[-1]] for factor in axis])
        layers.append(call.layers.arranged(view.layer, (channels, view.axes[-2]), call.node))
    depth = axis_size(q.axes[-1])
    fields: dict[str, Any] = {"num_heads": heads} if heads > 1 else {}
    if scale is not None and not math.isclose(scale, depth**-0.5, rel_tol=1e-5):
        fields["scale"] = float(scale)
    if is_causal:
        fields["is_causal"] = True
    layer = call.add("scaled_dot_product_attention", fields, layers)
    made = call.layers.shapes[layer]
    each = made[0] // heads
    axes: list[tuple[Factor, ...]] = [() for _ in q.axes]
    inner = made[0]
    for index, axis in enumerate(q.axes[:-2]):
        size = axis_size(axis)
        if size > 1:
            inner //= size
            axes[index] = (Factor(0, size, inner),)
    axes[-2] = whole(1, made[1])
    axes[-1] = (Factor(0, each),) if each > 1 else ()
    batch = images(call.view(0).axes)
    if batch:
        axes[0] = batch
    return View(layer, tuple(axes))


def _for_heads(call: Handler, view: View, queries: View) -> View:
    """Keys or values as many times as there are heads of the queries that share them (Ainslie et al. 2023)."""
    if len(view.axes) == len(queries.axes) > 2:
        count, own = axis_size(queries.axes[-3]), axis_size(view.axes[-3])
        if count > own and count % own == 0:
            shared = (*view.axes[-3], Factor(COPIES, count // own))
            view = View(view.layer, (*view.axes[:-3], shared, *view.axes[-2:]))
    return call.layers.without_copies(view, call.node)


def _is_causal(call: Handler, mask: Tensor | None, places: int, hides: bool = False) -> bool:
    """Whether a mask is stored that hides from each place those after it, and nothing else.

    `hides`: it is true where a place is hidden, not where it is seen.
    """
    if not isinstance(mask, Fixed) or len(mask.sources) != 1 or mask.axes is None or places**2 > MOST_VALUES:
        return False
    stored = call.layers.program.constants[mask.sources[0]]
    if stored.load is None or stored.size != places**2 or mask.shape[-1] != places:
        return False
    from archcalc.interop.arrays import np

    values = np.asarray(stored.load()).reshape(places, places)
    seen = np.tri(places, dtype=bool)
    if values.dtype.kind == "b":
        return bool((values == (~seen if hides else seen)).all())
    return bool(np.where(seen, values == 0, values <= HIDDEN).all())


def _heads(axes: Axes) -> tuple[Axes, Axes]:
    """The axes that are heads, parts of the channels; and the others, parts of the positions."""
    heads = [axis for axis in axes if axis and all(factor.axis == 0 for factor in axis)]
    others = [axis for axis in axes if axis and not all(factor.axis == 0 for factor in axis)]
    return tuple(heads), tuple(others)


def _within_windows(call: Handler, scale: float | None, views: tuple[View, ...], biases: list[Tensor]) -> View:
    """Attention within the windows of a map, or with a bias: a layer that `recognise_whole` makes complete."""
    q = views[0]
    heads_axes, _ = _heads(q.axes[:-2])
    shape = call.layers.shapes[q.layer]
    if any(view.axes != q.axes or call.layers.shapes[view.layer] != shape for view in views):
        raise UnknownFormError("attention within windows of other maps")
    if joined([factor for axis in [*heads_axes, q.axes[-1]] for factor in axis]) != whole(0, shape[0]):
        raise UnknownFormError("attention within windows of some channels")
    inside = {factor.axis: factor for factor in q.axes[-2]}
    if len(inside) != len(q.axes[-2]) or 0 in inside:
        raise UnknownFormError("attention within windows of another form")
    window = [inside[axis].size if axis in inside else 1 for axis in range(1, len(shape))]
    strides = {axis: factor.stride for axis, factor in inside.items()}
    if list(inside) != sorted(inside):
        raise UnknownFormError("attention within windows whose axes change places")
    fields: dict[str, Any] = {"num_heads": math.prod(map(axis_size, heads_axes))}
    if any(size != side for size, side in zip(shape[1:], window, strict=True)):
        fields["window_size"] = short(window)
        if any(stride != 1 for stride in strides.values()):
            if any(stride * inside[axis].size != shape[axis] for axis, stride in strides.items()):
                raise UnknownFormError("attention within windows of another form")
            fields["partition"] = "grid"
    depth = axis_size(q.axes[-1])
    if scale is not None and not math.isclose(scale, depth**-0.5, rel_tol=1e-5):
        # The op divides by the root of the depth of a head: the weights of the queries make up for it.
        fields["queries_times"] = scale * depth**0.5
    arrays = {}
    for bias in biases:
        table = _table(call, bias, fields["num_heads"], window)
        if not isinstance(bias, Fixed) or (table is None and call.layers.is_trained(bias)):
            raise UnknownFormError("attention with a bias")
        mask = as_scores(values_of(call.layers.program, bias, () if table is None else (table,)), q.axes[:-1])
        if table is not None:
            fields["relative_position_bias"] = True
            arrays["relative_position_bias_table"] = table
            mask = None if mask is None else mask - 1
        elif mask is None:
            fields["masked"] = True  # nobody knows its values: what rolls the map before it has to say
        if mask is not None and (shifts := shift_of(mask, q.axes[:-1], shape[1:], fields)):
            fields["shift_size"] = shifts
    layer = call.layers.incomplete(call.node, fields, [view.layer for view in views], shape, arrays)
    axes = list(q.axes)
    batch = images(call.view(0).axes)
    if batch:
        axes[0] = (*batch, *axes[0])
    return View(layer, tuple(axes))


def _table(call: Handler, bias: Tensor, heads: int, window: list[int]) -> str | None:
    """The table of relative positions that a bias is taken from."""
    if not isinstance(bias, Fixed):
        return None
    constants = call.layers.program.constants
    trained = [name for name in bias.sources if constants[name].role == "parameter" or constants[name].sources]
    if len(trained) != 1:
        return None
    offsets = math.prod([2 * side - 1 for side in window])
    stored = call.layers.program.constants[trained[0]]
    if stored.shape == (offsets, heads):
        return trained[0]
    if len(bias.sources) != 1 or bias.axes is None or not _in_order(bias.axes, stored.shape):
        return None
    table = table_of_pairs(stored, heads, window)
    return None if table is None else call.layers.stored_as(table)


def _in_order(axes: Axes, shape: tuple[int, ...]) -> bool:
    """Whether a stored tensor lies in the order in which it is stored."""
    lies, stored = (joined([factor for axis in each for factor in axis]) for each in (axes, whole_axes(shape)))
    return lies == stored


@handles("matmul")
def _product(call: Handler) -> list[Tensor]:
    """The product of two tensors: the last two axes are matrices, those before them a batch."""
    if (of_matrix := _dense(call)) is not None:
        return [of_matrix]
    first, second = (_as_view(call, index) for index in (0, 1))
    first, second = (call.layers.without_copies(view, call.node) for view in (first, second))
    plain = [View(view.layer, without(view.axes, BATCH)) for view in (first, second)]
    rank = max(len(view.axes) for view in plain)
    if rank < 2 or any(len(view.axes) < 2 for view in plain):
        raise UnknownFormError("a product with a vector")
    batches = [((),) * (rank - len(view.axes)) + view.axes[:-2] for view in plain]
    sizes = [tuple(map(axis_size, batch)) for batch in batches]
    if sizes[0] != sizes[1] and math.prod(sizes[1]) == 1:
        return [_spread_product(call, plain, batches[0], images(first.axes) or images(second.axes))]
    if sizes[0] != sizes[1]:
        raise UnknownFormError("a product that is spread over a batch")
    kept = [index for index, size in enumerate(sizes[0]) if size > 1]
    groups = [[axis for index, axis in enumerate(batch) if index in kept] for batch in batches]
    while len(groups[0]) > 2:
        for group in groups:
            group[-2:] = [(*group[-2], *group[-1])]
    rows, columns = plain[0].axes[-2:], plain[1].axes[-2:]
    layers = [
        call.layers.arranged(plain[0].layer, (rows[1], *groups[0], rows[0]), call.node),
        call.layers.arranged(plain[1].layer, (columns[1], *groups[1], columns[0]), call.node),
    ]
    layer = call.add("matmul", {}, layers)
    made = call.layers.shapes[layer]
    merged = reshaped(
        tuple([whole(1 + index, axis_size(axis)) for index, axis in enumerate(groups[0])]),
        [sizes[0][index] for index in kept],
    )
    axes: list[tuple[Factor, ...]] = [() for _ in range(rank)]
    for index, axis in zip(kept, merged or (), strict=True):
        axes[index] = axis
    axes[-2], axes[-1] = whole(len(made) - 1, made[-1]), whole(0, made[0])
    batch = images(first.axes) or images(second.axes)
    if batch and rank > 2:
        axes[0] = (*batch, *axes[0])
    return [View(layer, tuple(axes))]


def _dense(call: Handler) -> View | None:
    """The product of a tensor and one trained matrix, which is a dense layer; None for all others.

    x·W has the features last and W stores (in, out); W·x has them before the last axis and W stores (out, in).
    """
    place = next((index for index, tensor in enumerate(call.inputs) if isinstance(tensor, Fixed)), None)
    if place is None:
        return None
    fixed, view = call.inputs[place], call.view(1 - place)
    assert isinstance(fixed, Fixed)
    if fixed.axes is None or len(fixed.sources) != 1 or _has_copies(view):
        return None
    source = fixed.sources[0]
    constant = call.layers.program.constants[source]
    matrix = fixed.axes[-2:]
    if constant.role != "parameter" or math.prod(map(axis_size, matrix)) != constant.size or len(matrix) < 2:
        return None
    goal = matrix[::-1] if place == 1 else matrix
    if not call.layers.fits(source, goal):
        return None
    dim = len(view.axes) - 1 if place == 1 else len(view.axes) - 2
    if len(view.axes) < max(len(fixed.axes), 2):
        return None
    try:
        return dense(call, view, dim, {"weight": source}, goal)
    except UnknownFormError:
        return None


def _has_copies(view: View) -> bool:
    return any(factor.axis == COPIES for axis in view.axes for factor in axis)


def _spread_product(call: Handler, plain: list[View], batch: Axes, its_images: tuple[Factor, ...]) -> View:
    """Matrices times one and the same matrix: their rows, one after another, times it."""
    rows, columns = plain[0].axes[-2:], plain[1].axes[-2:]
    all_rows = tuple([factor for axis in [*batch, rows[0]] for factor in axis])
    layers = [
        call.layers.arranged(plain[0].layer, (rows[1], all_rows), call.node),
        call.layers.arranged(plain[1].layer, (columns[1], columns[0]), call.node),
    ]
    layer = call.add("matmul", {}, layers)
    made = call.layers.shapes[layer]
    split = reshaped((whole(1, made[1]),), [axis_size(axis) for axis in [*batch, rows[0]]])
    axes = [*(split or ()), whole(0, made[0])]
    if its_images and len(axes) > 2:
        axes[0] = (*its_images, *axes[0])
    return View(layer, tuple(axes))


def _as_view(call: Handler, index: int) -> View:
    """An input, a stored one as a map of its own."""
    tensor = call.inputs[index]
    return call.layers.view_of(tensor, call.node) if isinstance(tensor, Fixed) else call.view(index)
