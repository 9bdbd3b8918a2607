"""The unknown settings of a window along one axis: every value with which the op's own rule gives the output.

An answer tiles the input, or leaves some rows unread where the division is floored. Nothing is solved by a formula of
its own: values are tried, and the rule of the op decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.shapes import LARGEST_SIZE
from archcalc.ops import OPS, Op, rules
from archcalc.ops.conv import ConvTranspose
from archcalc.ops.pool import Pool
from archcalc.ops.windowed import Axis, Sides, Windowed

#: What can be asked for, in the order in which answers name it.
NAMES = ("input", "output", "kernel_size", "stride", "padding", "dilation", "output_padding")
#: Settings that have this value unless they are given or asked for.
USUAL = {"dilation": 1, "output_padding": 0}
#: How often the rule may be asked.
MOST_WORK = 500_000
MOST_ANSWERS = 1000


class LayerSettings(NamedTuple):
    """All settings of a layer that gives the output. `unread`: rows at the end that no window reads."""

    input: int
    output: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int
    output_padding: int
    unread: int


class InputRange(NamedTuple):
    """Inputs from `first` to `last` give the same output; `exact` are those that the windows tile."""

    first: int
    last: int
    exact: tuple[int, ...]


class Solution(NamedTuple):
    """What was asked, and every answer; `complete` is false where there are more, as with larger strides."""

    kind: str
    known: dict[str, int]
    unknown: tuple[str, ...]
    answers: tuple[LayerSettings, ...]
    complete: bool
    ceil_mode: bool = False

    @property
    def exact(self) -> tuple[LayerSettings, ...]:
        return tuple(answer for answer in self.answers if not answer.unread)

    @property
    def floored(self) -> tuple[LayerSettings, ...]:
        return tuple(answer for answer in self.answers if answer.unread)


class Rule:
    """The forward rule of an op along one axis, and the work that it has done."""

    def __init__(self, kind: str, ceil_mode: bool = False) -> None:
        cls = OPS.get(kind)
        if cls is None or not issubclass(cls, (Windowed, ConvTranspose)):
            kinds = ", ".join(name for name, op in OPS.items() if issubclass(op, (Windowed, ConvTranspose)))
            raise UsageError(f"{kind[:60]!r} has no window to solve for; these have: {kinds}")
        self.kind = kind
        self.cls = cls
        self.transposed = issubclass(cls, ConvTranspose)
        self.pooling = issubclass(cls, Pool)
        if ceil_mode and not self.pooling:
            raise UsageError(f"{kind} has no ceil_mode; pools have")
        fields = {"out_channels": 1, "groups": 1, "depth_multiplier": 1, "ceil_mode": ceil_mode}
        self.fields = {name: value for name, value in fields.items() if name in cls.model_fields}
        self.op = self.made(1, 1, 0, 1, 0)
        self.work = 0

    def made(self, kernel: int, stride: int, padding: int, dilation: int, more: int) -> Op:
        """The op with these settings on every axis."""
        rank = self.cls.rank
        settings = {
            "kernel_size": (kernel,) * rank, "stride": (stride,) * rank, "padding": Sides((padding,) * 2 * rank),
            "dilation": (dilation,) * rank, "output_padding": (more,) * rank,
        }  # fmt: skip
        own = {name: value for name, value in settings.items() if name in self.cls.model_fields}
        return self.cls.model_construct(**self.fields, **own)  # type: ignore[arg-type]  # values of these very fields

    def output(self, size: int, kernel: int, stride: int, padding: int, dilation: int, more: int) -> int:
        """The output, or 0 where no window fits. Raises `UsageError` once that was asked too often."""
        self.work += 1
        if self.work > MOST_WORK:
            raise UsageError("too many possibilities to try; give more of the settings")
        window = rules.dilated_window(kernel, dilation)
        if self.transposed:
            made: int = rules.transposed_output_size(size, window, stride, rules.total_padding(padding, padding), more)
        else:
            assert isinstance(self.op, Windowed)
            made = self.op.positions(Axis(size, window, stride, padding, padding))
        return max(0, made)

    def answer(self, values: Mapping[str, int], wanted: int | None = None) -> LayerSettings | None:
        """The layer with these settings and its output; None where the op does not take them, or gives another."""
        size, *settings = (values[name] for name in _SETTINGS)
        output = self.output(size, *settings)
        if not output or wanted not in (None, output):
            return None
        op, shape = self.made(*settings), (1, *(size,) * self.cls.rank)
        try:
            op.resolve([shape]).check([shape])
        except ShapeError:
            return None
        kernel, stride, padding, dilation, more = settings
        unread = 0
        if not self.transposed and not getattr(self.op, "ceil_mode", False):
            both = rules.total_padding(padding, padding)
            unread = rules.leftover(size, rules.dilated_window(kernel, dilation), stride, both)
        return LayerSettings(size, output, kernel, stride, padding, dilation, more, unread)


_SETTINGS = ("input", "kernel_size", "stride", "padding", "dilation", "output_padding")


def solve_layer(kind: str, given: Mapping[str, int | None], ceil_mode: bool = False) -> Solution:
    """Every answer. What is not in `given`, or is None, is unknown; dilation and output_padding only if None.

    Bounds: a padding is smaller than its window; a window fits into the padded input (where the padding is unknown
    too, into the input; of a transposed convolution, into the output); a stride is no larger than input, output and
    window, and where the input is unknown too, no larger than the window; of a transposed convolution it may be what
    two inputs can reach; where larger ones give the output too, the solution is not complete; an output padding is
    smaller than the stride or the dilation. Raises `UsageError` for too much to try, and for unknowns that leave
    infinitely many answers.
    """
    rule = Rule(kind, ceil_mode)
    known = {name: value for name, value in given.items() if value is not None}
    for name, value in known.items():
        least = 0 if name in ("padding", "output_padding") else 1
        if not least <= value <= LARGEST_SIZE:
            raise UsageError(f"{name} must lie between {least} and {LARGEST_SIZE:,}, not {value}")
    unused = {name for name in USUAL if name not in rule.cls.model_fields}
    for name in unused:
        if given.get(name, USUAL[name]) != USUAL[name]:
            raise UsageError(f"{kind} has no {name}")
    usual = {name: value for name, value in USUAL.items() if name not in given or name in unused}
    settled = {**usual, **known}
    unknown = tuple(name for name in NAMES if name not in settled)
    search = _search_inputs if "input" in unknown else _search
    found = list(islice(search(rule, settled), MOST_ANSWERS + 1))
    answers = sorted(found[:MOST_ANSWERS], key=lambda answer: (answer.unread > 0, *answer[2:5], *answer))
    asked = {name: value for name, value in settled.items() if name in known or value != USUAL.get(name)}
    complete = len(found) <= MOST_ANSWERS and not _goes_on(rule, settled, unknown, answers)
    return Solution(kind, asked, unknown, tuple(answers), complete, ceil_mode)


def _goes_on(rule: Rule, settled: Mapping[str, int], unknown: Sequence[str], answers: Sequence[LayerSettings]) -> bool:
    """Whether strides beyond those that were tried give the output too."""
    if "stride" not in unknown or not answers:
        return False
    if "output" in unknown or ("input" in unknown and not rule.transposed):
        return True
    if rule.transposed:
        return any(answer.input == 1 for answer in answers)
    rule.work = 0
    return any(
        rule.answer({**one._asdict(), "stride": _largest_stride(settled, one) + 1}, one.output) for one in answers
    )


def _largest_stride(settled: Mapping[str, int], answer: LayerSettings) -> int:
    window: int = rules.dilated_window(answer.kernel_size, answer.dilation)
    return max(settled.get("output", answer.input), answer.input, window)


def _search(rule: Rule, settled: Mapping[str, int]) -> Iterator[LayerSettings]:
    """The answers for a known input; the kernel first, since the others are bounded by it."""
    size, wanted = settled["input"], settled.get("output")
    largest = (settled.get("output", size) if rule.transposed else size) + 2 * settled.get("padding", 0)
    for kernel in _range(settled, "kernel_size", 1, largest):
        # A kernel of 1 is not spread by a dilation.
        most = (largest - 1) // (kernel - 1) if kernel > 1 else 1
        for dilation in _range(settled, "dilation", 1, most):
            window = rules.dilated_window(kernel, dilation)
            for padding in _range(settled, "padding", 0, window - 1):
                values = {"input": size, "kernel_size": kernel, "padding": padding, "dilation": dilation}
                stride_limit = max(settled.get("output", size), size, window)
                if rule.transposed and wanted is not None:
                    # Between two inputs lies one stride.
                    stride_limit = max(stride_limit, wanted - window + rules.total_padding(padding, padding))
                for stride in _strides(rule, {**settled, **values}, stride_limit):
                    for more in _range(settled, "output_padding", 0, max(stride, dilation) - 1):
                        answer = rule.answer({**values, "stride": stride, "output_padding": more}, wanted)
                        if answer is not None:
                            yield answer


def _range(settled: Mapping[str, int], name: str, low: int, high: int) -> range:
    """The one value that is given, or all from `low` to `high`."""
    return range(settled[name], settled[name] + 1) if name in settled else range(low, high + 1)


def first_reached(low: int, high: int, reached: Callable[[int], bool]) -> int:
    """The first number from `low` on at which it is reached; `high` where it is not."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def _strides(rule: Rule, values: Mapping[str, int], largest: int) -> range:
    """Strides to try: all, or those that give a known output, since outputs only fall (or grow) with the stride."""
    if "stride" in values or "output" not in values or "output_padding" not in values:
        return _range(values, "stride", 1, largest)
    wanted = values["output"]
    size, kernel, padding = values["input"], values["kernel_size"], values["padding"]
    dilation, more = values["dilation"], values["output_padding"]
    if not rule.transposed and rules.dilated_window(kernel, dilation) > size + rules.total_padding(padding, padding):
        # No window fits. Rounded up, large strides make one of it and small ones none.
        return _range(values, "stride", 1, largest)

    def made(stride: int) -> int:
        return rule.output(size, kernel, stride, padding, dilation, more)

    if rule.transposed:
        return range(
            first_reached(1, largest + 1, lambda stride: made(stride) >= wanted),
            first_reached(1, largest + 1, lambda stride: made(stride) > wanted),
        )
    return range(
        first_reached(1, largest + 1, lambda stride: made(stride) <= wanted),
        first_reached(1, largest + 1, lambda stride: made(stride) < wanted),
    )


