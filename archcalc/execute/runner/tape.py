"""A run that keeps what its gradients need, and the backward pass through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.execute.calls import (
    Inputs,
    Pools,
    backward_of,
    errors_of,
    images_of,
    in_use,
    inputs_by_layer,
    kernel_of,
    run,
    settings_of,
)
from archcalc.execute.kernels import Array, Switches
from archcalc.execute.kernels.backward import Nature
from archcalc.execute.kernels.reweighted import gradients
from archcalc.execute.weights import Weights, arrays_of
from archcalc.graph.layer_graph import Layer, LayerGraph

#: Called after each layer with its position.
Observer = Callable[[int], None]
#: For layers of a nature: the signal of the result and the map that was read → the signal of that map, in place of
#: the gradient.
Passing = Mapping[Nature, Callable[[Array, Array], Array]]


@dataclass(frozen=True)
class Tape:
    """The maps and arrays of every layer of a run, by position, and the switches of pools that were unpooled.

    `training`: batch normalisation took the statistics of the batch.
    """

    graph: LayerGraph
    maps: dict[int, Array]
    arrays: Mapping[int, Mapping[str, Array]]
    switches: Mapping[int, Switches]
    training: bool


class BackwardStep(NamedTuple):
    """What came back to a layer: the gradient of its map (None where nothing depends on it), and of its arrays.

    Of arrays that layers share the gradients are added up, and come back to the layer that owns them.
    """

    layer: int
    map: Array | None
    arrays: Mapping[str, Array]


def record(
    graph: LayerGraph, x: Inputs, weights: Weights, training: bool = False, observe: Observer | None = None
) -> Tape:
    """Run a network on a batch (N, C, H, W) and keep every map. Dropout drops nothing, not even in training.

    Raises `UsageError` where a layer cannot be run, as batch normalisation of a single value a channel.
    """
    maps: dict[int, Array] = {}
    arrays: dict[int, Mapping[str, Array]] = {}
    pools, given = Pools(graph), inputs_by_layer(graph, x)
    for index, layer in enumerate(graph):
        inputs = [given[index]] if index in given else inputs_of(maps, layer)
        arrays[index] = arrays_of(graph, layer, weights, *inputs)
        with errors_of(layer, UsageError):
            maps[index] = run(layer, inputs, in_use(layer, arrays[index]), pools, training=training)
        if observe is not None:
            observe(index)
    return Tape(graph, maps, arrays, pools.found, training)


def rewind(
    tape: Tape, seeds: Mapping[int, Array], passing: Passing | None = None, keep: bool = False
) -> Iterator[BackwardStep]:
    """The layers in reverse order, each with the gradients of a loss whose own are the `seeds`, by layer.

    Where several layers read a map, its gradients add up. Each map is freed after its use, unless `keep`.
    """
    flowing = dict(seeds)
    shared: dict[int, Mapping[str, Array]] = {}
    passing = passing or {}
    for index in reversed(range(len(tape.graph))):
        layer = tape.graph.layers[index]
        grad = flowing.pop(index, None)
        inputs = inputs_of(tape.maps, layer)
        arrays: Mapping[str, Array] = {}
        if grad is not None and not layer.op.is_input:
            nature = nature_of(layer)
            if nature in passing:
                parts: tuple[Array | None, ...] = (passing[nature](grad, inputs[0]),)
            else:
                parts, arrays = _gradients(tape, index, grad, inputs)
            for source, part in zip(layer.inputs, parts[: len(layer.inputs)], strict=True):
                if part is not None:
                    flowing[source] = flowing[source] + part if source in flowing else part
        if layer.weights_of is not None:
            shared[layer.weights_of] = _sum(shared.get(layer.weights_of, {}), arrays)
            arrays = {}
        yield BackwardStep(index, grad, _sum(arrays, shared.pop(index, {})))
        if not keep:
            del tape.maps[index]


def inputs_of(maps: Mapping[int, Array], layer: Layer) -> list[Array]:
    """The maps that a layer reads; what reads nothing runs on a batch without values."""
    return [maps[source] for source in layer.inputs] or [images_of(maps[0])]


def _sum(first: Mapping[str, Array], second: Mapping[str, Array]) -> Mapping[str, Array]:
    """The gradients of the same arrays, from two layers; either may have none."""
    if not first or not second:
        return first or second
    return {name: array + second[name] for name, array in first.items()}


def nature_of(layer: Layer) -> Nature:
    """How the result of a layer depends on what it reads."""
    backward = backward_of(layer)
    alone = backward.nature_of_one if len(layer.inputs) == 1 else None
    return alone or backward.nature


def _gradients(
    tape: Tape, index: int, grad: Array, inputs: list[Array]
) -> tuple[tuple[Array | None, ...], Mapping[str, Array]]:
    layer = tape.graph.layers[index]
    kernel, backward = kernel_of(layer), backward_of(layer)
    settings = settings_of(layer, backward.settings)
    if kernel.takes_switches_of is not None:
        settings["switches"] = tape.switches[layer.inputs[kernel.takes_switches_of]]
    if "training" in kernel.options:
        settings["training"] = tape.training
    stored = tape.arrays[index]
    with errors_of(layer, UsageError):
        found = backward.run(grad, *inputs, **in_use(layer, stored), **settings)
    return found.maps, gradients(found.arrays, stored, kernel.output_axis)
