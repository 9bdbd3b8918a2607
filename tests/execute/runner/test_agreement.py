"""The executor agrees with the analysis: on the catalogue, on random networks, in every form, on every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError
from archcalc.execute.kernels import KERNELS, Array, Sizes
from archcalc.execute.runner import compare, execute
from archcalc.execute.runner.execute import Algorithm
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec import catalogue
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import QUICK, networks, run, sharing, smaller
from tests.networks import one_of_each, op
from tests.tiers import examples

runner = import_module("archcalc.execute.runner.execute")  # the function has its name


@pytest.mark.parametrize("name", ["lenet5", "lenet5@1998", "resnet20_cifar"])
def test_networks_agree(name: str) -> None:
    agrees(smaller(load(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each())
def test_every_network_agrees(name: str) -> None:
    agrees(load(name) if name in QUICK else smaller(load(name)))


class NoWeights:
    """Arrays in the sizes that are asked for, which take no memory."""

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        return {name: np.broadcast_to(np.float32(0), shape) for name, shape in sizes.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in catalogue.names() if name not in one_of_each()])
def test_maps_of_every_network_live_as_long(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The executor holds and frees the maps of whole networks on their own inputs, but calculates nothing."""
    graph = load(name)
    analysis = analyse(graph)
    shapes = {row.name: row.output_shape for row in analysis.rows}

    def run_nothing(
        layer: Layer, inputs: Sequence[Array], arrays: Mapping[str, Array], *_: Any, out: Array | None, **__: Any
    ) -> Array:
        shape = (len(inputs[0]), *shapes[layer.name])
        if layer.op.shows_parameters:
            return arrays["weight"][None]
        if layer.op.is_view and layer.inputs:
            return inputs[0].reshape(shape)
        return np.empty(shape, np.float32) if out is None else out

    monkeypatch.setattr(runner, "run", run_nothing)
    x = {name: np.zeros((1, *shape), np.float32) for name, shape in graph.inputs.items()}
    assert compare(execute(graph, x, NoWeights(), "loops"), analysis, memory=True) == []


def agrees(graph: LayerGraph) -> None:
    execution, analysis = run(graph)
    assert compare(execution, analysis, memory=True) == []
    for output in execution.outputs.values():
        assert np.isfinite(output).all()


@pytest.mark.parametrize("name", ["lenet5", "lenet5@1998", pytest.param("resnet20_cifar", marks=pytest.mark.slow)])
@pytest.mark.parametrize("algorithm", ["loops", "im2col"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_textbook_forms_count_the_same(name: str, algorithm: Algorithm, dtype: str) -> None:
    execution, analysis = run(load(name), algorithm, dtype=dtype)
    assert compare(execution, analysis, memory=True) == []


def test_the_counts_are_for_one_image() -> None:
    execution, analysis = run(load("lenet5"), batch=3)
    assert compare(execution, analysis, memory=True) == []
    assert execution.batch == 3


@pytest.mark.parametrize("name", ["lenet5", "resnet20_cifar", pytest.param("deconvnet", marks=pytest.mark.slow)])
def test_without_counting_the_arrays_say_the_same(name: str) -> None:
    counting, _ = run(load(name), "im2col")
    plain, analysis = run(load(name), "im2col", count=False)
    assert [layer.multiplications for layer in plain.layers] == [layer.multiplications for layer in counting.layers]
    assert compare(plain, analysis, memory=True) == []
    for first, second in zip(counting.outputs.values(), plain.outputs.values(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_matrices_of_im2col_are_seen() -> None:
    execution, analysis = run(load("lenet5"), "im2col")
    assert [str(layer.matrices) for layer in execution.layers if layer.matrices] == [
        "6×25 · 25×784",
        "16×150 · 150×100",
    ]
    assert compare(execution, analysis) == []
    execution, _ = run(load("lenet5"), "loops")
    assert not any(layer.matrices for layer in execution.layers)


@examples(250, quick=12)
@given(networks(), st.integers(1, 2), st.sampled_from(["float32", "float64"]))
def test_random_networks_agree(graph: LayerGraph, batch: int, dtype: str) -> None:
    execution, analysis = run(graph, "im2col", batch=batch, dtype=dtype)
    assert compare(execution, analysis, memory=True) == []


@examples(40)
@given(networks())
def test_the_algorithms_agree_on_random_networks(graph: LayerGraph) -> None:
    wanted, _ = run(graph, "im2col", count=False, dtype="float64")
    for algorithm in ("loops", "fast", "auto"):
        execution, _ = run(graph, algorithm, count=False, dtype="float64")
        for name, output in wanted.outputs.items():
            scale = max(float(np.abs(output).max()), 1.0)
            np.testing.assert_allclose(execution.outputs[name], output, rtol=0, atol=1e-10 * scale)


def test_runs_are_equal_to_the_bit() -> None:
    first, second = (run(load("resnet20_cifar"), count=False)[0] for _ in range(2))
    assert first.layers == second.layers
    for name, output in first.outputs.items():
        assert output.tobytes() == second.outputs[name].tobytes()


@examples(300)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(0, 8), st.booleans())
def test_pools_that_are_accepted_read_something(
    size: int, kernel_size: int, stride: int, dilation: int, padding: int, ceil_mode: bool
) -> None:
    """The maximum of nothing is −∞, its mean 0/0: the analysis refuses exactly the pools that would give them."""
    fields = {"stride": (stride, 1), "dilation": (dilation, 1), "padding": (padding, 0, padding, 0)}
    layer = op("max_pool2d", kernel_size=(kernel_size, 1), ceil_mode=ceil_mode, **fields)
    try:
        layer.check([(1, size, 1)])
    except ShapeError:
        return
    out = KERNELS["max_pool2d"].run(
        np.zeros((1, 1, size, 1)), kernel_size=(kernel_size, 1), ceil_mode=ceil_mode, **fields
    )
    assert np.isfinite(out).all()


def test_a_pool_is_refused_only_where_it_reads_nothing() -> None:
    # Dilation 3 on 2 pixels: from −3 the second tap meets pixel 0, from −1 the taps are −1 and 2.
    for padding, fits in ((3, True), (1, False)):
        layer = op("max_pool2d", kernel_size=(2, 1), stride=3, dilation=3, padding=(padding, 0, padding, 0))
        if fits:
            layer.check([(1, 2, 1)])
        else:
            with pytest.raises(ShapeError, match="nothing but padding"):
                layer.check([(1, 2, 1)])


@pytest.mark.parametrize("algorithm", ["im2col", "auto", "loops"])
@given(graph=sharing())
@examples(60, quick=5)
def test_shared_weights_are_the_same_arrays(algorithm: Algorithm, graph: LayerGraph) -> None:
    every = frozenset(range(len(graph)))
    maps: dict[int, np.ndarray] = {}
    count = algorithm == "im2col"
    execution, analysis = run(
        graph, algorithm, count, observe=lambda index, array: maps.update({index: array.copy()}), watched=every
    )
    assert compare(execution, analysis) == []
    for index, layer in enumerate(graph):
        if layer.weights_of is not None:  # it reads what its owner reads
            np.testing.assert_allclose(maps[index], maps[layer.weights_of], rtol=1e-4, atol=1e-5)
