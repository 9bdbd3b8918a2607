"""Modules that torch.export cannot trace: one line says why, and PyTorch's own log is not printed."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from tests.cli.runner import Run

torch = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")

pytestmark = pytest.mark.peers
nn = torch.nn


class _Dense(nn.Module):  # type: ignore[misc, name-defined]  # torch is not there for mypy
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return self.dense(x)


class _Branches(_Dense):
    def forward(self, x: Any) -> Any:
        y = self.dense(x)
        return y if y.sum() > 0 else -y


class _Chooses(_Dense):
    def forward(self, x: Any) -> Any:
        return self.dense(x[x[:, 0] > 0])


class _Number(_Dense):
    def forward(self, x: Any) -> Any:
        return self.dense(x) * x.max().item()


@pytest.fixture(autouse=True)
def _module(monkeypatch: pytest.MonkeyPatch) -> None:
    made = types.ModuleType("those_of_users")
    made.__dict__.update(dense=_Dense, branches=_Branches, chooses=_Chooses, number=_Number)
    monkeypatch.setitem(sys.modules, "those_of_users", made)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("branches", ["--input", "4"], "depends on the values of its input, not on their sizes alone"),
        ("chooses", ["--input", "4"], "the size of index depends on values"),
        ("dense", [], "no --input was given, and 224×224×3 is taken"),
    ],
)
def test_one_line_says_why(archcalc: Run, name: str, given: list[str], says: str) -> None:
    result = archcalc("report", f"py:those_of_users:{name}", *given)
    assert (result.code, result.err.count("\n"), says in result.err) == (2, 1, True)


def test_a_number_of_values_is_a_setting_that_is_not_known(archcalc: Run) -> None:
    """It has no multiplications, as it is no product of matrices."""
    result = archcalc("report", "py:those_of_users:number", "--input", "4", "-f", "json")
    assert result.code == 0
    assert "mul with computed settings" in result.out
    assert '"not_counted"' not in result.out
