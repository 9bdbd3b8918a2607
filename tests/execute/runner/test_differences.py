"""The executor sees where the analysis is wrong, and its instruments see everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.kernels import KERNELS
from archcalc.execute.runner import SeededWeights, compare, execute
from archcalc.execute.runner.counted import Counter, counted
from archcalc.execute.runner.inputs import random_input
from archcalc.passes.analysis import Analysis
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import outputs, run
from tests.networks import chain, layers, op
from tests.ops.rows import ROWS
from tests.ranks import PLANE


def claiming(analysis: Analysis, layer: str, **claims: Any) -> Analysis:
    """The analysis with other numbers for one layer."""
    rows = tuple(row._replace(**claims) if row.name == layer else row for row in analysis.rows)
    return replace(analysis, rows=rows)


def test_a_wrong_shape_is_seen() -> None:
    execution, analysis = run(load("lenet5"), count=False)
    found = compare(execution, claiming(analysis, "C3", output_shape=(16, 9, 10)))
    assert [str(each) for each in found] == ["C3: output shape: executed 10×10×16, the analysis says 9×10×16"]


def test_wrong_multiplications_are_seen() -> None:
    execution, analysis = run(load("lenet5"))
    found = compare(execution, claiming(analysis, "C1", multiplications=117_601))
    assert [each.quantity for each in found] == ["multiplications", "multiplications"]
    assert found[0].layer == "C1"
    assert found[1] == ("total", "multiplications", "416,520", "416,521")


def test_wrong_parameters_are_seen() -> None:
    execution, analysis = run(load("lenet5"))
    other = op("conv2d", out_channels=6, kernel_size=5, bias=False)
    (found,) = compare(execution, claiming(analysis, "C1", op=other))
    assert found == ("C1", "parameters", "weight 6×1×5×5, bias 6", "weight 6×1×5×5")


def test_wrong_matrices_are_seen() -> None:
    execution, analysis = run(load("lenet5"), "im2col")
    other = op("conv2d", out_channels=6, kernel_size=3)
    found = [each for each in compare(execution, claiming(analysis, "C1", op=other)) if each.quantity == "matrices"]
    assert found == [("C1", "matrices", "6×25 · 25×784", "6×9 · 9×784")]


def test_wrong_memory_is_seen() -> None:
    execution, analysis = run(load("lenet5"))
    live = (analysis.memory.live[0] + 1, *analysis.memory.live[1:])
    wrong = replace(analysis, memory=analysis.memory._replace(live=live))
    assert [each.quantity for each in compare(execution, wrong, memory=True)] == ["live bytes"]
    assert compare(execution, wrong) == []


def test_counted_arrays_see_products() -> None:
    counter = Counter()
    weight = counted(np.ones((2, 3)), counter)
    out = weight @ np.ones((5, 3, 4))
    assert type(out) is np.ndarray
    assert counter.multiplications == 5 * 2 * 3 * 4
    assert np.sum(np.ones((7, 2, 3)) * weight) == 42
    assert counter.multiplications == 120 + 42
    _ = weight.reshape(3, 2)[1:].T * 2.0
    assert counter.multiplications == 162 + 4
    _ = weight + weight
    assert counter.multiplications == 166


@pytest.mark.parametrize("product", [np.dot, np.inner, np.outer, np.tensordot])
def test_products_that_cannot_be_counted_are_refused(product: Any) -> None:
    weight = counted(np.ones((2, 2)), Counter())
    with pytest.raises(TypeError, match="cannot be counted"):
        product(weight, np.ones((2, 2)))


def test_the_fast_algorithm_is_not_counted() -> None:
    with pytest.raises(UsageError, match="save multiplications"):
        run(load("lenet5"), "fast", count=True)


@pytest.mark.parametrize("kind", sorted(kind for kind in PLANE & set(KERNELS) if KERNELS[kind].arrays is not None))
def test_every_value_of_every_array_is_read(kind: str) -> None:
    """NaN in any one place of an array comes out somewhere."""
    row = next(row for row in ROWS if row.kind == kind and len(row.inputs) <= 1)
    shape = next(iter(row.inputs), (1,))  # a free parameter reads nothing
    graph = chain((op("input", shape=shape), ()), (op(kind, **row.fields), (0,) * len(row.inputs)))
    x = random_input(shape, 2, 0, "float64")
    if kind == "embedding":  # every row of the table is asked for
        x = (np.arange(x.size) % row.fields["num_embeddings"]).reshape(x.shape).astype(np.float64)
    weights = SeededWeights(graph, dtype="float64", keep=True)
    wanted = execute(graph, x, weights, "im2col").layers[1].arrays
    for name, size in wanted.items():
        array = weights.of("1", wanted)[name]
        for place in {0, array.size // 2, array.size - 1}:
            kept = array.flat[place]
            array.flat[place] = np.nan
            (out,) = outputs(execute(graph, x, weights, "im2col"))
            assert np.isnan(out).any(), (name, size, place)
            array.flat[place] = kept


def test_arrays_of_their_own_are_seen_where_they_should_be_shared() -> None:
    text = "  - conv2d: {name: a, out_channels: 4, kernel_size: 1}\n"
    execution, analysis = run(layers(f"{text}  - conv2d: {{name: b, out_channels: 4, kernel_size: 1, weights: a}}\n"))
    assert compare(execution, analysis) == []
    own = replace(execution, layers=tuple(layer._replace(owner=layer.name) for layer in execution.layers))
    assert compare(own, analysis) == [("total", "parameters and buffers", "40", "20")]
