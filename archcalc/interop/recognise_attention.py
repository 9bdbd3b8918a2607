"""Attention, however a program spells it: heads and windows are found in where the axes of q, k and v lie."""

from __future__ import annotations

import math
from typing import Any

from archcalc.interop.recognise_handler import Handler, Tensor, handles, images
from archcalc.interop.recognise_layers import UnknownFormError
from archcalc.interop.recognise_views import BATCH, Axes, Factor, View, axis_size, joined, permuted, whole, without


@handles("scaled_dot_product_attention")
def _scaled_dot_product_attention(call: Handler) -> list[Tensor]:
    mask = call.inputs[3] if len(call.inputs) > 3 else None
    scale = call.attributes.get("scale")
    return [attend(call, scale, call.attributes.get("is_causal", False), [mask] if mask is not None else [])]


@handles("attention")
def _attention(call: Handler) -> list[Tensor]:
    """Decomposed attention: the keys are transposed already."""
    keys, last = call.view(1), len(call.shape(1)) - 1
    turned = View(keys.layer, permuted(keys.axes, [*range(last - 1), last, last - 1]))
    call.inputs = [call.inputs[0], turned, *call.inputs[2:]]
    return [attend(call, call.attributes["scale"], False, list(call.inputs[3:]))]


def attend(call: Handler, scale: float | None, is_causal: bool, biases: list[Tensor | None]) -> View:
    """softmax(qkᵀ·scale + biases)·v for tensors (…, positions, channels of a head)."""
    q, k, v = (View(view.layer, without(view.axes, BATCH)) for view in (call.view(0), call.view(1), call.view(2)))
    heads_axes, others = _heads(q.axes[:-2])
    if others:
        raise UnknownFormError("attention within windows")
    heads = math.prod(axis_size(axis) for axis in heads_axes)
    layers = []
    for view in (q, k, v):
        its_heads, its_others = _heads(view.axes[:-2])
        if its_others or math.prod(map(axis_size, its_heads)) != heads:
            raise UnknownFormError("attention whose heads differ")
        channels = joined([factor for axis in [*its_heads, view.axes[-1]] for factor in axis])
        layers.append(call.layers.arranged(view.layer, (channels, view.axes[-2]), call.node))
    if any(bias is not None for bias in biases):
        raise UnknownFormError("attention with a bias or a mask")
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


def _heads(axes: Axes) -> tuple[Axes, Axes]:
    """The axes that are heads, parts of the channels; and the others, parts of the positions."""
    heads = [axis for axis in axes if axis and all(factor.axis == 0 for factor in axis)]
    others = [axis for axis in axes if axis and not all(factor.axis == 0 for factor in axis)]
    return tuple(heads), tuple(others)
