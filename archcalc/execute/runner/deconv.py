"""Deconvnet: which pixels the strongest activations of a layer depend on.

One activation is kept, all others of its map are 0, and a backward pass through the network gives the pixels: filters
are applied transposed, pooling is undone through its switches, and the signal at a rectifier is rectified.
Source: Zeiler & Fergus 2013, Visualizing and Understanding Convolutional Networks, section 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.execute.calls import check_gradients, only_image
from archcalc.execute.kernels import Array
from archcalc.execute.runner.tape import Observer, Passing, nature_of, record, rewind
from archcalc.execute.weights import Weights
from archcalc.graph.layer_graph import Output
from archcalc.passes.analysis import Analysis

Rule = Literal["deconvnet", "gradient", "guided"]
RULES: tuple[Rule, ...] = get_args(Rule)


class Region(NamedTuple):
    """Pixels of the image, both ends included; they may lie outside of it, in the padding."""

    top: int
    left: int
    bottom: int
    right: int


class Projection(NamedTuple):
    """An activation and its projection: pixels (C, H, W) as large as the image; `region` is its receptive field."""

    image: int
    channel: int
    row: int
    column: int
    activation: float
    region: Region
    pixels: Array


def _rectified(signal: Array, _: Array) -> Array:
    return np.maximum(signal, 0)


def _guided(signal: Array, x: Array) -> Array:
    return np.maximum(signal, 0) * (x > 0)


def _unchanged(signal: Array, x: Array) -> Array:
    return signal.reshape(x.shape)


#: deconvnet: only the signal is rectified, whatever the forward map was, and what normalises or saturates lets the
#: signal pass. gradient: Simonyan et al. 2013, section 3. guided: Springenberg et al. 2014, section 3.4.
PASSING: Mapping[Rule, Passing] = {
    "deconvnet": {"rectifier": _rectified, "rescaled": _unchanged},
    "gradient": {},
    "guided": {"rectifier": _guided},
}


def check_layer(analysis: Analysis, layer: str, rule: Rule) -> None:
    """Raise `UsageError` unless the layer is there and its activations can be projected to the image."""
    graph = analysis.graph
    only_image(graph, "a projection to the pixels")
    if layer not in graph.index:
        from archcalc.core.suggest import did_you_mean

        raise UsageError(f"there is no layer {layer[:80]!r}{did_you_mean(layer, graph.index)}")
    place = graph.index[layer]
    if place == 0:
        raise UsageError(f"{layer!r} is the input itself; choose a layer after it")
    needed = [graph.layers[index] for index in sorted(graph.read_by(place))]
    check_gradients(needed)
    for each in needed:
        # The result is neither a sum of what was read nor a choice from it.
        if rule == "deconvnet" and nature_of(each) == "other":
            raise UsageError(
                f'a deconvnet has no way back through layer "{each.name}" ({each.op.kind}); choose a layer before it, '
                f"or --rule gradient, which has"
            )


def passed_unchanged(analysis: Analysis, layer: str, rule: Rule) -> list[str]:
    """Names of the layers that the signal passes as if they were not there, though they calculate something."""
    graph = analysis.graph
    found = [graph.layers[index] for index in sorted(graph.read_by(graph.index[layer]))]
    return [each.name for each in found if PASSING[rule].get(nature_of(each)) is _unchanged]


def project(
    analysis: Analysis,
    x: Array,
    weights: Weights,
    layer: str,
    top: int = 9,
    channel: int | None = None,
    rule: Rule = "deconvnet",
    observe: Observer | None = None,
) -> list[Projection]:
    """The strongest activations of a layer for images (N, C, H, W), strongest first, each projected to the pixels.

    The strongest one of each of the `top` most active channels; or the `top` places of one channel. Only activations
    above 0 count. `observe` is called with 0, 1, … for each layer that runs and each activation that is projected.
    """
    check_layer(analysis, layer, rule)
    place = analysis.graph.index[layer]
    # Auxiliary outputs and all layers after this one are left out.
    part = replace(analysis.graph, layers=analysis.graph.layers[: place + 1], outputs=(Output(layer, place),))
    tape = record(part, x, weights, observe=observe)
    found = []
    for number, (image, *where) in enumerate(strongest(tape.maps[place], top, channel)):
        seed = np.zeros_like(tape.maps[place])
        spot = (image, *where)
        seed[spot] = tape.maps[place][spot]
        *_, (_, pixels, _) = rewind(tape, {place: seed}, PASSING[rule], keep=True)
        if pixels is None:
            raise UsageError(f'layer "{layer}" does not depend on the image')
        row, column = (*where[1:], 0, 0)[:2]
        region = _region(analysis, place, row, column)
        found.append(Projection(image, where[0], row, column, float(seed[spot]), region, pixels[image]))
        if observe is not None:
            observe(place + 1 + number)
    return found


def strongest(maps: Array, top: int, channel: int | None) -> list[tuple[int, ...]]:
    """Indices of the strongest activations of (N, C, …): the best of each channel, or the best of one channel.

    Of equal ones the first comes first. Raises `UsageError` where none is above 0, or there is no such channel.
    """
    if channel is not None and not 0 <= channel < maps.shape[1]:
        raise UsageError(f"there is no channel {channel}; the layer has 0 to {maps.shape[1] - 1}")
    if channel is None:
        by_channel = np.moveaxis(maps, 1, 0).reshape(maps.shape[1], -1)
        inner = by_channel.argmax(axis=1)
        values = by_channel[np.arange(len(inner)), inner]
        spots = [_spot(maps, number, int(inside)) for number, inside in enumerate(inner)]
    else:
        values = maps[:, channel].reshape(-1)
        spots = []
    order = [int(each) for each in np.argsort(-values, kind="stable")[:top] if values[each] > 0]
    if not order:
        raise UsageError("no activation of this layer is above 0 for this input")
    return [spots[each] if spots else _spot(maps, channel or 0, each) for each in order]


def _spot(maps: Array, channel: int, inside: int) -> tuple[int, ...]:
    """(image, channel, row, column) of a position counted over images, rows and columns of one channel."""
    image, *where = np.unravel_index(inside, (maps.shape[0], *maps.shape[2:]))
    return (int(image), channel, *map(int, where))


def _region(analysis: Analysis, place: int, row: int, column: int) -> Region:
    """The receptive field of a position, from the analysis; the whole image where there is none."""
    field = analysis.rows[place].receptive_field
    _, height, width = analysis.graph.input_shape
    if field is None:
        return Region(0, 0, height - 1, width - 1)
    top, bottom = field.axes[0].span(row) or (0, height - 1)
    left, right = field.axes[1].span(column) or (0, width - 1)
    return Region(top, left, bottom, right)
