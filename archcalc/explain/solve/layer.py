"""The unknown settings of a window along one axis: every value with which the op's own rule gives the output.

An answer tiles the input, or leaves some rows unread where the division is floored. Nothing is solved by a formula of
its own: values are tried, and the rule of the op judges them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.shapes import LARGEST_SIZE
from archcalc.ops import OPS, rules
from archcalc.ops.conv import ConvTranspose2d
from archcalc.ops.pool import Pool2d
from archcalc.ops.windowed import Axis, Windowed

#: What can be asked for, in the order in which answers are told.
NAMES = ("input", "output", "kernel_size", "stride", "padding", "dilation", "output_padding")
#: Settings that have this value unless they are given or asked for.
USUAL = {"dilation": 1, "output_padding": 0}
MOST_TRIALS = 150_000
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

    def output(self, size: int, kernel: int, stride: int, padding: int, dilation: int, more: int) -> int:
        """The output, or 0 where the op would not take these settings."""
        both = 2 * padding
        if self.transposed:
            made: int = rules.transposed_output_size(size, kernel, stride, both, more)
            return max(0, made)
        window = rules.dilated_window(kernel, dilation)
        if size + both < window or (self.pooling and padding >= window):
            return 0
        assert isinstance(self.op, Windowed)
        made = self.op.positions(Axis(size, window, stride, padding, padding))
        return max(0, made)

    def answer(self, values: Mapping[str, int]) -> Answer | None:
        """The layer with these settings and its output; None where the op would not take them."""
        size, kernel, stride, padding, dilation, more = (values[name] for name in _SETTINGS)
        output = self.output(size, kernel, stride, padding, dilation, more)
        if not output:
            return None
        unread = 0
        if not self.transposed and not getattr(self.op, "ceil_mode", False):
            unread = rules.leftover(size, rules.dilated_window(kernel, dilation), stride, 2 * padding)
        return Answer(size, output, kernel, stride, padding, dilation, more, unread)


_SETTINGS = ("input", "kernel_size", "stride", "padding", "dilation", "output_padding")


def solve_layer(kind: str, given: Mapping[str, int | None], ceil_mode: bool = False) -> Solution:
    """Every answer. What is not in `given`, or is None, is unknown; dilation and output_padding only if None.

    Bounds: a padding is smaller than its window; a kernel fits into the padded input (where the padding is unknown
    too, into the input); a stride is no larger than input, output and window. Raises `UsageError` for too much to try.
    """
    rule = Rule(kind, ceil_mode)
    known = {name: value for name, value in given.items() if value is not None}
    for name, value in known.items():
        least = 0 if name in ("padding", "output_padding") else 1
        if not least <= value <= LARGEST_SIZE:
            raise UsageError(f"{name} must lie between {least} and {LARGEST_SIZE:,}, not {value}")
    unused = "dilation" if rule.transposed else "output_padding"
    if given.get(unused, USUAL[unused]) != USUAL[unused]:
        raise UsageError(f"{kind} has no {unused}")
    usual = {name: value for name, value in USUAL.items() if name not in given or name == unused}
    settled = {**usual, **known}
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
    for values in _candidates(rule, settled, settled["input"], unknown):
        answer = rule.answer(values)
        if answer is not None and wanted in (None, answer.output):
            yield answer


def _candidates(
    rule: Rule, settled: Mapping[str, int], size: int, unknown: tuple[str, ...]
) -> Iterator[dict[str, int]]:
    """Every combination of values within the bounds; the kernel first, since the others are bounded by it."""
    trials = 0
    for kernel in _range(settled, "kernel_size", 1, _largest_kernel(rule, settled, size)):
        for dilation in _range(settled, "dilation", 1, size):
            window = rules.dilated_window(kernel, dilation)
            for padding in _range(settled, "padding", 0, window - 1):
                values = {"input": size, "kernel_size": kernel, "padding": padding, "dilation": dilation}
                trials += 1
                if trials > MOST_TRIALS:
                    raise _too_many(unknown)
                largest = max(settled.get("output", size), size, window)
                for stride in _strides(rule, {**settled, **values}, largest):
                    most = max(stride, dilation) - 1
                    for more in _range(settled, "output_padding", 0, most):
                        yield {**values, "stride": stride, "output_padding": more}


def _range(settled: Mapping[str, int], name: str, low: int, high: int) -> range:
    """The one value that is given, or all from `low` to `high`."""
    return range(settled[name], settled[name] + 1) if name in settled else range(low, high + 1)


def _largest_kernel(rule: Rule, settled: Mapping[str, int], size: int) -> int:
    """Kernels that still fit into the padded input; where the padding is unknown too, into the input itself."""
    if rule.transposed:
        size = settled.get("output", size)
    return size + 2 * settled.get("padding", 0)


def _strides(rule: Rule, values: Mapping[str, int], largest: int) -> range:
    """Strides to try: all, or those that give a known output, since outputs only fall (or grow) with the stride."""
    if "stride" in values or "output" not in values or "output_padding" not in values:
        return _range(values, "stride", 1, largest)
    wanted = values["output"]
    size, kernel, padding = values["input"], values["kernel_size"], values["padding"]
    dilation, more = values["dilation"], values["output_padding"]

    def passed(stride: int, output: int) -> bool:
        made = rule.output(size, kernel, stride, padding, dilation, more)
        return made >= output if rule.transposed else made <= output

    def first(output: int) -> int:
        low, high = 1, largest + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if passed(middle, output) else (middle + 1, high)
        return low

    return range(first(wanted), first(wanted + 1 if rule.transposed else wanted - 1))


def _search_inputs(rule: Rule, settled: Mapping[str, int], unknown: tuple[str, ...]) -> Iterator[Answer]:
    trials = 0
    wanted = settled["output"]
    if unknown and "kernel_size" not in settled:
        raise UsageError("with --input unknown, give --kernel-size")
    for values in _candidates(rule, settled, max(wanted, settled["kernel_size"]), unknown):
        for size in range(*_inputs(rule, values, wanted)):
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
