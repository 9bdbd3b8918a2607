"""Random graphs over all ops and ranks in PyTorch: every shape, every value, every count."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from archcalc.execute.calls import inputs_by_layer
from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights, execute
from archcalc.execute.runner.inputs import random_inputs
from archcalc.passes.analysis import Row, analyse
from tests.random_graphs import in_words, random_graph

torch: Any = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers

#: How many graphs, and how many of them make a test; the seeds are 0, 1, 2, … All take 3 minutes of one core.
GRAPHS = int(os.environ.get("ARCHCALC_GRAPHS", "10000"))
PART = 500
#: The largest error, relative to the largest value of a map.
PRECISION = 1e-9


def counted_by_torch(row: Row, flops: int) -> int:
    """Multiplications as archcalc counts them, from the operations that PyTorch counted for a layer and one image.

    PyTorch counts two for a multiply-add, and nothing but products of matrices and convolutions.
    """
    multiplications, odd = divmod(flops, 2)
    assert not odd
    connections = getattr(row.op, "connections", None)
    if connections is not None:
        # In PyTorch the filters are as deep as the map, with zeros where there is no connection.
        dense = len(connections) * row.input_shapes[0][0]
        return multiplications * sum(map(len, connections)) // dense
    return multiplications


def compare_layers(seed: int) -> None:
    """Each layer in PyTorch, on the maps that the kernels calculated: so an error shows where it is made."""
    from tests.peers.torch_graph import TorchGraph

    graph = random_graph(seed)
    rows = analyse(graph).rows
    given = random_inputs(graph, 1, 0, "float64")
    weights = SeededWeights(graph, 0, "float64", keep=True)
    maps: dict[int, Array] = {}
    execute(graph, given, weights, "im2col", observe=lambda index, array: maps.update({index: array.copy()}))
    peer = TorchGraph()
    owned = 0
    for index, (layer, row) in enumerate(zip(graph, rows, strict=True)):
        where = f"seed {seed}, layer {index}\n{in_words(graph)}"
        assert maps[index].shape[1:] == row.output_shape, where
        if layer.op.is_input:
            np.testing.assert_array_equal(maps[index], inputs_by_layer(graph, given)[index])
            continue
        arrays = {name: torch.from_numpy(each) for name, each in weights.kept(graph.owner(layer).name).items()}
        numbers = sum(each.numel() for each in arrays.values())
        if layer.weights_of is None:
            owned += numbers
            assert row.params + row.buffers == numbers, where
        inputs = [torch.from_numpy(maps[source]) for source in layer.inputs] or [torch.empty(1, 0).double()]
        wanted, flops = run(peer, index, row.op, layer.inputs, inputs, arrays)
        assert tuple(wanted.shape[1:]) == row.output_shape, where
        finite = np.abs(maps[index][np.isfinite(maps[index])])
        np.testing.assert_allclose(
            maps[index], wanted.numpy(), rtol=0, atol=PRECISION * max(float(finite.max(initial=0)), 1e-3), err_msg=where
        )
        assert counted_by_torch(row, flops) == row.multiplications, where
    totals = analyse(graph).totals
    assert totals.params + totals.buffers == owned


def run(peer: Any, index: int, op: Any, sources: Any, inputs: Any, arrays: Any) -> tuple[Any, int]:
    """A layer's map and the operations that PyTorch counts meanwhile."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        out = peer.layer(index, op, sources, inputs, arrays)
    return out, counter.get_total_flops()


@pytest.mark.parametrize("start", range(0, GRAPHS, PART))
def test_random_graphs(start: int) -> None:
    for seed in range(start, min(start + PART, GRAPHS)):
        compare_layers(seed)
