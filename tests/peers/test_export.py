"""Exported code, run: the same shapes, parameters and outputs."""

from __future__ import annotations

import os

import pytest

from archcalc.core.errors import UsageError
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import smaller
from tests.execute.runner.test_ranks import network as of_rank
from tests.interop.export.cases import ALONE, of_row
from tests.networks import one_of_each
from tests.ops.rows import Row, label

pytest.importorskip("onnxruntime", reason="exported files need it: pip install 'archcalc[peers]'")
torch = pytest.importorskip("torch", reason="exported code needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers

PRECISION = 1e-4
#: What Keras has no layer for, as the errors say it.
NOT_IN_KERAS = (
    "Keras has no max_unpool2d",
    "Keras has no multi_head_attention",
    "Keras has no global_response_norm",
    "Keras has no lstm",
    "Keras has no gru",
    "a table of connections",
    "a convolution with both stride and dilation",
)


@pytest.mark.parametrize("name", one_of_each())
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


@pytest.mark.parametrize("name", one_of_each())
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


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras, which calculates with PyTorch."""
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    pytest.importorskip("keras", reason="exported code needs it: pip install 'archcalc[peers]'")


@pytest.mark.parametrize("name", one_of_each())
@pytest.mark.usefixtures("keras")
def test_networks_in_keras(name: str) -> None:
    from tests.peers.exported import worst_of_keras

    try:
        worst = worst_of_keras(smaller(load(name)))
    except UsageError as error:
        assert any(words in str(error) for words in NOT_IN_KERAS), error  # noqa: PT017 # either is right
    else:
        assert worst < PRECISION


@pytest.mark.parametrize("row", ALONE, ids=label)
@pytest.mark.usefixtures("keras")
def test_ops_in_keras(row: Row) -> None:
    """Every op is right, or refused with the name of the layer."""
    from tests.peers.exported import worst_of_keras

    try:
        worst = worst_of_keras(of_row(row), batch=2)
    except UsageError as error:
        assert 'layer "layer"' in str(error)  # noqa: PT017 # either is right
    else:
        assert worst < PRECISION
