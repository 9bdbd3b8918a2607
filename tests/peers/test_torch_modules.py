"""Modules as users write them: parameters, buffers and multiplications are PyTorch's, and so are the outputs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.execute.runner.execute import execute
from archcalc.interop import torch_export
from archcalc.interop.foreign import to_network
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse

torch = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")

from tests.interop.programs import of_counts  # noqa: E402  # as above
from tests.peers.imported import Given, counted_by_torch, noted  # noqa: E402  # it needs PyTorch

pytestmark = pytest.mark.peers

nn, F = torch.nn, torch.nn.functional


class _Module(nn.Module):  # type: ignore[misc, name-defined]  # torch is not there for mypy
    """A function of an input and of parts: modules, parameters, and tensors, which become buffers."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: Any) -> Any:
        return self.function(self, x)


def _p(*shape: int) -> Any:
    return nn.Parameter(torch.randn(*shape))


def _heads(x: Any, *layers: Any, heads: int = 4) -> list[Any]:
    return [layer(x).unflatten(-1, (heads, -1)).transpose(1, 2) for layer in layers]


def _own_attention(self: Any, x: Any) -> Any:
    q, k, v = _heads(x, self.q, self.k, self.v)
    hidden = ~torch.tril(torch.ones(x.shape[1], x.shape[1])).bool()
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(hidden, float("-inf"))
    return self.o((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


def _resized_positions(self: Any, x: Any) -> Any:
    grid = self.p[:, 1:].reshape(1, 4, 5, 6).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (4, 5), mode="bicubic", antialias=True).permute(0, 2, 3, 1).reshape(1, 20, 6)
    return x + torch.cat([self.p[:, :1], grid], 1)


def _banded_attention(self: Any, x: Any) -> Any:
    q, k, v = _heads(x, self.q, self.k, self.v)
    near = torch.ones(x.shape[1], x.shape[1]).tril(1).triu(-1).bool()
    return self.o(F.scaled_dot_product_attention(q, k, v, attn_mask=near).transpose(1, 2).flatten(2))


def _einsum_attention(self: Any, x: Any) -> Any:
    q, k, v = self.qkv(x).reshape(1, 7, 3, 4, 8).unbind(2)
    scores = torch.einsum("bthd,bshd->bhts", q, k) * 0.2
    return torch.einsum("bhts,bshd,hdc->btc", scores.softmax(-1), v, self.o)


def _linear_attention(self: Any, x: Any) -> Any:
    q, k, v = ((F.elu(y) + 1 if y is not x else y).unflatten(-1, (4, 8)) for y in (self.q(x), self.k(x), x))
    state = torch.einsum("bthd,bthe->bhde", k, v)
    share = 1 / (torch.einsum("...thd,...hd->...th", q, k.sum(1)) + 1e-6)
    return torch.einsum("bthd,bhde,bth->bthe", q, state, share).flatten(2)


def _turned(self: Any, x: Any) -> Any:
    """Rotary positions (Su et al. 2021)."""

    def turn(y: Any) -> Any:
        a, b = y[..., ::2], y[..., 1::2]
        return torch.stack([a * self.cos - b * self.sin, a * self.sin + b * self.cos], -1).flatten(-2)

    q, k, v = _heads(x, self.q, self.k, self.v)
    return self.o(F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True).transpose(1, 2).flatten(2))


def _shared_heads(self: Any, x: Any) -> Any:
    """Four heads of queries, two of keys and values (Ainslie et al. 2023)."""
    (q,), (k, v) = _heads(x, self.q), (y.transpose(1, 2) for y in self.kv(x).unflatten(-1, (2, 2, 8)).unbind(2))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2).flatten(2)


def _copied_heads(self: Any, x: Any) -> Any:
    (q,), (k, v) = _heads(x, self.q), (y.transpose(1, 2) for y in self.kv(x).unflatten(-1, (2, 2, 8)).unbind(2))
    k, v = k.repeat_interleave(2, 1), v[:, :, None].expand(-1, -1, 2, -1, -1).flatten(1, 2)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)


