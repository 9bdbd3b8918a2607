"""Modules of PyTorch as networks: parameters, buffers and multiplications, and on small ones the outputs."""

from __future__ import annotations

import dataclasses
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.runner.execute import execute
from archcalc.interop import torch_export
from archcalc.interop.foreign import to_network
from archcalc.passes.analysis import analyse

torch = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")
torchvision = pytest.importorskip("torchvision", reason="its models are what is read: pip install torchvision")

from tests.peers.imported import Given, compared, counted_by_torch, module_of, shape_of  # noqa: E402  # it needs both

pytestmark = pytest.mark.peers

CLASSIFICATION = torchvision.models.list_models(module=torchvision.models)
SEGMENTATION = torchvision.models.list_models(module=torchvision.models.segmentation)
#: Larger models have the same layers, more often.
VIDEO = ("r3d_18", "mc3_18", "r2plus1d_18", "swin3d_t", "s3d", "mvit_v1_b", "mvit_v2_s")
BACKBONES = [f"{name}.backbone" for name in torchvision.models.list_models(module=torchvision.models.detection)]


@pytest.mark.parametrize("name", [*CLASSIFICATION, *SEGMENTATION, *VIDEO, *BACKBONES])
def test_counts_of_torchvision(name: str) -> None:
    found, stated, opaque = compared(module_of(name), shape_of(name), name)
    assert opaque == []
    assert found == stated


def _vit() -> Any:
    return torchvision.models.VisionTransformer(32, 8, 2, 2, 24, 48, num_classes=5)


def _swin() -> Any:
    return torchvision.models.SwinTransformer([4, 4], 8, [2, 2], [2, 4], [4, 4], num_classes=5)


class _Arithmetic(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch is not there for mypy
    """Numbers that are added and divide, roots and powers, and quotients of maps in both orders."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.2, 0.3, 0.4]).view(3, 1, 1))

    def forward(self, x: Any) -> Any:
        y = self.conv((x - self.mean) / self.deviation)
        root = torch.sqrt(y**2 + 1e-3)
        mean = y.mean((2, 3), keepdim=True)
        return (1 - y / root) / 3 - (mean - root) + torch.rsqrt(root + 0.5) * (-y) - 2.5 + self.mean.sum() - mean


class _Attention(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch is not there for mypy
    """Attention with a trained bias or with one head of keys and values, fused or written out."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.heads = form, 1 if form == "one head" else 2
        self.q, self.kv = torch.nn.Linear(8, 8), torch.nn.Linear(8, 8 * self.heads)
        self.bias = torch.nn.Parameter(torch.randn(2, 6, 6))

    def forward(self, x: Any) -> Any:
        q = self.q(x).reshape(1, 6, 2, 4).transpose(1, 2)
        k, v = self.kv(x).reshape(1, 6, 2, self.heads, 4).permute(2, 0, 3, 1, 4).unbind(0)
        if self.form == "written out":
            y = (q @ k.transpose(-2, -1) * 0.3 + self.bias).softmax(-1) @ v
        else:
            mask = self.bias[None] if self.form == "bias" else None
            y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return y.transpose(1, 2).reshape(1, 6, 8)


SMALL: dict[str, tuple[Any, tuple[int, ...]]] = {
    "arithmetic": (_Arithmetic, (3, 9, 9)),
    **{form: (lambda form=form: _Attention(form), (6, 8)) for form in ("bias", "one head", "written out")},
    "alexnet": (lambda: torchvision.models.alexnet(num_classes=5), (3, 64, 64)),
    "shufflenet": (lambda: torchvision.models.shufflenet_v2_x0_5(num_classes=5), (3, 64, 64)),
    "mobilenet_v3": (lambda: torchvision.models.mobilenet_v3_small(num_classes=5), (3, 64, 64)),
    "vit": (_vit, (3, 32, 32)),
    "swin": (_swin, (3, 64, 64)),
}


@pytest.mark.parametrize("name", list(SMALL))
def test_outputs_of_small_modules(name: str, tmp_path: Path) -> None:
    make, shape = SMALL[name]
    torch.manual_seed(0)
    module = make().eval()
    x = torch.randn(1, *shape)
    path = tmp_path / "module.pt2"
    with torch.no_grad():
        for parameter in module.parameters():
            # Biases and tables that begin at zero would hide where they are added.
            parameter.add_(0.02 * torch.randn_like(parameter))
        torch.export.save(torch.export.export(module, (x,)), path)
        wanted = module(x).numpy()
    for foreign in (torch_export.from_module(module, x), torch_export.read(path)):
        graph = to_network(foreign)
        (made,) = execute(graph, x.numpy(), Given(graph.arrays)).outputs.values()
        assert np.abs(made - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_a_module_on_meta_costs_no_memory() -> None:
    with torch.device("meta"):
        module = torch.nn.Sequential(*[torch.nn.Linear(1 << 17, 1 << 17) for _ in range(4)])
    totals = analyse(to_network(torch_export.from_module(module, (1 << 17,)))).totals
    assert totals.params == 4 * ((1 << 34) + (1 << 17))


def test_a_callable_is_made_without_weights() -> None:
    call = {"num_classes": 5}
    foreign = torch_export.from_callable("torchvision.models:mobilenet_v3_small", call, (3, 64, 64))
    assert foreign.inputs == {"x": (3, 64, 64)}
    assert analyse(to_network(foreign)).totals.params == sum(
        parameter.numel() for parameter in torchvision.models.mobilenet_v3_small(num_classes=5).parameters()
    )


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("torchvision.models", "package.module:callable"),
        ("torchvision.models:resnet17", "resnet17"),
        ("torchvision.models:resnet18", "bogus"),
    ],
)
def test_callables_that_are_none(target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        torch_export.from_callable(target, {"bogus": 1} if says == "bogus" else {})


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt2"
    path.write_bytes(b"not a zip file")
    with pytest.raises(UsageError, match=r"weights\.pt2"):
        torch_export.read(path)


def test_a_device_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "zero.pt2"
    path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="is no regular file"):
        torch_export.read(path)


