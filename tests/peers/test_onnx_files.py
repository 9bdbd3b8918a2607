"""ONNX files against their peers: the cases of the standard by PyTorch, and torchvision's models in both exports."""

from __future__ import annotations

import io
import math
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.foreign import ForeignNetwork, to_network
from archcalc.interop.onnx_read import from_onnx, read_program
from archcalc.passes.analysis import Totals, analyse
from tests.interop.onnx_models import outputs

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch", reason="a comparison with PyTorch: pip install 'archcalc[peers]'")
torchvision = pytest.importorskip("torchvision", reason="models to export: pip install torchvision")
onnxruntime = pytest.importorskip("onnxruntime", reason="outputs of ONNX Runtime: pip install 'archcalc[peers]'")
pytest.importorskip("onnxscript", reason="the exporter on torch.export needs it: pip install onnxscript")

# --- the node cases of the standard


def float_cases() -> Iterator[Any]:
    """The cases of the standard whose maps are all float32; further inputs may be whole numbers."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    for case in cases:
        given, wanted = case.data_sets[0] if case.data_sets else ((), ())
        arrays = [*given, *wanted]
        if not given or not all(isinstance(array, np.ndarray) for array in arrays):
            continue
        if given[0].dtype == np.float32 and all(array.dtype == np.float32 for array in wanted):
            yield case


def bound(proto: onnx.ModelProto, inputs: list[Any]) -> onnx.ModelProto:
    """The model with all inputs but the first as initializers."""
    found = onnx.ModelProto()
    found.CopyFrom(proto)
    for value, array in list(zip(found.graph.input, inputs, strict=False))[1:]:
        found.graph.initializer.append(numpy_helper.from_array(array, value.name))
    del found.graph.input[1:]
    return found


def standard_outcomes() -> tuple[Counter[str], set[str], list[str]]:
    """How the cases of the standard come out, of which ops some are equal, and the names of those that are wrong."""
    from tests.interop.evaluate import OPERATIONS, run

    outcomes: Counter[str] = Counter()
    equal, wrong = set(), []
    for case in float_cases():
        ((given, wanted), *_) = case.data_sets
        try:
            program = read_program(bound(case.model, given))
        except UsageError:
            outcomes["refused"] += 1
            continue
        if any(node.op not in OPERATIONS for node in program.nodes):
            outcomes["opaque"] += 1
            continue
        found = run(program, {name: torch.from_numpy(given[0].copy()) for name in program.inputs})
        for ours, theirs in zip(found.values(), wanted, strict=False):
            if not np.allclose(ours.numpy(), theirs, rtol=1e-3, atol=1e-4):
                wrong.append(case.name)
        outcomes["equal"] += case.name not in wrong
        equal.add(case.model.graph.node[0].op_type)
    return outcomes, equal, wrong


def test_cases_of_the_standard() -> None:
    outcomes, equal, wrong = standard_outcomes()
    assert wrong == []
    assert outcomes["equal"] >= 380, outcomes
    assert len(equal) >= 70, sorted(equal)


# --- torchvision

MODELS = [
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5", "mobilenet_v2",
    "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "resnet50", "shufflenet_v2_x0_5", "squeezenet1_1", "vgg11_bn",
    "vit_b_16",
]  # fmt: skip
#: Those in whose files more is stored than in the module: biases for every pair of places.
IN_OTHER_SIZES = ("swin_t", "maxvit_t")


def made(name: str) -> Any:
    """A model of torchvision with random weights and statistics that fit, so that no two arrays are equal."""
    torch.manual_seed(0)
    settings = {"init_weights": False} if name == "googlenet" else {}
    module = torchvision.models.get_model(name, weights=None, **settings)
    for part in module.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            part.momentum = None
    module.train()
    with torch.no_grad():
        module(torch.randn(4, 3, 224, 224))
        for parameter in module.parameters():
            if parameter.numel() == max(parameter.shape) or parameter.unique().numel() == 1:
                parameter.add_(0.02 * torch.rand_like(parameter))
    return module.eval()


def exported(module: Any, way: str) -> bytes:
    """The bytes of an ONNX file, by the exporter on TorchScript or the one on torch.export."""
    buffer, example = io.BytesIO(), torch.zeros(1, 3, 224, 224)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if way == "script":
            torch.onnx.export(module, (example,), buffer, dynamo=False, opset_version=17,
                              input_names=["x"], dynamic_axes={"x": {0: "batch"}})  # fmt: skip
        else:
            torch.onnx.export(module, (example,), dynamo=True, external_data=False, verbose=False).save(buffer)
    return buffer.getvalue()


def multiplications(module: Any) -> int:
    """The multiply-adds that PyTorch counts."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    torch.backends.mha.set_fastpath_enabled(False)  # fused attention is not counted
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        module(torch.zeros(1, 3, 224, 224))
    return int(counter.get_total_flops()) // 2


