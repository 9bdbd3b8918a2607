"""Specs with blocks, repeats and tables, found in a network; each means the same network again."""

from __future__ import annotations

import random
from typing import Any

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop import structured
from archcalc.interop.foreign import ForeignNetwork, ForeignNode, to_network
from archcalc.interop.structured import write_noted, write_structured
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.catalogue import load
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from tests.cli.runner import Run
from tests.networks import one_of_each


def again(text: str) -> LayerGraph:
    return build(spec_of(parse_source(text, "again.yaml")))


def facts(graph: LayerGraph) -> dict[str, tuple[Any, ...]]:
    """Every layer by its name, with all that it reads, whatever the order: found here in another way than there."""
    name_of = {index: layer.name for index, layer in enumerate(graph.layers)}
    shapes = {row.name: (row.input_shapes, row.output_shape, row.params, row.multiplications) for row in analyse(graph)
              .rows}  # fmt: skip
    return {
        layer.name: (
            layer.op.resolve(shapes[layer.name][0]) if layer.inputs else layer.op,
            tuple(name_of[source] for source in layer.inputs),
            None if layer.weights_of is None else name_of[layer.weights_of],
            layer.frozen,
            shapes[layer.name],
        )
        for layer in graph.layers
    }


@pytest.mark.parametrize(
    ("name", "lines", "blocks"),
    [
        ("resnet50", 80, 4), ("mobilenet", 60, 3), ("googlenet", 80, 3), ("vgg16", 60, 0), ("densenet121", 60, 2),
        ("unet", 60, 2), ("lenet5", 30, 0),
    ],
)  # fmt: skip
def test_networks_of_the_catalogue(name: str, lines: int, blocks: int) -> None:
    graph = load(name)
    text = write_structured(graph)
    assert len(text.splitlines()) <= lines
    assert len(text.splitlines()) < 2 * len(graph.layers)
    made = again(text)
    assert facts(made) == facts(graph)
    assert len(spec_of(parse_source(text, "again.yaml")).blocks) >= blocks


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each())
def test_every_network_of_the_catalogue(name: str) -> None:
    graph = load(name)
    assert facts(again(write_structured(graph))) == facts(graph)


def test_units_that_differ_in_numbers_are_rows() -> None:
    text = write_structured(load("resnet50"))
    assert "      - [conv4_x, 256, 2, 5]" in text.splitlines()
    assert "out_channels: 4*out_channels" in text
    assert 'name: "unit{i + 1}", repeat: units' in text


def unit(name: str, source: str, channels: int, stride: int = 1) -> list[ForeignNode]:
    """A unit with a shortcut, as PyTorch names one."""
    return [
        ForeignNode(f"{name}/conv", "conv2d", {"out_channels": channels, "kernel_size": 3, "padding": 1}, (source,)),
        ForeignNode(f"{name}/bn", "batch_norm2d", {}, (f"{name}/conv",)),
        ForeignNode(f"{name}/relu", "relu", {}, (f"{name}/bn",)),
        ForeignNode(f"{name}/add", "add", {}, (f"{name}/relu", source)),
    ]


def network(*nodes: ForeignNode, output: str | None = None) -> LayerGraph:
    return to_network(ForeignNetwork("n", "N", {"x": (8, 16, 16)}, nodes, {"y": output or nodes[-1].name}))


def test_a_row_of_equal_units_is_a_repeat() -> None:
    nodes, source = [], "x"
    for index in range(5):
        nodes += unit(f"layer1/{index}", source, 8)
        source = nodes[-1].name
    graph = network(*nodes)
    text = write_structured(graph)
    assert text.count("conv2d") == 1
    assert '  - layer_unit: {name: "layer1/{i - 1}", repeat: 5, as: i}' in text.splitlines()
    assert facts(again(text)) == facts(graph)


def test_a_width_is_no_multiple_of_a_stride() -> None:
    nodes, source = [], "x"
    for index, stride in enumerate((1, 2)):
        fields = {"out_channels": 16 * stride, "kernel_size": 3, "stride": stride, "padding": 1}
        nodes += [ForeignNode(f"stage{index}/conv", "conv2d", fields, (source,))]
        nodes += [ForeignNode(f"stage{index}/relu", "relu", {}, (nodes[-1].name,))]
        nodes += [ForeignNode(f"stage{index}/mix", "conv2d", {**fields, "out_channels": 64 * stride, "stride": 1},
                              (nodes[-1].name,))]  # fmt: skip
        source = nodes[-1].name
    graph = network(*nodes)
    text = write_structured(graph)
    assert "stride*" not in text.replace(" ", "")
    assert "*stride" not in text
    assert "out_channels: 4*out_channels" in text
    assert facts(again(text)) == facts(graph)


