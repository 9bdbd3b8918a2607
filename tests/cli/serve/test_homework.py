"""Exercises: blanks, marks, hints and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

import archcalc as ac
from tests.cli.serve.test_functions import errors, good

Sheet = dict[str, Any]
#: Cells of a sheet by layer and quantity, as they are filled in.
Filled = Mapping[tuple[str, str], str]


def sheet_of(blank: Filled, printed: Filled | None = None, level: str = "half of it") -> Sheet:
    """A sheet of AlexNet in which some cells are blank, and others are printed as they are given."""
    for seed in range(200):
        sheet = good("exercise", source={"text": "alexnet"}, level=level, seed=seed)
        cells = {(row["name"], key): text for row in sheet["rows"] for key, text in row["cells"].items()}
        if all(cells[one] is None for one in blank) and all(
            cells[one] == text for one, text in (printed or {}).items()
        ):
            return sheet
    raise AssertionError("no such sheet")


def marked(sheet: Sheet, filled: Filled) -> tuple[dict[tuple[str, str], dict[str, str]], dict[str, int]]:
    """What is said of the cells that were filled in, and the score."""
    names = [row["name"] for row in sheet["rows"]]
    cells = [{"row": names.index(layer), "key": key, "text": text} for (layer, key), text in filled.items()]
    found = good("mark", source={"text": "alexnet"}, token=sheet["token"], cells=cells)
    verdicts = {(names[one.pop("row")], one.pop("key")): one for one in found["verdicts"]}
    return {cell: verdicts[cell] for cell in filled}, found["score"]


def test_what_is_right_given_a_mistake_counts_as_right() -> None:
    filled = {("pool2", "output_shape"): "14x14x256", ("conv3", "output_shape"): "14x14x384"}
    found, score = marked(sheet_of(filled), filled)
    assert [one["verdict"] for one in found.values()] == ["wrong", "carried_forward"]
    assert found["conv3", "output_shape"]["hint"] == "right, given your output of pool2."
    assert score["right"] == 1


def test_a_mistake_is_not_carried_past_what_the_sheet_prints() -> None:
    filled = {("pool2", "output_shape"): "14x14x256", ("conv4", "multiplications"): "3*3*384*384"}
    sheet = sheet_of(filled, {("conv3", "output_shape"): "13×13×384", ("conv4", "output_shape"): "13×13×384"})
    found, score = marked(sheet, filled)
    assert "conv4 calculates at 13×13 positions" in found["conv4", "multiplications"]["hint"]
    assert "Given" not in found["conv4", "multiplications"]["answer"]
    assert score["right"] == 0


@pytest.mark.parametrize("form", ["{1}x{2}", "{1}x{2}x{0}", "{0}x{1}x{2}"])
def test_outputs_are_read_as_they_are_written_whatever_the_printed_ones(form: str) -> None:
    analysis = ac.analyse("alexnet")
    filled = {(name, "output_shape"): form.format(*analysis[name].output_shape) for name in ("conv1", "pool1", "conv3")}
    found, _ = marked(sheet_of(filled), filled)
    assert [one["verdict"] for one in found.values()] == ["right"] * 3


@pytest.mark.parametrize(
    ("layer", "key", "text", "hint", "answer"),
    [
        ("pool1", "params", "34848", "Parameters are the weights and biases that a layer has of its own.",
         "None of the usual mistakes gives this number. It is 0 by convention: pool1 has nothing to train."),
        ("norm1", "multiplications", "7", "Multiplications are those of convolution and dense layers.",
         "None of the usual mistakes gives this number. It is 0 by convention: norm1 has no multiplications: it is "
         "neither a convolution nor a dense layer."),
        ("norm1", "output_shape", "7", "Does norm1 change the size or the depth of its input?",
         "None of the usual mistakes gives this number. It is 55×55×96."),
        ("conv1", "params", "34848",
         "Your number is exactly 11·11·3·96: the bias is missing. Each of the 96 filters has one. (F·F·D₁ + 1)·K",
         "(F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944"),
        ("pool2", "output_shape", "14x14x256",
         "Your 14×14 is exactly (27 − 3 + 2·1)/2 + 1 = 14: padded by 1 on each side. pool2 has no padding. Or: Your "
         "14×14 is exactly (27 − 1 + 2·0)/2 + 1 = 14: a window of 1×1. pool2 has 3×3. H₂ = (H₁ − F + 2P)/S + 1",
         "H₂ = (H₁ − F + 2P)/S + 1 = (27 − 3 + 2·0)/2 + 1 = 24/2 + 1 = 13\n13×13×256"),
    ],
)  # fmt: skip
def test_a_hint_says_what_is_asked_and_the_answer_does_not_repeat_it(
    layer: str, key: str, text: str, hint: str, answer: str
) -> None:
    sheet = sheet_of({}, level="all of it")
    assert marked(sheet, {(layer, key): text})[0][layer, key] == {"verdict": "wrong", "hint": hint, "answer": answer}


def test_an_exercise_is_solved_by_its_answers_and_by_nothing_else() -> None:
    source = {"text": "lenet5"}
    sheet = good("exercise", source=source, level="all of it", seed=3)
    keys = [column["key"] for column in sheet["columns"]]
    answers = {row.name: row for row in ac.analyse("lenet5")}
    blanks = [(index, key) for index, row in enumerate(sheet["rows"]) for key in keys if row["cells"][key] is None]
    assert len(blanks) > 10
    totals = ac.analyse("lenet5").totals
    filled = []
    for index, key in blanks:
        layer = sheet["rows"][index]["name"]
        value = getattr(totals if layer == "total" else answers[layer], key)
        text = "x".join(map(str, (*value[1:], value[0]))) if key == "output_shape" else str(value)
        filled.append({"row": index, "key": key, "text": text})
    marked = good("mark", source=source, token=sheet["token"], cells=filled)
    assert marked["score"] == {"right": len(blanks), "of": len(blanks)}
    first = next(one for one in filled if one["key"] == "params")
    other = good("mark", source=source, token=sheet["token"], cells=[{**first, "text": "7"}])
    verdicts = {(one["row"], one["key"]): one["verdict"] for one in other["verdicts"]}
    assert verdicts.pop((first["row"], "params")) == "wrong"
    assert set(verdicts.values()) == {"empty"}
    assert "none of an exercise" in errors("mark", source=source, token="[[]]", cells=[])[0]["message"]


@pytest.mark.parametrize(("net", "text"), [("lenet5", "7"), ("lenet5", "48000"), ("vgg11", "1x1x1"), ("lenet5", "0")])
def test_a_hint_does_not_hold_the_right_value_and_the_answer_does(net: str, text: str) -> None:
    source = {"text": net}
    sheet = good("exercise", source=source, level="all of it", seed=1)
    blanks = [
        (place, key) for place, row in enumerate(sheet["rows"]) for key, cell in row["cells"].items() if cell is None
    ]
    marked = good("mark", source=source, token=sheet["token"],
                  cells=[{"row": place, "key": key, "text": text} for place, key in blanks])  # fmt: skip
    totals, rows = ac.analyse(net).totals, {row.name: row for row in ac.analyse(net)}
    wrong = [
        one for one in marked["verdicts"] if one["verdict"] == "wrong" and "right, given" not in one.get("hint", "")
    ]
    assert len(wrong) > 5
    for one in wrong:
        name = sheet["rows"][one["row"]]["name"]
        value = getattr(totals if name == "total" else rows[name], one["key"])
        numbers = re.findall(r"[\d×]+", one.get("hint", "").replace(",", ""))
        shown = "×".join(map(str, (*value[1:], value[0]))) if isinstance(value, tuple) else str(value)
        assert shown not in numbers, one
        assert shown in re.findall(r"[\d×]+", one["answer"].replace(",", "")), one
