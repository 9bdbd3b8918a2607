"""Gradients against PyTorch's autograd, with the same weights and the same loss."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.gradients import measure
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.loss import losses
from archcalc.execute.runner.tape import record, rewind
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import smaller
from tests.execute.runner.test_ranks import network as of_rank
from tests.networks import layers
from tests.ops.rows import SMALL
from tests.ranks import PLANE, plane

torch = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers

#: Ops that no network of the catalogue has.
RARE = """\
  - conv2d: {name: c, out_channels: 4, kernel_size: 3, padding: 1}
  - relu6
  - lp_pool2d: {kernel_size: 2, stride: 1, norm_type: 3}
  - adaptive_avg_pool2d: {output_size: [5, 4]}
  - upsample2d: {scale: 2, mode: bilinear}
  - zero_pad2d: {padding: 1}
  - slice2d: {step: [2, 1]}
  - identity
  - tanh
  - reshape: {shape: 6x5x8}
  - multiply: {factor: 0.5}
  - locally_connected2d: {name: l, out_channels: 3, kernel_size: 2}
  - flatten
  - linear: {out_features: 5}
"""
#: Weights that are made of other arrays.
NORMALISED = """\
  - conv2d: {out_channels: 6, kernel_size: 3, padding: 1, weight_norm: true}
  - relu
  - conv2d: {out_channels: 6, kernel_size: 3, groups: 2, spectral_norm: true, bias: false}
  - depthwise_conv2d: {kernel_size: 3, weight_norm: true}
  - conv_transpose2d: {out_channels: 5, kernel_size: 2, stride: 2, weight_norm: true}
  - conv_transpose2d: {out_channels: 4, kernel_size: 2, stride: 2, spectral_norm: true}
  - linear: {out_features: 7, per_position: true, spectral_norm: true}
  - linear: {out_features: 5, weight_norm: true}
"""
NETWORKS = (
    "lenet5", "lenet5@1998", "alexnet@grouped", "vgg11", "googlenet@aux", "inception_resnet_v2", "resnet20_cifar",
    "resnet50", "plain18", "mobilenet", "xception", "nasnet_mobile", "unet", "deconvnet", "rare", "normalised",
    "signal", "volume",
)  # fmt: skip


#: Networks with every family that slides, over one and three position axes.
RANKS = {"signal": 1, "volume": 3}


def network(name: str) -> LayerGraph:
    if name in RANKS:
        return of_rank(RANKS[name])
    texts = {"rare": RARE, "normalised": NORMALISED}
    return layers(texts[name], "9x8x2") if name in texts else smaller(load(name))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_gradient(name: str, training: bool) -> None:
    from tests.peers.torch_graph import TorchGraph

    graph = network(name)
    # The variance of two values would lose half of the digits.
    normalised = training and any(layer.op.kind == "batch_norm2d" for layer in graph)
    x = random_input(graph.input_shape, 5 if normalised else 2, 0, "float64")
    weights = SeededWeights(graph, 0, "float64", keep=True)
    tape = record(graph, x, weights, training)
    found = losses(graph, tape.maps, 0)
    seeds = {loss.layer: loss.gradient for loss in found}
    peer = TorchGraph(training)
    maps = {0: torch.from_numpy(x).requires_grad_()}
    arrays = {}
    for index, layer in enumerate(graph):
        if index:
            arrays[index] = {
                array: torch.from_numpy(each).requires_grad_("running" not in array and array not in ("_u", "_v"))
                for array, each in weights.kept(layer.name).items()
            }
            inputs = [maps[source] for source in layer.inputs]
            maps[index] = peer.layer(index, layer.op, layer.inputs, inputs, arrays[index])
            maps[index].retain_grad()
    total = sum((maps[place] * torch.from_numpy(seed)).sum() for place, seed in seeds.items())
    total.backward()
    # Biases before batch normalisation have no effect: their gradient is 0 but for rounding.
    least = 1e-6 * max(float(each.grad.abs().max()) for each in maps.values() if each.grad is not None)
    for step in rewind(tape, seeds):
        wanted = maps[step.layer].grad
        name_of_layer = graph.layers[step.layer].name
        if step.map is None:
            assert wanted is None or not wanted.any(), name_of_layer
            continue
        pairs = [(step.map, wanted), *((each, arrays[step.layer][array].grad) for array, each in step.arrays.items())]
        for ours, theirs in pairs:
            scale = max(float(theirs.abs().max()), least)
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-8 * scale, err_msg=name_of_layer)


@pytest.mark.parametrize("name", ["lenet5", "googlenet@aux", "unet"])
def test_the_loss(name: str) -> None:
    """Cross-entropy and its gradient, weighted over the outputs."""
    graph = network(name)
    x = random_input(graph.input_shape, 2, 0, "float64")
    weights = SeededWeights(graph, 0, "float64", keep=True)
    tape = record(graph, x, weights)
    for loss in losses(graph, tape.maps, 3):
        scores = torch.from_numpy(tape.maps[loss.layer]).requires_grad_()
        labels = torch.from_numpy(_labels(tape.maps[loss.layer], loss.gradient))
        value = torch.nn.functional.cross_entropy(scores, labels)
        (loss.weight * value).backward()
        assert loss.value == pytest.approx(float(value.detach()), rel=1e-12)
        np.testing.assert_allclose(loss.gradient, scores.grad.numpy(), rtol=1e-9, atol=1e-15)
    result = measure(analyse(graph, 2, "float64"), x, weights, 3, training=False)
    assert result.loss == pytest.approx(sum(weight * value for _, weight, value in result.losses))


def _labels(scores: Array, gradient: Array) -> Array:
    """The right classes: where the gradient is below 0."""
    assert scores.shape == gradient.shape
    assert ((gradient < 0).sum(axis=1) == 1).all()
    return np.asarray(gradient.argmin(axis=1))


def test_every_op_is_compared() -> None:
    """In one of the networks, or on its own in `test_ops`."""
    kinds = {plane(layer.op.kind) for name in NETWORKS for layer in network(name)}
    assert PLANE - kinds - {"opaque"} == {row.kind for row in SMALL} - kinds  # nothing is known of what is opaque
