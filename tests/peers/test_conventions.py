"""The counts of other tools, run on ops and on networks of the catalogue, written as PyTorch modules or as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from math import prod
from typing import Any

import pytest

import archcalc as ac
from archcalc.core.errors import ArchcalcError
from archcalc.design.conventions import TOOLS, count
from archcalc.interop.export.torch_code import to_torch_code
from archcalc.passes.analysis import Analysis, analyse
from tests.networks import chain, op
from tests.ops.rows import ROWS, Row
from tests.ops.test_ranks import BY_HAND

torch = pytest.importorskip("torch", reason="the tools count its modules: pip install 'archcalc[peers]'")
nn: Any = torch.nn
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]  # the tools use what is deprecated

NETWORKS = (
    "lenet5", "alexnet@torchvision", "vgg11", "googlenet", "resnet18", "resnet50", "squeezenet1_0", "densenet121",
    "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0", "efficientnet_b0", "inception_v3", "xception", "unet",
)  # fmt: skip


def module_of(analysis: Analysis) -> Any:
    """The network as a module; without a softmax at its end, which PyTorch's networks leave to the loss."""
    from tests.peers.exported import module_of as made

    module = made(to_torch_code(analysis))
    if analysis.rows[-1].op.kind == "softmax":
        for part in module.modules():
            for name, child in part.named_children():
                if isinstance(child, torch.nn.Softmax):
                    setattr(part, name, torch.nn.Identity())
    return module


Inputs = list[Any]


def torchinfo(module: Any, inputs: Inputs) -> tuple[int, int]:
    found = import_module("torchinfo").summary(module, input_data=inputs, verbose=0)
    return found.total_mult_adds, found.total_params


def fvcore(module: Any, inputs: Inputs) -> tuple[int, int | None]:
    return int(import_module("fvcore.nn").FlopCountAnalysis(module, tuple(inputs)).total()), None


def ptflops(module: Any, inputs: Inputs) -> tuple[int, int]:
    names = list(signature(module.forward).parameters)
    count_all = import_module("ptflops").get_model_complexity_info
    macs, params = count_all(
        module, (1,), input_constructor=lambda _: dict(zip(names, inputs, strict=False)), as_strings=False,
        print_per_layer_stat=False, backend="pytorch",
    )  # fmt: skip
    return macs, params


def thop(module: Any, inputs: Inputs) -> tuple[int, int]:
    macs, params = import_module("thop").profile(module, tuple(inputs), verbose=False)
    return int(macs), int(params)


def with_a_parameter(profile: Callable[..., tuple[Any, int, int]], module: Any, **given: Any) -> tuple[int, int]:
    """These tools ask the first parameter where the module is; one is added where there is none."""
    spare = not list(module.parameters())
    if spare:
        module.register_parameter("spare", torch.nn.Parameter(torch.zeros(1)))
    _, macs, params = profile(module, **given)
    return macs, params - spare


def calflops(module: Any, inputs: Inputs) -> tuple[int, int]:
    pytest.importorskip("transformers", reason="calflops needs it: pip install transformers")
    profile = import_module("calflops").calculate_flops
    return with_a_parameter(profile, module, args=inputs, output_as_string=False, print_results=False)


def deepspeed(module: Any, inputs: Inputs) -> tuple[int, int]:
    profile = import_module("deepspeed.profiling.flops_profiler").get_model_profile
    return with_a_parameter(profile, module, args=inputs, print_profile=False, detailed=False, as_string=False)


def flop_counter(module: Any, inputs: Inputs) -> tuple[int, int | None]:
    with import_module("torch.utils.flop_counter").FlopCounterMode(display=False) as mode:
        module(*inputs)
    return mode.get_total_flops(), None


RUN: dict[str, Callable[[Any, Inputs], tuple[int, int | None]]] = {
    "torchinfo": torchinfo, "fvcore": fvcore, "ptflops": ptflops, "thop": thop, "calflops": calflops,
    "deepspeed": deepspeed, "flop-counter": flop_counter,
}  # fmt: skip


def onnx_tool(analysis: Analysis) -> tuple[int, int]:
    """What onnx-tool counts of the file, constants such as the shape of a reshape left out of the parameters."""
    from archcalc.execute.runner import SeededWeights
    from archcalc.interop.export.onnx_file import to_onnx

    onnx = pytest.importorskip("onnx", reason="the file is read with it: pip install onnx")
    model = onnx.load_from_string(to_onnx(analysis, SeededWeights(analysis.graph, 0, "float32", keep=True)))
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1  # the batch has a name, which it does not take
    graph = import_module("onnx_tool").Model(model, {"verbose": False, "constant_folding": True}).graph
    graph.shape_infer(None)
    graph.profile()
    held = {one.name for one in model.graph.initializer}
    constants = sum(prod(graph.tensormap[name].get_shape() or [0]) for name in set(graph.initials) - held)
    return int(graph.macs[0]), int(graph.params) - constants


