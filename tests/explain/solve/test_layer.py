"""Unknown settings of a layer: answers worked out by hand, all of them verified, none missing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError, UsageError
from archcalc.explain.solve.layer import LayerSettings, Solution, input_range, solve_layer
from archcalc.explain.solve.words import as_dict, tell
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse_expression
from archcalc.spec.single import make_op
from tests.tiers import examples


def values(solution: Solution, name: str, exact: bool = True) -> list[int]:
    return [getattr(answer, name) for answer in (solution.exact if exact else solution.floored)]


@pytest.mark.parametrize(
    ("kind", "given_", "name", "exact", "unread"),
    [
        # CS231n: AlexNet's first layer. (227 − 11 + 0)/4 + 1 = 55; with P = 1 218/4 leaves 2 over.
        ("conv2d", {"input": 227, "output": 55, "kernel_size": 11, "stride": 4}, "padding", [0], [1]),
        # The paper's 224 does not work.
        ("conv2d", {"input": 224, "output": 55, "kernel_size": 11, "stride": 4}, "padding", [], [2, 3]),
        # (10 − 3 + 0)/2: the notes' example of a stride that does not fit.
        ("conv2d", {"input": 10, "kernel_size": 3, "padding": 0, "output": 4}, "stride", [], [2]),
        ("conv2d", {"input": 7, "kernel_size": 3, "padding": 0, "output": 3}, "stride", [2], []),
        ("conv2d", {"input": 227, "output": 55, "stride": 4, "padding": 0}, "kernel_size", [11], [8, 9, 10]),
        ("conv2d", {"output": 55, "kernel_size": 11, "stride": 4, "padding": 0}, "input", [227], [228, 229, 230]),
        ("conv2d", {"input": 32, "output": 32, "kernel_size": 3, "stride": 1, "padding": 2, "dilation": None},
         "dilation", [2], []),
        ("max_pool2d", {"input": 55, "output": 27, "kernel_size": 3, "padding": 0}, "stride", [2], []),
        # 28·2: kernel 2 without padding, 4 with one pixel.
        ("conv_transpose2d", {"input": 28, "output": 56, "stride": 2, "kernel_size": 4}, "padding", [1], []),
        ("conv_transpose2d", {"input": 28, "output": 56, "stride": 2, "padding": 0}, "kernel_size", [2], []),
        ("conv_transpose2d", {"output": 56, "kernel_size": 2, "stride": 2, "padding": 0}, "input", [28], []),
        ("conv_transpose2d", {"input": 28, "output": 56, "kernel_size": 3, "stride": 2, "padding": 1,
                              "output_padding": None}, "output_padding", [1], []),
        # 2·27 + d·2 + 1 − 2·2 = 57 with 3, and as PyTorch has it, an output padding below the dilation.
        ("conv_transpose2d", {"input": 28, "output": 57, "kernel_size": 3, "stride": 2, "padding": 2,
                              "dilation": None}, "dilation", [3], []),
        ("conv_transpose2d", {"input": 9, "output": 15, "kernel_size": 3, "stride": 1, "padding": 0,
                              "dilation": 3, "output_padding": None}, "output_padding", [0], []),
        ("conv_transpose2d", {"input": 9, "output": 17, "kernel_size": 3, "stride": 1, "padding": 0,
                              "dilation": 3, "output_padding": None}, "output_padding", [2], []),
    ],
)  # fmt: skip
def test_one_unknown(kind: str, given_: dict[str, Any], name: str, exact: list[int], unread: list[int]) -> None:
    solution = solve_layer(kind, given_)
    assert solution.unknown == (name,)
    assert sorted(values(solution, name)) == exact
    assert sorted(values(solution, name, exact=False)) == unread


def test_ceil_mode_changes_what_fits() -> None:
    given_ = {"input": 112, "output": 56, "kernel_size": 3, "stride": 2}
    assert values(solve_layer("max_pool2d", given_), "padding") == []
    assert values(solve_layer("max_pool2d", given_, ceil_mode=True), "padding") == [0]


def test_several_unknowns() -> None:
    solution = solve_layer("conv2d", {"input": 32, "output": 32})
    # Odd kernels at stride 1, (F − 1)/2 pixels on each side; others at larger strides with much padding.
    same = [(a.kernel_size, a.padding) for a in solution.exact if a.stride == 1]
    assert same == [(kernel, (kernel - 1) // 2) for kernel in range(1, 33, 2)]


def test_the_range_of_inputs() -> None:
    span = input_range(solve_layer("conv2d", {"output": 55, "kernel_size": 11, "stride": 4, "padding": 0}))
    assert span is not None
    assert (span.first, span.last, span.exact) == (227, 230, (227,))


def test_what_is_said_where_nothing_fits() -> None:
    assert tell(solve_layer("conv2d", {"input": 224, "output": 55, "kernel_size": 11, "stride": 4})) == [
        "No symmetric padding gives 55: (224 − 11 + 2P)/4 + 1 = 55 needs P = 1.5.",
        "3 pixels in all do it (1 on one side, 2 on the other).",
        "P = 2 gives ⌊217/4⌋ + 1 = 54 + 1 = 55 with 1 pixel never read.",
        "P = 3 gives ⌊219/4⌋ + 1 = 54 + 1 = 55 with 3 pixels never read.",
        "227 as input needs none.",
    ]


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (
            {"input": 227, "output": 55, "kernel_size": 11, "stride": 4},
            "padding = 0: (227 − 11 + 2·0)/4 + 1 = 216/4 + 1",
        ),
        ({"input": 32, "output": 9, "kernel_size": 3, "stride": 1}, "needs P = −10.5"),
        ({"input": 32, "output": 9, "kernel_size": 3, "stride": 1}, "too large even without padding, by 21 pixels"),
        (
            {"input": 32, "output": 98, "kernel_size": 3, "stride": 1},
            "needs P = 34, but then some windows hold nothing",
        ),
        ({"input": 224, "output": 55, "kernel_size": 11, "padding": 0}, "Nearest: stride = 4 gives"),
        ({"input": 32, "kernel_size": 3, "stride": 1, "padding": 1}, "output = (32 − 3 + 2·1)/1 + 1"),
        ({"input": 8, "kernel_size": 3, "stride": 2, "padding": 0}, "1 pixel at the end never read"),
        ({"input": 32, "kernel_size": 3, "stride": 1, "padding": 1, "output": 31}, "= 32, not 31"),
        ({"input": 2, "kernel_size": 3, "stride": 1, "padding": 0}, "the window is larger"),
        ({"output": 55, "kernel_size": 11, "stride": 4, "padding": 0}, "Inputs from 227 to 230 give 55."),
        ({"input": 32, "output": 15}, "kernel size  stride  padding"),
        ({"input": 5, "output": 500}, "There is no answer."),
    ],
)
def test_messages(given_: dict[str, int], message: str) -> None:
    assert message in "\n".join(tell(solve_layer("conv2d", given_)))


@pytest.mark.parametrize(
    ("kind", "output", "is_said"),
    [("max_pool2d", 8, True), ("avg_pool2d", 8, True), ("conv2d", 8, False), ("max_pool2d", 1, False)],
)
def test_padding_that_pytorch_refuses_is_said(kind: str, output: int, *, is_said: bool) -> None:
    known = {"input": 13, "output": output, "kernel_size": 7, **({"padding": 0} if output == 1 else {})}
    assert ("at most half the window" in "\n".join(tell(solve_layer(kind, known)))) is is_said


@pytest.mark.parametrize(
    ("kind", "given_", "message"),
    [
        ("relu", {"input": 3}, "has no window"),
        ("nonsense", {"input": 3}, "has no window"),
        ("conv2d", {"kernel_size": 3}, "give --input or --output"),
        ("conv2d", {"input": 0, "output": 3}, "between 1 and"),
        ("conv2d", {"input": 3, "output": 1 << 40}, "between 1 and"),
        ("conv2d", {"output": 3}, "give --kernel-size"),
        ("conv2d", {"input": 3, "output": 3, "output_padding": 1}, "no output_padding"),
        ("conv_transpose2d", {"output": 9, "kernel_size": 3, "dilation": None}, "give --dilation"),
    ],
)
def test_what_is_refused(kind: str, given_: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        solve_layer(kind, given_)


@pytest.mark.parametrize("most", [1000, pytest.param(None, marks=pytest.mark.slow)])
def test_too_many_possibilities_are_refused(monkeypatch: pytest.MonkeyPatch, most: int | None) -> None:
    if most:
        monkeypatch.setattr("archcalc.explain.solve.layer.MOST_WORK", most)
    with pytest.raises(UsageError, match="too many possibilities"):
        solve_layer("conv2d", {"input": 1 << 19, "output": 1 << 20})


def test_only_pools_round_up() -> None:
    with pytest.raises(UsageError, match="no ceil_mode"):
        solve_layer("conv2d", {"input": 3, "output": 3}, ceil_mode=True)


KINDS = ("conv2d", "max_pool2d", "avg_pool2d", "conv_transpose2d")


def forward(kind: str, answer: LayerSettings, ceil_mode: bool) -> int | None:
    """The output by the op itself; None where it refuses."""
    names = ("kernel_size", "stride", "padding", "dilation")
    fields: dict[str, Any] = {name: getattr(answer, name) for name in names}
    if kind == "conv_transpose2d":
        fields |= {"out_channels": 1, "output_padding": answer.output_padding}
    if kind == "conv2d":
        fields["out_channels"] = 1
    if ceil_mode:
        fields["ceil_mode"] = True
    op = make_op(kind, fields)
    shape = (1, answer.input, answer.input)
    try:
        op.check([shape])
    except ShapeError:
        return None
    return op.output_shape([shape])[1]


def brute_force(kind: str, known: dict[str, int], unknown: set[str], ceil_mode: bool) -> set[LayerSettings]:
    """Every combination in a box larger than the documented bounds, judged by the op, then cut to the bounds."""
    names = ("input", "kernel_size", "stride", "padding", "dilation")
    box = {"input": range(1, 40), "kernel_size": range(1, 30), "stride": range(1, 31), "padding": range(30),
           "dilation": range(1, 16)}  # fmt: skip
    ranges = [box[name] if name in unknown else [known.get(name, 1)] for name in names]
    found = set()
    for size, kernel, stride, padding, dilation in product(*ranges):
        window = dilation * (kernel - 1) + 1
        if "padding" in unknown and padding >= window:
            continue
        if "kernel_size" in unknown:
            covered = known["output"] if kind == "conv_transpose2d" else size
            if kernel > covered + 2 * (0 if "padding" in unknown else padding):
                continue
        # Between two inputs of a transposed convolution lies one stride.
        reach = known["output"] - window + 2 * padding if kind == "conv_transpose2d" else 0
        if "stride" in unknown and stride > max(size, known["output"], window, reach):
            continue
        unread = 0 if kind == "conv_transpose2d" or ceil_mode else (size + 2 * padding - window) % stride
        answer = LayerSettings(size, known["output"], kernel, stride, padding, dilation, 0, unread)
        if forward(kind, answer, ceil_mode) == known["output"]:
            found.add(answer)
    return found


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@examples(25)
def test_answers_are_right_and_none_is_missing(kind: str, data: st.DataObject) -> None:
    ceil_mode = kind.endswith("pool2d") and data.draw(st.booleans())
    known = {
        "input": data.draw(st.integers(1, 15)),
        "output": data.draw(st.integers(1, 15)),
        "kernel_size": data.draw(st.integers(1, 7)),
        "stride": data.draw(st.integers(1, 5)),
        "padding": data.draw(st.integers(0, 4)),
    }
    options = [["padding"], ["stride"], ["kernel_size"], ["stride", "padding"], ["kernel_size", "stride"]]
    options += [["kernel_size", "padding"], ["kernel_size", "stride", "padding"]]
    unknown = set(data.draw(st.sampled_from(options)))
    solution = solve_layer(kind, {name: value for name, value in known.items() if name not in unknown}, ceil_mode)
    assert solution.complete or "stride" in unknown
    assert set(solution.answers) == brute_force(kind, known, unknown, ceil_mode)
    assert tell(solution)
    for one in as_dict(solution)["solutions"]:
        text = str(one["formula"]).split(" = ", maxsplit=1)[0]
        if "⌈" not in text and "min" not in text:
            plain = text.replace("−", "-").replace("·", "*")
            assert evaluate(parse_expression(plain), {}) == known["output"]


@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 5), st.integers(0, 3))
@examples(60)
def test_all_inputs_with_an_output(output: int, kernel: int, stride: int, padding: int) -> None:
    solution = solve_layer("conv2d", {"output": output, "kernel_size": kernel, "stride": stride, "padding": padding})
    right = [
        size
        for size in range(1, 260)
        if size + 2 * padding >= kernel and (size - kernel + 2 * padding) // stride + 1 == output
    ]
    assert sorted(answer.input for answer in solution.answers) == right
