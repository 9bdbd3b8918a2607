"""What a report reads: analyses of real networks, frozen, whole or up to a fault."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from math import prod

import pytest

from archcalc import Analysis, Conventions, SpecError, analyse, load, names
from archcalc.core.conventions import BYTES
from archcalc.core.shapes import LARGEST_BATCH
from archcalc.ops.base import Operations
from archcalc.passes.shapes import infer_shapes
from tests.cli.runner import DATA
from tests.networks import graph, numbers

MODULES = str(DATA / "modules.yaml")
BREAKS = str(DATA / "breaks.yaml")


@pytest.fixture(scope="module")
def modules() -> Analysis:
    return analyse(load(MODULES))


def test_rows_by_name(modules: Analysis) -> None:
    row = modules["stem/conv"]
    assert row is modules.by_name["stem/conv"] is modules.rows[1]
    assert (row.params, row.trainable_params, row.buffers) == (216, 216, 0)
    assert row.operations is not None
    assert row.multiplications == row.operations.multiplications == 8 * 8 * 216
    assert modules["first/concat1"].inputs == ("first/narrow/one/relu", "first/wide/three/relu", "first/pooled/pool")
    with pytest.raises(KeyError, match="stem/cnv"):
        modules["stem/cnv"]


def test_an_analysis_is_frozen(modules: Analysis) -> None:
    with pytest.raises(FrozenInstanceError):
        modules.batch = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        modules.conventions.strict = True  # type: ignore[misc]
    with pytest.raises(AttributeError):
        modules.rows[0].params = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        modules.totals.params = 1  # type: ignore[misc]
    assert modules.totals is modules.totals


def test_the_graph_is_the_one_that_was_given() -> None:
    network = load("lenet5")
    before = network.layers
    assert analyse(network).graph is network
    assert network.layers is before


@pytest.mark.slow
def test_totals_are_the_sums_of_the_rows_of_every_network() -> None:
    for name in names():
        analysis = analyse(load(name))
        totals = analysis.totals
        for field in ("params", "trainable_params", "buffers", "multiplications", "activations", "activation_bytes"):
            assert getattr(totals, field) == sum(getattr(row, field) for row in analysis.rows), (name, field)
        for kind in Operations._fields:
            assert getattr(totals.operations, kind) == sum(getattr(row.operations, kind) for row in analysis.rows)
        assert totals.param_bytes == 4 * totals.params
        # A layer needs at least its own output, and all together never need more than everything that is made.
        made = [prod(row.output_shape) for row in analysis.rows]
        assert 4 * max(made) <= totals.peak_activation_bytes <= 4 * sum(made), name
        assert totals.peak_layer in analysis.by_name


def test_every_number_is_a_whole_one() -> None:
    analysis = analyse(load("inception_v2"))
    for row in analysis.rows:
        values = [*row.output_shape, row.params, row.trainable_params, row.buffers, row.multiplications]
        values += [*(row.operations or ()), row.activations, row.activation_bytes]
        assert all(type(value) is int for value in values), row.name


def test_counts_may_be_larger_than_a_machine_word() -> None:
    side = 1 << 12
    text = f"input: {side}x{side}x1000000\nlayers: [conv2d: {{out_channels: 1000000, kernel_size: 1}}]"
    totals = analyse(graph(text), batch=LARGEST_BATCH, dtype="float64").totals
    assert totals.multiplications == side * side * 10**12 > 1 << 63
    assert totals.activation_bytes == 2 * side * side * 10**6 * 8 * LARGEST_BATCH


@pytest.mark.parametrize("dtype", list(BYTES))
@pytest.mark.parametrize("batch", [1, 3, 256])
def test_bytes_scale_and_counts_do_not(modules: Analysis, dtype: str, batch: int) -> None:
    scaled = analyse(modules.graph, batch, dtype)
    size = BYTES[dtype]
    assert (scaled.batch, scaled.dtype) == (batch, dtype)
    for row, one in zip(scaled.rows, modules.rows, strict=True):
        assert row.activation_bytes == one.activations * size * batch
        assert row._replace(activation_bytes=0) == one._replace(activation_bytes=0)
    assert scaled.totals.param_bytes == modules.totals.params * size
    assert scaled.totals.peak_activation_bytes * 4 == modules.totals.peak_activation_bytes * size * batch
    assert scaled.totals.peak_layer == modules.totals.peak_layer


def test_running_statistics_are_parameters_on_request(modules: Analysis) -> None:
    keras = analyse(modules.graph, conventions=Conventions(running_statistics=True))
    norm, plain = keras["stem/bn"], modules["stem/bn"]
    assert (plain.params, plain.trainable_params, plain.buffers) == (16, 16, 16)
    assert (norm.params, norm.trainable_params, norm.buffers) == (32, 16, 0)
    assert keras.totals.params == modules.totals.params + modules.totals.buffers
    assert keras.totals.trainable_params == modules.totals.trainable_params


def test_in_place_layers_store_on_request(modules: Analysis) -> None:
    kept = analyse(modules.graph, conventions=Conventions(in_place=False))
    assert (modules["stem/relu"].activations, kept["stem/relu"].activations) == (0, 512)
    assert all(row.activations == prod(row.output_shape) for row in kept.rows)
    assert kept.totals.peak_activation_bytes >= modules.totals.peak_activation_bytes


def test_strict_is_passed_on() -> None:
    uneven = graph("input: 8x8x1\nlayers: [max_pool2d: {kernel_size: 3, stride: 2}]")
    assert analyse(uneven).rows[-1].output_shape == (1, 3, 3)
    with pytest.raises(SpecError, match="not whole"):
        analyse(uneven, conventions=Conventions(strict=True))


def test_one_byte_is_not_one_bytes() -> None:
    assert "int8 (1 byte each), 8 images" in Conventions().describe(8, "int8")["stored"]
    assert "float32 (4 bytes each)" in Conventions().describe()["stored"]


# --- networks that fail


def test_a_network_that_fails_raises() -> None:
    with pytest.raises(SpecError) as caught:
        analyse(load(BREAKS))
    (problem,) = caught.value.problems
    assert problem.layer == '"pool3" (max_pool2d)'
    assert problem.location is not None
    assert (problem.location.line, problem.location.column) == (12, 5)


def test_the_rows_before_the_fault_on_request() -> None:
    partial = analyse(load(BREAKS), partial=True)
    assert [row.name for row in partial.rows] == ["input", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2"]
    assert [problem.message for problem in partial.problems] == ["the window is larger than its input"]
    assert partial.totals.params == (9 + 1) * 4 + (36 + 1) * 8
    assert partial["conv2"].receptive_field is not None
    with pytest.raises(KeyError):
        partial["fc"]
    assert partial.problems == infer_shapes(partial.graph).problems


def test_a_fault_in_the_first_layer_leaves_the_input() -> None:
    broken = graph("input: 2x2x3\nlayers: [max_pool2d: {kernel_size: 3}]")
    partial = analyse(broken, 4, partial=True)
    assert [row.name for row in partial.rows] == ["input"]
    assert partial.totals.activation_bytes == partial.totals.peak_activation_bytes == 12 * 4 * 4
    assert partial.totals.peak_layer == "input"


def test_nothing_wrong_is_nothing_partial() -> None:
    whole = numbers("  - relu\n")
    partial = analyse(whole.graph, partial=True)
    assert (partial.rows, partial.problems) == (whole.rows, ())
