"""Every network of the catalogue in PyTorch, with the same weights: every map is equal."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.catalogue import load, names
from archcalc.executor import SeededWeights, execute
from archcalc.executor.inputs import random_input
from archcalc.graph import LayerGraph
from archcalc.kernels import Algorithm, Array
from archcalc.ops import OPS
from tests.executor.runs import smaller

torch = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")

PRECISION = {"float32": 1e-4, "float64": 1e-10}


def worst(graph: LayerGraph, dtype: str, algorithm: Algorithm = "auto") -> tuple[float, str]:
    """The largest error of any map, relative to the largest value in it, and the layer where it is."""
    from tests.peers.torch_graph import TorchGraph

    x = random_input(graph.input_shape, 1, 0, dtype)
    weights = SeededWeights(graph, 0, dtype, keep=True)
    peer = TorchGraph()
    last = {source: index for index, layer in enumerate(graph) for source in layer.inputs}
    maps = {0: torch.from_numpy(x)}
    found = (0.0, "")

    def observe(index: int, array: Array) -> None:
        nonlocal found
        layer = graph.layers[index]
        if index:
            arrays = {name: torch.from_numpy(each) for name, each in weights.kept(layer.name).items()}
            inputs = [maps[source] for source in layer.inputs]
            with torch.no_grad():
                maps[index] = peer.layer(index, layer.op, layer.inputs, inputs, arrays)
        wanted = maps[index].numpy()
        assert wanted.shape == array.shape, layer.name
        error = float(np.abs(array - wanted).max()) / max(float(np.abs(wanted).max()), 1e-30)
        found = max(found, (error, layer.name))
        for source in layer.inputs:
            if last[source] == index:
                maps.pop(source, None)

    execute(graph, x, weights, algorithm, observe=observe)
    return found


@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize("name", list(names()))
def test_networks(name: str, dtype: str) -> None:
    graph = load(name)
    if dtype == "float64":
        graph = smaller(graph)
    error, layer = worst(graph, dtype)
    assert error < PRECISION[dtype], layer


@pytest.mark.parametrize("algorithm", ["im2col", "fast"])
@pytest.mark.parametrize("name", ["vgg16", "resnet50", "mobilenet", "inception_v3"])
def test_algorithms(name: str, algorithm: Algorithm) -> None:
    error, layer = worst(load(name), "float32", algorithm)
    assert error < PRECISION["float32"], layer


def test_every_op_has_a_peer() -> None:
    from tests.peers import torch_graph

    assert set(torch_graph.OPS) | {"input", "max_pool2d", "max_unpool2d"} == set(OPS)
