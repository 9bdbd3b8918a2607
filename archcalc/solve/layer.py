"""The unknown settings of a window along one axis: every value with which the op's own rule gives the output.

An answer tiles the input, or leaves some rows unread where the division is floored. Nothing is solved by a formula of
its own: values are tried, and the rule of the op judges them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import NamedTuple

from archcalc.errors import UsageError
from archcalc.ops import OPS, rules
from archcalc.ops.conv import ConvTranspose2d
from archcalc.ops.pool import Pool2d
from archcalc.ops.windowed import Axis, Windowed
from archcalc.shapes import LARGEST_SIZE

#: What can be asked for, in the order in which answers are told.
NAMES = ("input", "output", "kernel_size", "stride", "padding", "dilation", "output_padding")
#: Settings that have this value unless they are given or asked for.
USUAL = {"dilation": 1, "output_padding": 0}
MOST_TRIALS = 400_000
MOST_ANSWERS = 1000


class Answer(NamedTuple):
    """All settings of a layer that gives the output. `unread`: rows at the end that no window reads."""

    input: int
    output: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int
    output_padding: int
    unread: int


class Span(NamedTuple):
    """Inputs from `first` to `last` give the same output; `exact` are those that the windows tile."""

    first: int
    last: int
    exact: tuple[int, ...]


class Solution(NamedTuple):
    """What was asked, and every answer; `complete` is false where the search was cut off."""

    kind: str
    known: dict[str, int]
    unknown: tuple[str, ...]
    answers: tuple[Answer, ...]
    complete: bool
    ceil_mode: bool = False

    @property
    def exact(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if not answer.unread)

    @property
    def floored(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.unread)


class Rule:
    """The forward rule of an op along one axis."""

    def __init__(self, kind: str, ceil_mode: bool = False) -> None:
        cls = OPS.get(kind)
        if cls is None or not issubclass(cls, (Windowed, ConvTranspose2d)):
            kinds = ", ".join(name for name, op in OPS.items() if issubclass(op, (Windowed, ConvTranspose2d)))
            raise UsageError(f"{kind[:60]!r} has no window to solve for; these have: {kinds}")
        self.kind = kind
        self.transposed = issubclass(cls, ConvTranspose2d)
        self.pooling = issubclass(cls, Pool2d)
        if ceil_mode and not self.pooling:
            raise UsageError(f"{kind} has no ceil_mode; pools have")
        fields = {"kernel_size": (1, 1), **({"ceil_mode": True} if ceil_mode else {})}
        self.op = cls.model_construct(**fields)  # type: ignore[arg-type]

    def answer(self, values: Mapping[str, int]) -> Answer | None:
        """The layer with these settings and its output; None where the op would not take them."""
        size, kernel, stride, padding = (values[name] for name in ("input", "kernel_size", "stride", "padding"))
        dilation, more = values["dilation"], values["output_padding"]
        both = 2 * padding
        if self.transposed:
            output = rules.transposed_output_size(size, kernel, stride, both, more)
            unread = 0
        else:
            assert isinstance(self.op, Windowed)
            window = rules.dilated_window(kernel, dilation)
            if size + both < window or (self.pooling and padding >= window):
                return None
            output = self.op.positions(Axis(size, window, stride, padding, padding))
            floors = not getattr(self.op, "ceil_mode", False)
            unread = rules.leftover(size, window, stride, both) if floors else 0
        return Answer(size, output, kernel, stride, padding, dilation, more, unread) if output >= 1 else None


def solve_layer(kind: str, given: Mapping[str, int | None], ceil_mode: bool = False) -> Solution:
    """Every answer. What is not in `given`, or is None, is unknown, save dilation and output_padding.

    Bounds: a padding is smaller than its window; kernels fit into the padded input; strides are at most as large
    as input or window, whichever is larger: a larger stride changes nothing. Raises `UsageError` for too many unknowns.
    """
    rule = Rule(kind, ceil_mode)
    known = {name: value for name, value in given.items() if value is not None}
    for name, value in known.items():
        least = 0 if name in ("padding", "output_padding") else 1
        if not least <= value <= LARGEST_SIZE:
            raise UsageError(f"{name} must lie between {least} and {LARGEST_SIZE:,}, not {value}")
    for name in ("dilation",) if rule.transposed else ("output_padding",):
        if known.pop(name, USUAL[name]) != USUAL[name] or (name in given and given[name] is None):
            raise UsageError(f"{kind} has no {name}")
    settled = {**{name: value for name, value in USUAL.items() if name not in given or name not in NAMES}, **known}
    settled = {**USUAL, **settled} if rule.transposed else {**settled, "output_padding": 0}
    unknown = tuple(name for name in NAMES if name not in settled)
    found = list(islice(_search(rule, settled, unknown), MOST_ANSWERS + 1))
    answers = sorted(found[:MOST_ANSWERS], key=lambda answer: (answer.unread > 0, *answer[2:5], *answer))
    asked = {name: value for name, value in settled.items() if name in known or value != USUAL.get(name)}
    return Solution(kind, asked, unknown, tuple(answers), len(found) <= MOST_ANSWERS, ceil_mode)


def _search(rule: Rule, settled: Mapping[str, int], unknown: tuple[str, ...]) -> Iterator[Answer]:
    if "input" in unknown:
        if "output" in unknown:
            raise UsageError("give --input or --output, so that there is something to solve")
        yield from _search_inputs(rule, settled, tuple(name for name in unknown if name != "input"))
        return
    wanted = settled.get("output")
    trials = 0
    for values in _candidates(rule, settled, tuple(name for name in unknown if name != "output"), settled["input"]):
        trials += 1
        if trials > MOST_TRIALS:
            raise _too_many(unknown)
        answer = rule.answer(values)
        if answer is not None and wanted in (None, answer.output):
            yield answer


def _candidates(
    rule: Rule, settled: Mapping[str, int], unknown: tuple[str, ...], size: int
) -> Iterator[dict[str, int]]:
    """Every combination of values within the bounds; the kernel first, since the others are bounded by it."""
    strides = range(1, LARGEST_SIZE)
    for kernel in [settled["kernel_size"]] if "kernel_size" in settled else range(1, LARGEST_SIZE):
        if "kernel_size" not in settled and kernel > _largest_kernel(rule, settled, size):
            return
        for dilation in [settled["dilation"]] if "dilation" in settled else range(1, max(size, 1) + 1):
            window = rules.dilated_window(kernel, dilation)
            paddings = [settled["padding"]] if "padding" in settled else range(window)
            largest = max(size, settled.get("output", 1)) if rule.transposed else max(size, window)
            steps = [settled["stride"]] if "stride" in settled else strides[:largest]
            more = [settled["output_padding"]] if "output_padding" in settled else range(max(steps[-1], dilation))
            for padding, stride, extra in product(paddings, steps, more):
                yield {"input": size, "kernel_size": kernel, "stride": stride, "padding": padding,
                       "dilation": dilation, "output_padding": extra}  # fmt: skip


def _largest_kernel(rule: Rule, settled: Mapping[str, int], size: int) -> int:
    """Kernels that still fit into the padded input. With an unknown padding that is bounded by the input itself."""
    if rule.transposed:
        return settled.get("output", size) + 2 * settled.get("padding", settled.get("output", size))
    return size + 2 * settled["padding"] if "padding" in settled else 2 * size


def _search_inputs(rule: Rule, settled: Mapping[str, int], unknown: tuple[str, ...]) -> Iterator[Answer]:
    trials = 0
    wanted = settled["output"]
    if unknown and "kernel_size" not in settled:
        raise UsageError("with --input unknown, give --kernel-size")
    for values in _candidates(rule, settled, unknown, max(wanted, settled["kernel_size"])):
        span = _inputs(rule, values, wanted)
        for size in range(span[0], span[1]):
            trials += 1
            if trials > MOST_TRIALS:
                raise _too_many(("input", *unknown))
            answer = rule.answer({**values, "input": size})
            if answer is not None and answer.output == wanted:
                yield answer


def _inputs(rule: Rule, values: Mapping[str, int], wanted: int) -> tuple[int, int]:
    """First input with the wanted output and first with a larger one: outputs grow with inputs."""

    def reaches(size: int, output: int) -> bool:
        answer = rule.answer({**values, "input": size})
        return answer is not None and answer.output >= output

    def first(output: int) -> int:
        low, high = 1, 1
        while not reaches(high, output):
            if high > 4 * LARGEST_SIZE:
                return high
            low, high = high, 2 * high
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if reaches(middle, output) else (middle + 1, high)
        return low

    return first(wanted), first(wanted + 1)


def span_of(solution: Solution) -> Span | None:
    """The range of inputs, where the input is the only unknown."""
    if solution.unknown != ("input",) or not solution.answers:
        return None
    inputs = sorted(answer.input for answer in solution.answers)
    return Span(inputs[0], inputs[-1], tuple(sorted(answer.input for answer in solution.exact)))


def _too_many(unknown: tuple[str, ...]) -> UsageError:
    options = ", ".join(f"--{name.replace('_', '-')}" for name in unknown if name != "output")
    return UsageError(f"too many possibilities to try; give one of {options}")
