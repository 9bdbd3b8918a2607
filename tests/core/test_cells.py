"""Texts of CSV files that a spreadsheet does not calculate, and back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import archcalc as ac
from archcalc.core.cells import as_written, harmless
from tests.cli.runner import Run

NAMES = ("=1+1", "@SUM(1)", "=cmd|' /C calc'!A0", "+x", "-conv", "'=1+1", "\tname", "\rname")


@pytest.mark.parametrize("text", NAMES)
def test_a_formula_is_made_a_text_and_read_back(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert as_written(harmless(text)) == text


@pytest.mark.parametrize("text", ["", "conv1", "'quoted'", "-1", "-3.5e-7", "+12", "-1/3", "-1, -1", "1,234", "–"])
def test_numbers_and_other_texts_are_as_they_are(text: str) -> None:
    assert harmless(text) == as_written(text) == text


SPEC = """name: x
title: X
input: 8x8x3
layers:
  - conv2d: {name: "=1+1", out_channels: 4, kernel_size: 3}
  - conv2d: {name: "@SUM(1)", out_channels: 4, kernel_size: 3}
  - relu: {name: "=cmd|a"}
"""


@pytest.mark.parametrize(
    "command",
    [
        ("report",),
        ("memory",),
        ("estimate", "--flops", "1T", "--bandwidth", "100GB/s"),
        ("compare", "--diff"),
        ("gradients",),
    ],
    ids=lambda command: command[0],
)
def test_no_table_holds_a_formula(archcalc: Run, own_folder: Path, command: tuple[str, ...]) -> None:
    own_folder.joinpath("x.yaml").write_text(SPEC, encoding="utf-8")
    other = ["8x8x3 -> conv3-4"] if command[0] == "compare" else []
    name, *options = command
    done = archcalc(name, "x.yaml", *other, *options, "-f", "csv")
    assert done.code == 0, done.err
    cells = [cell for row in csv.reader(io.StringIO(done.out)) for cell in row]
    assert "'=1+1" in cells
    assert [cell for cell in cells if harmless(cell) != cell and cell[:1] != "'"] == []


def test_a_table_with_such_names_is_checked(own_folder: Path) -> None:
    network = ac.from_yaml(SPEC)
    own_folder.joinpath("hand.csv").write_text(network.analyse().to_csv(), encoding="utf-8")
    cells = ac.check(network, "hand.csv").value.cells
    assert {cell.layer for cell in cells} == {"input", "=1+1", "@SUM(1)", "=cmd|a", "total"}
    assert {cell.verdict.value for cell in cells} <= {"right", "empty"}
