"""A network written as YAML loads again to an equal network."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.graph.published import Paper, Reported
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build, network_names, split_name
from archcalc.spec.catalogue import load
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.spec import Spec
from archcalc.spec.write import write_graph
from tests.execute.runner.runs import sharing
from tests.networks import layers, one_of_each
from tests.random_graphs import random_graph
from tests.spec.test_patterns import pieces
from tests.tiers import examples

#: A family's member, a variant of one, auxiliary outputs, parameters that are words, and a plain network.
QUICK = ("lenet5", "resnet18", "resnet20_cifar", "vgg16@bn", "googlenet@aux", "unet")


def read(graph: LayerGraph) -> Spec:
    return spec_of(parse_source(write_graph(graph), "again.yaml"))


def again(graph: LayerGraph) -> LayerGraph:
    spec = read(graph)
    return build(spec, next(iter(spec.document.networks), None))


def check(graph: LayerGraph) -> None:
    back = again(graph)
    assert back == graph
    assert hash(back) == hash(graph)
    # Not only by the graph's own equality. How a pattern was read is of no interest to its layers.
    for field in fields(graph):
        if field.compare and field.name not in ("layers", "notes"):
            assert getattr(back, field.name) == getattr(graph, field.name), field.name
    assert [(layer.name, layer.op, layer.inputs) for layer in back] == [
        (layer.name, layer.op, layer.inputs) for layer in graph
    ]


@pytest.mark.parametrize("name", QUICK)
def test_a_network_comes_back(name: str) -> None:
    check(load(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each())
def test_every_network_of_the_catalogue_comes_back(name: str) -> None:
    graph = load(name)
    check(graph)
    assert analyse(again(graph)).totals == analyse(graph).totals


def test_a_network_with_settings_and_another_input_comes_back() -> None:
    graph = load("mobilenet", {"alpha": 0.5, "classes": 7}, (3, 160, 160))
    check(graph)
    assert graph.settings["alpha"] == Fraction(1, 2)


@given(st.lists(pieces, min_size=1, max_size=6))
@examples(300)
def test_a_pattern_comes_back(items: list[str]) -> None:
    check(load(" -> ".join(["64x64x3", *items])))


texts = st.text(st.characters(codec="utf-8"), max_size=12)
facts = texts | st.sampled_from(
    ["no", "null", "true", "1x1", "0x10", "5", "1.5", "a: b", "a #b", "- a", "{x}", "[y]", "*a"]
)
figures = st.builds(
    Reported,
    quantity=st.sampled_from(["params", "top1_error"]),
    value=st.integers() | st.floats(allow_nan=False, allow_infinity=False, width=32) | facts,
    source=facts,
    note=st.none() | facts,
    crops=st.none() | st.integers(1, 200),
    of=st.none() | facts,
)
values: st.SearchStrategy[Any] = (
    st.booleans()
    | st.integers(-(10**30), 10**30)
    | facts
    | st.decimals(-1000, 1000, places=3).map(lambda number: Fraction(str(number)))
)
parameters = st.dictionaries(
    st.sampled_from(["classes", "depth", "mode", "widths", "anything"]),
    values | st.none() | st.lists(st.integers() | st.booleans() | facts, max_size=3),
)
#: What a layer can be called: printable, no braces (which would hold an expression), and no blanks at the ends.
layer_names = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"), exclude_characters="{}/"),
    min_size=1,
    max_size=8,
).filter(str.isprintable)


@st.composite
def graphs(draw: st.DrawFn) -> LayerGraph:
    """A small network with any names and facts."""
    name = layer_names | st.builds("{}/{}".format, layer_names, layer_names)
    names = draw(st.lists(name.filter(lambda name: name != "input"), min_size=3, max_size=3, unique=True))
    plain = load("8x8x3 -> conv3-4 -> relu -> fc10").layers
    weight = round(draw(st.floats(0, 10)), 3)
    return LayerGraph(
        name=draw(facts.filter(str.strip)),
        layers=(plain[0], *(Layer(name, *layer[1:]) for name, layer in zip(names, plain[1:], strict=True))),
        outputs=(Output("main", 3), Output("second", 2, weight)),
        title=draw(facts),
        family=draw(facts),
        family_title=draw(facts),
        description=draw(facts),
        authors=tuple(draw(st.lists(facts, max_size=2))),
        year=draw(st.none() | st.integers(1900, 2100)),
        paper=draw(st.none() | st.builds(Paper, title=facts, venue=st.none() | facts, url=st.none() | facts)),
        follows=tuple(draw(st.lists(facts, max_size=2))),
        reported=tuple(draw(st.lists(figures, max_size=2))),
        settings=draw(parameters),
    )


@given(graphs())
@examples(1000, quick=20)
def test_every_fact_comes_back(graph: LayerGraph) -> None:
    check(graph)


def test_an_output_of_another_name_comes_back() -> None:
    graph = load("8x8x3 -> fc10")
    check(replace(graph, outputs=(Output("scores", 1),)))
    check(replace(graph, outputs=(Output("output", 0),)))


def test_keys_that_are_patterns_of_names_come_back() -> None:
    graph = load("convnextv2_atto")
    assert any("*/residual/norm" in str(figure.counts) for figure in graph.reported)
    check(graph)


def test_a_value_that_is_no_decimal_number_is_refused() -> None:
    graph = load("mobilenet", {"alpha": Fraction(1, 3)})
    with pytest.raises(UsageError, match=r"alpha = 1/3 cannot be written: no decimal number is exactly that"):
        write_graph(graph)


def test_a_parameter_of_a_written_network_stays_what_it_is() -> None:
    """Its layers are those of one value, so another value would only change a label."""
    spec = read(load("mobilenet", {"alpha": 0.5}))
    assert build(spec, "mobilenet", None, {"alpha": 0.5}).settings["alpha"] == Fraction(1, 2)
    with pytest.raises(UsageError, match=r"alpha can be 0\.5, not 0\.25"):
        build(spec, "mobilenet", None, {"alpha": 0.25})


def test_the_name_of_a_written_variant_is_one_name() -> None:
    spec = read(load("resnet50@v1"))
    assert network_names(spec) == ["resnet50@v1"]
    assert split_name(spec, "resnet50@v1") == ("resnet50@v1", None)


def test_figures_are_those_of_the_network_as_it_is_given() -> None:
    spec = read(load("resnet50"))
    assert build(spec, "resnet50").reported == load("resnet50").reported != ()
    assert build(spec, "resnet50", None, None, (3, 256, 256)).reported == ()


def test_equality_does_not_ask_where_a_layer_was_written() -> None:
    first, second = load("8x8x3 -> relu -> fc10"), load("8x8x3->relu->fc10")
    assert first.layers[2].location != second.layers[2].location
    assert first.layers == second.layers
    assert len({*first.layers, *second.layers}) == 3
    assert first.layers[1] != first.layers[2]
    assert first.layers[1] != first.layers[1]._replace(name="other")


@given(sharing())
@examples(100)
def test_shared_weights_come_back(graph: LayerGraph) -> None:
    assume(len(graph) > 1)  # a spec has layers
    named = replace(graph, layers=(graph.layers[0]._replace(name="input"), *graph.layers[1:]))
    back = again(named)
    assert back.layers == named.layers
    assert [layer.weights_of for layer in back] == [layer.weights_of for layer in graph]


@given(st.integers(0, 2**32))
@examples(600, quick=60)
def test_networks_of_several_inputs_and_all_ops_come_back(seed: int) -> None:
    check(random_graph(seed))


@pytest.mark.parametrize("source", ["a", "b", "c"])
@pytest.mark.parametrize("first", ["relu", "parameter: {shape: 8x8x4}\n  - relu"])
def test_the_first_layer_reads_any_of_the_inputs(first: str, source: str) -> None:
    """The last input stands just before it, and is not what a layer without `from` reads."""
    begin = first.replace("relu", f"relu: {{name: r, from: {source}}}")
    head = "name: n\ntitle: N\ninputs: {a: 8x8x4, b: 8x8x4, c: 8x8x4}\nlayers:"
    text = f"{head}\n  - {begin}\n  - concat: {{from: [r, a, b, c]}}"
    graph = build(spec_of(parse_source(text, "net.yaml")))
    assert graph.layers[graph.index["r"]].inputs == (graph.index[source],)
    check(graph)


def test_networks_that_share_other_weights_differ() -> None:
    text = "  - conv2d: {out_channels: 4, kernel_size: 1}\n" * 2
    last = "  - conv2d: {name: last, out_channels: 4, kernel_size: 1%s}\n"
    first, second, own = (layers(text + last % more) for more in (", weights: conv1", ", weights: conv2", ""))
    assert len({first, second, own, layers(text + last % ", weights: conv1")}) == 3
    check(first)