class Compared(NamedTuple):
    """A file that PyTorch wrote, as archcalc reads it and as PyTorch, onnx and ONNX Runtime have it."""

    foreign: ForeignNetwork
    graph: LayerGraph
    totals: Totals
    #: Values of the arrays in the file with more than one, and what PyTorch multiplies.
    held: int
    products: int
    #: Values with a shape in both, and those whose shape onnx infers otherwise.
    shapes: int
    other_shapes: list[str]
    #: The largest difference from the output of ONNX Runtime, of its largest value.
    error: float


def compared(name: str, way: str, path: Path) -> Compared:
    """A model of torchvision, written by an exporter to a file and read."""
    module = made(name)
    path.write_bytes(exported(module, way))
    foreign = from_onnx(path)
    graph = to_network(foreign)
    proto = onnx.load(path)
    held = [math.prod(each.dims) for each in proto.graph.initializer if each.data_type == onnx.TensorProto.FLOAT]
    values = read_program(path, None).values
    stated = {
        each.name: [size.dim_value for size in each.type.tensor_type.shape.dim]
        for each in onnx.shape_inference.infer_shapes(proto).graph.value_info
        if each.type.tensor_type.HasField("shape")  # of an open batch onnx knows not every rank
    }
    both = [each for each in stated if each in values and len(stated[each]) == len(values[each].shape)]
    other = [each for each in stated if each in values and len(stated[each]) != len(values[each].shape)]
    # 0 is a size that is open in the file, as that of the batch.
    other += [
        each for each in both
        if any(size not in (0, own) for size, own in zip(stated[each], values[each].shape, strict=True))
    ]  # fmt: skip
    x = np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.run(None, {session.get_inputs()[0].name: x})[0]
    error = float(np.abs(outputs(graph, x).reshape(wanted.shape) - wanted).max() / np.abs(wanted).max())
    totals, stored = analyse(graph).totals, sum(size for size in held if size > 1)
    return Compared(foreign, graph, totals, stored, multiplications(module), len(both), other, error)


@pytest.mark.parametrize("way", ["script", "dynamo"])
@pytest.mark.parametrize("name", MODELS)
def test_models_of_torchvision(name: str, way: str, tmp_path: Path) -> None:
    found = compared(name, way, tmp_path / f"{name}.onnx")
    assert [node.fields["of"] for node in found.foreign.nodes if node.op == "opaque"] == []
    assert found.totals.params + found.totals.buffers == found.held
    assert found.totals.multiplications == found.products
    assert found.shapes > 10
    assert found.other_shapes == []
    assert found.error <= 1e-4


@pytest.mark.parametrize("way", ["script", "dynamo"])
def test_paths_of_modules(way: str, tmp_path: Path) -> None:
    module = made("resnet18")
    path = tmp_path / "resnet18.onnx"
    path.write_bytes(exported(module, way))
    names = {node.name for node in from_onnx(path).nodes if node.op in ("conv2d", "linear")}
    modules = {name.replace(".", "/") for name, part in module.named_modules()
               if isinstance(part, (torch.nn.Conv2d, torch.nn.Linear))}  # fmt: skip
    assert names == modules


@pytest.mark.parametrize("way", ["script", "dynamo"])
@pytest.mark.parametrize("name", IN_OTHER_SIZES)
def test_windows_of_torchvision(name: str, way: str, tmp_path: Path) -> None:
    """Exporters store biases of relative positions for every pair of places; the tables come back."""
    found = compared(name, way, tmp_path / f"{name}.onnx")
    assert found.totals.not_counted == {}
    assert any("from which they are taken" in note for note in found.graph.notes)
    assert found.totals.multiplications == found.products
    if name == "swin_t":
        assert found.totals.params == sum(parameter.numel() for parameter in made(name).parameters())
    assert found.other_shapes == []
    assert found.error <= 1e-4


@pytest.mark.parametrize(
    ("sides", "counts"),
    [((24, 22), (3, 3)), ((26, 24), (3, 3)), ((13, 17), (5, 6)), ((4, 5), (7, 3)), ((7, 7), (1, 3))],
)
def test_adaptive_pools(sides: tuple[int, int], counts: tuple[int, int]) -> None:
    """Where windows have different sizes, the exporter writes the pool as its places: a sum of up to all of them."""
    pool, x = torch.nn.AdaptiveAvgPool2d(counts), torch.randn(1, 3, *sides)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        proto = torch.onnx.export(pool, (x,), dynamo=True, verbose=False).model_proto
    graph = to_network(from_onnx(proto))
    assert [layer.op.kind for layer in graph] == ["input", "adaptive_avg_pool2d"]
    assert np.abs(outputs(graph, x.numpy()) - pool(x).numpy()).max() <= 1e-6
