"""The memory of a run step by step: what its legend names is there."""

from __future__ import annotations

import pytest

from archcalc.design.memory import Policy, memory_timeline
from archcalc.render.charts.alive import alive
from tests.render.charts.charts import analysis_of, words_of


@pytest.mark.parametrize(
    ("name", "policy", "parts"),
    [
        ("alexnet", Policy(), "parameters"),
        ("mobilenet", Policy(), "parameters, running statistics"),
        ("alexnet", Policy(training=True), "parameters, their gradients"),
        ("alexnet", Policy(training=True, optimiser="sgd"), "parameters, their gradients"),
        ("alexnet", Policy(training=True, optimiser="adam"), "parameters, their gradients, values of the optimiser"),
    ],
)
def test_the_legend_names_what_is_there_all_the_time(name: str, policy: Policy, parts: str) -> None:
    words = words_of(alive(memory_timeline(analysis_of(name), policy))).splitlines()
    assert [line for line in words if line.startswith("parameters")] == [parts]


@pytest.mark.parametrize(("policy", "count"), [(Policy(), 84), (Policy(training=True), 168)])
def test_an_input_is_no_step(policy: Policy, count: int) -> None:
    assert f", {count} steps." in words_of(alive(memory_timeline(analysis_of("mobilenet"), policy)))
