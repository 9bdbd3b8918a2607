"""Recurrent layers over a row of positions: the map (C, T) is T steps of C features."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops import rules
from archcalc.ops.base import EVERYTHING, Count, Letter, Op, Operations, Param, Reads, Spans, Window, elements, names


class Recurrent(Op):
    """Steps through the positions; arrays and fields as PyTorch's. `last`: only the state after the last step.

    With `single_bias` each gate has one bias, as in Keras, else one for the row and one for the state.
    `per_row`: each row of a map is a sequence of its own; the steps go along the last axis, and all are kept.
    """

    saves = ("inputs",)
    family = "recurrent"
    counted_as = "recurrent layers"
    unit = "hidden unit"
    #: Values that a step keeps for each hidden unit for the backward pass, and those before the first step: PyTorch
    #: without cuDNN and oneDNN, which keep a workspace of their own size.
    kept: ClassVar[tuple[int, int]] = (7, 0)
    #: Rows of the weights for each hidden unit, and what a step does for each unit besides the products with weights.
    gates: ClassVar[int]
    each: ClassVar[Operations]

    hidden_size: Annotated[Count, Letter("K", "hidden units")]
    num_layers: Count = 1
    bias: bool = True
    single_bias: bool = False
    bidirectional: bool = False
    last: bool = False
    per_row: bool = False

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        rank = len(inputs[0]) - 1
        if self.single_bias and not self.bias:
            raise ShapeError("single_bias is for layers with a bias", "bias: false, single_bias: true")
        if self.per_row and rank < 2:
            raise ShapeError(
                "per_row is for maps with two position axes or more", f"input {format_shape(inputs[0])} is one row"
            )
        if self.per_row and self.last:
            raise ShapeError("per_row keeps every step; narrow takes the last of them", "last: true, per_row: true")
        if not self.per_row and rank != 1:
            raise ShapeError(
                "needs a row of positions, each a step",
                f"input {format_shape(inputs[0])}; tokens makes such a row"
                + (", per_row takes each row of a map by itself" if rank > 1 else ""),
            )

    @property
    def biases(self) -> int:
        """Biases of each gate: of what it reads of the row, and of the state."""
        return (1 if self.single_bias else 2) if self.bias else 0

    @property
    def directions(self) -> int:
        """2 where it goes backward too."""
        return 2 if self.bidirectional else 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        features = self.directions * self.hidden_size
        return (features,) if self.last else (features, *inputs[0][1:])

    def steps(self, inputs: Sequence[Shape]) -> Number:
        """Steps of all rows together: each position is one."""
        return elements(inputs[0][1:])

    def depths(self, inputs: Sequence[Shape]) -> Iterator[Number]:
        """Features that each layer reads at a step."""
        for layer in range(self.num_layers):
            yield inputs[0][0] if layer == 0 else self.directions * self.hidden_size

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        rows = self.gates * self.hidden_size
        arrays = []
        for layer, depth in enumerate(self.depths(inputs)):
            for way in ("", "_reverse")[: self.directions]:
                arrays += [Param(f"weight_ih_l{layer}{way}", (rows, depth))]
                arrays += [Param(f"weight_hh_l{layer}{way}", (rows, self.hidden_size))]
                arrays += [Param(f"bias_{kind}_l{layer}{way}", (rows,)) for kind in ("ih", "hh")[: self.biases]]
        return tuple(arrays)

    def saved_maps(self, inputs: Sequence[Shape], output: Shape) -> Number:
        each, before = self.kept
        steps, layers = self.steps(inputs), self.num_layers
        rows = elements(inputs[0][1:-1])
        states = self.directions * self.hidden_size * layers * (each * steps + before * rows)
        return states + self.directions * self.hidden_size * (layers - 1) * steps  # what each layer gives the next

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        rows, steps, hidden = self.gates * self.hidden_size, self.steps(inputs), self.hidden_size
        each = [
            rules.linear_multiplications(depth, rows) + rules.linear_multiplications(hidden, rows)
            for depth in self.depths(inputs)
        ]
        total: int = each[0]
        for other in each[1:]:
            total = total + other
        macs: int = self.directions * steps * total
        return macs

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        rows, steps, hidden = self.gates * self.hidden_size, self.steps(inputs), self.hidden_size
        times = self.directions * steps
        sums: Number = 0
        for depth in self.depths(inputs):
            # What comes from the input, what comes from the state, and both together.
            sums = (
                sums + rules.sums(rows, depth, int(self.bias)) + rules.sums(rows, hidden, int(self.biases == 2)) + rows
            )
        units = times * self.num_layers * hidden
        inner = Operations(*(count * units for count in self.each))
        return inner._replace(
            additions=times * sums + inner.additions,
            multiplications=self.macs(inputs, output) + inner.multiplications,
        )

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        if not self.per_row and (self.last or self.bidirectional):
            return (EVERYTHING,)
        *others, steps = inputs[0][1:]
        along = Spans(tuple([(0, steps - 1 if self.bidirectional else index) for index in range(steps)]))
        return ((*(Window(1) for _ in others), along),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        both = say(", bidirectional") if self.bidirectional else ""
        layers = "" if self.num_layers == 1 else f", {several(self.num_layers, 'layer')}"
        last = say(", last step") if self.last else ""
        rows = say(", each row") if self.per_row else ""
        return f"{with_value(self.noun, str(self.hidden_size))}{layers}{both}{last}{rows}"

    def describe(self, inputs: Sequence[Shape]) -> str:
        units, features = several(self.hidden_size, "hidden unit"), several(elements(inputs[0][:1]), "feature")
        return say("{units} of {features} a step", units=units, features=features)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [(say("no bias"), say("one bias"), say("two biases"))[self.biases]]


class Rnn(Recurrent):
    """h = tanh(W·x + b + U·h + c), or with a ReLU. Source: Elman 1990; PyTorch, `RNN`."""

    kept = (1, 1)
    kind = "rnn"
    stem = "rnn"
    noun = "RNN"
    words = names("simplernn|elman|vanilla rnn|recurrent|recurrent layer|рекуррентный|рекуррентная|recurrente|循环")
    gates = 1

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    @property
    def each(self) -> Operations:  # type: ignore[override]  # here it depends on the setting
        """A tanh, or a comparison."""
        return _TANH if self.nonlinearity == "tanh" else Operations(comparisons=1)


_TANH = Operations(additions=2, multiplications=1, divisions=1, exponentials=1)
_SIGMOID = Operations(additions=1, divisions=1, exponentials=1)


def _together(*parts: tuple[int, Operations]) -> Operations:
    """Some operations so many times."""
    return Operations(*(sum(times * part[index] for times, part in parts) for index in range(len(_TANH))))


class Lstm(Recurrent):
    """Long short-term memory: gates i, f, o, c = f·c + i·g, h = o·tanh(c). Source: Hochreiter & Schmidhuber 1997."""

    kind = "lstm"
    stem = "lstm"
    noun = "LSTM"
    words = names("long short term memory|blstm|bilstm|лстм|долгая краткосрочная память|长短期记忆")
    gates = 4
    each = _together((3, _SIGMOID), (2, _TANH), (1, Operations(additions=1, multiplications=3)))


class Gru(Recurrent):
    """Gated recurrent unit: gates r, z, then n = tanh(W·x + r·(U·h)) and h = (1 − z)·n + z·h.

    With `reset_after: false` the gate r resets the state before it is multiplied, n = tanh(W·x + U·(r·h)), as in the
    paper, in ONNX's `linear_before_reset=0` and in Keras's `reset_after=False`; PyTorch has no such layer. As many
    operations are counted. Source: Cho et al. 2014; PyTorch, `GRU`; Keras, `GRU`.
    """

    kind = "gru"
    stem = "gru"
    noun = "GRU"
    words = names("gated recurrent unit|bigru|гру|управляемый рекуррентный блок|门控循环单元")
    gates = 3
    each = _together((2, _SIGMOID), (1, _TANH), (1, Operations(additions=2, multiplications=3)))

    reset_after: bool = True

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return super().details(inputs) + ([] if self.reset_after else [say("reset before the product")])
