"""The executor: the layers of a graph in order, on real numbers, and what was seen meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.calls import (
    Inputs,
    Pools,
    errors_of,
    images_of,
    in_use,
    inputs_by_layer,
    kernel_of,
    multiplications,
    run,
    settings_of,
)
from archcalc.execute.execution import ExecutedLayer, Execution, KernelError, Observer, Reporter
from archcalc.execute.kernels import Array, Kernel, Matrices
from archcalc.execute.kernels.registry import settings_of as names_of_settings
from archcalc.execute.quick.plan import Plan
from archcalc.execute.quick.values import ValueCheck
from archcalc.execute.runner.counted import Counter, counted
from archcalc.execute.weights import Weights, arrays_of
from archcalc.graph.layer_graph import Layer, LayerGraph

#: loops and im2col: the plain kernels, one after the other; fast: a plan; auto: fast, or im2col where it is counted.
Algorithm = Literal["auto", "loops", "im2col", "fast"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


@np.errstate(all="ignore")
def execute(
    graph: LayerGraph,
    x: Inputs,
    weights: Weights,
    algorithm: Algorithm = "auto",
    count: bool = False,
    observe: Observer | None = None,
    *,
    watched: Collection[int] | None = None,
    report: Reporter | None = None,
    compare_values: bool = False,
) -> Execution:
    """Run a network on a batch (N, C, H, W), or on those of its inputs by name.

    `auto` and `fast` plan the run (`Plan`); `loops` and `im2col` call one plain kernel after the other. A map is freed
    once its last reader has run; activation functions overwrite a map that nobody else needs. With `count` the
    multiplications are those that were done, counted one matrix product at a time, by im2col unless loops are wanted.

    Numbers beyond the type (infinite, NaN) raise no warning of numpy's: they are there in the outputs.
    `observe` is called with the maps of the `watched` layers, all if there are none named; `report` after each layer,
    or after several that ran as one.
    With `compare_values` a planned run is compared with the plain kernels by value, on a sample (`ValueCheck`).
    """
    if count and algorithm == "fast":
        raise UsageError("the fast algorithms save multiplications; count with --algorithm im2col or loops")
    if count and algorithm == "auto":
        algorithm = "im2col"
    if algorithm in ("auto", "fast"):
        seen = watched if observe is not None else ()
        check = ValueCheck(weights) if compare_values else None
        plan = Plan(graph, weights if check is None else check.weights, watched=seen, once=True)
        return plan.run(x, observe, report, check)
    maps, pools = _Maps(graph), Pools(graph)
    layers = []
    # Their own copies: the first activation function may overwrite one.
    given_maps = {index: np.array(batch, order="C", copy=True) for index, batch in inputs_by_layer(graph, x).items()}
    batch, images = len(given_maps[0]), images_of(given_maps[0])
    for index, layer in enumerate(graph):
        kernel = kernel_of(layer)
        inputs = [given_maps.pop(index)] if index in given_maps else maps.take(layer) or [images]
        arrays = arrays_of(graph, layer, weights, *inputs)
        used = in_use(layer, arrays)
        counter = Counter()
        given = {name: counted(array, counter) for name, array in used.items()} if count else used
        place = inputs[0] if kernel.in_place and maps.is_free(inputs[0]) else None
        with errors_of(layer, KernelError):
            # A map that is a trained array as it is must not count on in the layers after it.
            out = np.asarray(run(layer, inputs, given, pools, algorithm=algorithm, out=place))
        maps.put(index, out, used.values())
        sizes = {name: array.shape for name, array in arrays.items()}
        done = _multiplications(layer, inputs, out, sizes, counter if count else None)
        layers.append(
            ExecutedLayer(
                layer.name,
                out.shape[1:],
                out.dtype.name,
                sizes,
                done,
                maps.live_bytes(),
                _matrices(kernel, layer, inputs, used) if algorithm == "im2col" else None,
                graph.owner(layer).name,
            )
        )
        if observe is not None and (watched is None or index in watched):
            observe(index, out)
        if report is not None:
            report(index)
        # Nothing of this step may outlive it, or its memory would not be free for the next.
        del inputs, place, arrays, used, given, out
        maps.free()
    return Execution(tuple(layers), {each.name: maps[each.layer] for each in graph.outputs}, batch)


class _Maps:
    """The maps that are still needed, and how many readers each still has.

    A map that is a trained array as it is takes no memory of its own, and no layer may overwrite it.
    """

    def __init__(self, graph: LayerGraph) -> None:
        self._maps: dict[int, Array] = {}
        self._trained: set[int] = set()
        self._readers = [0] * len(graph)
        for layer in graph:
            for source in layer.inputs:
                self._readers[source] += 1
        for output in graph.outputs:
            self._readers[output.layer] += 1

    def __getitem__(self, index: int) -> Array:
        return self._maps[index]

    def take(self, layer: Layer) -> list[Array]:
        """The inputs of a layer, which is one reader less for them."""
        for source in layer.inputs:
            self._readers[source] -= 1
        return [self._maps[source] for source in layer.inputs]

    def put(self, index: int, array: Array, arrays: Iterable[Array] = ()) -> None:
        """Add the map of a layer, which has read these arrays."""
        trained = [*arrays, *(self._maps[each] for each in self._trained)]
        self._maps[index] = array
        if any(_owner(array) is _owner(each) for each in trained):
            self._trained.add(index)

    def is_free(self, array: Array) -> bool:
        """Whether no layer will read this memory any more, under whatever shape."""
        memory = _owner(array)
        return not any(
            _owner(each) is memory and (self._readers[index] or index in self._trained)
            for index, each in self._maps.items()
        )

    def live_bytes(self) -> int:
        """Bytes of all maps, each piece of memory once."""
        own = [_owner(each) for index, each in self._maps.items() if index not in self._trained]
        return sum({id(owner): owner.nbytes for owner in own}.values())

    def free(self) -> None:
        for index in [index for index in self._maps if not self._readers[index]]:
            del self._maps[index]
            self._trained.discard(index)


def _owner(array: Array) -> Array:
    """The array whose memory a view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _matrices(kernel: Kernel, layer: Layer, inputs: Sequence[Array], arrays: Mapping[str, Array]) -> Matrices | None:
    """The matrices of a convolution; with a table of connections it is one small product a filter."""
    if kernel.matrices is None or arrays["weight"].ndim != inputs[0].ndim:
        return None
    return kernel.matrices(inputs[0], arrays["weight"], **settings_of(layer, names_of_settings(kernel.matrices)))


def _multiplications(
    layer: Layer, inputs: Sequence[Array], out: Array, sizes: Mapping[str, Shape], counter: Counter | None
) -> int:
    """Multiply-adds of one image: those done with weights, or without a counter those that the sizes ask for."""
    if counter is None or kernel_of(layer).weight_uses is None:
        return multiplications(layer, inputs, out, sizes)
    each, rest = divmod(counter.multiplications, len(out))
    if rest:
        raise KernelError(f"{counter.multiplications} multiplications for {len(out)} images")
    return each
