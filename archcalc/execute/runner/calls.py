"""How a layer's kernel is called: its settings, the sizes of its arrays, and whose switches are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.kernels import KERNELS, Array, Kernel
from archcalc.graph.layer_graph import Layer, LayerGraph


def settings_of(layer: Layer, names: Collection[str]) -> dict[str, Any]:
    """Settings by name, straight from the fields of the op."""
    return {name: getattr(layer.op, name) for name in names}


def array_sizes(kernel: Kernel, layer: Layer, x: Array) -> Mapping[str, Shape]:
    """Names and sizes of the arrays that the kernel consumes for a map (N, C, H, W)."""
    if kernel.arrays is None:
        return {}
    return kernel.arrays(x, **settings_of(layer, kernel.array_settings))


def layers_with_switches(graph: LayerGraph) -> set[int]:
    """The pooling layers whose switches are read. Raises `UsageError` where one has none."""
    found = set()
    for layer in graph:
        position = KERNELS[layer.op.kind].takes_switches_of
        if position is None:
            continue
        source = graph.layers[layer.inputs[position]]
        if KERNELS[source.op.kind].run_with_switches is None:
            raise UsageError(
                f'layer "{layer.name}" ({layer.op.kind}) reads the switches of "{source.name}", '
                f"but {source.op.kind} has none; max_pool2d has"
            )
        found.add(layer.inputs[position])
    return found


def reads(graph: LayerGraph, place: int) -> set[int]:
    """The layer and all that it depends on."""
    found, waiting = {place}, [place]
    while waiting:
        for source in graph.layers[waiting.pop()].inputs:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found