def _relative(self: Any, x: Any) -> Any:
    (q,), places = _heads(x, self.q), torch.arange(x.shape[1])
    bias = self.table(places[None] - places[:, None] + 6).permute(2, 0, 1)
    return ((q @ q.mT / 2 + bias).softmax(-1) @ q).transpose(1, 2).flatten(2)


def _cells(self: Any, x: Any) -> Any:
    h, c, g = x.new_zeros(1, 5), x.new_zeros(1, 5), x.new_zeros(1, 4)
    for step in x.unbind(1):
        h, c = self.lstm(step, (h, c))
        g = self.rnn(self.gru(h, g))
    return g


def _chunks(self: Any, x: Any) -> Any:
    a, b = x.chunk(2, 1)
    y = self.p(torch.cat([self.a(a), self.b(b) + a], 1))[:, ::2]
    z = F.pad(y[:, :, 1:-1, 1:-1], (1, 1, 1, 1))[:, [0, 2, 4, 6]]
    return torch.cat([y[:, :4] * torch.sigmoid(y[:, 4:]), z], 1).mean(dim=[-1, -2])


def _unread(self: Any, x: Any) -> Any:
    """As WaveNet is often written: what the last block passes on is read by nothing."""
    total = 0
    for name in "ab":
        made = torch.tanh(getattr(self, name)(x))
        total = total + getattr(self, f"{name}_skip")(made)
        x = x + getattr(self, f"{name}_on")(made)
    return total


def _functional(self: Any, x: Any) -> Any:
    found = []
    for conv, gain in zip(self.convs, self.gains, strict=True):
        x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), conv.weight) * gain.view(1, -1, 1, 1)
        x = F.gelu(F.instance_norm(x))
        found.append(F.adaptive_avg_pool2d(x, 1).flatten(1))
    return torch.cat(found, 1)


def _qkvo(width: int = 32) -> dict[str, Any]:
    return {name: nn.Linear(width, width) for name in "qkvo"}


def _norm(kind: str, part: Any) -> Any:
    return getattr(nn.utils.parametrizations, f"{kind}_norm")(part)