def _search_inputs(rule: Rule, settled: Mapping[str, int]) -> Iterator[LayerSettings]:
    """The answers for an unknown input: its range for each way to set the rest."""
    if "output" not in settled:
        raise UsageError("give --input or --output, so that there is something to solve")
    for name in ("kernel_size", "dilation"):
        if name not in settled:
            raise UsageError(f"with --input unknown, give --{name.replace('_', '-')}")
    wanted, kernel, dilation = settled["output"], settled["kernel_size"], settled["dilation"]
    window = rules.dilated_window(kernel, dilation)
    for padding in _range(settled, "padding", 0, window - 1):
        # Between two inputs lies one stride.
        reach = max(wanted - window + rules.total_padding(padding, padding), 0) + 1 if rule.transposed else window
        for stride in _range(settled, "stride", 1, reach):
            for more in _range(settled, "output_padding", 0, max(stride, dilation) - 1):
                settings = (kernel, stride, padding, dilation, more)
                for size in _inputs(rule, settings, wanted):
                    answer = rule.answer(dict(zip(_SETTINGS, (size, *settings), strict=True)), wanted)
                    if answer is not None:
                        yield answer


def _inputs(rule: Rule, settings: tuple[int, int, int, int, int], wanted: int) -> range:
    """The inputs with this output, which never falls as inputs grow."""
    first = first_reached(1, LARGEST_SIZE + 1, lambda size: rule.output(size, *settings) >= wanted)
    return range(first, first_reached(first, LARGEST_SIZE + 1, lambda size: rule.output(size, *settings) > wanted))


def input_range(solution: Solution) -> InputRange | None:
    """The range of inputs, where the input is the only unknown."""
    if solution.unknown != ("input",) or not solution.answers:
        return None
    inputs = sorted(answer.input for answer in solution.answers)
    return InputRange(inputs[0], inputs[-1], tuple(sorted(answer.input for answer in solution.exact)))
