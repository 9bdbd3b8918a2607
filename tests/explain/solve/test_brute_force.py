"""Every kind of problem of a layer against brute force: all settings within the bounds are tried on the op itself."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError, UsageError
from archcalc.explain.solve import layer
from archcalc.explain.solve.layer import MOST_ANSWERS, solve_layer
from archcalc.ops import OPS
from tests.tiers import examples

KINDS = ["conv2d", "depthwise_conv2d", "locally_connected2d", "max_pool2d", "avg_pool2d", "lp_pool2d", "subsampling2d",
         "conv_transpose2d"]  # fmt: skip
SETTINGS = ("input", "kernel_size", "stride", "padding", "dilation", "output_padding")


def output_of(kind: str, ceil_mode: bool, values: dict[str, int]) -> int | None:
    """The output that the op itself gives; None where it refuses."""
    fields: dict[str, Any] = {name: values[name] for name in SETTINGS[1:] if name in OPS[kind].model_fields}
    needed = {"out_channels": 1, "ceil_mode": ceil_mode}
    fields |= {name: value for name, value in needed.items() if name in OPS[kind].model_fields}
    shape = (1, values["input"], values["input"])
    op = OPS[kind].model_validate(fields).resolve([shape])
    try:
        op.check([shape])
    except ShapeError:
        return None
    return op.output_shape([shape])[1]


def brute(kind: str, ceil_mode: bool, given: dict[str, int]) -> set[tuple[int, ...]]:
    """Every setting within the bounds that `solve_layer` states, and its output."""
    transposed, wanted = kind == "conv_transpose2d", given.get("output")
    found: set[tuple[int, ...]] = set()
    if "input" in given:
        inputs = [given["input"]]
    else:  # a stride is no larger than the window; of a transposed convolution, than what two inputs can reach
        window = given["dilation"] * (given["kernel_size"] - 1) + 1
        inputs = list(range(1, given["output"] * max(window, given.get("stride", 1)) + 2 * (window + 4)))
    for size in inputs:
        largest = (wanted or size) if transposed else size
        largest += 2 * given.get("padding", 0)
        dilations = [given["dilation"]] if "dilation" in given else range(1, max(largest, 2))
        kernels = [given["kernel_size"]] if "kernel_size" in given else range(1, largest + 1)
        for kernel, dilation in product(kernels, dilations):
            window = dilation * (kernel - 1) + 1
            if "dilation" not in given and (window > largest if kernel > 1 else dilation > 1):
                continue
            for padding in [given["padding"]] if "padding" in given else range(window):
                most = max(wanted or size, size, window) if "input" in given else window
                if transposed and wanted:
                    reach = wanted - window + 2 * padding
                    most = max(most, reach) if "input" in given else max(reach, 0) + 1
                for stride in [given["stride"]] if "stride" in given else range(1, most + 1):
                    mores = [given["output_padding"]] if "output_padding" in given else range(max(stride, dilation))
                    for more in mores:
                        values = dict(zip(SETTINGS, (size, kernel, stride, padding, dilation, more), strict=True))
                        made = output_of(kind, ceil_mode, values)
                        if made is not None and wanted in (None, made):
                            found.add((size, made, kernel, stride, padding, dilation, more))
    return found


def beyond(kind: str, ceil_mode: bool, given: dict[str, int], found: set[tuple[int, ...]]) -> bool:
    """Whether a stride larger than all that were found gives the output too."""
    strides = range(1 + max((one[3] for one in found), default=0), 40)
    others = product({one[0] for one in found}, {one[2] for one in found}, strides, {one[4] for one in found})
    for size, kernel, stride, padding in others:
        for dilation, more in {(one[5], one[6]) for one in found}:
            if "padding" not in given and padding > dilation * (kernel - 1):
                continue  # a padding is smaller than its window
            values = dict(zip(SETTINGS, (size, kernel, stride, padding, dilation, more), strict=True))
            if output_of(kind, ceil_mode, values) == given["output"]:
                return True
    return False


@st.composite
def problems(draw: st.DrawFn) -> tuple[str, bool, dict[str, int | None]]:
    """Some settings given, some unknown."""
    kind = draw(st.sampled_from(KINDS))
    transposed = kind == "conv_transpose2d"
    values: dict[str, int | None] = {
        "input": draw(st.integers(1, 9)),
        "kernel_size": draw(st.integers(1, 5)),
        "stride": draw(st.integers(1, 4)),
        "padding": draw(st.integers(0, 3)),
    }
    values["dilation"] = draw(st.integers(1, 3))
    if transposed:
        values["output_padding"] = draw(st.integers(0, 1))
    values["output"] = draw(st.integers(1, 9))
    unknown = draw(st.lists(st.sampled_from(sorted(values)), max_size=3, unique=True))
    ceil_mode = "pool" in kind and draw(st.booleans())
    return kind, ceil_mode, {name: None if name in unknown else value for name, value in values.items()}


@examples(3000, quick=25)
@given(problem=problems())
@example(
    problem=(
        "conv_transpose2d",
        False,
        {
            "input": 2,
            "kernel_size": 2,
            "stride": None,
            "padding": None,
            "dilation": None,
            "output_padding": 0,
            "output": 4,
        },
    )
)
def test_the_answers_are_those_of_brute_force(problem: tuple[str, bool, dict[str, int | None]]) -> None:
    kind, ceil_mode, asked = problem
    try:
        solution = solve_layer(kind, asked, ceil_mode)
    except UsageError:
        # Infinitely many: the input is unknown, and so is the output or what the input is made from.
        assert asked["input"] is None
        assert None in (asked["output"], asked["kernel_size"], asked.get("dilation", 1))
        return
    given = {"dilation": 1, "output_padding": 0, **{name: value for name, value in asked.items() if value is not None}}
    for name in ("dilation", "output_padding"):
        if asked.get(name, 0) is None:
            del given[name]
    found: set[tuple[int, ...]] = {answer[:7] for answer in solution.answers}
    wanted = brute(kind, ceil_mode, given)
    if len(found) < MOST_ANSWERS:
        assert found == wanted
    else:
        assert found <= wanted
        assert not solution.complete or found == wanted
    if solution.complete and asked.get("stride", 1) is None and asked["output"]:
        assert not beyond(kind, ceil_mode, given, found)


@pytest.mark.parametrize(
    ("kind", "asked", "ceil_mode", "answers"),
    [
        ("conv2d", {"output": 4, "kernel_size": 3, "padding": 0}, False,
         {(6, 1), (9, 2), (10, 2), (12, 3), (13, 3), (14, 3)}),
        ("max_pool2d", {"output": 7, "kernel_size": 2, "padding": 0}, True, {(8, 1), (13, 2), (14, 2)}),
        ("conv_transpose2d", {"output": 48, "kernel_size": 4, "padding": 1}, False,
         {(47, 1), (24, 2), (3, 23), (2, 46)}),
        ("conv_transpose2d", {"output": 30, "kernel_size": 3, "padding": 1}, False, {(30, 1), (2, 29)}),
        ("conv2d", {"output": 4, "kernel_size": 5, "padding": 3}, False,
         {(2, 1), (5, 2), (6, 2), (8, 3), (9, 3), (10, 3), (11, 4), (12, 4), (13, 4), (14, 4), (14, 5), (15, 5),
          (16, 5), (17, 5), (18, 5)}),
    ],
)  # fmt: skip
def test_an_unknown_input_and_stride(
    kind: str, asked: dict[str, int], ceil_mode: bool, answers: set[tuple[int, int]]
) -> None:
    solution = solve_layer(kind, {**asked, "input": None, "stride": None}, ceil_mode)
    assert {(answer.input, answer.stride) for answer in solution.answers} == answers


@pytest.mark.parametrize(
    "given",
    [
        {"input": 1_000_000, "output": 500_000},
        {"input": 1, "output": 1 << 20, "output_padding": None},
        {"input": None, "output": 1 << 19, "kernel_size": 1 << 19},
    ],
)
def test_a_search_has_a_budget(given: dict[str, int | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "MOST_WORK", 20_000)
    kind = "conv_transpose2d" if "output_padding" in given else "conv2d"
    with pytest.raises(UsageError, match="too many possibilities"):
        solve_layer(kind, given)
