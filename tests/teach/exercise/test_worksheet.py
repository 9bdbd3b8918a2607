"""Worksheets: what is blank, what the instructions say, and that the key has the right answers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.spec.catalogue import load
from archcalc.teach.exercise import worksheet
from archcalc.teach.exercise.formats import render_sheet
from archcalc.teach.exercise.variants import vary
from archcalc.teach.exercise.worksheet import ASKED, Worksheet, difficulty, make_worksheet
from tests.tiers import examples, slow_but


@lru_cache
def analysed(name: str = "alexnet") -> Analysis:
    return analyse(load(name))


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(("blank", "cells"), [(1, 13 * 3), (0.5, 20), (0.1, 4), (0.001, 1)])
def test_share_of_blanks(blank: float, cells: int) -> None:
    sheet = make_worksheet(analysed(), blank=blank)
    asked = [cell for cell in sheet.blanks if cell[0] != "total"]
    assert len(asked) == cells
    empty = [value for row in table(render_sheet(sheet, "csv"))[1:-1] for value in list(row.values())[2:] if not value]
    assert len(empty) == cells


@pytest.mark.parametrize("name", slow_but(["alexnet@grouped"], ["alexnet@grouped", "googlenet", "mobilenet", "unet"]))
def test_every_student_has_a_worksheet_as_hard(name: str) -> None:
    """Of each kind of step as many blanks, whatever the seed and the variant; and every blank is of one kind."""
    graph = load(name)
    found = []
    for seed in range(5):
        sheet = make_worksheet(analyse(vary(graph, seed)), tuple(ASKED), 0.4, seed)
        assert sum(difficulty(sheet).values()) == len(sheet.blanks)
        found.append((sheet.blanks, difficulty(sheet)))
    assert len({blanks for blanks, _ in found}) == 5
    assert all(hard == found[0][1] for _, hard in found)


def test_kinds_of_steps() -> None:
    """AlexNet as in the paper: five convolutions, three of them grouped, of which one has a stride."""
    hard = difficulty(make_worksheet(analysed("alexnet@grouped"), ["output_shape", "params"]))
    assert hard == {
        "output shape of convolution": 1, "output shape of convolution with a stride": 1,
        "output shape of dense": 3, "output shape of grouped convolution": 3, "output shape of normalisation": 2,
        "output shape of pooling with a stride": 3, "params of convolution": 2, "params of dense": 3,
        "params of grouped convolution": 3, "params that are 0": 5, "sum of params": 1,
    }  # fmt: skip


def test_total_is_blank_where_its_column_has_a_blank() -> None:
    sheet = make_worksheet(analysed(), ["params"], blank=0.01)
    assert ("total", "params") in sheet.blanks
    assert table(render_sheet(sheet, "csv"))[-1] == {"layer": "total", "operation": "", "params": ""}


def test_another_seed_blanks_other_cells() -> None:
    chosen = {make_worksheet(analysed(), blank=0.3, seed=seed).blanks for seed in range(5)}
    assert len(chosen) == 5


@examples(25)
@given(st.sampled_from(["lenet5", "googlenet", "resnet18", "unet", "mobilenet"]), st.floats(0.01, 1), st.integers())
def test_key_holds_the_numbers_of_the_analysis(name: str, blank: float, seed: int) -> None:
    analysis = analysed(name)
    sheet = make_worksheet(analysis, ["params", "multiplications", "output_shape"], blank, seed)
    rows = table(render_sheet(sheet, "csv", key=True))
    for row in rows[:-1]:
        expected = analysis[row["layer"]]
        assert int(row["params"].replace(",", "")) == expected.params
        assert int(row["multiplications"].replace(",", "")) == expected.multiplications
        sides = [int(side) for side in row["output shape"].split("×")]
        assert (*sides[2:], *sides[:2]) == expected.output_shape if len(sides) == 3 else (*sides,)
    shown = sum(int(row["params"].replace(",", "")) for row in rows[:-1])
    assert int(rows[-1]["params"].replace(",", "")) == shown == analysis.totals.params


def test_every_blank_is_worked_out() -> None:
    sheet = make_worksheet(analysed("lenet5"), ["params", "output_shape", "activation_bytes"], blank=0.6, seed=3)
    how = {row["layer"]: row["how"] for row in table(render_sheet(sheet, "csv", key=True))}
    words = {"params": "params", "output_shape": ("height", "size"), "activation_bytes": "memory"}
    for layer, quantity in sheet.blanks:
        if layer != "total":
            wanted = words[quantity]
            assert any(word in how[layer] for word in ([wanted] if isinstance(wanted, str) else wanted)), layer
    assert "61,706" in how["total"]


@pytest.mark.parametrize("form", ["markdown", "latex", "html", "csv"])
@pytest.mark.parametrize("name", slow_but(["lenet5"], ["lenet5", "googlenet", "unet"]))
def test_sheet_hides_what_the_key_shows(form: str, name: str) -> None:
    sheet = make_worksheet(analysed(name), tuple(ASKED))
    hidden, shown = render_sheet(sheet, form), render_sheet(sheet, form, key=True)
    total = f"{sheet.analysis.totals.params:,}"
    written = total.replace(",", "{,}") if form == "latex" else total
    assert total not in hidden
    assert written not in hidden
    assert total in shown or written in shown
    assert hidden != shown


def test_branches_say_what_they_read() -> None:
    rows = {row["layer"]: row for row in table(render_sheet(make_worksheet(analysed("resnet18")), "csv"))}
    assert rows["conv2_x/unit1/add1"]["reads"].count(",") == 1
    assert "reads" not in table(render_sheet(make_worksheet(analysed("vgg16")), "csv"))[0]


def test_one_block_shows_what_it_reads() -> None:
    sheet = make_worksheet(analysed("googlenet"), ["output_shape", "params"], layer="inception_3a")
    names = [row.name for row in sheet.rows]
    assert names[0] == "pool2"
    assert all(name.startswith("inception_3a/") for name in names[1:])
    assert not any(layer == "pool2" for layer, _ in sheet.blanks)
    assert not sheet.has_total


def test_operation_tells_all_settings() -> None:
    lines = {line.layer: line.operation for line in make_worksheet(analysed("alexnet@grouped")).lines}
    assert lines["conv2"] == "conv 5×5, 256 filters, stride 1, padding 2, 2 groups"
    assert lines["pool1"] == "max pool 3×3, stride 2, no padding, rounded up"
    assert lines["fc8"] == "dense 1000"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantities": ["parms"]}, "there is no quantity 'parms'; did you mean params"),
        ({"quantities": []}, "which quantities"),
        ({"blank": 0}, "must lie above 0"),
        ({"blank": 1.5}, "must lie above 0"),
        ({"blank": float("nan")}, "must lie above 0"),
        ({"layer": "conv9"}, "has no layer 'conv9'"),
        ({"layer": "relu1"}, "no layer whose numbers could be asked for"),
    ],
)
def test_what_cannot_be_asked(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        make_worksheet(analysed(), **change)  # type: ignore[arg-type]  # wrong on purpose


def test_names_of_a_spec_are_escaped() -> None:
    analysis = analysed("8x8x3 -> conv3-4 -> fc2")
    graph = analysis.graph
    hostile = [graph.layers[0], graph.layers[1]._replace(name="<b>&|_$%\\=1"), *graph.layers[2:]]
    sheet = make_worksheet(analyse(replace(graph, layers=tuple(hostile), title="<i>$x_1$")))
    assert isinstance(sheet, Worksheet)
    for text in (render_sheet(sheet, "html"), render_sheet(sheet, "html", key=True)):
        assert "<b>" not in text
        assert "<i>" not in text
    assert r"\$x\_1\$" in render_sheet(sheet, "latex")
    assert r"\<b\>&\|\_" in render_sheet(sheet, "markdown")


def test_the_rows_of_a_sheet_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for a worksheet grows with its layers, not with their square."""
    asked = []
    write = worksheet.operation

    def counted(row: Row) -> str:
        asked.append(row.name)
        return write(row)

    monkeypatch.setattr(worksheet, "operation", counted)
    sheet = make_worksheet(analysed())
    render_sheet(sheet, "markdown")
    render_sheet(sheet, "markdown", key=True)
    assert sorted(asked) == sorted(row.name for row in sheet.rows)