MODULES: dict[str, tuple[Callable[..., Any], tuple[int, ...], Callable[[], dict[str, Any]]]] = {
    "own attention": (_own_attention, (7, 32), _qkvo),
    "positions that are resized to their own size": (_resized_positions, (21, 6), lambda: {"p": _p(1, 21, 6)}),
    "banded attention": (_banded_attention, (7, 32), _qkvo),
    "attention by einsum": (
        _einsum_attention, (7, 32), lambda: {"qkv": nn.Linear(32, 96, bias=False), "o": _p(4, 8, 32)},
    ),
    "linear attention": (_linear_attention, (7, 32), lambda: {name: nn.Linear(32, 32) for name in "qk"}),
    "rotary positions": (
        _turned, (7, 32), lambda: {**_qkvo(), "cos": torch.rand(7, 4), "sin": torch.rand(7, 4)},
    ),
    "heads that share keys": (
        _shared_heads, (7, 32), lambda: {"q": nn.Linear(32, 32), "kv": nn.Linear(32, 32)},
    ),
    "heads that copy keys": (_copied_heads, (7, 32), lambda: {"q": nn.Linear(32, 32), "kv": nn.Linear(32, 32)}),
    "relative positions": (_relative, (7, 32), lambda: {"q": nn.Linear(32, 32), "table": nn.Embedding(13, 4)}),
    "log sigmoid": (lambda self, x: F.logsigmoid(self.w(x)), (4, 5, 5), lambda: {"w": nn.Conv2d(4, 6, 1)}),
    "soft shrink": (lambda self, x: F.softshrink(self.w(x), 0.2), (4, 5, 5), lambda: {"w": nn.Conv2d(4, 6, 1)}),
    "random slopes": (lambda self, x: self.r(self.w(x)), (4, 5, 5), lambda: {"w": nn.Conv2d(4, 6, 1), "r": nn.RReLU()}),
    "dilated windows": (
        lambda self, x: F.unfold(self.w(x), (2, 3), dilation=(2, 1), padding=1, stride=2),
        (4, 7, 6), lambda: {"w": nn.Conv2d(4, 3, 1)}),
    "stacks": (lambda self, x: torch.hstack([self.w(x), x]), (4, 5, 5), lambda: {"w": nn.Conv2d(4, 6, 1)}),
    "cells": (
        _cells, (6, 8), lambda: {"lstm": nn.LSTMCell(8, 5), "gru": nn.GRUCell(5, 4), "rnn": nn.RNNCell(4, 4)},
    ),
    "chunks": (
        _chunks, (8, 12, 12),
        lambda: {"a": nn.Conv2d(4, 4, 3, padding=1), "b": nn.Conv2d(4, 4, 1), "p": nn.Conv2d(8, 16, 1)},
    ),
    "functional calls": (
        _functional, (3, 16, 16),
        lambda: {"convs": nn.ModuleList([nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(8, 8, 3, bias=False)]),
                 "gains": nn.ParameterList([_p(8), _p(8)])},
    ),
    "every other pixel": (
        lambda self, x: F.silu(self.conv(torch.cat([x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)], 1))),
        (3, 16, 16), lambda: {"conv": nn.Conv2d(12, 8, 3, padding=1)},
    ),
    "experts": (
        lambda self, x: torch.einsum(
            "be,beo->bo", self.gate(x).softmax(-1), torch.stack([each(x) for each in self.experts], 1)
        ),
        (12,), lambda: {"gate": nn.Linear(12, 3), "experts": nn.ModuleList([nn.Linear(12, 5) for _ in range(3)])},
    ),
    "weights of two matrices": (
        lambda self, x: F.linear(x, self.w.weight + self.b @ self.a, self.w.bias),
        (10, 16), lambda: {"w": nn.Linear(16, 12), "a": _p(4, 16), "b": _p(12, 4)},
    ),
    "weights of the input": (lambda self, x: F.linear(x, self.w(x)[0]), (10, 16), lambda: {"w": nn.Linear(16, 16)}),
    "weights there and back": (
        lambda self, x: F.linear(F.relu(self.w(x)), self.w.weight.t()), (20,), lambda: {"w": nn.Linear(20, 6)},
    ),
    "sinusoids of both axes": (
        lambda self, x: self.w(torch.cat([x, *(y.expand(1, 1, 6, 8) for y in torch.meshgrid(
            torch.linspace(-1, 1, 6), torch.linspace(-1, 1, 8), indexing="ij"))], 1)),
        (3, 6, 8), lambda: {"w": nn.Conv2d(5, 4, 1)},
    ),
    "weight norm": (
        lambda self, x: self.b(self.a(x).transpose(1, 2)),
        (4, 10), lambda: {"a": _norm("weight", nn.Conv1d(4, 8, 3)), "b": _norm("weight", nn.Linear(8, 5))},
    ),
    "spectral norm": (
        lambda self, x: self.b(self.a(x).mean((2, 3))),
        (4, 9, 9), lambda: {"a": _norm("spectral", nn.Conv2d(4, 8, 3)), "b": _norm("spectral", nn.Linear(8, 5))},
    ),
    "packed projections of two maps": (
        lambda self, x: self.a(x, self.w(x)[:, :5], self.w(x)[:, :5])[0],
        (7, 32), lambda: {"a": nn.MultiheadAttention(32, 4, batch_first=True), "w": nn.Linear(32, 32)},
    ),
    "projections of other widths": (
        lambda self, x: self.a(x, x[:, :, :8], x[:, :, 4:])[0],
        (7, 16), lambda: {"a": nn.MultiheadAttention(16, 2, kdim=8, vdim=12, batch_first=True)},
    ),
    "similarity": (
        lambda self, x: F.cosine_similarity(self.w(x), x, dim=-1), (5, 6), lambda: {"w": nn.Linear(6, 6)},
    ),
    "sizes": (lambda self, x: self.w(x).abs() + torch.where(self.m, x, 0.5), (5, 6),
              lambda: {"w": nn.Linear(6, 6), "m": torch.rand(5, 6) > 0.5}),
    "the larger": (
        lambda self, x: torch.max(*self.w(x).chunk(2, 1)) - torch.minimum(x, self.b),
        (4, 6, 6), lambda: {"w": nn.Conv2d(4, 8, 1), "b": _p(4, 1, 1)},
    ),
    "what nothing reads": (
        _unread, (4, 10),
        lambda: {f"{name}{part}": nn.Conv1d(4, 4, 1) for name in "ab" for part in ("", "_skip", "_on")},
    ),
    "a bias after a matrix that is spread": (
        lambda self, x: torch.bmm(x, self.w.expand(len(x), -1, -1)) + self.b, (5, 6),
        lambda: {"w": _p(1, 6, 4), "b": _p(4)},
    ),
    "decoder": (
        lambda self, x: self.d(x, self.w(x)[:, :4]),
        (7, 32),
        lambda: {"d": nn.TransformerDecoder(nn.TransformerDecoderLayer(32, 4, 64, batch_first=True), 2),
                 "w": nn.Linear(32, 32)},
    ),
}  # fmt: skip