def needs(tool: str) -> None:
    if tool != "flop-counter":
        pytest.importorskip(tool.replace("-", "_"), reason=f"its counts are compared: pip install {tool}")


def counts(tool: str, analysis: Analysis, module: Any = None) -> tuple[int, int | None]:
    """Multiplications and parameters as the tool counts them."""
    if tool == "onnx-tool":
        return onnx_tool(analysis)
    inputs = [torch.zeros(1, *row.output_shape) for row in analysis.rows if row.op.is_input]
    return RUN[tool](module or module_of(analysis), inputs)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("tool", [*RUN, "onnx-tool"])
def test_totals_are_those_of_the_tool(tool: str, network: str) -> None:
    needs(tool)
    analysis = ac.load(network).analyse()
    expected, known = (count(analysis, TOOLS[tool], quantity) for quantity in ("multiplications", "params"))
    assert expected is not None
    assert known is not None
    macs, params = counts(tool, analysis)
    assert params is None or params == known.total or (known.not_counted and params > known.total)
    if expected.not_counted:
        assert macs >= expected.total
        assert expected.not_counted.keys() <= {"LRN"}, "only what a rule leaves open"
    else:
        assert macs == expected.total


@pytest.mark.parametrize("network", ["convnextv2_atto", "swin_t", "maxvit_t", "coatnet_0", "facenet", "resnest50"])
def test_files_count_as_onnx_tool_does(network: str) -> None:
    needs("onnx-tool")
    analysis = ac.load(network).analyse()
    macs, _ = onnx_tool(analysis)
    assert count(analysis, TOOLS["onnx-tool"], "multiplications") == (macs, {})


_RECURRENT = {"rnn", "lstm", "gru"}
#: Kinds that the code of archcalc writes as classes of its own, which a tool does not know or knows in another way.
OWN_CLASSES = {
    "ptflops": {"linear", "layer_norm", *_RECURRENT},  # at several positions, channels first
    "thop": {"linear", "layer_norm", "rms_norm", *_RECURRENT},
    "flop-counter": {"scaled_dot_product_attention"},  # on a CPU its layout of memory decides
    "torchinfo": {"scale", "parameter", "position_embedding", "class_token", *_RECURRENT},
}


def alone(row: Row) -> Analysis:
    """A network of one op, and of a second that calculates nothing, so that a softmax is not the end."""
    inputs = [(op("input", shape=shape), ()) for shape in row.inputs or ((4, 8, 8),)]
    own = (op(row.kind, **row.fields), range(len(row.inputs)))
    return analyse(chain(*inputs, own, (op("identity"), [len(inputs)])))


@pytest.mark.filterwarnings("ignore")  # each tool names what it does not know
@pytest.mark.parametrize("tool", [*RUN, "onnx-tool"])
def test_every_op_counts_as_the_tool_does(tool: str) -> None:
    needs(tool)
    wrong, compared = [], 0
    ranks = [Row(kind, fields, (given,), output) for kind, fields, given, output, *_ in BY_HAND]
    for row in (*ROWS, *ranks):
        # An unpool needs the places of its pool; attention is counted as the modules of PyTorch and torchvision.
        if row.kind in ("input", "opaque", "max_unpool2d") or (
            row.kind == "multi_head_attention" and tool != "onnx-tool"
        ):
            continue
        # After a call that fails calflops counts every product twice.
        if tool == "calflops" and ("attention" in row.kind or "upsample" in row.kind):
            continue
        analysis = alone(row)
        expected = count(analysis, TOOLS[tool], "multiplications")
        assert expected is not None
        if expected.not_counted or row.kind in OWN_CLASSES.get(tool, ()):
            continue
        try:
            macs, _ = counts(tool, analysis)
        except (
            ArchcalcError,
            AssertionError,
            LookupError,
            NotImplementedError,
            TypeError,
        ):  # it stops, or the op cannot be written
            continue
        compared += 1
        if macs != expected.total:
            wrong.append((row.kind, row.fields, row.inputs, macs, expected.total))
    assert not wrong
    assert compared > 100