def test_what_is_read_across_blocks_is_named() -> None:
    nodes = [*unit("a", "x", 8), *unit("b", "a/add", 8)]
    nodes += [ForeignNode("skip", "add", {}, ("a/relu", "b/add")), *unit("c", "skip", 8)]
    graph = network(*nodes, output="b/relu")
    text = write_structured(graph)
    assert "from: [a/relu, b]" in text
    assert "outputs:" in text
    assert facts(again(text)) == facts(graph)


def test_scopes_that_read_each_other_are_taken_apart() -> None:
    nodes = [
        ForeignNode("a/one", "relu", {}, ("x",)), ForeignNode("b/one", "relu", {}, ("a/one",)),
        ForeignNode("a/two", "relu", {}, ("b/one",)), ForeignNode("b/two", "relu", {}, ("a/two",)),
    ]  # fmt: skip
    graph = network(*nodes)
    assert facts(again(write_structured(graph))) == facts(graph)


def test_equal_units_of_a_scope_that_is_left_and_entered_again_are_uses_of_a_block() -> None:
    """The tables of a transformer stand beside the list of blocks that read them."""
    nodes = [ForeignNode("t/stem", "conv2d", {"out_channels": 8, "kernel_size": 1}, ("x",))]
    nodes += [ForeignNode("add", "add", {}, ("t/stem", "x"))]
    for index in range(4):
        nodes += unit(f"t/h/{index}", nodes[-1].name, 8)
    graph = network(*nodes)
    text = write_structured(graph)
    assert '  - h_unit: {name: "t/h/{i - 1}", repeat: 4, as: i}' in text.splitlines()
    assert facts(again(text)) == facts(graph)


def test_what_all_units_read_is_named_where_it_is_read() -> None:
    nodes = [ForeignNode("mask", "sigmoid", {}, ("x",)), ForeignNode("start", "relu", {}, ("x",))]
    for index in range(3):
        nodes += unit(f"layers/{index}", nodes[-1].name, 8)
        nodes += [ForeignNode(f"layers/{index}/gate", "multiply", {}, (nodes[-1].name, "mask"))]
    graph = network(*nodes)
    text = write_structured(graph)
    assert "      - multiply: {name: gate, from: [add, mask]}" in text.splitlines()
    assert '  - layer: {name: "layers/{i - 1}", repeat: 3, as: i}' in text.splitlines()
    assert facts(again(text)) == facts(graph)


@pytest.mark.parametrize("name", ["add", "x2"])
def test_a_name_that_means_another_layer_in_a_block_is_handed_over(name: str) -> None:
    nodes = [ForeignNode(name, "sigmoid", {}, ("x",)), ForeignNode("start", "relu", {}, ("x",))]
    for index in range(3):
        nodes += unit(f"layers/{index}", nodes[-1].name, 8)
        nodes += [ForeignNode(f"layers/{index}/gate", "multiply", {}, (nodes[-1].name, name))]
    graph = network(*nodes)
    text = write_structured(graph)
    assert "from: [add, x2]" in text
    assert facts(again(text)) == facts(graph)


def test_a_scope_that_is_like_no_other_is_no_block() -> None:
    nodes: list[ForeignNode] = []
    for index in range(3):
        nodes += unit(f"encoder/layer/{index}", nodes[-1].name if nodes else "x", 8)
    graph = network(*nodes, ForeignNode("encoder/norm", "batch_norm2d", {}, (nodes[-1].name,)))
    text = write_structured(graph)
    assert list(spec_of(parse_source(text, "again.yaml")).blocks) == ["layer_unit"]
    assert facts(again(text)) == facts(graph)


def test_interleaved_scopes_are_put_in_order() -> None:
    first, second = unit("a", "x", 8), unit("b", "x", 8)
    nodes = [node for pair in zip(first, second, strict=True) for node in pair]
    graph = network(*nodes, ForeignNode("join", "add", {}, ("a/add", "b/add")))
    text = write_structured(graph)
    assert text.count("conv2d") == 1
    assert facts(again(text)) == facts(graph)


