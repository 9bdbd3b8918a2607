"""The formulas: against counts by brute force, and the same for ints, arrays and symbols."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc.ops import rules
from tests.tiers import examples

QUICK = examples(100)
size = st.integers(1, 40)
window = st.integers(1, 9)
stride = st.integers(1, 6)
padding = st.integers(0, 8)


# --- figures from papers and lecture notes


@pytest.mark.parametrize(
    ("args", "positions"),
    [
        ((227, 11, 4, 0), 55),  # AlexNet conv1, CS231n
        ((224, 11, 4, 0), 54),  # with the paper's 224 the division is not whole: 53.25 + 1
        ((55, 3, 2, 0), 27),  # AlexNet pool1: overlapping pooling
        ((7, 3, 1, 0), 5),  # CS231n: 7×7 input, 3×3 filter
        ((7, 3, 2, 0), 3),  # CS231n
        ((7, 3, 3, 0), 2),  # CS231n: "doesn't fit": 2.33
        ((7, 3, 1, 2), 7),  # CS231n: zero-padded with a border of 1
        ((32, 5, 1, 4), 32),  # CS231n: 10 5×5 filters, stride 1, pad 2
        ((224, 7, 2, 6), 112),  # GoogLeNet and ResNet conv1
        ((3, 5, 1, 0), -1),  # a window larger than its input: below 1
    ],
)
def test_window_output_size(args: tuple[int, int, int, int], positions: int) -> None:
    assert rules.window_output_size(*args) == positions


@pytest.mark.parametrize(
    ("args", "positions"),
    [
        ((112, 3, 2, 0), 56),  # GoogLeNet pool1: 55.5 rounded up
        ((111, 3, 2, 0), 55),
        ((7, 3, 3, 0), 3),
        ((6, 3, 2, 0), 3),
    ],
)
def test_ceil_window_output_size(args: tuple[int, int, int, int], positions: int) -> None:
    assert rules.ceil_window_output_size(*args) == positions


@pytest.mark.parametrize(
    ("args", "output"),
    [
        ((2, 3, 1, 0, 0), 4),  # Dumoulin & Visin, figure 4.1: the transpose of a 3×3 kernel over 4×4
        ((6, 4, 1, 4, 0), 5),  # figure 4.2: of a 4×4 kernel over 5×5 with a border of 2
        ((2, 3, 2, 0, 0), 5),  # figure 4.5: of a 3×3 kernel over 5×5 with stride 2
        ((3, 3, 2, 2, 0), 5),  # figure 4.6: the same with a border of 1
        ((3, 3, 2, 2, 1), 6),  # figure 4.7: the same over 6×6
        ((28, 2, 2, 0, 0), 56),  # U-Net, 2×2 up-convolution
        ((5, rules.dilated_window(3, 2), 2, 2, 1), 12),  # PyTorch, ConvTranspose1d(1, 1, 3, 2, 1, 1, dilation=2)
    ],
)
def test_transposed_output_size(args: tuple[int, int, int, int, int], output: int) -> None:
    assert rules.transposed_output_size(*args) == output


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "span"),
    # Yu & Koltun 2016, figure 1: 3×3 kernels with dilation 1, 2 and 4.
    [(3, 1, 3), (3, 2, 5), (3, 4, 9), (1, 7, 1), (5, 3, 13)],
)
def test_dilated_window(kernel_size: int, dilation: int, span: int) -> None:
    assert rules.dilated_window(kernel_size, dilation) == span
    reads = [position * dilation for position in range(kernel_size)]
    assert reads[-1] - reads[0] + 1 == span


@pytest.mark.parametrize(
    ("args", "total"),
    [
        ((224, 3, 2), 1),  # one pixel, at the bottom and right
        ((224, 3, 1), 2),
        ((5, 3, 2), 2),
        ((5, 1, 1), 0),
        ((6, 1, 2), 0),  # a window smaller than the stride needs none
        ((7, 7, 7), 0),
    ],
)
def test_same_padding(args: tuple[int, int, int], total: int) -> None:
    assert rules.same_padding(*args) == total


# --- laws, against brute force


def starts(first: int, last: int, step: int) -> list[int]:
    """Where windows can start."""
    return list(range(first, last + 1, step))


@QUICK
@given(size, window, stride, padding)
def test_output_size_is_the_number_of_windows_that_fit(w: int, f: int, s: int, p: int) -> None:
    assume(f <= w + p)
    positions = [start for start in starts(0, w + p, s) if start + f <= w + p]
    assert rules.window_output_size(w, f, s, p) == len(positions)


@QUICK
@given(size, window, stride, padding)
def test_leftover_is_what_no_window_reads(w: int, f: int, s: int, p: int) -> None:
    assume(f <= w + p)
    positions = [start for start in starts(0, w + p, s) if start + f <= w + p]
    assert rules.leftover(w, f, s, p) == w + p - (positions[-1] + f)


@QUICK
@given(size, window, stride, padding)
def test_ceil_output_size_covers_every_pixel_with_the_fewest_windows(w: int, f: int, s: int, p: int) -> None:
    assume(f <= w + p)
    count = 1
    while (count - 1) * s + f < w + p:
        count += 1
    assert rules.ceil_window_output_size(w, f, s, p) == count


@QUICK
@given(size, window, stride, st.integers(0, 4), st.integers(0, 4))
def test_clipping_drops_windows_that_start_in_the_padding_behind(
    w: int, f: int, s: int, before: int, after: int
) -> None:
    assume(f <= w + before + after)
    positions = rules.ceil_window_output_size(w, f, s, before + after)
    inside = [index for index in range(positions) if index * s - before < w]
    assert rules.windows_that_start_inside(positions, w, s, before) == len(inside)


@QUICK
@given(size, window, stride)
def test_same_padding_gives_as_many_positions_as_strides(w: int, f: int, s: int) -> None:
    total = rules.same_padding(w, f, s)
    assert rules.window_output_size(w, f, s, total) == len(range(0, w, s))
    # And it is the least that does.
    assert total == 0 or rules.window_output_size(w, f, s, total - 1) < len(range(0, w, s))


@QUICK
@given(size, window, stride, padding)
def test_transposing_undoes_a_window_that_tiles(w: int, f: int, s: int, p: int) -> None:
    assume(f <= w + p)
    positions = rules.window_output_size(w, f, s, p)
    rest = rules.leftover(w, f, s, p)
    # What the floor cut off comes back as output padding; there is none where the window tiles.
    assert rules.transposed_output_size(positions, f, s, p, rest) == w


@QUICK
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 1))
def test_sums_counts_the_plus_signs(results: int, terms: int, bias: int) -> None:
    written = [" + ".join(["x"] * terms + ["bias"] * bias)] * results
    assert rules.sums(results, terms, bias) == "".join(written).count("+")


def test_total_padding_is_twice_one_number_or_the_sum_of_two() -> None:
    assert (rules.total_padding(3, 3), rules.total_padding(0, 1), rules.total_padding(100_000, 100_001)) == (
        6,
        1,
        200_001,
    )
    one, other = sympy.symbols("P Q", integer=True)
    assert rules.total_padding(one, one) == 2 * one
    assert rules.total_padding(one, other) == one + other


# --- every rule, with every kind of number

#: How to draw the arguments of a rule; a kernel is a pair.
ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "kernel": st.tuples(window, window),
    "output_sizes": st.tuples(size, size),
    "input_sizes": st.tuples(size, size),
    "stride": stride,
    "bias": st.integers(0, 1),
    "padding": padding,
    "padding_before": padding,
    "output_padding": padding,
    "before": padding,
    "after": padding,
}
RULES: dict[str, Callable[..., Any]] = {
    name: rule
    for name, rule in inspect.getmembers(rules, inspect.isfunction)
    if rule.__module__ == rules.__name__ and not name.startswith("_")
}


def drawn(rule: Callable[..., Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(*(ARGUMENTS.get(name, size) for name in inspect.signature(rule).parameters))


def test_the_rules_are_found() -> None:
    assert {"window_output_size", "same_padding", "sums", "total_padding"} <= set(RULES)
    assert len(RULES) >= 11


@pytest.mark.parametrize("name", RULES)
@examples(20)
@given(st.data())
def test_arrays_give_the_ints_elementwise(name: str, data: st.DataObject) -> None:
    rule = RULES[name]
    rows = data.draw(st.lists(drawn(rule), min_size=1, max_size=8))
    wanted = [rule(*row) for row in rows]
    columns = [
        tuple(np.array(side, dtype=np.int64) for side in zip(*column, strict=True))
        if isinstance(column[0], tuple)
        else np.array(column, dtype=np.int64)
        for column in zip(*rows, strict=True)
    ]
    result = rule(*columns)
    assert result.dtype == np.int64, "integers stay integers"
    assert result.tolist() == wanted


@pytest.mark.parametrize("name", RULES)
@examples(10, quick=2)
@given(st.data())
def test_symbols_give_the_ints_once_substituted(name: str, data: st.DataObject) -> None:
    rule = RULES[name]
    row = data.draw(drawn(rule))
    symbols = [
        sympy.symbols(f"x{index}_0 x{index}_1", integer=True)
        if isinstance(value, tuple)
        else sympy.Symbol(f"x{index}", integer=True)
        for index, value in enumerate(row)
    ]
    values: dict[Any, int] = {}
    for symbol, value in zip(symbols, row, strict=True):
        values |= dict(zip(symbol, value, strict=True)) if isinstance(value, tuple) else {symbol: value}
    assert rule(*symbols).subs(values) == rule(*row)


@pytest.mark.parametrize("name", RULES)
@examples(20)
@given(st.data())
def test_ints_stay_ints(name: str, data: st.DataObject) -> None:
    assert type(RULES[name](*data.draw(drawn(RULES[name])))) is int


def test_counts_beyond_64_bits_are_exact() -> None:
    side = 1 << 20
    assert rules.convolution_multiplications((side, side), 1 << 30, (side, side), 1 << 30) == 1 << 140