@pytest.mark.parametrize("name", ["archive/data.pkl", "archive/models/model.json"])
def test_archives_that_are_no_programs(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    path = tmp_path / "other.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "hi")
    with pytest.raises(UsageError, match=r"other\.pt2: (?!.*warnings above)"):
        torch_export.read(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("part", ["models/model.json", "data/weights/weight_0"])
def test_what_is_packed_tightly_is_not_unpacked(tmp_path: Path, part: str) -> None:
    good, bad = tmp_path / "good.pt2", tmp_path / "bad.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name) + b" " * (60 << 20 if name.endswith(part) else 0))
    with pytest.raises(UsageError, match=f"bad.pt2: .*{part} has 62,9.* which no program of torch.export.save has"):
        torch_export.read(bad)


@pytest.mark.parametrize("kind", ["custom_obj_0", "opaque_obj_0", "tensor_0"])
@pytest.mark.parametrize("says", [True, False], ids=["says so", "hides it"])
def test_nothing_is_unpickled(tmp_path: Path, kind: str, says: bool) -> None:
    """An entry of a program that only unpickling reads is refused, whatever its description says of it."""
    good, bad, ran = tmp_path / "good.pt2", tmp_path / "bad.pt2", tmp_path / "ran"

    class Runs:
        def __reduce__(self) -> Any:
            return (Path.touch, (ran,))

    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("constants_config.json"):
                entry = {"path_name": kind, "is_param": False, "use_pickle": says, "tensor_meta": None}
                data = json.dumps({"config": {"evil": entry}}).encode()
                target.writestr(f"{name.rpartition('/')[0]}/{kind}", pickle.dumps(Runs()))
            target.writestr(name, data)
    with pytest.raises(UsageError, match=r"bad\.pt2"):
        torch_export.read(bad)
    assert not ran.exists()


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_frozen_parameters(device: str) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3).requires_grad_(False), torch.nn.Conv2d(4, 4, 3)).to(device)
    rows = analyse(to_network(torch_export.from_module(module, (3, 8, 8)))).rows
    assert [row.trainable_params for row in rows[1:]] == [0, 148]


def test_constants_are_loaded_only_when_asked_for() -> None:
    module = torch.nn.Linear(3, 4)
    program = torch_export.trace(module, (3,))
    kinds = {name: constant.role for name, constant in program.constants.items()}
    assert kinds == {"weight": "parameter", "bias": "parameter"}
    assert all(callable(constant.load) for constant in program.constants.values())
    assert dataclasses.replace(program.constants["weight"], load=None).size == 12


