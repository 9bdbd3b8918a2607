"""Filters of each position's own and tables of connections come back from ONNX, in which they are other operations."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx

from archcalc.api import from_yaml
from archcalc.execute.runner import SeededWeights, execute
from archcalc.interop.export.onnx_file import to_onnx
from archcalc.interop.recognise_filters import connections
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import network, outputs, weights

LAYERS = (
    "locally_connected2d: {out_channels: 5, kernel_size: 3}",
    "locally_connected2d: {out_channels: 4, kernel_size: [3, 2], stride: [2, 1], padding: [1, 0], bias: false}",
    "locally_connected2d: {out_channels: 4, kernel_size: 3, dilation: 2, padding: 2, stride: 2}",
    "locally_connected2d: {out_channels: 6, kernel_size: [9, 8]}",
    "conv2d: {out_channels: 4, kernel_size: 3, connections: [[0, 1], [2], [0, 2], [1]]}",
    "conv2d: {out_channels: 3, kernel_size: 3, stride: 2, dilation: 2, bias: false, connections: [[0, 1], [2], [2]]}",
)


@pytest.mark.parametrize("layer", LAYERS)
def test_filters_come_back(layer: str) -> None:
    graph = from_yaml(f"{{name: net, title: net, input: 9x8x3, layers: [{layer}]}}")
    read = network(onnx.load_from_string(to_onnx(analyse(graph), SeededWeights(graph))))
    assert [each.op.kind for each in read.layers] == ["input", layer.partition(":")[0]]
    wanted, found = (analyse(each).totals for each in (graph, read))
    assert (found.params, found.multiplications) == (wanted.params, wanted.multiplications)
    x = weights(1, 3, 9, 8)
    first = next(iter(execute(graph, x, SeededWeights(graph)).outputs.values()))
    np.testing.assert_allclose(outputs(read, x), first, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("pairs", "table"),
    [
        ([(0, 0), (0, 2), (1, 1)], [[0, 2], [1]]),
        ([(0, 2), (0, 0), (1, 1)], None),
        ([(1, 1), (0, 0)], None),
        ([(0, 0), (0, 0), (1, 1)], None),
        ([(0, 0)], None),
        ([(0, 0), (2, 1)], None),
        ([(0, -1), (1, 0)], None),
    ],
)
def test_tables_stand_in_order(pairs: list[tuple[int, int]], table: list[list[int]] | None) -> None:
    assert connections(2, pairs) == table
