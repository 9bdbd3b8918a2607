"""Verdicts: right tables are right in every notation; one planted mistake is wrong there and carried on after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.base import Op, Operations, WithoutWeights
from archcalc.passes.analysis import Analysis, analyse
from archcalc.teach.check import marking
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.formats import render
from archcalc.teach.check.model import TOTAL, Answer, Cell, Check, Verdict
from tests.networks import graph
from tests.teach.check.tables import (
    FILES,
    HEADS,
    NETWORKS,
    QUANTITIES,
    analysis_of,
    check,
    plain,
    totals_of,
    values_of,
    written,
)
from tests.tiers import examples


class Forced(WithoutWeights):
    """A layer that gives what a student wrote down, whatever its rules say; it is seen through as the layer is."""

    kind = "forced"
    stem = "forced"
    family = "forced"

    instead_of: Op
    shape: Shape

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations()

    def windows(self, inputs: Sequence[Shape]) -> Any:
        return self.instead_of.windows(inputs)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return "forced"


def forced(analysis: Analysis, index: int, shape: Shape) -> Analysis:
    """The network with another output at a layer: the passes calculate what follows, by themselves."""
    graph: LayerGraph = analysis.graph
    op = Forced.model_construct(instead_of=analysis.rows[index].op, shape=shape)
    layers = (*graph.layers[:index], graph.layers[index]._replace(op=op), *graph.layers[index + 1 :])
    return analyse(replace(graph, layers=layers), partial=True)


def verdicts(result: Check) -> dict[tuple[str, str], Verdict]:
    return {(cell.layer, cell.quantity): cell.verdict for cell in result.cells}


def wrong_cells(result: Check) -> list[tuple[str, str, str, str]]:
    """What is not right, for a message."""
    return [
        (cell.layer, cell.quantity, cell.answer.text, f"{cell.verdict} {cell.note}")
        for cell in result.cells
        if cell.verdict is not Verdict.RIGHT
    ]


# --- right tables


@examples(60)
@given(data=st.data(), name=st.sampled_from(NETWORKS), form=st.sampled_from(sorted(FILES)))
def test_right_table_is_right(data: st.DataObject, name: str, form: str) -> None:
    """Any rows in any order, any columns under any names, any notation, any form of file."""
    rows = [(row.name, values_of(row)) for row in analysis_of(name).rows]
    columns = data.draw(st.lists(st.sampled_from(QUANTITIES), min_size=1, unique=True))
    chosen = data.draw(st.permutations(rows))[: data.draw(st.integers(1, 25))]
    with_total = data.draw(st.booleans())
    heads = {quantity: data.draw(st.sampled_from(HEADS[quantity])) for quantity in columns}
    table = []
    for layer, values in chosen:
        cells = {heads[q]: data.draw(written(q, values[q])) if q in values else "" for q in columns}
        table.append({"layer": layer, **cells})
    if with_total:
        sums = totals_of([values for _, values in rows])
        cells = {heads[q]: data.draw(written(q, sums[q])) if q in sums else "" for q in columns}
        table.append({"layer": data.draw(st.sampled_from(["total", "Total", "sum", "итого"])), **cells})
    ending, write = FILES[form]
    answers = parse_answers(write(table).encode(), f"table{ending}")
    result = check_answers(analysis_of(name), answers.answers)
    assert len(result.cells) == len(table) * len(columns)
    assert [cell for cell in wrong_cells(result) if not cell[3].startswith("empty")] == []
    assert result.is_right
    assert result.diagnoses == ()


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_table_of_a_network_is_right(name: str) -> None:
    cells = [
        (row.name, quantity, plain(value))
        for row in analysis_of(name).rows
        for quantity, value in values_of(row).items()
    ]
    result = check(name, cells)
    assert wrong_cells(result) == []
    assert result.count(Verdict.RIGHT) == len(cells)


# --- one planted mistake


@examples(80)
@given(data=st.data(), name=st.sampled_from(NETWORKS))
def test_planted_shape_is_wrong_there_and_carried_behind(data: st.DataObject, name: str) -> None:
    analysis = analysis_of(name)
    index = data.draw(st.integers(1, len(analysis.rows) - 1))
    right = analysis.rows[index].output_shape
    axis = data.draw(st.integers(0, len(right) - 1))
    shape = (*right[:axis], right[axis] + data.draw(st.sampled_from([-2, -1, 1, 2, 3])), *right[axis + 1 :])
    # Read in another order it would be right, or it is what a flat output is written like.
    assume(min(shape) > 0 and sorted(shape) != sorted(right))
    student = forced(analysis, index, shape)
    assume(not student.problems)
    table = {row.name: values_of(row) for row in student.rows}
    planted = analysis.rows[index].name
    table[planted] = {**values_of(analysis.rows[index]), "output_shape": shape}
    cells = [(layer, quantity, plain(value)) for layer, values in table.items() for quantity, value in values.items()]
    result = check(name, cells)
    expected = {
        (row.name, quantity): Verdict.RIGHT if table[row.name][quantity] == value else Verdict.CARRIED
        for row in analysis.rows
        for quantity, value in values_of(row).items()
        if quantity in table[row.name]
    }
    expected[planted, "output_shape"] = Verdict.WRONG
    got = verdicts(result)
    assert {cell: got[cell] for cell in expected if got[cell] is not expected[cell]} == {}
    sources = {cell.carried_from for cell in result.cells if cell.verdict is Verdict.CARRIED}
    assert sources <= {(planted, "output_shape")}


@examples(60)
@given(
    data=st.data(),
    name=st.sampled_from(NETWORKS),
    quantity=st.sampled_from(["params", "multiplications", "activation_bytes"]),
)
def test_planted_count_is_wrong_there_and_carried_into_the_total(data: st.DataObject, name: str, quantity: str) -> None:
    analysis = analysis_of(name)
    rows = [values_of(row) for row in analysis.rows]
    index = data.draw(st.integers(0, len(rows) - 1))
    wrong = rows[index][quantity] + data.draw(st.integers(1, 1000))
    total = totals_of(rows)[quantity] - rows[index][quantity] + wrong
    cells = [
        (row.name, quantity, str(wrong if place == index else values[quantity]))
        for place, (row, values) in enumerate(zip(analysis.rows, rows, strict=True))
    ]
    result = check(name, [*cells, (TOTAL, quantity, str(total))])
    planted = analysis.rows[index].name
    assert [cell[0] for cell in wrong_cells(result)] == [planted, TOTAL]
    assert verdicts(result)[planted, quantity] is Verdict.WRONG
    last = result.cells[-1]
    assert (last.verdict, last.carried, last.carried_from) == (Verdict.CARRIED, total, (planted, quantity))


@examples(40)
@given(data=st.data(), name=st.sampled_from(["lenet5", "alexnet", "zfnet", "nin", "vgg11", "vgg16"]))
def test_planted_receptive_field_is_carried_along_a_chain(data: st.DataObject, name: str) -> None:
    """In a chain each layer adds to what its input sees, so what follows is off by the same number of pixels."""
    analysis = analysis_of(name)
    index = data.draw(st.integers(1, len(analysis.rows) - 1))
    extra = data.draw(st.integers(1, 9))
    cells = []
    for place, row in enumerate(analysis.rows):
        height, width = values_of(row)["receptive_field"]
        off = extra if place >= index else 0
        cells.append((row.name, "receptive_field", f"{height + off}x{width + off}"))
    result = check(name, cells)
    assert [cell.verdict for cell in result.cells] == [
        Verdict.RIGHT if place < index else Verdict.WRONG if place == index else Verdict.CARRIED
        for place in range(len(cells))
    ]


def test_memory_follows_from_the_values_that_were_counted() -> None:
    result = check("alexnet", [("conv1", "activations", "290000"), ("conv1", "activation_bytes", "1160000")])
    assert [cell.verdict for cell in result.cells] == [Verdict.WRONG, Verdict.CARRIED]
    assert result.cells[1].carried_from == ("conv1", "activations")


@pytest.mark.parametrize(
    ("rows", "given"),
    [({"conv1": "34848", "total": "62378248"}, "conv1 params"),
     ({"conv1": "34848", "conv4": "885120", "total": "61935880"}, "column")],
)  # fmt: skip
def test_a_sum_follows_from_the_one_cell_that_is_wrong_or_from_its_column(rows: dict[str, str], given: str) -> None:
    result = check("alexnet", [(layer, "params", text) for layer, text in rows.items()])
    assert [one.explanation for one in result.cells[-1].diagnoses] == [f"Right, given your {given}."]
    assert f"right, given your {given}" in render(result, analysis_of("alexnet"))


@pytest.mark.parametrize(
    ("layer", "text", "positions"),
    [
        ("conv4", "3*3*384*384", "13×13 positions"),
        ("conv3", "14*14*384*3*3*256", "the input, 14×14. The output has 13×13"),
    ],
)
def test_a_mistake_is_not_carried_past_an_output_that_is_right(layer: str, text: str, positions: str) -> None:
    cells = [("pool2", "output_shape", "14x14x256"), (layer, "output_shape", "13x13x384")]
    *_, last = check("alexnet", [*cells, (layer, "multiplications", text)]).cells
    assert (last.verdict, last.carried) == (Verdict.WRONG, None)
    assert positions in last.diagnoses[0].explanation


_BEFORE = [("conv2", "23x23x256"), ("pool2", "11x11x256"), ("conv3", "11x11x384")]
_AFTER = [("conv5", "11x11x256"), ("pool5", "5x5x256")]


@pytest.mark.parametrize(
    ("between", "after"),
    [
        ([("conv4", "11x384x11")], _AFTER),  # sides in the wrong order
        ([("conv4", "384x11x11")], _AFTER),
        ([("conv4", "11x384x11")], [("conv5", "11x384x256")]),  # taken as they stand
        ([("conv4", "11x348x11")], _AFTER),
        ([("conv4", "11x11x348")], _AFTER),  # a slip that was not gone on with
        ([("conv4", "11x12x384")], _AFTER),
        ([("conv4", "11x11")], _AFTER),  # without the channels
        ([("conv4", "9x9x384")], _AFTER),
        ([("conv4", "9x9x384")], [("conv5", "9x9x256"), ("pool5", "4x4x256")]),
        ([("conv4", "9x384x9"), ("conv5", "9x256x9")], [("pool5", "5x5x256")]),
        ([("conv4", "13x384x13")], [("conv5", "11x11x256")]),
    ],
)
def test_what_is_right_given_a_mistake_stays_so_after_another(
    between: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    answers = [(layer, "output_shape", text) for layer, text in [*_BEFORE, *between, *after]]
    assert [cell.verdict for cell in check("alexnet", answers).cells][-len(after) :] == [Verdict.CARRIED] * len(after)


def test_one_shape_in_another_order_does_not_turn_the_others_around() -> None:
    texts = ("23x23x256", "11x11x256", "11x11x384", "11x11x384", "11x11x256", "256x6x6")
    names = ("conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
    cells = check("alexnet", [(name, "output_shape", text) for name, text in zip(names, texts, strict=True)]).cells
    assert [cell.verdict for cell in cells[:5]] == [Verdict.WRONG, *[Verdict.CARRIED] * 4]


@pytest.mark.parametrize(
    ("layer", "quantity", "value"),
    [
        ("conv4", "multiplications", 11 * 11 * 9 * 384 * 384),
        ("conv5", "multiplications", 11 * 11 * 9 * 384 * 256),
        ("conv4", "activations", 11 * 11 * 384),
        ("fc6", "params", (5 * 5 * 256 + 1) * 4096),
    ],
)
def test_counts_follow_from_the_sides_in_their_right_order(layer: str, quantity: str, value: int) -> None:
    shapes = [(name, "output_shape", text) for name, text in (*_BEFORE, ("conv4", "11x384x11"))]
    *_, last = check("alexnet", [*shapes, (layer, quantity, str(value))]).cells
    assert (last.verdict, last.carried_from) == (Verdict.CARRIED, ("conv2", "output_shape"))
    *_, wrong = check("alexnet", [*shapes, ("conv4", "params", "1327487")]).cells
    assert (wrong.verdict, wrong.carried) == (Verdict.WRONG, None)


# --- single cells

CASES = [
    ("alexnet", "conv1", "output_shape", "(96,55,55)", Verdict.RIGHT),
    ("alexnet", "conv1", "output_shape", "55x55x96", Verdict.RIGHT),
    ("alexnet", "conv1", "output_shape", "96@55x55", Verdict.RIGHT),
    ("alexnet", "conv1", "output_shape", "55x55", Verdict.RIGHT),
    ("alexnet", "conv1", "output_shape", "55", Verdict.RIGHT),
    ("alexnet", "fc6", "output_shape", "1x1x4096", Verdict.RIGHT),
    ("alexnet", "fc6", "output_shape", "4,096", Verdict.RIGHT),
    ("alexnet", "fc6", "output_shape", "(4096,)", Verdict.RIGHT),
    ("alexnet", "conv1", "params", "(11*11*3+1)*96", Verdict.RIGHT),
    ("alexnet", "conv1", "params", "96*(11²·3+1) = 34,944", Verdict.RIGHT),
    ("alexnet", "conv1", "params", "96*(11²·3+1) = 34,494", Verdict.WRONG),
    ("alexnet", "conv1", "params", "96*(11²·3) = 34,944", Verdict.WRONG),
    ("alexnet", "conv1", "params", "35K", Verdict.RIGHT),
    ("alexnet", "conv1", "params", "34.9k", Verdict.RIGHT),
    ("alexnet", "conv1", "params", "34K", Verdict.WRONG),
    ("alexnet", "conv1", "params", "34.944", Verdict.RIGHT),
    ("alexnet", "conv1", "params", "35,000", Verdict.WRONG),
    ("alexnet", "conv1", "params", "≈ 35,000", Verdict.RIGHT),
    ("alexnet", "conv1", "activation_bytes", "1.11 MiB", Verdict.RIGHT),
    ("alexnet", "conv1", "activation_bytes", "1.16 MB", Verdict.RIGHT),
    ("alexnet", "conv1", "activation_bytes", "1.11 MB", Verdict.RIGHT),
    ("alexnet", "conv1", "activation_bytes", "55*55*96*4", Verdict.RIGHT),
    ("alexnet", "conv1", "receptive_field", "11", Verdict.RIGHT),
    ("alexnet", "conv1", "receptive_field", "11x12", Verdict.WRONG),
    ("alexnet", "conv1", "params", "", Verdict.EMPTY),
    ("alexnet", "conv1", "params", "–", Verdict.EMPTY),
    ("alexnet", "conv1", "params", "n/a", Verdict.EMPTY),
    ("alexnet", "conv1", "params", "9**9**9", Verdict.UNREADABLE),
    ("alexnet", "conv1", "params", "many", Verdict.UNREADABLE),
    ("alexnet", "conv9", "params", "5", Verdict.UNREADABLE),
    ("alexnet", "total", "params", "62.4M", Verdict.RIGHT),
    ("alexnet", "total", "params", "60M", Verdict.RIGHT),  # its zero need not be a digit that counts
    ("alexnet", "total", "params", "61M", Verdict.WRONG),
    ("alexnet", "total", "params", "60.0M", Verdict.WRONG),
    ("googlenet", "inception_3a", "output_shape", "28x28x256", Verdict.RIGHT),
    ("googlenet", "inception_3a", "params", "163696", Verdict.RIGHT),
    ("googlenet", "inception_3a", "params", "163697", Verdict.WRONG),
]  # fmt: skip


@pytest.mark.parametrize(("name", "layer", "quantity", "text", "verdict"), CASES)
def test_cell(name: str, layer: str, quantity: str, text: str, verdict: Verdict) -> None:
    (cell,) = check(name, [(layer, quantity, text)]).cells
    assert cell.verdict is verdict, cell
    assert bool(cell.diagnoses) <= (verdict is Verdict.WRONG)


def test_channels_first_throughout_a_table() -> None:
    """With x between the sides, too; and one that is the other way round stands out."""
    rows = [row for row in analysis_of("alexnet").rows if len(row.output_shape) == 3]
    cells = [(row.name, "output_shape", "x".join(map(str, row.output_shape))) for row in rows]
    assert check("alexnet", cells).is_right
    cells[3] = (rows[3].name, "output_shape", plain(rows[3].output_shape))
    assert [cell[0] for cell in wrong_cells(check("alexnet", cells))] == [rows[3].name]


def test_a_row_that_appears_twice_is_checked_twice() -> None:
    answers = [Answer("conv1", "params", "34944"), Answer("relu1", "params", "0"), Answer("conv1", "params", "34848")]
    first, _, second = check_answers(analysis_of("alexnet"), answers).cells
    assert (first.verdict, first.note) == (Verdict.RIGHT, "")
    assert second.verdict is Verdict.WRONG
    assert "in the table twice" in second.note


def test_what_follows_in_either_rounding() -> None:
    """Pools of AlexNet round up, which its own sizes never need: whoever floors a wrong size is not wrong again."""
    for side, verdict in ((27, Verdict.RIGHT), (26, Verdict.CARRIED), (25, Verdict.WRONG)):
        cells = [("conv1", "output_shape", "54x54x96"), ("pool1", "output_shape", f"{side}x{side}x96")]
        assert check("alexnet", cells).cells[1].verdict is verdict


def test_checking_twice_gives_the_same() -> None:
    cells = [("conv1", "output_shape", "54x54x96"), ("conv4", "params", "885120"), ("total", "params", "61935976")]
    assert check("alexnet", cells) == check("alexnet", cells)


def test_a_block_is_the_sum_of_its_layers_and_follows_from_what_is_wrong_before() -> None:
    analysis = analysis_of("googlenet")
    shape = (200, 28, 28)
    student = forced(analysis, analysis.graph.index["pool2"], shape)
    params = sum(row.params for row in student.rows if row.name.startswith("inception_3a/"))
    right = sum(row.params for row in analysis.rows if row.name.startswith("inception_3a/"))
    cells = [("pool2", "output_shape", plain(shape)), ("inception_3a", "params", str(params))]
    assert [cell.verdict for cell in check("googlenet", cells).cells] == [Verdict.WRONG, Verdict.CARRIED]
    less = right - analysis["inception_3a/1x1/conv/conv"].params
    (cell,) = check("googlenet", [("inception_3a", "params", str(less))]).cells
    found = [(each.mistake, each.layer) for each in cell.diagnoses]
    assert found == [("repeat_count", "inception_3a/1x1/conv/conv")]
    assert "lacks inception_3a/1x1/conv/conv" in cell.diagnoses[0].explanation


def test_totals_that_are_not_the_sum_of_their_column() -> None:
    column = [("C1", "156"), ("C3", "2416"), ("C5", "48120"), ("F6", "10614"), ("output", "850")]
    cells = [(layer, "params", text) for layer, text in column]

    def total(text: str) -> Cell:
        return check("lenet5", [*cells, ("total", "params", text)]).cells[-1]

    assert (total("62,156").verdict, total("62.2K").verdict) == (Verdict.CARRIED, Verdict.CARRIED)
    assert total("61,706").verdict is Verdict.RIGHT
    for text, mistake, words in (
        ("62,000", "sum_of_parts", "without C1: 62,156 − 156"),
        ("63,006", "sum_of_parts", "with output twice: 62,156 + 850"),
        ("62,165", "digit_slip", "The column adds up to 62,156. Two digits have changed places"),
    ):
        wrong = total(text)
        assert (wrong.verdict, wrong.carried) == (Verdict.WRONG, 62156)
        assert wrong.diagnoses[0].mistake == mistake
        assert words in wrong.diagnoses[0].explanation


def test_a_sum_of_rounded_numbers() -> None:
    column = [("C1", "0.2K"), ("C3", "2.4K"), ("C5", "48K"), ("F6", "10K"), ("output", "0.9K")]
    cells = [(layer, "params", text) for layer, text in column]
    result = check("lenet5", [*cells, ("total", "params", "61,500")])
    assert [cell.verdict for cell in result.cells] == [*[Verdict.RIGHT] * 5, Verdict.WRONG]
    assert [found.mistake for found in result.cells[-1].diagnoses] == ["rounded_inputs"]


#: Texts that are answers to nothing, or to everything.
ODD = [
    "0", "-5", "1e99", "10**64", "0.5", "1/3", "9" * 40, "1x1x1", "1048577x3x3", "0x0x0", "9999999999x1x1", "5x5", "7",
    "(1, 2, 3)", "3@4x5", "1 KiB", "1e-9 GB", "= 5", "5 = 6", "2+2=5", "≈ 0", "", "?", "nan", "inf", "1,2,3",
]  # fmt: skip


@examples(150)
@given(
    name=st.sampled_from(["lenet5@1998", "alexnet", "googlenet", "resnet20_cifar", "mobilenet", "unet"]),
    data=st.data(),
)
def test_any_table_is_checked(name: str, data: st.DataObject) -> None:
    """Whatever is written where, each cell gets a verdict, and what is right is never wrong."""
    rows = [row.name for row in analysis_of(name).rows]
    labels = st.sampled_from([*rows, "total", "conv1", "pool", "fc2", "nobody", ""])
    cell = st.tuples(labels, st.sampled_from(QUANTITIES), st.sampled_from(ODD) | st.text(max_size=10))
    cells = data.draw(st.lists(cell, max_size=25))
    result = check(name, cells)
    assert [one.answer.text for one in result.cells] == [text for _, _, text in cells]
    for one in result.cells:
        right = one.expected
        if one.verdict is Verdict.WRONG and one.stated is not None and isinstance(right, int):
            assert not one.stated.holds(right) or one.stated.expression is not None
        assert one.verdict is not Verdict.CARRIED or one.carried_from is not None
        assert not one.diagnoses or one.verdict in (Verdict.WRONG, Verdict.CARRIED)
        assert (one.verdict is Verdict.CARRIED) == any(found.mistake == "carried_forward" for found in one.diagnoses)


def test_a_table_of_many_wrong_rows_is_judged_and_explained_within_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"conv{1 + row % 5},{7_000_003 + 11 * row}\n" for row in range(100))
    monkeypatch.setattr(marking, "MOST_STEPS", 150)
    check = check_answers(analysis_of("alexnet"), parse_answers(f"layer,params\n{lines}".encode(), "a.csv").answers)
    assert {cell.verdict for cell in check.cells} == {Verdict.WRONG}
    assert all(cell.expected for cell in check.cells)
    explained = sum(bool(cell.diagnoses) for cell in check.cells)
    assert check.notes == (
        f"{100 - explained} wrong cells are judged, but why is not looked for: the budget of 150 steps is spent",
    )
    assert check.notes[0] in render(check, analysis_of("alexnet"), "text", width=200)
    # 20 steps for each of the first four layers, and 1 for each cell that is explained.
    assert explained == 150 - 4 * 20


SHARED = """
inputs: {left: 32x32x3, right: 32x32x3}
blocks:
  tower:
    layers:
      - conv2d: {name: conv1, out_channels: 8, kernel_size: 3}
      - conv2d: {name: conv2, out_channels: 16, kernel_size: 3}
