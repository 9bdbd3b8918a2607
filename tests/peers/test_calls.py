"""What tools count of networks that come of code: of modules, functions, methods, and attention in parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import pytest

import archcalc as ac
from archcalc.design.conventions import TOOLS, count
from archcalc.graph.layer_graph import Call
from archcalc.passes.analysis import analyse
from tests.peers.test_conventions import RUN, needs

torch = pytest.importorskip("torch", reason="the tools count its modules: pip install 'archcalc[peers]'")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]  # the tools use what is deprecated

SEEN = ("torchinfo", "fvcore", "ptflops", "thop", "flop-counter")
nn, functional = torch.nn, torch.nn.functional


class Functions(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """Functions in place of modules, with an array of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.end = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Linear(16, 10)
        self.weight, self.last = nn.Parameter(torch.zeros(16, 8, 3, 3)), nn.Parameter(torch.zeros(10, 5))

    def forward(self, x: Any) -> Any:
        x = functional.max_pool2d(functional.relu(self.norm(self.conv(x))), 2)
        x = torch.relu(functional.conv2d(x, self.weight, padding=1))
        x = functional.gelu(functional.avg_pool2d(x, 2)).mean((2, 3))
        return functional.softmax(torch.matmul(self.end(x), self.last), 1)


class Last(nn.LayerNorm):  # type: ignore[misc, name-defined]  # torch need not be installed
    """A class made of one of PyTorch, which tools that know classes do not see."""

    def forward(self, x: Any) -> Any:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Classes(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """Classes made of those of PyTorch, and sums as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.up = nn.Conv2d(3, 8, 4, stride=4), Last(8), nn.Upsample(16)
        self.back, self.groups, self.act = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.GroupNorm(2, 4), nn.PReLU(4)
        self.same = nn.AdaptiveAvgPool2d(32)

    def forward(self, x: Any) -> Any:
        x = self.same(self.act(self.groups(self.back(self.up(self.norm(self.conv(x)))))))
        x = torch.mul(torch.add(x, functional.silu(x)), x) + x
        return functional.adaptive_avg_pool2d(x, 1).flatten(1)


class Heads(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """Attention of dense layers; `way` says how its products are made."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.q, self.k, self.v, self.out = (nn.Linear(32, 32) for _ in range(4))

    def forward(self, x: Any) -> Any:
        q, k, v = (part(x).unflatten(2, (4, 8)).transpose(1, 2) for part in (self.q, self.k, self.v))
        if self.way == "one":
            made = functional.scaled_dot_product_attention(q, k, v)
        elif self.way == "einsum":
            scores = functional.softmax(torch.einsum("bhid,bhjd->bhij", q, k) * 8**-0.5, -1)
            made = torch.einsum("bhij,bhjd->bhid", scores, v)
        else:
            made = torch.matmul(torch.softmax(torch.matmul(q, k.transpose(-1, -2)) * 8**-0.5, -1), v)
        return self.out(made.transpose(1, 2).flatten(2))


class Rows(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """A row of tokens through something that keeps it."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.into, self.inner, self.norm, self.end = nn.Linear(16, 32), inner, nn.LayerNorm(32), nn.Linear(32, 2)

    def forward(self, x: Any) -> Any:
        x = self.into(x.transpose(1, 2))
        return self.end(self.norm(x + self.inner(x)).mean(1))


class Attention(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """PyTorch's module of attention; `queries` of them attend to all of a row."""

    def __init__(self, queries: int | None = None, settings: Any = None, **called: Any) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(32, 4, batch_first=True, **(settings or {}))
        self.queries, self.called = queries, called

    def forward(self, x: Any) -> Any:
        return self.inner(x[:, : self.queries], x, x, **self.called)[0]


class Patches(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """Attention between the places of a map, with positions."""

    def __init__(self, **called: Any) -> None:
        super().__init__()
        self.into, self.norm, self.end = nn.Conv2d(3, 32, 8, stride=8), nn.LayerNorm(32), nn.Linear(32, 5)
        self.positions, self.inner = nn.Parameter(torch.zeros(1, 16, 32)), Attention(**called)

    def forward(self, x: Any) -> Any:
        x = self.into(x).flatten(2).transpose(1, 2) + self.positions
        return self.end((x + self.inner(self.norm(x))).mean(1))


class Cell(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """A cell for each step, which is dense layers in the program."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.end = nn.GRUCell(16, 8), nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        state = torch.zeros(x.shape[0], 8)
        for step in range(3):
            state = self.cell(x[:, :, step], state)
        return self.end(state)


class Shared(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """Modules that are called twice, alone and as a part of a block."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.dense, self.end = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 8), nn.PReLU()
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8))

    def forward(self, x: Any) -> Any:
        x = self.block(self.norm(self.block(self.norm(self.first(x))))).mean((2, 3))
        return self.end(self.dense(self.dense(x)))


class LastState(nn.Module):  # type: ignore[misc, name-defined]  # torch need not be installed
    """A recurrent layer of which the last state is read."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.layer, self.end = nn.RNN(10, 5, batch_first=True, **settings), nn.Linear(5, 2)

    def forward(self, x: Any) -> Any:
        return self.end(self.layer(x)[1][-1])


def encoder() -> Any:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu")
    return Rows(nn.TransformerEncoder(layer, 2))


def padded_by_words() -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding="same"), nn.ReLU(), nn.Conv2d(8, 4, 1, padding="valid"), nn.Conv2d(4, 4, 3)
    )


def of_torchvision(name: str) -> Callable[[], Any]:
    def make() -> Any:
        models = pytest.importorskip("torchvision", reason="its networks are counted: pip install torchvision").models
        return getattr(models, name)()

    return make


#: Each with the size of its input, and the tools that count of it what cannot be known.
NETWORKS: dict[str, tuple[Callable[[], Any], tuple[int, ...], set[str]]] = {
    "functions": (Functions, (3, 32, 32), set()),
    "classes": (Classes, (3, 32, 32), set()),
    "attention as one": (lambda: Rows(Heads("one")), (16, 10), set()),
    "attention with einsum": (lambda: Rows(Heads("einsum")), (16, 10), set()),
    "attention with matmul": (lambda: Rows(Heads("matmul")), (16, 10), set()),
    "shared": (Shared, (3, 8, 8), set()),
    "last state": (LastState, (16, 10), set()),
    "last state of two": (partial(LastState, num_layers=2, nonlinearity="relu"), (16, 10), set()),
    "encoder": (encoder, (16, 10), set()),
    "padding in words": (padded_by_words, (3, 9, 9), set()),
    "attention of a map": (partial(Patches, need_weights=False), (3, 32, 32), set()),
    "attention of a map with weights": (Patches, (3, 32, 32), set()),
    "attention of one query": (lambda: Rows(Attention(1, need_weights=False)), (16, 10), {"ptflops"}),
    "attention of one query with weights": (lambda: Rows(Attention(1)), (16, 10), {"ptflops"}),
    "attention with zeros": (
        lambda: Rows(Attention(settings={"add_zero_attn": True}, need_weights=False)), (16, 10), {"ptflops"},
    ),
    "attention with a mask": (
        lambda: Rows(Attention(attn_mask=torch.ones(10, 10), need_weights=False)), (16, 10),
        {"ptflops", "fvcore", "flop-counter"},
    ),
    "cell": (Cell, (16, 10), {"torchinfo", "ptflops", "thop"}),
    **{
        name: (of_torchvision(name), (3, 224, 224), set())
        for name in ("alexnet", "densenet121", "mobilenet_v2", "mnasnet1_0", "shufflenet_v2_x1_0", "convnext_tiny",
                     "swin_t", "maxvit_t")
    },
}  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("tool", SEEN)
def test_totals_of_code_are_those_of_the_tool(tool: str, network: str) -> None:
    needs(tool)
    make, size, unknown = NETWORKS[network]
    analysis = analyse(ac.from_torch(make().eval(), size))
    macs, params = RUN[tool](make().eval(), [torch.zeros(1, *size)])
    expected, known = (count(analysis, TOOLS[tool], quantity) for quantity in ("multiplications", "params"))
    assert expected is not None
    assert known is not None
    assert bool(expected.not_counted) == (tool in unknown)
    if expected.not_counted:
        assert macs >= expected.total
    else:
        assert macs == expected.total
    assert params is None or params == known.total or (known.not_counted and params > known.total)


def test_how_code_calls_a_layer_is_kept() -> None:
    graph = ac.from_torch(Functions().eval(), (3, 32, 32))
    called = {layer.name: (layer.call.function, layer.call.way, layer.call.by_module)
              for layer in graph.layers if isinstance(layer.call, Call)}  # fmt: skip
    assert called["conv"] == ("conv2d", "builtin", True)
    assert called["relu"] == ("relu", "function", False)
    assert called["relu_2"] == ("relu", "builtin", False)
    assert {layer.call.function for layer in graph.layers if layer.call and "pool" in layer.op.kind} == {
        "max_pool2d", "avg_pool2d", "mean",
    }  # fmt: skip


def test_attention_of_timm_counts_its_module_alone() -> None:
    needs("ptflops")
    model = pytest.importorskip("timm", reason="its attention is compared: pip install timm").create_model(
        "vit_tiny_patch16_224"
    )
    analysis = analyse(ac.from_torch(model.eval(), (3, 224, 224)))
    assert import_module("ptflops")
    assert (RUN["ptflops"](model, [torch.zeros(1, 3, 224, 224)])[0], {}) == count(
        analysis, TOOLS["ptflops"], "multiplications"
    )
