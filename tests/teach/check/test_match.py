"""Which layer a row is about."""

from __future__ import annotations

import pytest

from archcalc import analyse, from_yaml
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.evidence import CellEvidence
from archcalc.teach.check.labels import read_label, squeezed
from archcalc.teach.check.match import Matcher, rows_of
from archcalc.teach.check.model import TOTAL, Answer, Group, Match, Verdict
from archcalc.teach.check.names import MOST_COMPARED
from archcalc.teach.check.prepared import prepare
from tests.teach.check.tables import analysis_of


class NoEvidence(CellEvidence):
    """Of empty cells: none is wrong, and no two layers are alike."""

    def alike(self, group: Group, one: Match, other: Match) -> bool:
        return one == other


def matches(network: str, *labels: str) -> list[Match]:
    """What the rows are about by their names and their order alone: no cell says anything."""
    groups = [Group(label, (index,)) for index, label in enumerate(labels)]
    analysis = analysis_of(network)
    answers = [Answer(label, "params", "") for label in labels]
    return Matcher(analysis).match(groups, NoEvidence(prepare(analysis), answers, [()] * len(answers)))


#: One label by itself, and the layer that it means.
LABELS = [
    ("alexnet", "conv1", "conv1"),
    ("alexnet", "Conv 1", "conv1"),
    ("alexnet", "CONV_1", "conv1"),
    ("alexnet", "conv-1", "conv1"),
    ("alexnet", "Conv2D 2", "conv2"),
    ("alexnet", "2nd conv layer", "conv2"),
    ("alexnet", "convolution 3", "conv3"),
    ("alexnet", "CONV1: 96 11x11 filters at stride 4, pad 0", "conv1"),
    ("alexnet", "conv1 (11x11, 96)", "conv1"),
    ("alexnet", "MAX POOL1", "pool1"),
    ("alexnet", "maxpool 2", "pool2"),
    ("alexnet", "pool3", "pool5"),
    ("alexnet", "fc1", "fc6"),
    ("alexnet", "FC6", "fc6"),
    ("alexnet", "dense 3", "fc8"),
    ("alexnet", "fully connected 2", "fc7"),
    ("alexnet", "softmax", "prob"),
    ("alexnet", "image", "input"),
    ("alexnet", "Свёртка 2", "conv2"),
    ("lenet5", "c1", "C1"),
    ("lenet5", "conv2", "C3"),
    ("lenet5", "pool2", "S4"),
    ("lenet5", "avg pool 1", "S2"),
    ("lenet5", "fc1", "C5"),
    ("lenet5", "output", "output"),
    ("facenet", "fc", "anchor_face/fc"),
    ("vgg16", "conv1_1", "conv1_1"),
    ("vgg16", "Conv1-1", "conv1_1"),
    ("vgg16", "conv 1.1", "conv1_1"),
    ("vgg16", "FC-1000", "fc8"),
    ("vgg16", "conv3-128", ""),
    ("vgg16", "conv3", ""),
    ("vgg16", "conv11", "conv5_1"),
    ("googlenet", "inception_3a", "inception_3a"),
    ("googlenet", "Inception (3a)", "inception_3a"),
    ("googlenet", "conv1", "conv1/conv"),
    ("resnet18", "conv2_x", "conv2_x"),
    ("alexnet", "total", TOTAL),
    ("alexnet", "Total:", TOTAL),
    ("alexnet", "SUM", TOTAL),
    ("alexnet", "итого", TOTAL),
    ("alexnet", "conv6", ""),
    ("alexnet", "conv", ""),
    ("alexnet", "", ""),
    ("alexnet", "(" * 5000, ""),
]


@pytest.mark.parametrize(("network", "label", "layer"), LABELS, ids=[f"{row[0]} {row[1][:30]}" for row in LABELS])
def test_label(network: str, label: str, layer: str) -> None:
    (match,) = matches(network, label)
    assert match.layer == layer
    assert bool(match.note) == (not layer)


def test_labels_of_the_vgg_paper() -> None:
    """conv3-64 is in Table 1 twice, maxpool five times: in turn, where all of them are there."""
    labels = [
        "conv3-64", "conv3-64", "maxpool", "conv3-128", "conv3-128", "maxpool", *["conv3-256"] * 3, "maxpool",
        *["conv3-512"] * 3, "maxpool", *["conv3-512"] * 3, "maxpool", "FC-4096", "FC-4096", "FC-1000", "soft-max",
    ]  # fmt: skip
    rows = [row for row in analysis_of("vgg16").rows if row.op.family in ("convolution", "pooling", "dense")]
    assert [match.layer for match in matches("vgg16", *labels)] == [*(row.name for row in rows), "prob"]
    first, second = matches("vgg16", "conv3-256", "conv3-256")
    assert (first.layer, second.layer) == ("", "")
    assert "could be any of conv3_1, conv3_2" in first.note
    assert "could be any of conv3_2, conv3_3" in second.note


