"""What onnx-tool counts of the files that PyTorch's two exporters write, against archcalc's counts of these files."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from archcalc.design.conventions import TOOLS, count
from archcalc.interop.models import load
from archcalc.passes.analysis import analyse

torch = pytest.importorskip("torch", reason="it writes the files: pip install 'archcalc[peers]'")
pytest.importorskip("onnx_tool", reason="its counts are compared: pip install onnx-tool")
pytest.importorskip("onnxscript", reason="the exporter on torch.export needs it: pip install onnxscript")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]  # the exporters warn of many things

nn, functional = torch.nn, torch.nn.functional


class Does(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """A function as a module, with the modules that it calls."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function, self.parts = function, nn.ModuleDict(parts)

    def forward(self, x: Any) -> Any:
        return self.function(x, **self.parts)


def shuffled(x: Any) -> Any:
    batch, channels, height, width = x.shape
    return x.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(batch, channels, height, width)


def attention(x: Any, packed: Any, out: Any) -> Any:
    q, k, v = (part.unflatten(2, (4, 4)).transpose(1, 2) for part in packed(x).chunk(3, -1))
    return out(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def recurrent(kind: Any, **settings: Any) -> Any:
    return Does(lambda x, layer, end: end(layer(x)[0][:, -1]), layer=kind(6, 5, batch_first=True, **settings),
                end=nn.Linear(10 if settings.get("bidirectional") else 5, 3))  # fmt: skip


def after_conv(*layers: Any) -> Any:
    return nn.Sequential(nn.Conv2d(3, 4, 3), *layers)


_IMAGE, _ROW = (3, 8, 8), (5, 8)
NETWORKS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "gelu": (lambda: after_conv(nn.GELU(), nn.Conv2d(4, 2, 1), Does(lambda x: x.mean((2, 3)))), _IMAGE),
    "gelu by tanh": (lambda: after_conv(nn.GELU("tanh"), nn.AdaptiveAvgPool2d(1)), _IMAGE),
    "silu": (lambda: after_conv(nn.SiLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3)), _IMAGE),
    "hard swish": (lambda: after_conv(nn.Hardswish(), nn.Hardsigmoid(), nn.ReLU6(), nn.ELU()), _IMAGE),
    "hard swish by hand": (lambda: after_conv(Does(lambda x: x * functional.relu6(x + 3) / 6)), _IMAGE),
    "layer norm": (lambda: nn.Sequential(nn.Linear(8, 6), nn.LayerNorm(6), nn.Linear(6, 4)), _ROW),
    "layer norm of channels": (
        lambda: after_conv(Does(lambda x, norm: norm(x.permute(0, 2, 3, 1)), norm=nn.LayerNorm(4))), _IMAGE),
    "attention": (lambda: nn.Sequential(
        nn.Linear(8, 16), Does(attention, packed=nn.Linear(16, 48), out=nn.Linear(16, 16)), nn.LayerNorm(16)), _ROW),
    "shuffle": (lambda: after_conv(Does(shuffled), nn.Conv2d(4, 4, 3, groups=2), nn.ReLU()), _IMAGE),
    "norms": (lambda: after_conv(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.MaxPool2d(2),
                                 nn.AvgPool2d(3), nn.Flatten(), nn.Linear(4, 3), nn.LogSoftmax(1)), _IMAGE),
    "resized": (lambda: after_conv(nn.Upsample(scale_factor=2, mode="bilinear"), nn.ConvTranspose2d(4, 2, 2, stride=2),
                                   nn.Sigmoid(), nn.PReLU(2), nn.GLU(1)), _IMAGE),
    "lstm": (lambda: recurrent(nn.LSTM), (7, 6)),
    "two lstms": (lambda: recurrent(nn.LSTM, num_layers=2), (7, 6)),
    "gru": (lambda: recurrent(nn.GRU, bidirectional=True), (7, 6)),
}  # fmt: skip
MODELS = (
    "mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_b0", "convnext_tiny", "vit_b_16", "swin_t", "densenet121",
    "mnasnet0_5", "regnet_y_400mf", "resnet18",
)  # fmt: skip
#: What onnx-tool stops at in the files of an exporter: archcalc's total is at least what it counts of the other nodes.
STOPS = {("gru", True)}


def of_torchvision(name: str) -> Any:
    models = pytest.importorskip("torchvision", reason="its networks are counted: pip install torchvision").models
    return getattr(models, name)(weights=None)


def by_the_tool(path: Path) -> int:
    graph = import_module("onnx_tool").Model(str(path), {"verbose": False}).graph
    graph.shape_infer(None)
    graph.profile()
    return int(graph.macs[0])


def compare(name: str, module: Any, size: tuple[int, ...], path: Path, dynamo: bool) -> None:
    more: dict[str, Any] = {"external_data": False} if dynamo else {"opset_version": 13 if "norm" in name else 17}
    torch.onnx.export(module.eval(), (torch.randn(1, *size),), str(path), dynamo=dynamo, verbose=False, **more)
    found = count(analyse(load(path)), TOOLS["onnx-tool"], "multiplications")
    assert found is not None
    if (name, dynamo) in STOPS:
        with pytest.raises((AttributeError, IndexError)):
            by_the_tool(path)
    else:
        assert (found.total, dict(found.not_counted)) == (by_the_tool(path), {})


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_files_of_pytorch(name: str, dynamo: bool, tmp_path: Path) -> None:
    make, size = NETWORKS[name]
    compare(name, make(), size, tmp_path / "net.onnx", dynamo)


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_files_of_torchvision(name: str, dynamo: bool, tmp_path: Path) -> None:
    compare(name, of_torchvision(name), (3, 224, 224), tmp_path / "net.onnx", dynamo)
