"""Columns, words and widths: what stands in a cell, and what is left out where there is no space."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archcalc import UsageError, analyse
from archcalc.core import words
from archcalc.core.text import align, cells, wrap
from archcalc.passes.analysis import sum_operations
from archcalc.passes.blocks import fold
from archcalc.render.tables.columns import COLUMNS, DEFAULT, LEAST_NEEDED, choose
from archcalc.render.tables.report import Report, make_report
from archcalc.render.tables.text import render
from tests.networks import graph
from tests.render.tables.tables import check_sums, read_text

NETWORK = """\
input: 16x16x3
layers:
  - conv_bn_relu: {name: first, out_channels: 8, kernel_size: 3, padding: 1}
  - conv_bn_relu: {name: second, out_channels: 8, kernel_size: 3, stride: 2}
  - linear: {out_features: 10}
"""


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report(analyse(graph(NETWORK)))


# --- choosing


def test_the_columns_unless_chosen() -> None:
    assert tuple(column.key for column in choose(None)) == DEFAULT
    assert set(LEAST_NEEDED) < set(DEFAULT)
    assert all(key == column.key for key, column in COLUMNS.items())


def test_all_columns() -> None:
    assert [column.key for column in choose("all")] == list(COLUMNS)


def test_columns_by_key_in_the_order_given() -> None:
    assert [column.key for column in choose(" params , layer,,output ")] == ["params", "layer", "output"]


@pytest.mark.parametrize(
    ("keys", "words_of_it"),
    [
        ("layer,parms", ["'parms'", "did you mean params"]),
        ("Layer", ["'Layer'", "layer"]),
        ("", ["receptive_field"]),
        (" , ", ["receptive_field"]),
        ("zzzzz", ["'zzzzz'", "multiplications_share"]),
    ],
)
def test_unknown_columns(keys: str, words_of_it: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        choose(keys)
    for word in words_of_it:
        assert word in str(caught.value)


def test_every_column_with_a_total_adds_up() -> None:
    (table,) = read_text(render([make_report(analyse(graph(NETWORK)), "all")]))
    with_totals = [column for column in COLUMNS.values() if column.total]
    shares = [key for key in COLUMNS if key.endswith("_share")]
    # A total of none at all is a 0, which adds up too.
    assert check_sums(table) == len(with_totals) + len(shares)


def test_the_total_is_named_in_the_first_column() -> None:
    analysis = analyse(graph(NETWORK))
    assert make_report(analysis, "output,layer,params").total_line()[0] == "total"
    assert make_report(analysis, "params,layer").total_line() == [f"{analysis.totals.params:,}", ""]


# --- words


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "–"),
        (1, "1 byte"),
        (4, "4 bytes"),
        (999, "999 bytes"),
        (1000, "0.98 KiB"),
        (1024, "1.00 KiB"),
        (10 * 1024, "10.0 KiB"),
        (10_234, "9.99 KiB"),
        (10_235, "10.0 KiB"),
        (618_348, "604 KiB"),
        (999 * 1024, "999 KiB"),
        (1024**2 - 1, "1.00 MiB"),
        (1024**2 * 5 // 2, "2.50 MiB"),
        (238 * 1024**2, "238 MiB"),
        (1024**3, "1.00 GiB"),
        (5000 * 1024**3, "5,000 GiB"),
    ],
)
def test_sizes_have_three_digits(size: int, text: str) -> None:
    assert words.size(size) == text


def test_sizes_are_right_and_short_everywhere() -> None:
    units = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    sizes = [base + step for power in range(10, 38) for base in (1000 * 2**power // 1024,) for step in (-1, 0, 1, 513)]
    sizes += [int(999.4 * 1024), int(999.6 * 1024), int(999.6 * 1024**2), 99 * 1024 + 972, 99 * 1024 + 973]
    for size in sizes:
        number, _, unit = words.size(size).partition(" ")
        if unit == "bytes":
            assert int(number) == size
            continue
        assert abs(Fraction(number) - Fraction(size, units[unit])) <= Fraction(number) / 190, size
        assert len(number.replace(".", "")) == 3, words.size(size)


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 10, "–"),
        (0, 0, "–"),
        (1, 0, "–"),
        (10, 10, "100.0 %"),
        (1, 3, "33.3 %"),
        (2, 3, "66.7 %"),
        (1, 2000, "0.1 %"),
        (1, 2001, "<0.1 %"),
        (1, 10**30, "<0.1 %"),
        (15, 10_000, "0.2 %"),
        (10**30, 3 * 10**30, "33.3 %"),
    ],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert words.share(part, whole) == text


def test_counts_and_strides() -> None:
    assert [words.count(number) for number in (0, 1, 999, 1000, 10**20)] == [
        "–", "1", "999", "1,000", "100,000,000,000,000,000,000",
    ]  # fmt: skip
    assert [words.number(value) for value in (1, 2.0, 0.5, Fraction(1, 4), Fraction(8, 2))] == [
        "1", "2", "0.5", "0.25", "4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("authors", "text"),
    [
        ([], ""),
        ([" "], ""),
        (["Ada Lovelace"], "Lovelace"),
        (["A. B", "C. D"], "B & D"),
        (
            ["Aäron van den Oord", "Laurens van der Maaten", "Loic Le Folgoc"],
            "van den Oord, van der Maaten & Le Folgoc",
        ),
        (["Quoc Le", "Le Cun", "van Gogh"], "Le, Cun & Gogh"),
        (["A. B", "C. D", "E. F", "G. H"], "B, D, F & H"),
        (["A. B", "C. D", "E. F", "G. H", "I. J"], "B et al."),
    ],
)
def test_people(authors: list[str], text: str) -> None:
    assert words.people(authors) == text


# --- widths


def test_cells_of_a_terminal() -> None:
    assert [cells(text) for text in ("", "abc", "×", "漢字", "e\u0301", "Ａ")] == [0, 3, 1, 4, 1, 2]


def test_wide_letters_do_not_shift_a_column() -> None:
    lines = align([["name", "n"], ["漢字", "1"], ["e\u0301tude", "22"], ["abcdefgh", "333"]], [False, True], False)
    assert [cells(line) for line in lines] == [13] * 4


def test_lines_are_wrapped_and_nothing_is_lost() -> None:
    text = "Receptive field: input pixels that an output can depend on, padding included; not cut off at the image."
    for width in (20, 40, 80, 200):
        lines = wrap(text, width)
        assert all(len(line) <= width for line in lines)
        assert " ".join(line.strip() for line in lines) == text
    assert wrap("a " + "b" * 30, 10) == ["a", "  " + "b" * 30]


@pytest.mark.parametrize("width", range(20, 140, 4))
def test_a_narrow_terminal_shows_what_matters_most(report: Report, width: int) -> None:
    text = render([report], width)
    (table,) = read_text(text)
    heads = [column.title for column in report.columns]
    missing = len(heads) - len(table.heads)
    wanted = list(zip(DEFAULT, heads, strict=True))
    assert table.heads == [head for key, head in wanted if key not in LEAST_NEEDED[:missing]]
    lines = [line for line in text.splitlines() if line.startswith(("layer", "─", "total"))]
    assert len(lines) == 3
    if missing < len(LEAST_NEEDED):
        assert max(map(len, lines)) <= width
    note = "The terminal is too narrow for "
    flat = " ".join(text.split())
    assert (note in flat) == (missing > 0)
    if missing:
        # By their keys: two columns are headed "share", and --columns wants the keys.
        assert f"{note}{', '.join(LEAST_NEEDED[:missing])}; --columns" in flat
    # One column more would not have fitted.
    full = render([report]).splitlines()[2:]
    assert missing > 0 or max(len(line) for line in full if line.startswith(("layer", "total"))) <= width


def test_columns_that_were_chosen_are_not_lost_to_the_last() -> None:
    text = render([make_report(analyse(graph(NETWORK)), "stored")], 5)
    assert read_text(text)[0].heads == ["stored"]


def test_colour_only_on_request(report: Report) -> None:
    plain, coloured = render([report]), render([report], colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1mA network\x1b[0m" in coloured
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


# --- folding


def test_folding_adds_up(report: Report) -> None:
    rows = report.analysis.rows
    folded = fold(rows, 1)
    assert [row.name for row in folded] == ["input", "first", "second", "fc1"]
    assert [row.summary for row in folded[1:3]] == ["3 layers", "3 layers"]
    for field in ("params", "trainable_params", "buffers", "multiplications", "activations", "activation_bytes"):
        assert sum(getattr(row, field) for row in folded) == sum(getattr(row, field) for row in rows)
    assert sum_operations(folded) == sum_operations(rows)
    assert folded[2].input_shapes == ((8, 16, 16),)
    assert folded[2].output_shape == (8, 7, 7)
    assert folded[2].receptive_field == rows[-2].receptive_field


def test_folding_deeper_than_the_names_changes_nothing(report: Report) -> None:
    assert tuple(fold(report.analysis.rows, 2)) == report.analysis.rows


# --- notes


def test_notes_say_what_the_columns_mean() -> None:
    analysis = analyse(graph(NETWORK))
    every = " ".join(make_report(analysis).notes())
    few = " ".join(make_report(analysis, "layer,output").notes())
    for word in ("Multiplications:", "Stored:", "Receptive field:"):
        assert word in every
        assert word not in few
    # Batch normalisation keeps means and variances next to its parameters.
    assert "32 buffer values" in every
    plain = analyse(graph("input: 4x4x3\nlayers: [relu]"))
    assert "buffer" not in " ".join(make_report(plain).notes())


def test_notes_name_the_batch_and_the_type() -> None:
    notes = " ".join(make_report(analyse(graph(NETWORK), 8, "float16")).notes())
    assert "float16 (2 bytes each), 8 images" in notes
    assert "batch 8" in make_report(analyse(graph(NETWORK), 8)).subtitle


def test_reported_figures_stand_next_to_the_computed_ones() -> None:
    figures = """\
reported:
  - {quantity: params, value: 1000, source: the paper, note: γ and β left out}
  - {quantity: top1_error, value: 40.7%, source: table 1}
  - {quantity: top5_accuracy, value: 81.5, source: table 2, note: ten crops.}
  - {quantity: depth, value: 23, source: section 2}
"""
    analysis = analyse(graph(figures + NETWORK))
    assert make_report(analysis).notes()[-4:] == [
        f"Reported parameters: 1,000 (the paper); computed {analysis.totals.params:,}. γ and β left out.",
        "Reported top-1 error: 40.7% (table 1).",
        "Reported top-5 accuracy: 81.5 % (table 2). Ten crops.",
        "Reported depth: 23 (section 2).",
    ]


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        ("4x4x3 -> pool2 -> relu", "There are no parameters; at most 240 bytes of activations live at one time, at "),
        ("4x4x3 -> fc2", "Parameters take 392 bytes; at most 200 bytes of activations live at one time, at "),
    ],
)
def test_the_memory_of_the_parameters_and_that_there_are_none(pattern: str, begins: str) -> None:
    assert make_report(analyse(pattern)).conventions()[0].startswith(begins)
