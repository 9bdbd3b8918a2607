"""Exported code, run: the same shapes, parameters and outputs."""

from __future__ import annotations

import pytest

from archcalc.spec.catalogue import load, names
from tests.execute.runner.runs import smaller
from tests.execute.runner.test_ranks import network as of_rank
from tests.interop.export.cases import ALONE, of_row
from tests.ops.rows import Row, label

pytest.importorskip("onnxruntime", reason="exported files need it: pip install 'archcalc[peers]'")
torch = pytest.importorskip("torch", reason="exported code needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers

PRECISION = 1e-4


@pytest.mark.parametrize("name", list(names()))
def test_networks_in_torch(name: str) -> None:
    from tests.peers.exported import worst_of_torch

    assert worst_of_torch(smaller(load(name))) < PRECISION


@pytest.mark.parametrize("row", ALONE, ids=label)
def test_ops_in_torch(row: Row) -> None:
    from tests.peers.exported import worst_of_torch

    assert worst_of_torch(of_row(row), batch=2) < PRECISION


@pytest.mark.parametrize("rank", [1, 3])
def test_signals_and_volumes_in_torch(rank: int) -> None:
    from tests.peers.exported import worst_of_torch

    assert worst_of_torch(of_rank(rank)) < PRECISION


@pytest.mark.parametrize("name", list(names()))
def test_networks_in_onnx(name: str) -> None:
    from tests.peers.exported import worst_of_onnx

    assert worst_of_onnx(smaller(load(name))) < PRECISION


@pytest.mark.parametrize("row", ALONE, ids=label)
def test_ops_in_onnx(row: Row) -> None:
    from tests.peers.exported import worst_of_onnx

    assert worst_of_onnx(of_row(row), batch=2) < PRECISION


@pytest.mark.parametrize("rank", [1, 3])
def test_signals_and_volumes_in_onnx(rank: int) -> None:
    from tests.peers.exported import worst_of_onnx

    assert worst_of_onnx(of_rank(rank)) < PRECISION