def _tied(kind: str) -> tuple[Any, Any]:
    """Two layers of which one has the weight of the other, and biases of their own; and an input."""
    if kind == "tokens":
        first, second, x = nn.Embedding(9, 4), nn.Linear(4, 9), torch.tensor([[3, 0, 8]])
    elif kind == "dense":
        first, second, x = nn.Linear(4, 4), nn.Linear(4, 4), torch.randn(1, 5, 4)
    else:
        first, second, x = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=2), torch.randn(1, 4, 7, 7)
    second.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), second).eval(), x


@pytest.mark.parametrize("kind", ["tokens", "dense", "convolution"])
@pytest.mark.parametrize("way", ["module", "pt2", "onnx"])
def test_tied_weights_count_once(kind: str, way: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, x = _tied(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own exporters
        if way == "module":
            graph = ac.from_torch(module, x)
        elif way == "pt2":
            torch.export.save(torch.export.export(module, (x,)), tmp_path / "m.pt2")
            graph = ac.load(tmp_path / "m.pt2")
        else:
            pytest.importorskip("onnxscript", reason="it writes the files: pip install onnxscript")
            torch.onnx.export(module, (x,), dynamo=True, verbose=False).save(tmp_path / "m.onnx")
            graph = ac.load(tmp_path / "m.onnx")
    assert of_counts(graph.notes) == ()
    # An exporter to ONNX stores the table of tokens a second time, transposed.
    again = module[0].weight.numel() if (kind, way) == ("tokens", "onnx") else 0
    totals = graph.analyse().totals
    assert totals.params == sum(parameter.numel() for parameter in module.parameters()) + again
    (found,) = execute(graph, x.float().numpy(), Given(graph.arrays)).outputs.values()
    wanted = module(x).detach().numpy()
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("name", list(MODULES))
def test_modules_of_users(name: str) -> None:
    function, shape, parts = MODULES[name]
    torch.manual_seed(0)
    module, x = _Module(function, **parts()).eval(), torch.randn(1, *shape)
    foreign = recognise(torch_export.trace(module, x))
    assert "opaque" not in {node.op for node in foreign.nodes}
    graph = to_network(foreign)
    totals = analyse(graph).totals
    assert totals.params == sum(parameter.numel() for parameter in module.parameters())
    stored = sum(buffer.numel() for buffer in module.buffers() if buffer.is_floating_point())
    assert totals.buffers - noted(foreign, "computes and does not store") == stored
    assert totals.multiplications + noted(foreign, "of stored tensors alone") == counted_by_torch(module, shape)
    (made,) = execute(graph, x.numpy(), Given(graph.arrays)).outputs.values()
    wanted = module(x).detach().numpy()
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda self, x: F.conv2d(x, self.w * self.g.sigmoid(), padding=1), (3, 6, 6)),
        (lambda self, x: F.conv_transpose2d(x, (self.w * self.g.sigmoid()).transpose(0, 1)), (3, 6, 6)),
        (lambda self, x: torch.roll(F.conv2d(x, self.w), 2), (3, 6, 6)),
    ],
)
def test_multiplications_of_what_stays_opaque(function: Callable[..., Any], shape: tuple[int, ...]) -> None:
    """Weights that are computed, and a shift of all values as one row: no op of archcalc, but the same products."""
    module = _Module(function, w=_p(4, 3, 3, 3), g=_p(4, 1, 1, 1)).eval()
    foreign = recognise(torch_export.trace(module, torch.randn(1, *shape)))
    totals = analyse(to_network(foreign)).totals
    assert "opaque" in {node.op for node in foreign.nodes}
    assert (dict(totals.not_counted), totals.multiplications) == ({}, counted_by_torch(module, shape))


