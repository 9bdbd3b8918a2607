"""Variants of networks: other numbers, and every layer still fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.windowed import Windowed
from archcalc.passes.analysis import analyse
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.build import build
from archcalc.spec.catalogue import load
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_graph
from archcalc.teach.exercise.choices import Choices
from archcalc.teach.exercise.variants import vary
from tests.networks import one_of_each
from tests.tiers import slow_but

SMALL = ("lenet5", "lenet5@1998", "alexnet", "alexnet@grouped", "vgg16", "resnet18", "mobilenet", "googlenet", "unet")


def unread(graph: LayerGraph) -> int:
    """Rows and columns that no window reads, counted by listing what the windows do read."""
    count = 0
    for layer in infer_shapes(graph).layers:
        if isinstance(layer.op, Windowed):
            for axis, positions in ((0, layer.output[1]), (1, layer.output[2])):
                line = layer.op.axis(layer.inputs[0], axis)
                end = (positions - 1) * line.stride + line.window
                count += max(0, line.size + line.before + line.after - end)
    return count


@pytest.mark.parametrize("name", slow_but(["lenet5", "alexnet", "unet", "resnet18", "googlenet@aux"], one_of_each()))
def test_every_network_has_a_variant_that_fits(name: str) -> None:
    graph = load(name)
    variant = vary(graph, "ada")
    analysis = analyse(variant)
    assert [layer.name for layer in variant] == [layer.name for layer in graph]
    assert [row.op.kind for row in analysis.rows] == [row.op.kind for row in analyse(graph).rows]
    assert (variant.input_shape, [layer.op for layer in variant]) != (graph.input_shape, [layer.op for layer in graph])


@given(st.sampled_from(SMALL), st.integers(0, 10_000))
def test_no_more_pixels_stay_unread(name: str, seed: int) -> None:
    graph = load(name)
    assert unread(vary(graph, seed)) <= unread(graph)


@pytest.mark.slow
def test_students_get_different_numbers() -> None:
    graph = load("alexnet")
    totals = {analyse(vary(graph, f"student-{number}")).totals.params for number in range(50)}
    assert len(totals) >= 48


def test_classes_stay() -> None:
    assert analyse(vary(load("googlenet@aux"), 3)).rows[-1].output_shape == (1000,)
    assert analyse(vary(load("unet"), 3)).rows[-1].output_shape[0] == 2


def test_facts_of_the_paper_are_left_out() -> None:
    graph, variant = load("alexnet"), vary(load("alexnet"), 1)
    assert graph.reported
    assert graph.authors
    assert [variant.reported, variant.authors, variant.year, variant.paper] == [(), (), None, None]
    assert variant.title == "AlexNet, variant"


def test_same_seed_same_variant() -> None:
    assert vary(load("vgg16"), "x").layers == vary(load("vgg16"), "x").layers


@pytest.mark.parametrize("name", SMALL)
def test_variant_can_be_written_and_loaded(name: str) -> None:
    variant = vary(load(name), 5)
    again = build(spec_of(parse_source(write_graph(variant), "variant.yaml")))
    before, after = analyse(variant), analyse(again)
    assert [row.output_shape for row in before.rows] == [row.output_shape for row in after.rows]
    assert before.totals._replace(peak_layer="") == after.totals._replace(peak_layer="")


def test_choices_do_not_depend_on_the_machine() -> None:
    # The first eight bytes of: printf 'blanks\0007\000conv1' | sha256sum
    assert Choices("blanks", 7).number("conv1") == 0xCE0E14FB32138850
