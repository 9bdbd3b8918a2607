"""Lists of layers: steps, repeats, loops over a table, branches and outputs, read from YAML."""

from __future__ import annotations

import pytest

from archcalc.core.errors import Problem
from archcalc.spec.items import Branches, ForEach, Item, ItemReader, Output, Repeat, Step
from archcalc.spec.source import parse_source

FILE = "net.yaml"


def read(text: str) -> tuple[tuple[Item, ...], list[Problem]]:
    problems: list[Problem] = []
    items = ItemReader(FILE, problems).items(parse_source(text, FILE).value, (1, 1))
    return items, problems


def item(text: str) -> Item:
    items, problems = read(text)
    assert problems == []
    (only,) = items
    return only


# --- steps


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("- relu", "relu", {}),
        ("- relu:", "relu", {}),
        ("- relu: {}", "relu", {}),
        ("- relu: {name: r1}", "relu", {"name": "r1"}),
        (
            "- conv2d: {out_channels: 4*c, kernel_size: [3, 1]}",
            "conv2d",
            {"out_channels": "4*c", "kernel_size": [3, 1]},
        ),
        ("- conv2d:\n    out_channels: 64\n    kernel_size: 3\n", "conv2d", {"out_channels": 64, "kernel_size": 3}),
        # A field without a value takes the variable of its own name.
        (
            "- conv2d: {out_channels, kernel_size: 3, padding}",
            "conv2d",
            {"out_channels": "out_channels", "kernel_size": 3, "padding": "padding"},
        ),
        ("- max_pool2d: {kernel_size: 2, repeat: 3}", "max_pool2d", {"kernel_size": 2, "repeat": 3}),
    ],
)
def test_a_step_is_a_name_or_a_name_with_settings(text: str, kind: str, fields: dict[str, object]) -> None:
    step = item(text)
    assert isinstance(step, Step)
    assert (step.kind, dict(step.fields)) == (kind, fields)
    assert step.at == (1, 3)


def test_a_field_without_a_value_stands_where_its_key_does() -> None:
    step = item("- conv2d: {out_channels, kernel_size: 3}")
    assert isinstance(step, Step)
    assert step.fields.values_at == {"out_channels": (1, 12), "kernel_size": (1, 39)}


# --- forms


def test_a_repeat() -> None:
    repeat = item("- repeat: n // 2\n  as: i\n  when: deep\n  layers: [relu, tanh]\n")
    assert isinstance(repeat, Repeat)
    assert (repeat.times, repeat.variable, repeat.when) == ("n // 2", "i", "deep")
    assert [step.kind for step in repeat.body if isinstance(step, Step)] == ["relu", "tanh"]


def test_a_loop_over_a_table() -> None:
    loop = item("- for_each: [name, c]\n  rows:\n    - [a, 1]\n    - [b, 2*n]\n  layers: [relu]\n")
    assert isinstance(loop, ForEach)
    assert loop.columns == ("name", "c")
    assert list(loop.rows) == [["a", 1], ["b", "2*n"]]
    assert len(loop.body) == 1


def test_a_loop_over_a_block_hands_it_the_columns() -> None:
    loop = item("- for_each: [name, c]\n  rows: [[a, 1]]\n  block: unit\n")
    assert isinstance(loop, ForEach)
    (step,) = loop.body
    assert isinstance(step, Step)
    assert (step.kind, dict(step.fields)) == ("unit", {"name": "{name}", "c": "c"})


def test_rows_may_come_from_an_expression_and_hold_items_between_them() -> None:
    loop = item("- for_each: [c]\n  rows: units[depth]\n  layers: [relu]\n")
    assert isinstance(loop, ForEach)
    assert loop.rows == "units[depth]"
    loop = item("- for_each: [c]\n  rows: [[1], {max_pool2d: {kernel_size: 2}}, [2]]\n  layers: [relu]\n")
    assert isinstance(loop, ForEach)
    assert [isinstance(row, Step) for row in loop.rows] == [False, True, False]


def test_branches_with_and_without_names() -> None:
    branches = item("- branches:\n    - [relu]\n    - []\n    -\n  merge: add\n  name: unit\n  from: [a, b]\n")
    assert isinstance(branches, Branches)
    assert [(branch.name, len(branch.body), branch.when) for branch in branches.branches] == [
        (None, 1, None),
        (None, 0, None),
        (None, 0, None),
    ]
    assert (branches.merge, branches.name, branches.sources) == ("add", "unit", ["a", "b"])
    branches = item("- branches: {1x1: [relu], pool: {layers: [tanh], when: n > 1}, none: }\n")
    assert isinstance(branches, Branches)
    assert [(branch.name, len(branch.body), branch.when) for branch in branches.branches] == [
        ("1x1", 1, None),
        ("pool", 1, "n > 1"),
        ("none", 0, None),
    ]