def two_calls(units: int) -> LayerGraph:
    """An encoder of so many units that is called on two inputs, one after the other; each call is then averaged."""
    nodes: list[ForeignNode] = []
    for call, given in (("", "a"), ("_2", "b")):
        source = given
        for index in range(units):
            for name, kind, fields in (
                ("wide", "conv2d", {"out_channels": 32, "kernel_size": 1}), ("relu", "relu", {}),
                ("narrow", "conv2d", {"out_channels": 8, "kernel_size": 1}),
            ):  # fmt: skip
                weights = f"e/{index}/{name}" if call and fields else None
                nodes.append(ForeignNode(f"e/{index}/{name}{call}", kind, fields, (source,), weights=weights))
                source = nodes[-1].name
        nodes.append(ForeignNode(f"mean{call}", "global_avg_pool2d", {}, (source,)))
    nodes.append(ForeignNode("difference", "subtract", {}, ("mean", "mean_2")))
    sizes = {"a": (1, 16, 16), "b": (1, 16, 16)}
    return to_network(ForeignNetwork("n", "N", sizes, tuple(nodes), {"y": "difference"}))


@pytest.mark.parametrize(("units", "in_order"), [(1, True), (2, True), (12, False)])
def test_an_encoder_that_is_called_twice(units: int, in_order: bool) -> None:
    """It stays in the order in which it runs, unless blocks make the spec much shorter; then the other peak is said."""
    graph = two_calls(units)
    text, notes = write_noted(graph)
    made = again(text)
    assert facts(made) == facts(graph)
    peaks = [analyse(one).totals.peak_activation_bytes for one in (made, graph)]
    if in_order:
        assert [layer.name for layer in made] == [layer.name for layer in graph]
        assert not notes
    else:
        assert [f"{peak:,} bytes" in notes[0] or f"its order {peak:,}" in notes[0] for peak in peaks] == [True, True]
        assert peaks[0] > peaks[1]


def test_shared_weights_and_frozen_layers_stay() -> None:
    shared = [
        ForeignNode("d1/conv", "conv2d", {"out_channels": 8, "kernel_size": 1}, ("x",), frozen=True),
        ForeignNode("d1/relu", "relu", {}, ("d1/conv",)),
        ForeignNode("d1/two", "relu", {}, ("d1/relu",)),
        ForeignNode("d2/conv", "conv2d", {"out_channels": 8, "kernel_size": 1}, ("d1/two",), weights="d1/conv"),
        ForeignNode("d2/relu", "relu", {}, ("d2/conv",)),
        ForeignNode("d2/two", "relu", {}, ("d2/relu",)),
    ]
    graph = network(*shared)
    assert facts(again(write_structured(graph))) == facts(graph)


@pytest.mark.parametrize("seed", range(12))
def test_networks_made_at_random(seed: int) -> None:
    rng = random.Random(seed)
    nodes: list[ForeignNode] = []
    known = ["x"]
    for index in range(rng.randint(4, 14)):
        scope = rng.choice(["a", "b", "a/c", "s/0", "s/1", "s/2", f"u{index}"])
        if rng.random() < 0.5:
            made = unit(f"{scope}/unit{index}", rng.choice(known), 8)
        else:
            count = rng.randint(2, 3)
            sources = tuple(rng.choice(known) for _ in range(count))
            made = [ForeignNode(f"{scope}/add{index}", "add", {}, sources)]
        nodes += made
        known += [node.name for node in made]
    graph = network(*nodes)
    text, notes = write_noted(graph)
    loaded = again(text)
    assert facts(loaded) == facts(graph)
    peaks = {analyse(one).totals.peak_activation_bytes for one in (loaded, graph)}
    assert len(peaks) == 1 + len(notes)


def test_what_would_not_be_the_same_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = load("resnet18")
    monkeypatch.setattr(structured, "facts_of", lambda _: ["input: 32x32x3"])
    with pytest.raises(UsageError, match="do not give the same network again"):
        write_structured(graph)


def test_the_command_writes_and_says_what_was_left_out(archcalc: Run, tmp_path: Any) -> None:
    out = tmp_path / "net.yaml"
    assert archcalc("import", "resnet50", "-o", out).code == 0
    assert len(out.read_text().splitlines()) <= 80
    assert ac.load(out).analyse().totals.params == 25_557_032
    assert archcalc("validate", out).code == 0