layers:
  - tower: {name: a, from: left}
  - tower: {name: b, from: right, weights: a}
  - concat: {from: [a, b]}
"""


@pytest.mark.parametrize(("layer", "params"), [("b/conv1", 224), ("b", 1392), (TOTAL, 2784)])
def test_weights_that_are_shared_and_counted_again(layer: str, params: int) -> None:
    analysis = analyse(graph(SHARED))
    (cell,) = check_answers(analysis, [Answer(layer, "params", str(params))]).cells
    assert cell.verdict is Verdict.WRONG
    assert [found.mistake for found in cell.diagnoses][:1] == ["repeat_count"]
    assert "conv1" in cell.diagnoses[0].explanation


def test_the_calculation_of_a_block_is_the_sum_of_its_parts() -> None:
    analysis = analysis_of("resnet18")
    checked = check_answers(analysis, [Answer("conv2_x", "params", "147967"), Answer("conv2_x/unit1", "params", "1")])
    text = render(checked, analysis, "text")
    assert "unit1 + unit2 = 73,984 + 73,984 = 147,968" in text
    assert "= 73,984" in text.partition("conv2_x/unit1 params")[2]


SEVERAL = """inputs: {a: 8x8x3, b: 6x6x3}
layers:
  - conv2d: {name: ca, from: a, out_channels: 4, kernel_size: 3}
  - conv2d: {name: cb, from: b, out_channels: 4, kernel_size: 3}
  - opaque: {name: nms, from: cb, of: torchvision.nms, shape: 10x4}
  - opaque: {name: last, from: [ca, nms], of: mine, shape: 10}
"""


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("cb,receptive field,3", "an input of another size than a, in whose positions it is measured (b)"),
        ("last,receptive field,8", "only the shape of the output is known (last)"),
        ("nms,multiplications,7", "torchvision.nms cannot be counted"),
        ("total,multiplications,7", "archcalc cannot count 1 × torchvision.nms, 1 × mine"),
    ],
)
def test_a_cell_whose_right_value_is_not_known_is_not_judged_and_says_why(table: str, reason: str) -> None:
    layer, head, value = table.split(",")
    rows = f"layer,params,{head}\nca,112,\n{layer},,{value}\n"
    found = check_answers(analyse(graph(SEVERAL)), parse_answers(rows.encode(), "table.csv").answers)
    cell = next(cell for cell in found.cells if cell.answer.text == value)
    assert found.is_right
    assert (cell.verdict, cell.expected) == (Verdict.EMPTY, None)
    assert reason in cell.note
    assert cell.note in render(found, analyse(graph(SEVERAL)), "text").replace("\n  ", " ")