class _Bilinear(nn.Module):  # type: ignore[misc, name-defined]  # torch is not there for mypy
    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Bilinear(6, 7, 8)

    def forward(self, x: Any, y: Any) -> Any:
        return self.b(x, y)


def test_a_bilinear_layer() -> None:
    """8 matrices of 6×7: x times all of them takes 8·7·6 multiplications, and the rows times y 8·7."""
    torch.manual_seed(0)
    module, given = _Bilinear(), (torch.randn(1, 6), torch.randn(1, 7))
    graph = to_network(torch_export.from_module(module, given))
    totals = analyse(graph).totals
    assert (totals.params, totals.multiplications) == (8 * 6 * 7 + 8, 8 * 6 * 7 + 8 * 7)
    inputs = {name: x.numpy() for name, x in zip(("x", "y"), given, strict=True)}
    (made,) = execute(graph, inputs, Given(graph.arrays)).outputs.values()
    np.testing.assert_allclose(made.reshape(-1), module(*given).detach().numpy().reshape(-1), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_modules_of_another_precision(dtype: str) -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(288, 5))
    totals = analyse(to_network(torch_export.from_module(module.to(getattr(torch, dtype)), (3, 8, 8)))).totals
    assert (totals.params, totals.multiplications) == (224 + 16 + 1445, 36 * 8 * 27 + 1440)


def test_weights_that_are_standardised() -> None:
    """They count as the one array that is stored; 100 places of 4 filters of 27 values."""

    def standardised(self: Any, x: Any) -> Any:
        mean, deviation = self.w.mean((1, 2, 3), keepdim=True), self.w.std((1, 2, 3), keepdim=True)
        return F.conv2d(x, (self.w - mean) / (deviation + 1e-5), self.b, 1, 1)

    module = _Module(standardised, w=_p(4, 3, 3, 3), b=_p(4))
    totals = analyse(to_network(torch_export.from_module(module, (3, 10, 10)))).totals
    assert (totals.params, totals.multiplications) == (108 + 4, 100 * 4 * 27)


def test_numbers_of_words_are_whole() -> None:
    module = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    totals = analyse(to_network(torch_export.from_module(module, (5,)))).totals
    assert (totals.params, totals.multiplications) == (40 + 10, 5 * 4 * 2)


def _rows(self: Any, x: Any) -> Any:
    return F.embedding(x.abs().long() % 10, self.w)


def _tokens(self: Any, x: Any) -> Any:
    return F.embedding(x.to(torch.int32), self.w)


def _cut(self: Any, x: Any) -> Any:
    return F.linear(x.int().float(), self.w)


def _precise(self: Any, x: Any) -> Any:
    return F.linear(x.half().to(torch.float64).float(), self.w)


