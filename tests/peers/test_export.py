"""Exported code, run: the same shapes, parameters and outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from archcalc.core.errors import SpecError, UsageError
from archcalc.execute.runner.inputs import random_inputs
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


@pytest.mark.parametrize("name", one_of_each())
def test_networks_in_torch(name: str) -> None:
    from tests.peers.exported import worst_of_torch

    assert worst_of_torch(smaller(load(name))) < PRECISION


@pytest.mark.parametrize("name", ["vit_l_16", "convnext_xlarge"])
def test_networks_of_more_than_300_million_parameters(name: str) -> None:
    """On their own inputs; they need up to 3 GiB and some 20 to 35 s of one core."""
    from tests.peers.exported import worst_of_torch

    assert worst_of_torch(load(name)) < PRECISION


@pytest.mark.parametrize("row", ALONE, ids=label)
def test_ops_in_torch(row: Row) -> None:
    from tests.peers.exported import worst_of_torch

    assert worst_of_torch(of_row(row), batch=2) < PRECISION


@pytest.mark.parametrize("row", ALONE, ids=label)
def test_ops_come_back_from_torch(row: Row) -> None:
    """The exported module of an op is read with the same parameters, and computes the same where it is known."""
    import archcalc as ac
    from archcalc.interop.export.torch_code import to_torch_code
    from tests.peers.exported import back_from_torch, module_of

    graph = of_row(row)
    module = module_of(to_torch_code(ac.analyse(graph)))
    try:
        back = back_from_torch(graph, module)
    except SpecError as error:
        assert any(each in str(error) for each in ("has no layers", "has no outputs"))  # noqa: PT017 # it does nothing
        return
    ours, theirs = ac.analyse(graph).totals, ac.analyse(back).totals
    assert theirs.params == ours.params
    # A table of connections is a convolution with zeros in its weights.
    assert row.fields.get("connections") or theirs.multiplications == ours.multiplications


@pytest.mark.parametrize("layer", [
    "lstm: {hidden_size: 1100, single_bias: true}", "gru: {hidden_size: 6, single_bias: true, reset_after: false}",
    "lstm: {hidden_size: 6, single_bias: true, num_layers: 2, bidirectional: true}",
])  # fmt: skip
def test_zeros_in_the_place_of_biases_come_back_as_none(layer: str) -> None:
    """In weights that are not in memory too."""
    import archcalc as ac
    from archcalc.interop.export.torch_code import to_torch_code
    from archcalc.interop.torch_export import made
    from tests.peers.exported import module_of

    graph = ac.from_yaml(f"name: r\ntitle: R\ninput: 7x3\nlayers:\n  - {layer}\n")
    back = ac.from_torch(made(module_of, to_torch_code(ac.analyse(graph))), (3, 7))
    assert ac.analyse(back).totals.params == ac.analyse(graph).totals.params


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

    assert worst_of_keras(smaller(load(name))) < PRECISION


@pytest.mark.parametrize("row", ALONE, ids=label)
@pytest.mark.usefixtures("keras")
@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_ops_come_back_from_keras_with_their_outputs(row: Row) -> None:
    """The model of an op is read with the same totals, and computes the same with its arrays."""
    import numpy as np

    import archcalc as ac
    from archcalc.execute.model_weights import own_weights
    from archcalc.execute.runner.execute import execute
    from archcalc.interop.export.keras_code import to_keras_code
    from tests.peers.exported import keras_model_of

    graph = of_row(row)
    try:
        model = keras_model_of(to_keras_code(ac.analyse(graph)))
    except UsageError:
        return  # as in test_ops_in_keras
    try:
        back = ac.from_keras(model)
    except SpecError as error:
        assert str(error) == "one_layer has no layers"  # noqa: PT017 # one that does nothing
        return
    ours, theirs = ac.analyse(graph).totals, ac.analyse(back).totals
    assert (theirs.params, theirs.multiplications) == (ours.params, ours.multiplications)
    assert not theirs.not_counted
    x = random_inputs(graph, 1, 0, "float32")
    given = list(x.values()) if isinstance(x, Mapping) else [x]
    maps = [np.moveaxis(each, 1, -1).copy() for each in given]
    made = model(maps if len(maps) > 1 else maps[0], training=False)
    expected = np.moveaxis(np.asarray(made.detach()), -1, 1)
    named = dict(zip(back.inputs, given, strict=True)) if len(given) > 1 else given[0]
    (found,) = execute(back, named, own_weights(ac.analyse(back), 0)).outputs.values()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=PRECISION, atol=PRECISION)


@pytest.mark.parametrize("layer", [
    "lstm: {hidden_size: 5, single_bias: true, last: true}", "lstm: {hidden_size: 5, bidirectional: true}",
    "lstm: {hidden_size: 5, bidirectional: true, num_layers: 2, last: true}", "gru: {hidden_size: 4, last: true}",
    "gru: {hidden_size: 4, bidirectional: true, num_layers: 2}", "gru: {hidden_size: 4, bias: false}",
    "gru: {hidden_size: 4, single_bias: true, reset_after: false, bidirectional: true}",
    "gru: {hidden_size: 4, bias: false, reset_after: false, last: true}",
    "rnn: {hidden_size: 4, nonlinearity: relu}", "rnn: {hidden_size: 4, single_bias: true, bidirectional: true}",
])  # fmt: skip
@pytest.mark.usefixtures("keras")
@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_recurrent_layers_in_keras_and_back(layer: str) -> None:
    """Keras computes what archcalc does with the same arrays, and its model is read with the same arrays."""
    import numpy as np

    import archcalc as ac
    from archcalc.execute.model_weights import own_weights
    from archcalc.execute.runner.execute import execute
    from archcalc.interop.export.keras_code import to_keras_code
    from tests.peers.exported import keras_model_of, worst_of_keras

    graph = ac.from_yaml(f"name: r\ntitle: R\ninput: 7x3\nlayers:\n  - {layer}\n")
    assert worst_of_keras(graph, batch=2) < PRECISION
    model = keras_model_of(to_keras_code(ac.analyse(graph)))
    back = ac.from_keras(model)
    ours, theirs = ac.analyse(graph).totals, ac.analyse(back).totals
    assert (theirs.params, theirs.multiplications) == (ours.params, ours.multiplications)
    given = np.random.default_rng(0).standard_normal((1, 7, 3)).astype("float32")
    expected = np.moveaxis(np.asarray(model(given, training=False).detach()), 1, -1)
    (found,) = execute(back, np.moveaxis(given, -1, 1), own_weights(ac.analyse(back), 0)).outputs.values()
    assert np.abs(found - expected).max() < 1e-5


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
