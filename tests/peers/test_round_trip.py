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

torch: Any = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")

pytestmark = pytest.mark.peers

#: Networks of different structures; MaxViT is not here, because PyTorch cannot trace the order of axes in its own code.
NETWORKS = (
    "alexnet@grouped",
    "alexnet@torchvision",
    "blocks/conv5x5_direct",
    "blocks/conv_nxn",
    "blocks/features_pooled",
    "blocks/inverted_residual",
    "blocks/residual_bottleneck",
    "blocks/squeeze_excitation",
    "darknet53",
    "ghostnet",
    "inception_resnet_v1",
    "inception_v3@aux",
    "inception_v3@keras",
    "pspnet_resnet50",
    "resnet110_cifar",
    "resnet50@keras",
    "resnext50_32x4d",
    "unet@released",
    "wrn_28_10",
    "yolov3",
)


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


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_come_back_from_their_code(name: str) -> None:
    graph = smaller(load(name))
    first, second = analyse(graph), again(graph)
    if not any(layer.op.kind.startswith("locally_connected") for layer in graph):  # PyTorch has none: a product
        assert counted(second) == counted(first)
    for total in ("params", "trainable_params", "buffers", "multiplications", "not_counted"):
        assert getattr(second.totals, total) == getattr(first.totals, total)