@pytest.mark.parametrize(("function", "cuts"), [(_rows, True), (_cut, True), (_tokens, False), (_precise, False)])
def test_a_cast_that_cuts_decimals_is_no_identity(function: Callable[..., Any], cuts: bool) -> None:
    foreign = torch_export.from_module(_Module(function, w=_p(10, 6)).eval(), (6,))
    assert [node.fields["of"] for node in foreign.nodes if node.op == "opaque"] == ["cast"] * cuts


def test_blocks_of_an_encoder_are_one_block_twice() -> None:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    foreign = torch_export.from_module(nn.TransformerEncoder(layer, 2), (7, 32))
    names = [node.name for node in foreign.nodes]
    assert names[0] == "transpose"
    blocks = [[name.removeprefix(f"layers/{index}/") for name in names if f"/{index}/" in name] for index in (0, 1)]
    assert blocks[0] == blocks[1] == [
        "self_attn", "dropout1", "add", "norm1", "linear1", "relu", "dropout", "linear2", "dropout2", "add_2", "norm2",
    ]  # fmt: skip


def test_an_input_that_is_called_as_a_module_is() -> None:
    module = _Module(lambda self, x: self.x(x), x=nn.Linear(3, 4))
    assert [node.name for node in torch_export.from_module(module, (3,)).nodes] == ["x_2"]


def _rms(x: Any) -> Any:
    return torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-3)


def _deviation(x: Any, correction: int = 0) -> Any:
    return torch.sqrt(x.var(-1, keepdim=True, correction=correction) + 1e-3)


#: Normalisation as people write it, and whether it is one layer.
NORMS: dict[str, tuple[Callable[..., Any], str]] = {
    "rms": (lambda self, x: x * _rms(x) * self.g, "rms_norm"),
    "rms, scale first": (lambda self, x: self.g * x * _rms(x), "rms_norm"),
    "rms of another precision": (lambda self, x: self.g * (x.double() * _rms(x.double())).type_as(x), "rms_norm"),
    "rms, root of the mean": (lambda self, x: x / (x * x).mean(-1, True).add(1e-3).sqrt() * self.g, "rms_norm"),
    "layer": (lambda self, x: self.g * (x - x.mean(-1, True)) / _deviation(x) + self.b, "layer_norm"),
    "layer, of a sample": (lambda self, x: self.g * (x - x.mean(-1, True)) / _deviation(x, 1) + self.b, ""),
    "rms, of other values": (lambda self, x: x * _rms(x + 1) * self.g, ""),
    "rms, ε outside": (lambda self, x: x / (x.pow(2).mean(-1, True).sqrt() + 1e-3) * self.g, ""),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms_that_are_written_out(name: str) -> None:
    function, kind = NORMS[name]
    torch.manual_seed(0)
    module, x = _Module(function, g=_p(6), b=_p(6)), torch.randn(1, 5, 6)
    graph = to_network(torch_export.from_module(module, x))
    kinds = [layer.op.kind for layer in graph if layer.op.kind not in ("input", "transpose")]
    assert kinds == [kind] if kind else not {"rms_norm", "layer_norm"} & {*kinds}
    (made,) = execute(graph, x.numpy(), Given(graph.arrays)).outputs.values()
    assert np.abs(made - module(x).detach().numpy()).max() <= 1e-5


@pytest.mark.parametrize(
    ("give", "names"),
    [
        (lambda a, b: {"mask": a, "more": b}, ["mask", "more"]),
        (lambda a, b: (a, {"more": b}), ["output_0", "more"]),
        (lambda a, b: {"all": {"mask": a, "more": b}}, ["all_mask", "all_more"]),
        (lambda a, b: [{"x": a}, {"x": b}], ["0_x", "1_x"]),
        (lambda a, b: [a, b], ["output_0", "output_1"]),
        (lambda a, b: [a + b], ["output"]),
    ],
)
def test_outputs_have_their_keys(give: Callable[..., Any], names: list[str]) -> None:
    module = _Module(lambda self, x: give(self.w(x), x.sigmoid()), w=nn.Conv2d(4, 4, 1))
    assert list(torch_export.from_module(module, (4, 5, 5)).outputs) == names
