"""Every network of the catalogue in PyTorch, with the same weights: every map is equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from archcalc.execute.calls import layers_with_switches
from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights, execute
from archcalc.execute.runner.execute import Algorithm
from archcalc.execute.runner.inputs import random_input
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import smaller
from tests.execute.runner.test_ranks import network as of_rank
from tests.networks import one_of_each
from tests.ranks import PLANE

torch = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers

PRECISION = {"float32": 1e-4, "float64": 1e-10}
#: With more multiplications than this, in single precision too a network runs on a smaller input.
MOST = 5e9
#: Networks that are run in double precision too.
DOUBLE = (
    "lenet5",
    "alexnet@grouped",
    "googlenet",
    "resnet18",
    "mobilenet",
    "unet",
    "deconvnet",
    "swin_t",
    "m5",
    "nasnet_mobile",
)


def worst(graph: LayerGraph, dtype: str, others: Sequence[Algorithm] = ()) -> tuple[float, str]:
    """The largest error, relative to the largest value of its map, and the layer or algorithm where it is.

    PyTorch and im2col are compared map by map; the outputs of the `others` with those of PyTorch.
    """
    from tests.peers.torch_graph import TorchGraph

    x = {name: random_input(shape, 1, seed, dtype) for seed, (name, shape) in enumerate(graph.inputs.items())}
    weights = SeededWeights(graph, 0, dtype, keep=True)
    peer = TorchGraph()
    last = {source: index for index, layer in enumerate(graph) for source in layer.inputs}
    last.update({output.layer: len(graph) for output in graph.outputs})
    maps = {graph.index[name]: torch.from_numpy(each) for name, each in x.items()}
    # Where switches are used PyTorch pools our values: of two nearly equal ones rounding decides which is the largest
    # (in float32 for 1 of 43,264 in the second pool of the deconvnet), and unpooling puts it where it was found.
    pooled = {graph.layers[index].inputs[0] for index in layers_with_switches(graph)}
    found = (0.0, "")

    def compare(array: Array, index: int, where: str) -> None:
        nonlocal found
        wanted = maps[index].numpy()
        assert wanted.shape == array.shape, where
        error = float(np.abs(array - wanted).max()) / max(float(np.abs(wanted).max()), 1e-30)
        found = max(found, (error, where))

    def observe(index: int, array: Array) -> None:
        layer = graph.layers[index]
        if not layer.op.is_input:
            owner = graph.owner(layer).name
            arrays = {name: torch.from_numpy(each) for name, each in weights.kept(owner).items()}
            inputs = [maps[source] for source in layer.inputs]
            with torch.no_grad():
                maps[index] = peer.layer(index, layer.op, layer.inputs, inputs, arrays)
        compare(array, index, layer.name)
        if index in pooled:
            maps[index] = torch.from_numpy(array.copy())
        for source in layer.inputs:
            if last[source] == index:
                maps.pop(source, None)

    execute(graph, x, weights, "im2col", observe=observe)
    for algorithm in others:
        execution = execute(graph, x, weights, algorithm)
        for output in graph.outputs:
            compare(execution.outputs[output.name], output.layer, f"{output.name}, {algorithm}")
    return found


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name in one_of_each() for dtype in PRECISION if dtype == "float32" or name in DOUBLE],
)
def test_networks(name: str, dtype: str) -> None:
    graph = load(name)
    if dtype == "float64" or analyse(graph).totals.multiplications > MOST:
        graph = smaller(graph)
    error, where = worst(graph, dtype, ["auto"])
    assert error < PRECISION[dtype], where


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("dtype", PRECISION)
def test_signals_and_volumes(rank: int, dtype: str) -> None:
    error, where = worst(of_rank(rank), dtype, ["auto"])
    assert error < PRECISION[dtype], where


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "mobilenet", "inception_v3"])
def test_algorithms(name: str) -> None:
    error, where = worst(smaller(load(name)), "float32", ["fast", "auto"])
    assert error < PRECISION["float32"], where


def test_every_op_has_a_peer() -> None:
    from tests.peers import torch_graph

    assert set(torch_graph.OPS) | {"input", "max_pool2d", "max_unpool2d", "opaque"} == PLANE
