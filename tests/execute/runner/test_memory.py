"""Maps are freed and overwritten only when nobody needs them any more."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.runner import SeededWeights, compare, execute
from archcalc.execute.runner.inputs import random_input
from tests.execute.runner.runs import outputs, run
from tests.networks import chain, op


def test_the_input_stays_as_it_is() -> None:
    graph = chain((op("input", shape=(2, 3, 3)), ()), (op("relu"), (0,)))
    x = random_input((2, 3, 3), 1, 0, "float32")
    before = x.copy()
    (out,) = outputs(execute(graph, x, SeededWeights(graph)))
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(out, np.maximum(before, 0))


def test_a_map_that_is_read_again_is_not_overwritten() -> None:
    # The flattened view shares its memory with the map, so the rectifier must not work in place.
    graph = chain(
        (op("input", shape=(2, 3, 3)), ()),
        (op("flatten"), (0,)),
        (op("relu"), (0,)),
        (op("flatten"), (2,)),
        (op("add"), (1, 3)),
    )
    execution, analysis = run(graph)
    assert compare(execution, analysis, memory=True) == []
    x = random_input((2, 3, 3), 1, 0, "float32").reshape(1, -1)
    np.testing.assert_allclose(outputs(execution)[0], x + np.maximum(x, 0))


def test_an_output_is_not_overwritten() -> None:
    graph = chain((op("input", shape=(2, 3, 3)), ()), (op("tanh"), (0,)), (op("relu"), (1,)), outputs=(1, 2))
    execution, analysis = run(graph)
    assert compare(execution, analysis, memory=True) == []
    assert outputs(execution)[0].min() < 0 <= outputs(execution)[1].min()


def test_unpooling_needs_switches() -> None:
    graph = chain(
        (op("input", shape=(2, 4, 4)), ()),
        (op("avg_pool2d", kernel_size=2), (0,)),
        (op("max_unpool2d", kernel_size=2), (1, 1)),
    )
    with pytest.raises(UsageError, match='reads the switches of "1", but avg_pool2d has none'):
        run(graph)