def test_an_output() -> None:
    output = item("- output: aux\n  loss_weight: 0.3\n  when: aux\n  layers: [softmax]\n")
    assert isinstance(output, Output)
    assert (output.name, output.loss_weight, output.when, len(output.body)) == ("aux", 0.3, "aux", 1)
    output = item("- output: aux\n  layers: [softmax]\n")
    assert isinstance(output, Output)
    assert output.loss_weight == 1.0


def test_every_item_knows_its_place() -> None:
    items, _ = read("- relu\n- repeat: 2\n  layers:\n    - tanh\n-   conv2d: {kernel_size: 1}\n")
    assert [entry.at for entry in items] == [(1, 3), (2, 3), (5, 5)]


# --- faults


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("relu", "layers must be a list", (1, 1)),
        ("relu: {}", "layers must be a list", (1, 1)),
        ("- 5", "a layer is a name, or a name with its settings", (1, 3)),
        ("- [relu]", "a layer is a name, or a name with its settings", (1, 3)),
        ("- {}", "a layer is a name, or a name with its settings", (1, 3)),
        ("- true", "a layer is a name, or a name with its settings", (1, 3)),
        ("- relu\n-\n", "a layer is a name, or a name with its settings", (2, 2)),
        ("- conv2d: 64", "the settings of conv2d must be a mapping", (1, 11)),
        ("- conv2d: [64, 3]", "the settings of conv2d must be a mapping", (1, 11)),
        ("- relu:\n  tanh:\n", "a layer has one name, here are 2: 'relu', 'tanh'", (2, 3)),
        ("- conv2d: {kernel_size: 1}\n  name: c1\n", "a layer has one name", (2, 3)),
        # The word that was meant is a form.
        ("- repaet: 3\n  layers: [relu]\n", "did you mean repeat?", (2, 3)),
        ("- repeat: 3\n  layrs: [relu]\n", "'repeat' has no key 'layrs'; did you mean layers?", (2, 3)),
        ("- repeat: 3\n", "'repeat' needs layers", (1, 3)),
        ("- repeat: 3\n  layers: relu\n", "layers must be a list", (2, 11)),
        ("- repeat: 3\n  as: [i]\n  layers: [relu]\n", "as must be a word", (2, 7)),
        ("- for_each: [c]\n  layers: [relu]\n", "for_each needs rows", (1, 3)),
        ("- for_each: [c]\n  rows: 5\n  layers: [relu]\n", "for_each needs rows", (1, 3)),
        ("- for_each: c\n  rows: [[1]]\n  layers: [relu]\n", "must list the names of the columns", (1, 13)),
        ("- for_each: [1]\n  rows: [[1]]\n  layers: [relu]\n", "must list the names of the columns", (1, 13)),
        (
            "- for_each: [a, b]\n  rows:\n    - [1, 2]\n    - [1]\n  layers: [relu]\n",
            "a row of 1 for 2 columns",
            (4, 7),
        ),
        ("- for_each: [a]\n  rows: [[1], 5]\n  layers: [relu]\n", "list", (2, 15)),
        ("- branches: 3\n  merge: add\n", "branches must be a list of lists", (1, 13)),
        ("- branches: [relu, [tanh]]\n  merge: add\n", "layers must be a list", (1, 14)),
        ("- branches: [[relu]]\n  megre: add\n", "'branches' has no key 'megre'; did you mean merge?", (2, 3)),
        ("- branches: [[relu]]\n  merge: [add]\n", "merge must be a word", (2, 10)),
        ("- output: aux\n  loss_wieght: 1\n  layers: [relu]\n", "did you mean loss_weight?", (2, 3)),
        ("- output: aux\n  when: true\n", "'output' needs layers", (1, 3)),
        ("- repeat: 2\n  layers:\n    - repeat: 3\n      layers:\n        - 7\n", "a layer is a name", (5, 11)),
    ],
)
def test_a_faulty_item_is_reported_at_its_place(text: str, words: str, place: tuple[int, int]) -> None:
    _, problems = read(text)
    found = [(problem.message, problem.location) for problem in problems]
    assert any(words in message for message, _ in found), found
    assert [location and location[1:] for message, location in found if words in message] == [place]


def test_all_faulty_rows_are_reported() -> None:
    _, problems = read("- for_each: [a, b]\n  rows: [[1], [1, 2], [1, 2, 3]]\n  layers: [relu]\n")
    assert [problem.message for problem in problems] == ["a row of 1 for 2 columns", "a row of 3 for 2 columns"]
    assert problems[0].details == ("columns: a, b",)


def test_good_items_next_to_faulty_ones_are_kept() -> None:
    items, problems = read("- relu\n- 5\n- tanh\n")
    assert [step.kind for step in items if isinstance(step, Step)] == ["relu", "tanh"]
    assert len(problems) == 1
