"""Masks of attention: scores that are hidden, whole rows of them too, and windows of a map that was rolled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.execute.model_weights import own_weights
from archcalc.execute.runner.execute import execute

torch = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")

pytestmark = pytest.mark.peers
nn, F = torch.nn, torch.nn.functional


def _masks() -> dict[str, Any]:
    triangle = torch.ones(5, 5).tril().bool()
    hole, some = triangle.clone(), torch.rand(5, 5, generator=torch.Generator().manual_seed(0)) > 0.4
    hole[2], some[:, 0] = False, True
    return {"triangle": triangle, "a row of nothing": hole, "some": some}


class _Masked(nn.Module):  # type: ignore[misc, name-defined]  # torch is not there for mypy
    def __init__(self, way: str, mask: Any) -> None:
        super().__init__()
        self.qkv, self.o, self.way = nn.Linear(8, 24), nn.Linear(8, 8), way
        self.register_buffer("mask", mask)

    def forward(self, x: Any) -> Any:
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        scores, added = q @ k.mT / 2, torch.zeros(5, 5).masked_fill(~self.mask, -math.inf)
        made = {
            "boolean": lambda: F.scaled_dot_product_attention(q, k, v, self.mask),
            "added by the function": lambda: F.scaled_dot_product_attention(q, k, v, added),
            "added": lambda: (scores + added).softmax(-1) @ v,
            "filled": lambda: scores.masked_fill(~self.mask, -math.inf).softmax(-1) @ v,
            "filled with a number": lambda: scores.masked_fill(~self.mask, -1e9).softmax(-1) @ v,
            "scaled afterwards": lambda: ((scores + self.mask) * 0.5).softmax(-1) @ v,
        }[self.way]()
        return self.o(made.transpose(1, 2).flatten(2))


def _compare(module: Any, x: Any, params: int) -> Any:
    """The network of a module, which gives what the module gives, where that is not a number too."""
    graph = ac.from_torch(module, x)
    analysis = ac.analyse(graph)
    assert (analysis.totals.params, bool(analysis.totals.not_counted)) == (params, False)
    with np.errstate(all="ignore"), torch.no_grad():
        (found,) = execute(graph, x.numpy(), own_weights(analysis, 0)).outputs.values()
        wanted = module(x).numpy()
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5)
    return analysis


@pytest.mark.parametrize("mask", list(_masks()))
@pytest.mark.parametrize(
    "way", ["boolean", "added by the function", "added", "filled", "filled with a number", "scaled afterwards"]
)
def test_hidden_scores(way: str, mask: str) -> None:
    """The function gives 0 where a mask hides a whole row, a softmax that is written out no number."""
    torch.manual_seed(0)
    _compare(_Masked(way, _masks()[mask]).eval(), torch.randn(1, 5, 8), 9 * 24 + 9 * 8)


class _Windows(nn.Module):  # type: ignore[misc, name-defined]  # torch is not there for mypy
    """Attention within the windows of 2×2 of a map of 4×6, rolled by 1 each way, with a mask."""

    def __init__(self, mask: Any, *, is_rolled: bool) -> None:
        super().__init__()
        self.qkv, self.o, self.is_rolled = nn.Linear(8, 24), nn.Linear(8, 8), is_rolled
        self.register_buffer("mask", mask)

    def forward(self, x: Any) -> Any:
        x = x.movedim(1, -1)
        x = torch.roll(x, (-1, -1), (1, 2)) if self.is_rolled else x
        rows = x.reshape(-1, 2, 2, 3, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 8)
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.qkv(rows).chunk(3, -1))
        made = self.o(F.scaled_dot_product_attention(q, k, v, self.mask).transpose(1, 2).flatten(2))
        made = made.reshape(-1, 2, 3, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 6, 8)
        return (torch.roll(made, (1, 1), (1, 2)) if self.is_rolled else made).movedim(-1, 1)


def _apart() -> Any:
    """−100 for two positions of a window from both ends of the map."""
    ends = torch.zeros(4, 6)
    ends[-1] += 1
    ends[:, -1] += 2
    rows = ends.reshape(2, 2, 3, 2).permute(0, 2, 1, 3).reshape(6, 4)
    return torch.where(rows[:, None] == rows[:, :, None], 0.0, -100.0)[:, None]


@pytest.mark.parametrize("is_rolled", [True, False])
@pytest.mark.parametrize("kind", ["that of the shift", "another one"])
def test_masks_of_windows(kind: str, is_rolled: bool) -> None:
    """Only a mask that is exactly that of a shift is one, whatever stands before the windows."""
    torch.manual_seed(0)
    mask = _apart() if kind == "that of the shift" else _apart().flip(0)
    analysis = _compare(_Windows(mask, is_rolled=is_rolled).eval(), torch.randn(1, 8, 4, 6), 9 * 24 + 9 * 8)
    shifts = [getattr(row.op, "shift_size", None) for row in analysis.rows if row.op.kind == "multi_head_attention"]
    assert shifts == ([(1, 1)] if kind == "that of the shift" else [])