class _OfStored(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch is not there for mypy
    """A product of stored tensors, which is added."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Parameter(torch.zeros(4, 5))
        self.second = torch.nn.Parameter(torch.zeros(5, 3))

    def forward(self, x: Any) -> Any:
        return x + self.first @ self.second


def test_products_of_stored_tensors_are_layers_and_count() -> None:
    totals = analyse(to_network(torch_export.from_module(_OfStored(), (4, 3)))).totals
    assert (totals.params, totals.multiplications) == (35, counted_by_torch(_OfStored(), (4, 3)))


class _Called(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch is not there for mypy
    """A function as a module."""

    def __init__(self, function: Any, *parts: Any) -> None:
        super().__init__()
        self.function, self.parts = function, torch.nn.ModuleList(parts)

    def forward(self, x: Any) -> Any:
        return self.function(x, *self.parts)


def _rows(x: Any, cell: Any) -> Any:
    """Each row of a map through a recurrent layer."""
    rows = x.permute(0, 2, 3, 1).flatten(0, 1)
    states, _ = cell(rows if cell.batch_first else rows.transpose(0, 1))
    return (states if cell.batch_first else states.transpose(0, 1))[None].permute(0, 3, 1, 2)


def _masked(x: Any, dense: Any) -> Any:
    """A dense layer whose bias has zeros in the middle, as cosine attention has for its keys."""
    bias = dense.bias.clone()
    bias[2:4].zero_()
    return torch.nn.functional.linear(x, dense.weight, bias)


def _heads(x: Any, conv: Any) -> Any:
    """Heads in the batch of a convolution over three axes, which all have its weights."""
    return conv(x.reshape(1, 2, 2, 4, 5, 3).flatten(0, 1)).reshape(1, 4, 4, 5, 3)


def _copied(x: Any, one: Any, other: Any) -> Any:
    """Positions as the sum of stored ones along one axis and along the other."""
    both = one.weight.repeat_interleave(5, 0) + other.weight.repeat(4, 1)
    return x + both


def _fold(kernel: Any, stride: Any, padding: Any) -> Any:
    return lambda x: torch.nn.functional.fold(x, (9, 7), kernel, 1, padding, stride)


def _clamped(x: Any, bounds: Any) -> Any:
    """Bounds that are tensors, one of them infinite, one with a value for each column."""
    low, high = bounds.running_mean, bounds.running_var
    return x.clamp(low[0], high[0]) + x.clamp(torch.tensor(-float("inf")), high[1])


def _bounds() -> Any:
    norm = torch.nn.BatchNorm1d(2, affine=False)
    norm.running_mean.fill_(-0.5)
    return norm


def _one_hot(x: Any, table: Any) -> Any:
    """Rows of a table as a product with zeros and ones, which are too many to be held."""
    places = torch.arange(x.shape[1]).clamp(min=1)
    return x + (torch.nn.functional.one_hot(places, 6000).to(x.dtype) @ table.weight)


def _last_states(x: Any, part: Any) -> Any:
    """The states of all layers and ways after the last step, of a tensor (batch, channels, time)."""
    states = part(x.transpose(1, 2))[1]
    states = states[0] if isinstance(states, tuple) else states
    return torch.cat([states[-1], states[0]], 1)


FUNCTIONS: dict[str, tuple[Any, tuple[int, ...], tuple[Any, ...]]] = {
    "fold with a step of 1": (_fold((3, 3), (1, 1), (1, 1)), (18, 63), ()),
    "fold with a step of 2": (_fold((3, 2), (2, 1), (0, 1)), (12, 32), ()),
    "fold with a rest": (_fold((3, 2), (3, 2), (1, 0)), (12, 9), ()),
    "largest": (lambda x: x.max(1)[0] + x.min(2)[0].mean(), (3, 4, 4), ()),
    "variance": (lambda x: x * torch.rsqrt(x.var(1, keepdim=True) + 1e-3), (3, 4, 5), ()),
    "deviation": (lambda x: x - x.std((2, 3), correction=0, keepdim=True), (3, 4, 5), ()),
    "rows": (_rows, (4, 5, 6), (torch.nn.LSTM(4, 3, bidirectional=True, batch_first=True),)),
    "rows with the batch second": (_rows, (4, 5, 6), (torch.nn.GRU(4, 3, num_layers=2),)),
    "last states of ways": (_last_states, (6, 7), (torch.nn.GRU(6, 5, bidirectional=True, batch_first=True),)),
    "last states of layers": (_last_states, (6, 7), (torch.nn.LSTM(6, 5, num_layers=2, batch_first=True),)),
    "last states of both": (
        _last_states,
        (6, 7),
        (torch.nn.RNN(6, 5, num_layers=2, bidirectional=True, batch_first=True),),
    ),
    "bias with zeros": (_masked, (5, 4), (torch.nn.Linear(4, 6),)),
    "group norm without a bias": (
        lambda x, part: torch.nn.functional.group_norm(x, 2, part.weight),
        (4, 3, 5),
        (torch.nn.LayerNorm(4, bias=False),),
    ),
    "bounds": (_clamped, (4, 5), (_bounds(),)),
    "one hot": (_one_hot, (800, 2), (torch.nn.Embedding(6000, 2),)),
    "heads": (_heads, (4, 4, 5, 3), (torch.nn.Conv3d(2, 2, 3, padding=1, groups=2),)),
    "positions along two axes": (_copied, (20, 6), (torch.nn.Embedding(4, 6), torch.nn.Embedding(5, 6))),
}


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_functions_of_pytorch(name: str) -> None:
    function, shape, parts = FUNCTIONS[name]
    torch.manual_seed(0)
    module, x = _Called(function, *parts).eval(), torch.randn(1, *shape)
    foreign = torch_export.from_module(module, x)
    assert "opaque" not in {node.op for node in foreign.nodes}
    graph = to_network(foreign)
    totals = analyse(graph).totals
    assert totals.params == sum(parameter.numel() for parameter in module.parameters())
    assert totals.multiplications == counted_by_torch(module, shape)
    (made,) = execute(graph, x.numpy(), Given(graph.arrays)).outputs.values()
    wanted = module(x).detach().numpy()
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() <= 1e-5 * np.abs(wanted).max()


class _Recurrent(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch is not there for mypy
    """A recurrent layer that begins with zeros, with ones, or with what is given."""

    def __init__(self, kind: str, state: str) -> None:
        super().__init__()
        self.cell, self.state = getattr(torch.nn, kind)(3, 4, batch_first=True), state

    def forward(self, x: Any, given: Any = None) -> Any:
        makes = {"zeros": torch.zeros, "ones": torch.ones}
        first = given if self.state == "given" else makes[self.state](1, 1, 4)
        return self.cell(x, (first, first) if isinstance(self.cell, torch.nn.LSTM) else first)[0]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("state", ["zeros", "ones", "given"])
def test_an_initial_state_is_not_dropped(kind: str, state: str) -> None:
    """Layers of archcalc begin with zeros; what begins with anything else is no such layer, but has its parameters."""
    example = (torch.zeros(1, 5, 3), torch.zeros(1, 1, 4))[: 1 + (state == "given")]
    foreign = torch_export.from_module(_Recurrent(kind, state), example)
    layer = next(node for node in foreign.nodes if node.name == "cell")
    name = kind.lower()
    assert (layer.op, layer.fields.get("of")) == (
        (name, None) if state == "zeros" else ("opaque", f"{name} with initial states")
    )
    totals = analyse(to_network(foreign)).totals
    assert totals.params == sum(parameter.numel() for parameter in _Recurrent(kind, state).parameters())


class _Windows(torch.nn.Module):  # type: ignore[name-defined, misc]  # torch is not there for mypy
    """What is computed of stored tensors: standardised weights, biases by index; norms; windows in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.gain = torch.nn.Parameter(torch.randn(8, 3, 3, 3)), torch.nn.Parameter(torch.rand(8, 1, 1, 1))
        self.bias, self.table = torch.nn.Parameter(torch.randn(8)), torch.nn.Parameter(torch.randn(5, 2))
        self.register_buffer("index", torch.tensor([[0, 1, 4], [3, 3, 2]]))
        self.conv, self.norm = torch.nn.Conv2d(8, 8, 3, padding=1), torch.nn.BatchNorm2d(8)

    def forward(self, x: Any) -> Any:
        functional = torch.nn.functional
        weight = functional.batch_norm(
            self.weight.reshape(1, 8, -1), None, None, weight=(self.gain * 0.5).view(-1), training=True, momentum=0.0
        )
        x = functional.conv2d(x, weight.reshape_as(self.weight), self.bias, padding=1)
        windows = x.reshape(1, 8, 2, 3, 2, 3).permute(0, 2, 4, 1, 3, 5).reshape(4, 8, 3, 3)
        windows = functional.avg_pool2d(self.norm(self.conv(windows)), 2, 1)
        x = windows.reshape(1, 2, 2, 8, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(1, 8, 4, 4)
        x = functional.normalize(x, dim=1) + torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True)
        x = functional.pad(x, (0, 0, 0, 1), value=1.5).clamp(min=-0.3).unfold(2, 3, 1)
        bias = self.table[self.index].permute(2, 0, 1)
        return x.sum(1)[:, :2, :3] + bias.sum(0)[:, :, None] * torch.ones(3)


def test_what_is_computed_of_stored_tensors_gives_the_outputs_of_pytorch() -> None:
    torch.manual_seed(0)
    module = _Windows().eval()
    module.norm.running_mean.normal_()
    x = torch.randn(1, 3, 6, 6)
    foreign = torch_export.from_module(module, x)
    assert "opaque" not in {node.op for node in foreign.nodes}
    assert analyse(to_network(foreign)).totals.params == sum(parameter.numel() for parameter in module.parameters())
