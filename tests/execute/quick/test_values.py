"""A planned run is compared with the plain kernels by value, and what is wrong is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from archcalc.execute.quick.arena import Map
from archcalc.execute.quick.registry import FORMS, Form, Place, Task
from archcalc.execute.quick.values import TOLERANCE, relative_difference
from archcalc.execute.runner import Execution, SeededWeights, compare, execute
from archcalc.execute.runner.inputs import random_input
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.cli.runner import Run
from tests.networks import layers

NETWORK = """\
  - conv_bn_relu: {name: a, out_channels: 6, kernel_size: 3, padding: 1}
  - branches:
      - - max_pool2d: {name: p, kernel_size: 3, stride: 1, padding: 1}
        - tanh: {name: t}
      - - conv_bn_relu: {name: b, out_channels: 6, kernel_size: 3, padding: 1}
        - local_response_norm: {name: n}
    merge: add
  - batch_norm2d: {name: g}
  - relu: {name: r}
  - linear: {name: f, out_features: 5}
"""


def planned(graph: LayerGraph, dtype: str = "float64") -> Execution:
    x = random_input(graph.input_shape, 2, 0, dtype)
    return execute(graph, x, SeededWeights(graph, 0, dtype), compare_values=True)


def test_one_group_of_each_kind_is_compared() -> None:
    graph = layers(NETWORK, "12x12x6")
    execution = planned(graph)
    assert execution.values is not None
    assert set(execution.values.compared) == {"a/relu", "n", "p", "t", "add1", "f", "r"}
    assert 0 < execution.values.largest < TOLERANCE["float64"]
    assert compare(execution, analyse(graph, 2, "float64")) == []
    assert execute(graph, random_input(graph.input_shape, 1, 0, "float32"), SeededWeights(graph)).values is None


def test_each_algorithm_of_a_convolution_is_compared() -> None:
    text = "".join(
        f"  - conv2d: {{name: c{size}, out_channels: 64, kernel_size: {size}, padding: {size // 2}}}\n"
        for size in (7, 3, 5, 1)
    )
    graph = layers(text, "48x48x64")
    execution = execute(graph, random_input((64, 48, 48), 1, 0, "float32"), SeededWeights(graph), compare_values=True)
    assert execution.values is not None
    # 7×7 and 1×1 are matrix products, 3×3 and 5×5 Winograd's of two sizes.
    assert execution.values.compared == ("c7", "c3", "c5")


#: A form that is wrong, made of one that is right.
Change = Callable[[Form], Form]


def _without_rectifier(form: Form) -> Form:
    def run(task: Task, maps: Sequence[Map], place: Place) -> Map:
        rectified, task.group = task.group, task.group._replace(relu=False)
        try:
            return form.run(task, maps, place)
        finally:
            task.group = rectified

    return Form(form.kind, run, form.does, form.role, form.scale)


def _one_value_off(form: Form) -> Form:
    def run(task: Task, maps: Sequence[Map], place: Place) -> Map:
        out = form.run(task, maps, place)
        out.array[(-1,) * out.array.ndim] += 0.01
        return out

    return Form(form.kind, run, form.does, form.role, form.scale)


def _overwriting(form: Form) -> Form:
    def run(task: Task, maps: Sequence[Map], place: Place) -> Map:
        out = form.run(task, maps, place)
        maps[0].array[...] = 0
        return out

    return Form(form.kind, run, form.does, form.role, form.scale)


@pytest.mark.parametrize(
    ("kind", "change", "layer", "message"),
    [
        ("conv2d", _without_rectifier, "a/relu", "from the plain kernels"),
        ("batch_norm2d", _one_value_off, "r", "from the plain kernels"),
        ("max_pool2d", _one_value_off, "p", "from the plain kernels"),
        ("linear", _one_value_off, "f", "from the plain kernels"),
        ("tanh", _one_value_off, "t", "from the plain kernels"),
        ("max_pool2d", _overwriting, "a/relu", "overwritten before b/conv read it"),
    ],
)
def test_wrong_values_are_seen(
    monkeypatch: pytest.MonkeyPatch, kind: str, change: Change, layer: str, message: str
) -> None:
    monkeypatch.setitem(FORMS, kind, change(FORMS[kind]))
    graph = layers(NETWORK, "12x12x6")
    found = compare(planned(graph), analyse(graph, 2, "float64"))
    assert {(each.layer, each.quantity) for each in found} == {(layer, "values")}
    assert message in str(found[0])


def test_the_program_ends_with_1_where_values_differ(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMS, "avg_pool2d", _one_value_off(FORMS["avg_pool2d"]))
    result = archcalc("run", "lenet5", "-f", "json")
    assert result.code == 1
    document = json.loads(result.out)
    assert document["agree"] is False
    assert document["values"]["largest_difference"] > 1e-4
    (difference,) = document["differences"]
    assert difference["layer"] == "S2"
    text = archcalc("run", "lenet5")
    assert text.code == 1
    assert "S2: values:" in text.out
    assert "not all equal" in text.out


def test_the_program_says_what_it_compared(archcalc: Run) -> None:
    text = archcalc("run", "lenet5").out
    assert "  values of layers              8  against plain kernels: equal to 1e-4 of the largest value\n" in text
    assert text.endswith("all shapes, counts and compared values agree\n")
    values = archcalc("run", "lenet5", "-f", "json").json["values"]
    assert len(values["layers"]) == 8
    assert 0 <= values["largest_difference"] <= values["tolerance"] == 1e-4
    plain = archcalc("run", "lenet5", "--algorithm", "im2col", "-f", "json").json
    assert plain["values"] is None


def test_the_distance_of_two_maps() -> None:
    one = np.array([1.0, -4.0])
    assert relative_difference(one, one) == 0
    assert relative_difference(one + np.array([0, 0.4]), one) == pytest.approx(0.1)
    assert relative_difference(one[:1], one) == float("inf")
    assert relative_difference(np.array([1.0, np.nan]), one) == float("inf")
    assert relative_difference(np.zeros(2), np.zeros(2)) == 0


@pytest.mark.slow
def test_a_network_of_many_layers_is_compared_at_little_cost() -> None:
    graph = load("googlenet")
    execution = planned(graph, "float32")
    assert execution.values is not None
    assert len(execution.values.compared) < len(graph) / 10