class Steps(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """A recurrent layer as PyTorch has it, and a second layer, for tools that ask for children."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer, self.end = layer, torch.nn.Identity()

    def forward(self, x: Any) -> Any:
        return self.end(self.layer(x)[0])


SETTINGS: list[dict[str, Any]] = [
    {}, {"bias": False}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 3, "bidirectional": True},
]  # fmt: skip


@pytest.mark.parametrize("tool", RUN)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers_of_pytorch(tool: str, kind: str) -> None:
    needs(tool)
    for settings in SETTINGS:
        analysis = alone(Row(kind.lower(), {"hidden_size": 3, **settings}, ((4, 5),), ()))
        for batch_first in (True, False):
            module = Steps(getattr(torch.nn, kind)(4, 3, batch_first=batch_first, **settings)).eval()
            inputs = [torch.zeros((1, 5, 4) if batch_first else (5, 1, 4))]
            macs, params = RUN[tool](module, inputs)
            assert (macs, {}) == count(analysis, TOOLS[tool], "multiplications"), settings
            known = count(analysis, TOOLS[tool], "params")
            assert known is not None
            assert params is None or params == known.total


class Attends(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """`nn.MultiheadAttention` as PyTorch's own layers call it."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.layer, self.end = torch.nn.MultiheadAttention(12, 3, bias=bias, batch_first=True), torch.nn.Identity()

    def forward(self, queries: Any, keys: Any) -> Any:
        return self.end(self.layer(queries, keys, keys, need_weights=False)[0])


@pytest.mark.parametrize("tool", RUN)
@pytest.mark.parametrize("bias", [True, False])
def test_attention_of_pytorch(tool: str, bias: bool) -> None:
    needs(tool)
    analysis = alone(Row("multi_head_attention", {"num_heads": 3, "bias": bias}, ((12, 5), (12, 7)), ()))
    macs, params = RUN[tool](Attends(bias).eval(), [torch.zeros(1, 5, 12), torch.zeros(1, 7, 12)])
    assert (macs, {}) == count(analysis, TOOLS[tool], "multiplications")
    known = count(analysis, TOOLS[tool], "params")
    assert params is None or (known is not None and params == known.total)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers_of_keras(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    layers = pytest.importorskip("keras", reason="its params are compared: pip install keras").layers
    made = layers.SimpleRNN if kind == "RNN" else getattr(layers, kind)
    for settings in ({}, {"bias": False}, {"bidirectional": True}):
        layer = made(3, use_bias=settings.get("bias", True))
        layer = layers.Bidirectional(layer) if "bidirectional" in settings else layer
        layer.build((None, 5, 4))
        analysis = alone(Row(kind.lower(), {"hidden_size": 3, **settings}, ((4, 5),), ()))
        assert (layer.count_params(), {}) == count(analysis, TOOLS["keras"], "params")


#: Networks of torchvision, with the tools that count them otherwise: functions in place of modules count less.
MODELS = {
    "resnet18": (), "densenet121": ("ptflops", "thop"), "mobilenet_v2": ("ptflops", "thop"), "swin_t": (),
    "convnext_tiny": (), "vit_b_16": (), "maxvit_t": (), "vgg16@torchvision": (),
}  # fmt: skip


@pytest.mark.parametrize("network", MODELS)
@pytest.mark.parametrize("tool", RUN)
def test_models_of_torchvision(tool: str, network: str) -> None:
    needs(tool)
    models = pytest.importorskip("torchvision", reason="its models are counted: pip install torchvision").models
    analysis = ac.load(network).analyse()
    expected = count(analysis, TOOLS[tool], "multiplications")
    assert expected is not None
    given = {"input_size": (224, 224)} if network == "maxvit_t" else {}
    macs, params = counts(tool, analysis, getattr(models, network.partition("@")[0])(weights=None, **given).eval())
    known = count(analysis, TOOLS[tool], "params")
    assert known is not None
    assert params is None or params == known.total or (known.not_counted and params > known.total)
    if tool in MODELS[network]:
        assert macs < expected.total
    else:
        assert macs >= expected.total if expected.not_counted else macs == expected.total
        assert network == "maxvit_t" or expected.not_counted.keys() <= {"layer norm", "LRN"}


class WithAuxiliary(nn.Module):  # type: ignore[misc]  # torch need not be there
    """A network with a classifier that only training uses, as GoogLeNet."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.aux = nn.Linear(6, 3), nn.Linear(6, 4)

    def forward(self, x: Any) -> Any:
        return (self.fc(x), self.aux(x)) if self.training else self.fc(x)


@pytest.mark.parametrize("tool", [tool for tool in RUN if tool != "fvcore"])
def test_parameters_that_inference_does_not_use(tool: str) -> None:
    needs(tool)
    inputs = torch.zeros(1, 6)
    analysis = ac.analyse(ac.from_torch(WithAuxiliary().eval(), inputs))
    assert analysis.graph.unused == {"aux": 28}
    found = count(analysis, TOOLS[tool], "params")
    assert found is not None
    _, params = RUN[tool](WithAuxiliary().eval(), [inputs])
    assert params in (None, found.total)


def test_fvcore_counts_parameters_that_inference_does_not_use() -> None:
    needs("fvcore")
    found = count(ac.analyse(ac.from_torch(WithAuxiliary().eval(), torch.zeros(1, 6))), TOOLS["fvcore"], "params")
    assert found is not None
    assert found.total == import_module("fvcore.nn").parameter_count(WithAuxiliary())[""]