def test_convolutions_numbered_throughout() -> None:
    """conv3 alone may be the third stage; among conv1 to conv13 it is the third convolution."""
    names = [row.name for row in analysis_of("vgg16").rows if row.op.kind == "conv2d"]
    assert [match.layer for match in matches("vgg16", *(f"conv{i + 1}" for i in range(13)))] == names


def test_order_is_the_last_resort() -> None:
    names = ["C1", "S2", "C3", "S4", "C5", "F6", "output"]
    found = matches("lenet5", "first", "second", "third", "4", "5", "6", "last", "total")
    assert [match.layer for match in found] == [*names, TOTAL]
    assert {match.note for match in found[:-1]} == {"matched by the order of the rows"}
    with_input = matches("lenet5", "start", "first", "second", "third", "4", "5", "6", "last")
    assert [match.layer for match in with_input] == ["input", *names]


def test_flatten_is_idle_where_dense_layers_flatten() -> None:
    (match,) = matches("alexnet", "flatten")
    assert match.is_idle
    assert matches("vgg16@bn", "dropout 1")[0].layer


def test_unknown_names_have_neighbours() -> None:
    assert "did you mean conv1" in matches("alexnet", "convv1")[0].note


def test_names_are_suggested_within_a_budget() -> None:
    count = MOST_COMPARED // len(analysis_of("alexnet").rows) + 20
    notes = [match.note for match in matches("alexnet", *(f"conv9{number}" for number in range(count)))]
    assert "did you mean conv1" in notes[0]
    assert notes[-1] == f"the network has no layer 'conv9{count - 1}'"


def test_rows_of_a_table() -> None:
    """A row ends where the layer changes, or where a quantity comes again."""
    cells = [("a", "params"), ("a", "activation_bytes"), ("a", "params"), ("b", "activation_bytes"), ("b", "params")]
    answers = [Answer(layer, quantity, "") for layer, quantity in cells]
    assert rows_of(answers) == [Group("a", (0, 1)), Group("a", (2,)), Group("b", (3, 4))]


def test_squeezed_names_keep_numbers_apart() -> None:
    assert squeezed("Conv 1_1") == squeezed("conv1-1") != squeezed("conv11")


@pytest.mark.parametrize(
    ("rows", "matched"),
    [
        # All columns of the row are right where its place is, or the verdict is that it belongs to no layer.
        ([("conv1", "34944"), ("pool1", "0"), ("banana", "614656"), ("pool2", "0")], "conv2"),
        ([("conv1", "34944"), ("pool1", "0"), ("banana", "614657"), ("pool2", "0")], ""),
        ([("apple", "34944"), ("banana", "77"), ("cherry", "88")], ""),
    ],
)
def test_a_name_that_means_nothing_is_matched_where_all_its_columns_are_right(
    rows: list[tuple[str, str]], matched: str
) -> None:
    answers = [Answer(layer, "params", params) for layer, params in rows]
    cells = {cell.answer.layer: cell for cell in check_answers(analysis_of("alexnet"), answers).cells}
    assert cells["banana"].layer == matched


def test_a_row_with_the_name_of_a_layer_stays_with_it_whatever_other_rows_are_called() -> None:
    rows = [("conv1", "34944"), ("conv2", "614656"), ("foo", "1"), ("fc7", "16781321")]
    answers = [Answer(layer, "params", params) for layer, params in rows]
    cells = {cell.answer.layer: cell for cell in check_answers(analysis_of("alexnet"), answers).cells}
    assert cells["fc7"].layer == "fc7"


TOWER = """
name: twins
title: Twins
inputs: {left: 8x8x1, right: 8x8x1}
blocks:
  tower:
    shared: true
    layers: [relu: {name: act}, flatten, linear: {name: embed, out_features: 4}]
"""
TOWERS = "[tower: {from: left}, tower: {from: right}, subtract: {from: [tower1, tower2]}]"


@pytest.mark.parametrize(
    ("steps", "at"),
    [(f"layers: {TOWERS}", ""), (f"  net:\n    layers: {TOWERS}\nlayers:\n  - net: {{name: net}}", "net/")],
)
@pytest.mark.parametrize(
    ("named", "layer"),
    [
        ("embed", "tower1/embed"),
        ("tower/embed", "tower1/embed"),
        ("tower1/embed", "tower1/embed"),
        ("tower2/embed", "tower2/embed"),
        ("act", "tower1/act"),
    ],
)
def test_a_layer_of_a_block_that_is_used_twice_is_the_one_of_its_first_use(
    steps: str, at: str, named: str, layer: str
) -> None:
    analysis = analyse(from_yaml(TOWER + steps))
    cell = check_answers(analysis, [Answer(named, "params", "256")]).cells[0]
    params = 64 * 4 + 4 if layer == "tower1/embed" else 0
    assert (cell.layer, cell.verdict, cell.expected) == (at + layer, Verdict.WRONG, params)


@pytest.mark.parametrize(
    "word",
    ["Aplanado", "Achatamento", "Aplatissement", "Abflachen", "Glätten", "フラット化", "שיטוח", "הרחבה לשטוח"],
)
def test_flatten_has_words_in_many_languages(word: str) -> None:
    assert read_label(word).kinds == ("flatten",)
