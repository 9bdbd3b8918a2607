"""The models in the backend tests of the onnx package: counts, shapes, and outputs as recorded or of ONNX Runtime."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, version_converter

from archcalc.core.errors import ArchcalcError
from archcalc.execute.runner.execute import execute
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.foreign import to_network
from archcalc.interop.onnx_read import from_onnx
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import Own, outputs

pytestmark = pytest.mark.peers
onnxruntime = pytest.importorskip("onnxruntime", reason="outputs of ONNX Runtime: pip install 'archcalc[peers]'")

DATA = Path(onnx.__file__).parent / "backend/test/data"
#: Parameters, buffers and multiplications of the networks of the standard.
NETWORKS = {
    "bvlc_alexnet": (60_965_224, 0, 654_560_384),
    "densenet121": (8_062_504, 83_648, 2_834_161_664),
    "inception_v1": (6_998_552, 0, 1_431_556_352),
    "inception_v2": (11_214_888, 19_904, 2_018_851_840),
    "resnet50": (25_557_032, 53_120, 4_089_184_256),
    "shufflenet": (1_393_320, 26_832, 124_664_528),
    "squeezenet": (1_235_496, 0, 349_151_936),
    "vgg19": (143_667_240, 0, 19_632_062_464),
    "zfnet512": (87_250_536, 0, 1_481_727_008),
}


def with_random_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The network with drawn arrays in place of those that it fills with one number, on which outputs say nothing."""
    generator = np.random.default_rng(0)
    sizes = {each.name: numpy_helper.to_array(each) for each in proto.graph.initializer}
    variances = {node.input[4] for node in proto.graph.node if node.op_type == "BatchNormalization"}
    nodes = []
    for node in proto.graph.node:
        if node.op_type != "ConstantOfShape":
            nodes.append(node)
            continue
        shape = [int(size) for size in sizes[node.input[0]]]
        fan = math.prod(shape[1:]) if len(shape) > 1 else 4
        values = generator.standard_normal(shape) * math.sqrt((2 if len(shape) == 4 else 1) / fan)
        values = abs(values) + 0.5 if node.output[0] in variances else values
        proto.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
    read = {name for node in nodes for name in node.input}
    arrays = [each for each in proto.graph.initializer if each.name in read]
    given = {each.name for each in arrays}
    inputs = [each for each in proto.graph.input if each.name in read - given]
    graph = onnx.helper.make_graph(nodes, "network", inputs, list(proto.graph.output), arrays)
    return onnx.helper.make_model(graph, opset_imports=proto.opset_import, ir_version=proto.ir_version)


def measured(name: str) -> tuple[tuple[int, int, int | None], float]:
    """Parameters, buffers and multiplications of a network; its difference from ONNX Runtime, of the largest value."""
    proto = with_random_weights(onnx.load(DATA / f"light/light_{name}.onnx"))
    graph = to_network(from_onnx(proto))
    totals = analyse(graph).totals
    x = np.random.default_rng(1).standard_normal((1, *graph.input_shape)).astype(np.float32)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = session.run(None, {session.get_inputs()[0].name: x})[0]
    found = outputs(graph, x)
    assert math.prod(found.shape) == math.prod(wanted.shape)
    error = np.abs(found.reshape(wanted.shape) - wanted).max() / np.abs(wanted).max()
    return (totals.params, totals.buffers, totals.multiplications), float(error)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_the_standard(name: str) -> None:
    counts, error = measured(name)
    assert counts == NETWORKS[name]
    assert error <= 1e-5


def recorded(folder: Path, stem: str) -> list[np.ndarray[Any, Any]]:
    """The arrays that a test keeps next to its model, as decimal numbers of at least one image."""
    found = []
    for index in range(len(list(folder.glob(f"{stem}_*.pb")))):
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / f"{stem}_{index}.pb").read_bytes())
        array = numpy_helper.to_array(tensor)
        array = array if array.ndim > 1 else array[None]
        found.append(array if array.dtype.kind == "f" else array.astype(np.float32))
    return found


def executed(graph: LayerGraph, given: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """The outputs of a network."""
    x = given[0] if len(graph.inputs) == 1 else dict(zip(graph.inputs, given, strict=True))
    return list(execute(graph, x, Own(graph)).outputs.values())


def written_by_pytorch() -> tuple[Counter[str], list[str]]:
    """How the models of a few operations come out, and those whose outputs are wrong.

    Their opset is 6: onnx rewrites them as opset 7, which is the oldest that is read.
    """
    outcomes: Counter[str] = Counter()
    wrong = []
    for path in sorted(DATA.glob("pytorch-*/*/model.onnx")):
        proto = onnx.load(path)
        if proto.opset_import[0].version < 7:
            proto = version_converter.convert_version(proto, 7)
        try:
            graph = to_network(from_onnx(proto))
        except ArchcalcError:
            outcomes["refused"] += 1
            continue
        given, wanted = (recorded(path.parent / "test_data_set_0", stem) for stem in ("input", "output"))
        if any(layer.op.kind == "opaque" for layer in graph):
            outcomes["opaque"] += 1
        elif len({len(array) for array in given}) > 1:
            outcomes["several batches"] += 1
        else:
            outcomes["equal"] += 1
            for found, stated in zip(executed(graph, given), wanted, strict=True):
                if not np.allclose(found.reshape(stated.shape), stated, rtol=1e-4, atol=1e-5, equal_nan=True):
                    wrong.append(path.parent.name)
    return outcomes, wrong


def test_layers_that_pytorch_wrote() -> None:
    outcomes, wrong = written_by_pytorch()
    assert wrong == []
    assert outcomes == {"equal": 101, "refused": 8, "opaque": 5, "several batches": 3}
