"""Networks of the catalogue as PyTorch code, read again: the same layers up to their names."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.export.torch_code import to_torch_code
from archcalc.interop.foreign import to_network
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import smaller
from tests.networks import one_of_each

torch: Any = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")

pytestmark = pytest.mark.peers


def again(graph: LayerGraph) -> Analysis:
    """The network, written as PyTorch code and read."""
    from archcalc.interop.torch_export import from_module
    from tests.peers.exported import module_of

    module = module_of(to_torch_code(analyse(graph)))
    shapes = [layer.op.output_shape([]) for layer in graph if layer.op.is_input]
    example = tuple([torch.zeros(1, *shape) for shape in shapes])
    return analyse(to_network(from_module(module, example if len(example) > 1 else example[0])))


def counted(analysis: Analysis) -> Counter[tuple[Any, ...]]:
    """What the layers with parameters or multiplications have, whatever their names and their order."""
    return Counter(
        (row.op.kind, row.params, row.buffers, row.multiplications)
        for row in analysis.rows
        if row.params or row.buffers or row.multiplications
    )


@pytest.mark.parametrize("name", one_of_each())
def test_networks_come_back_from_their_code(name: str) -> None:
    graph = smaller(load(name))
    first, second = analyse(graph), again(graph)
    if not any(layer.op.kind.startswith("locally_connected") for layer in graph):  # PyTorch has none: a product
        assert counted(second) == counted(first)
    for total in ("params", "trainable_params", "buffers", "multiplications", "not_counted"):
        assert getattr(second.totals, total) == getattr(first.totals, total)
