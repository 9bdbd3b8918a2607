"""How a layer is spelt in another program: the calls that make its parts, with every argument named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.ops import rules
from archcalc.ops.base import Op
from archcalc.ops.windowed import Sides

#: An argument without a default.
NEEDED: Any = object()
#: Arguments that count channels: blocks with equal ones share a parameter.
CHANNELS = frozenset({
    "in_channels", "out_channels", "groups", "num_features", "in_features", "out_features", "channels", "embed_dim",
    "normalized_shape", "filters", "units", "num_channels", "before", "after",
})  # fmt: skip


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Arg:
    """An argument: its name, its value, and the value that it has where it is left out.

    Without `keyword` it is given by position.
    """

    name: str
    value: Any
    default: Any = NEEDED
    keyword: bool = True

    @property
    def is_number(self) -> bool:
        """Whether equal blocks may differ in it: a number, or several."""
        return _is_number(self.value)


@dataclass(frozen=True)
class Made:
    """A part that a call makes: `nn.Conv2d(3, 64, 7, stride=2)`. `suffix`: what it is called besides the layer."""

    call: str
    args: tuple[Arg, ...] = ()
    suffix: str = ""


@dataclass(frozen=True)
class Spelling:
    """A layer: its parts in the order in which they are applied, the layer's own last, or an expression of its inputs.

    What comes before the layer's own part is applied to its first input. `{0}`, `{1}` in an expression are the inputs.
    """

    parts: tuple[Made, ...] = ()
    expression: str = ""
    #: Where the arrays go there, and how, where the program does not store them as PyTorch does.
    arrays: dict[str, Layout] = field(default_factory=dict, compare=False)
    #: Of several inputs the layer's own part reads the first; the others only said how large the result is.
    first_only: bool = False
    #: What the layer's own part is called with where that is no list of its inputs: `{0}, {0}, use_causal_mask=True`.
    given: str = ""


@dataclass(frozen=True)
class Case:
    """A layer to be spelt: its resolved op and shapes, and whether another layer needs the places of its maxima.

    `pooled`: of an unpooling layer the map in which the maxima were found.
    """

    name: str
    op: Op
    inputs: tuple[Shape, ...]
    output: Shape
    switches: bool = False
    pooled: Shape | None = None

    @property
    def rank(self) -> int:
        """The number of position axes of its (first) input; of what reads nothing, of itself."""
        return len(self.inputs[0] if self.inputs else self.output) - 1

    def missing(self, program: str) -> UsageError:
        """The error for a layer of a kind that is not written for a program."""
        return UsageError(f'archcalc writes no {self.op.kind} for {program} (layer "{self.name}")')

    def cannot(self, what: str, program: str) -> UsageError:
        """The error for a layer that a program has no words for."""
        return UsageError(f'layer "{self.name}" ({self.op.kind}): {what} cannot be written for {program}')


Speller = Callable[[Case], Spelling]
Entry = TypeVar("Entry", bound=Callable[..., Any])
PYTORCH, KERAS, ONNX = "PyTorch", "Keras", "ONNX"


class Table(dict[str, Entry], Generic[Entry]):
    """What writes each kind of op for one program, by kind; `convNd` stands for conv1d, conv2d and conv3d."""

    def of(self, *kinds: str) -> Callable[[Entry], Entry]:
        """Register a function for these kinds."""

        def register(function: Entry) -> Entry:
            self.update(dict.fromkeys(kinds, function))
            return function

        return register


def entry_of(table: Mapping[str, Entry], case: Case, program: str) -> Entry:
    """What writes a layer. Raises `UsageError` that names it where its kind is not written."""
    found = table.get(re.sub("[123]d$", "Nd", case.op.kind))
    if found is None:
        raise case.missing(program)
    return found


class Layout(NamedTuple):
    """Where an array of a layer goes: the variable, the order of its axes there, and the shape where it is another."""

    variable: str
    axes: tuple[int, ...] = ()
    shape: tuple[int, ...] | None = None
    #: Of an array of gates, one under the other, their order there.
    gates: tuple[int, ...] = ()
    #: Which row of the variable it is, where that has a row for each of several arrays.
    row: int | None = None
    #: What the part that holds it is called besides the layer.
    suffix: str = ""
    #: The variables of its other parts where it is several arrays of one size, one under the other.
    others: tuple[str, ...] = ()


def only(call: str, *needed: tuple[str, Any], **more: tuple[Any, Any]) -> Spelling:
    """A layer of one part."""
    return Spelling((Made(call, args(*needed, **more)),))


def args(*needed: tuple[str, Any], **more: tuple[Any, Any]) -> tuple[Arg, ...]:
    """Arguments by position, then keywords as (value, default)."""
    return (
        *(Arg(name, value, keyword=False) for name, value in needed),
        *(Arg(name, value, default) for name, (value, default) in more.items()),
    )


def pools_padding(case: Case) -> Sides:
    """The padding with which a pool that rounds down has as many windows: the overhang of the last one included."""
    op: Any = case.op
    ends = []
    for index, axis in enumerate(op.axes(case.inputs[0])):
        needed = rules.padding_for(case.output[1 + index], axis.size, axis.window, axis.stride)
        ends.append(max(needed - axis.before, 0))
    return Sides((*op.sides(case.inputs[0]).begins, *ends))


def plain(sizes: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all are equal, as people write it."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)


def taken(op: Any, old: int, new: int) -> list[int]:
    """Which position of a side `nearest` takes for each of the new ones."""
    step, parts = op.step(old, new) if hasattr(op, "step") else (old, new)
    return [min(index * step // parts, old - 1) for index in range(new)]
