"""Networks of the catalogue, written in another format and read again: the same layers up to their names."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from archcalc.execute.runner import SeededWeights, execute
from archcalc.execute.runner.inputs import random_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.export.keras_code import to_keras_code
from archcalc.interop.export.onnx_file import to_onnx
from archcalc.interop.export.torch_code import to_torch_code
from archcalc.interop.foreign import to_network
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import smaller
from tests.networks import one_of_each

#: Keras chooses its backend when it is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")
torch: Any = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")

pytestmark = pytest.mark.peers

#: Networks of different structures, for PyTorch, whose tracing takes long.
NETWORKS = (
    "alexnet@grouped",
    "alexnet@torchvision",
    "blocks/conv5x5_direct",
    "blocks/conv_nxn",
    "blocks/features_pooled",
    "blocks/inverted_residual",
    "blocks/residual_bottleneck",
    "blocks/squeeze_excitation",
    "blocks/weights_local",
    "coatnet_0",
    "convnextv2_atto",
    "crnn",
    "darknet53",
    "deconvnet",
    "ghostnet",
    "inception_resnet_v1",
    "inception_v3@aux",
    "inception_v3@keras",
    "lenet5@1998",
    "mixer_s_16",
    "pspnet_resnet50",
    "resnet110_cifar",
    "resnet50@keras",
    "resnext50_32x4d",
    "segnet",
    "unet@released",
    "vit_b_16",
    "wrn_28_10",
    "yolov3",
    "zfnet",
)
#: Networks of different structures, for Keras, among them those with layers that it lacks.
KERAS = (
    "blocks/weights_local",
    "coatnet_0",
    "crnn",
    "darknet19",
    "deconvnet",
    "facenet",
    "ghostnet",
    "gpt2_small",
    "inception_v3",
    "lenet5@1998",
    "mobilenet_v2",
    "pspnet_resnet50",
    "resnet20_cifar",
    "shufflenet_v2_x0_5",
    "swin_t",
    "vit_b_16",
)
#: One position attends to itself alone, so attention of one is no attention: larger inputs.
SIDES = {"coatnet_0": (3, 64, 64)}
#: Layers that arrange values or take their means, without multiplications: formats have several words for them.
_ARRANGED = {
    "flatten", "tokens", "grid", "reshape", "permute", "transpose", "channel_shuffle", "pixel_shuffle",
    "pixel_unshuffle", "narrow", "chunk", "concat", "slice2d", "crop1d", "crop2d", "crop3d", "zero_pad1d", "zero_pad2d",
    "zero_pad3d", "pad_channels", "identity", "dropout", "feature_dropout", "stochastic_depth", "add",
    "avg_pool2d", "adaptive_avg_pool2d", "global_avg_pool2d", "mean",
}  # fmt: skip
#: No layer is lost, and none is new.
NONE = (Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]())
#: One op under the names of several formats.
_SAME = {"upsample2d": "interpolate"}


def of_torch(graph: LayerGraph) -> LayerGraph:
    """The network, written as PyTorch code and read."""
    from archcalc.interop.torch_export import from_module
    from tests.peers.exported import module_of

    module = module_of(to_torch_code(analyse(graph)))
    shapes = [layer.op.output_shape([]) for layer in graph if layer.op.is_input]
    example = tuple([torch.zeros(1, *shape) for shape in shapes])
    return to_network(from_module(module, example if len(example) > 1 else example[0]))


def of_onnx(graph: LayerGraph) -> LayerGraph:
    """The network, written as an ONNX file with seeded weights and read."""
    from archcalc.interop.onnx_read import read_program
    from archcalc.interop.recognise import recognise

    model = import_module("onnx").load_from_string(to_onnx(analyse(graph), SeededWeights(graph)))
    return to_network(recognise(read_program(model, None)))


def of_keras(graph: LayerGraph) -> LayerGraph:
    """The network, written as Keras code and read."""
    from archcalc.interop.keras import read_keras
    from tests.peers.exported import keras_model_of

    return to_network(read_keras(keras_model_of(to_keras_code(analyse(graph))).to_json(), graph.name))


WAYS = {"torch": of_torch, "onnx": of_onnx, "keras": of_keras}


def small(name: str) -> LayerGraph:
    """A network of the catalogue on a small input."""
    return load(name).with_input(SIDES[name]) if name in SIDES else smaller(load(name))


def counted(analysis: Analysis) -> Counter[tuple[Any, ...]]:
    """What the layers that an output needs have, whatever their names and their order; not those that arrange."""
    graph = analysis.graph
    needed = {output.layer for output in graph.outputs}
    for index in reversed(range(len(graph.layers))):
        if index in needed:
            needed.update(graph.layers[index].inputs)
    return Counter(
        (_kind(row), row.params, row.trainable_params, row.buffers, row.multiplications)
        for index, row in enumerate(analysis.rows)
        if index in needed and row.op.kind not in _ARRANGED and not _does_nothing(row)
    )


def _kind(row: Any) -> str:
    """The kind of a layer. One that adds 0 after its factor only multiplies."""
    is_factor = row.op.kind == "rescale" and row.op.offset == 0
    return "multiply" if is_factor else str(_SAME.get(row.op.kind, row.op.kind))


def _does_nothing(row: Any) -> bool:
    """Whether a layer multiplies by 1."""
    fields = row.op.model_dump()
    return bool(row.op.kind == "multiply" and len(row.input_shapes) == 1 and fields["factor"] == 1)


def differences(graph: LayerGraph, read: LayerGraph) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]:
    """The layers that a network has no more when it was read again, and those that are new."""
    wanted, found = counted(analyse(graph)), counted(analyse(read))
    return wanted - found, found - wanted


class Loaded:
    """The weights that came with a network."""

    def __init__(self, graph: LayerGraph) -> None:
        self.arrays = graph.arrays

    def of(self, layer: str, sizes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Any]:
        """The arrays of a layer by name, in these sizes."""
        found = {name: np.asarray(load()) for name, load in self.arrays[layer].items()}
        return {name: found[name].reshape(size) for name, size in sizes.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_come_back_from_pytorch(name: str) -> None:
    graph = small(name)
    assert differences(graph, of_torch(graph)) == NONE


@pytest.mark.skipif(find_spec("onnx") is None, reason="it writes the files: pip install 'archcalc[onnx]'")
@pytest.mark.parametrize("name", one_of_each())
def test_networks_come_back_from_onnx_with_their_outputs(name: str) -> None:
    graph = small(name)
    read = of_onnx(graph)
    assert differences(graph, read) == NONE
    x = random_inputs(graph, 1, 0, "float32")
    with np.errstate(all="ignore"):
        wanted = list(execute(graph, x, SeededWeights(graph, 0, "float32"), "im2col").outputs.values())
        given = dict(zip(read.inputs, x.values(), strict=True)) if isinstance(x, Mapping) else x
        found = list(execute(read, given, Loaded(read), "im2col").outputs.values())
    for one, other in zip(wanted, found, strict=True):
        assert np.abs(one - other).max() <= 1e-4 * np.abs(one).max()


@pytest.mark.skipif(find_spec("keras") is None, reason="it runs the code: pip install keras")
@pytest.mark.parametrize("name", KERAS)
def test_networks_come_back_from_keras(name: str) -> None:
    graph = small(name)
    assert differences(graph, of_keras(graph)) == NONE
