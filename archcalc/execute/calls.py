"""How a layer's kernel is called: its settings, the sizes of its arrays, and whose switches are read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import listed
from archcalc.execute.kernels import KERNELS, Array, Kernel, Switches, reweighted
from archcalc.execute.kernels.backward import BACKWARD, Backward
from archcalc.execute.kernels.registry import settings_of as names_of_settings
from archcalc.graph.layer_graph import Layer, LayerGraph

#: A batch (N, C, *positions); of several inputs those by name.
Inputs = Array | Mapping[str, Array]


def inputs_by_layer(graph: LayerGraph, given: Inputs) -> dict[int, Array]:
    """The batch of each input by the index of its layer. Raises `UsageError` where other inputs are given."""
    batches = given if isinstance(given, Mapping) else {graph.layers[0].name: given}
    if set(batches) != set(graph.inputs):
        raise UsageError(f"{graph.name} has the inputs {listed(list(graph.inputs))}, here are {listed(list(batches))}")
    if len({len(batch) for batch in batches.values()}) > 1:
        raise UsageError("the inputs have batches of different sizes")
    return {graph.index[name]: batches[name] for name in graph.inputs}


def images_of(x: Array) -> Array:
    """A batch of as many images as x has, without values: what a layer that reads nothing runs on."""
    return np.empty((len(x), 0), x.dtype)


def only_image(graph: LayerGraph, what: str) -> Shape:
    """The shape of the input. Raises `UsageError` where there are several, or it is no image."""
    shape = graph.only_input(what)
    if len(shape) != 3:
        raise UsageError(f"{what} is for images; the input of {graph.name} is {format_shape(shape)}")
    return shape


def kernel_of(layer: Layer) -> Kernel:
    """The kernel of a layer. Raises `UsageError` where its op has none, or where it skips what a kernel does not."""
    kernel = KERNELS.get(layer.op.kind)
    if kernel is None:
        what = layer.op.not_counted or layer.op.kind
        raise UsageError(f'layer "{layer.name}" ({layer.op.kind}) cannot be executed: {what} has no kernel')
    if layer.masked:
        what = "a mask says which steps it skips, and archcalc's layers skip none"
        raise UsageError(f'layer "{layer.name}" ({layer.op.kind}) cannot be executed: {what}')
    return kernel


def backward_of(layer: Layer) -> Backward:
    """The gradient of a layer. Raises `UsageError` where its op has none."""
    backward = BACKWARD.get(layer.op.kind)
    if backward is None:
        raise UsageError(f'layer "{layer.name}" ({layer.op.kind}) has no gradient: {layer.op.kind} defines none')
    return backward


def check_gradients(layers: Iterable[Layer]) -> None:
    """Raise `UsageError` for a layer that has no kernel or no gradient."""
    for layer in layers:
        kernel_of(layer)
        backward_of(layer)


def settings_of(layer: Layer, names: Collection[str]) -> dict[str, Any]:
    """Settings by name, straight from the fields of the op."""
    return {name: getattr(layer.op, name) for name in names}


def array_sizes(layer: Layer, *maps: Array) -> Mapping[str, Shape]:
    """Names and sizes of the arrays that the kernel of a layer reads for its maps (N, C, *positions)."""
    kernel = kernel_of(layer)
    if kernel.arrays is None:
        return {}
    return kernel.arrays(*maps[: kernel.array_maps], **settings_of(layer, kernel.array_settings))


def in_use(layer: Layer, arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    """The arrays as the kernel reads them: a normalised weight in place of those that it is made of."""
    return reweighted.made(arrays, kernel_of(layer).output_axis)


def multiplications(layer: Layer, maps: Sequence[Array], out: Array, arrays: Mapping[str, Shape]) -> int:
    """Multiply-adds of one image, by how often the weights were used for these maps, or by the kernel's own count."""
    kernel = kernel_of(layer)
    if kernel.products is not None:
        return kernel.products(*maps, out, **settings_of(layer, names_of_settings(kernel.products)))
    if kernel.weight_uses is None:
        return 0
    return kernel.weight_uses(maps[0], out) * prod(reweighted.size_of_weight(arrays))


@contextmanager
def errors_of(layer: Layer, kind: type[ArchcalcError]) -> Iterator[None]:
    """What a kernel refuses is an error of this kind, which names the layer."""
    try:
        yield
    except ValueError as error:
        raise kind(f'layer "{layer.name}" ({layer.op.kind}): {error}') from error


def run(layer: Layer, inputs: Sequence[Array], arrays: Mapping[str, Array], pools: Pools, **more: Any) -> Array:
    """The map of a layer, by its plain kernel, from the maps and arrays that it reads.

    `more`: arguments that only some kernels take (algorithm, out, training); the others do not get them.
    """
    kernel = kernel_of(layer)
    settings = settings_of(layer, kernel.settings)
    if kernel.takes_switches_of is not None:
        settings["switches"] = pools.found[layer.inputs[kernel.takes_switches_of]]
    index = pools.graph.index[layer.name]
    if index in pools.read and kernel.run_with_switches is not None:
        out, pools.found[index] = kernel.run_with_switches(*inputs, **arrays, **settings)
        return out
    settings |= {name: value for name, value in more.items() if name in kernel.options}
    return kernel.run(*inputs, **arrays, **settings)


class Pools:
    """The switches of one run: which pooling layers must keep theirs, and those that were found, by layer."""

    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph
        self.read = layers_with_switches(graph)
        self.found: dict[int, Switches] = {}


def layers_with_switches(graph: LayerGraph) -> set[int]:
    """The pooling layers whose switches are read. Raises `UsageError` where one has none, or a layer no kernel."""
    found = set()
    for layer in graph:
        position = kernel_of(layer).takes_switches_of
        if position is None:
            continue
        source = graph.layers[layer.inputs[position]]
        if kernel_of(source).run_with_switches is None:
            able = ", ".join(kind for kind, each in KERNELS.items() if each.run_with_switches is not None)
            raise UsageError(
                f'layer "{layer.name}" ({layer.op.kind}) reads the switches of "{source.name}", '
                f"but {source.op.kind} has none; {able} has"
            )
        found.add(layer.inputs[position])
    return found
