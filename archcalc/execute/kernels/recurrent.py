"""Recurrent layers: the map (N, C, T) is T steps of C features. Gates lie in the order of PyTorch."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from archcalc.execute.kernels.activation import sigmoid
from archcalc.execute.kernels.registry import Array, Sizes, kernel

#: What goes from step to step: the hidden state, and of an LSTM the cell too; (N, hidden) each.
State = tuple[Array, ...]


class Cell(Protocol):
    """One step: from what the input gives to the gates, what the state gives to them, and the state."""

    gates: int
    states: int

    def read(self, _given: Array, hidden: Array, weight: Array, bias: Array, /) -> Array:
        """What the state gives to the gates, (N, gates·hidden); `weight` is the matrix U of all gates."""
        return hidden @ weight.T + bias

    @abstractmethod
    def step(self, given: Array, kept: Array, state: State) -> State:
        """The next state; `given` and `kept` are (N, gates·hidden)."""

    @abstractmethod
    def back(self, grads: State, at: Moment) -> tuple[Array, Array, State]:
        """From the gradients of the next state those of `given`, of `kept`, and of the state itself."""

    def weight_grad(self, kept: Array, ran: Ran) -> Array:
        """The gradient of the matrix that is multiplied with the state; that of `kept` is (T, N, gates·hidden)."""
        grad: Array = np.einsum("tng,tnf->gf", kept, np.stack([state[0] for state in ran.before]))
        return grad


class Moment(NamedTuple):
    """What a step had: what the input and the state gave to the gates, the state before it, and the matrix U."""

    given: Array
    kept: Array
    state: State
    weight: Array


class RnnCell(Cell):
    """h = f(given + kept). Source: Elman 1990."""

    gates, states = 1, 1

    def __init__(self, nonlinearity: Literal["tanh", "relu"] = "tanh") -> None:
        self.is_tanh = nonlinearity == "tanh"

    def step(self, given: Array, kept: Array, state: State) -> State:
        total = given + kept
        return (np.tanh(total) if self.is_tanh else np.maximum(total, 0),)

    def back(self, grads: State, at: Moment) -> tuple[Array, Array, State]:
        total = at.given + at.kept
        inner = grads[0] * (1 - np.tanh(total) ** 2 if self.is_tanh else total > 0)
        return inner, inner, (inner @ at.weight,)


class LstmCell(Cell):
    """Gates i, f, g, o; c = f·c + i·g; h = o·tanh(c). Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000."""

    gates, states = 4, 2

    @staticmethod
    def _parts(given: Array, kept: Array) -> tuple[Array, Array, Array, Array]:
        i, f, g, o = np.split(given + kept, 4, axis=1)
        return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)

    def step(self, given: Array, kept: Array, state: State) -> State:
        i, f, g, o = self._parts(given, kept)
        cell = f * state[1] + i * g
        return o * np.tanh(cell), cell

    def back(self, grads: State, at: Moment) -> tuple[Array, Array, State]:
        i, f, g, o = self._parts(at.given, at.kept)
        shown = np.tanh(f * at.state[1] + i * g)
        to_cell = grads[1] + grads[0] * o * (1 - shown**2)
        parts = [
            to_cell * g * i * (1 - i), to_cell * at.state[1] * f * (1 - f), to_cell * i * (1 - g**2),
            grads[0] * shown * o * (1 - o),
        ]  # fmt: skip
        inner = np.concatenate(parts, axis=1)
        return inner, inner, (inner @ at.weight, to_cell * f)


class GruCell(Cell):
    """Gates r, z, n; n = tanh(given + r·kept); h = (1 − z)·n + z·h. Source: Cho et al. 2014; PyTorch, `GRU`."""

    gates, states = 3, 1

    @staticmethod
    def _parts(given: Array, kept: Array) -> tuple[Array, Array, Array, Array]:
        (r1, z1, n1), (r2, z2, n2) = np.split(given, 3, axis=1), np.split(kept, 3, axis=1)
        r = sigmoid(r1 + r2)
        return r, sigmoid(z1 + z2), np.tanh(n1 + r * n2), n2

    def step(self, given: Array, kept: Array, state: State) -> State:
        _, z, n, _ = self._parts(given, kept)
        return ((1 - z) * n + z * state[0],)

    def back(self, grads: State, at: Moment) -> tuple[Array, Array, State]:
        r, z, n, shown = self._parts(at.given, at.kept)
        to_n = grads[0] * (1 - z) * (1 - n**2)
        to_r, to_z = to_n * shown * r * (1 - r), grads[0] * (at.state[0] - n) * z * (1 - z)
        to_given, to_kept = (np.concatenate([to_r, to_z, last], axis=1) for last in (to_n, to_n * r))
        return to_given, to_kept, (grads[0] * z + to_kept @ at.weight,)


class ResetFirstGruCell(Cell):
    """The same with n = tanh(given + U·(r·h)). Source: Cho et al. 2014; ONNX, `GRU` with linear_before_reset 0."""

    gates, states = 3, 1

    def read(self, given: Array, hidden: Array, weight: Array, bias: Array, /) -> Array:
        size = hidden.shape[1]
        rows = np.broadcast_to(bias, (3 * size,))
        first = hidden @ weight[: 2 * size].T + rows[: 2 * size]
        reset = sigmoid(given[:, :size] + first[:, :size]) * hidden
        return np.concatenate([first, reset @ weight[2 * size :].T + rows[2 * size :]], axis=1)

    @staticmethod
    def _parts(given: Array, kept: Array) -> tuple[Array, Array, Array]:
        r, z, n = np.split(given + kept, 3, axis=1)
        return sigmoid(r), sigmoid(z), np.tanh(n)

    def step(self, given: Array, kept: Array, state: State) -> State:
        _, z, n = self._parts(given, kept)
        return ((1 - z) * n + z * state[0],)

    def back(self, grads: State, at: Moment) -> tuple[Array, Array, State]:
        r, z, n = self._parts(at.given, at.kept)
        hidden, size = at.state[0], at.state[0].shape[1]
        to_n = grads[0] * (1 - z) * (1 - n**2)
        to_reset = to_n @ at.weight[2 * size :]
        to_r, to_z = to_reset * hidden * r * (1 - r), grads[0] * (hidden - n) * z * (1 - z)
        first = np.concatenate([to_r, to_z], axis=1)
        inner = np.concatenate([first, to_n], axis=1)
        return inner, inner, (grads[0] * z + to_reset * r + first @ at.weight[: 2 * size],)

    def weight_grad(self, kept: Array, ran: Ran) -> Array:
        hidden = np.stack([state[0] for state in ran.before])
        size = hidden.shape[2]
        reset = sigmoid(ran.given[..., :size] + np.stack(ran.kept)[..., :size]) * hidden
        parts = (kept[..., : 2 * size], hidden), (kept[..., 2 * size :], reset)
        return np.concatenate([np.einsum("tng,tnf->gf", *part) for part in parts])


class Pass(NamedTuple):
    """One layer in one direction: the names of its arrays, and whether it goes backward."""

    weight_ih: str
    weight_hh: str
    bias_ih: str
    bias_hh: str
    is_reverse: bool


def _names(end: str) -> tuple[str, str, str, str]:
    return f"weight_ih_{end}", f"weight_hh_{end}", f"bias_ih_{end}", f"bias_hh_{end}"


def passes(num_layers: int, bidirectional: bool) -> Iterator[list[Pass]]:
    """The directions of each layer."""
    for layer in range(num_layers):
        yield [
            Pass(*_names(f"l{layer}{way}"), is_reverse=bool(way))
            for way in (("", "_reverse") if bidirectional else ("",))
        ]


class Ran(NamedTuple):
    """What a pass went through: inputs (T, N, features), and for each step the gates' parts and the state before."""

    inputs: Array
    given: Array
    kept: Sequence[Array]
    before: Sequence[State]
    hidden: Array


def run_pass(cell: Cell, each: Pass, x: Array, arrays: Mapping[str, Array], hidden: int) -> Ran:
    """One layer in one direction over (T, N, features)."""
    given = x @ arrays[each.weight_ih].T + arrays.get(each.bias_ih, x.dtype.type(0))
    state: State = (np.zeros((x.shape[1], hidden), x.dtype),) * cell.states
    steps = len(x)
    kept, before, out = [x] * steps, [state] * steps, np.empty((steps, x.shape[1], hidden), x.dtype)
    for step in reversed(range(steps)) if each.is_reverse else range(steps):
        before[step] = state
        bias = arrays.get(each.bias_hh, x.dtype.type(0))
        kept[step] = cell.read(given[step], state[0], arrays[each.weight_hh], bias)
        state = cell.step(given[step], kept[step], state)
        out[step] = state[0]
    return Ran(x, given, kept, before, out)


def run_layers(
    cell: Cell, x: Array, arrays: Mapping[str, Array], hidden: int, num_layers: int, bidirectional: bool
) -> list[list[Ran]]:
    """All layers over a map (N, C, T), one after the other."""
    inputs = np.moveaxis(x, 2, 0)
    found = []
    for layer in passes(num_layers, bidirectional):
        found.append([run_pass(cell, each, inputs, arrays, hidden) for each in layer])
        inputs = np.concatenate([ran.hidden for ran in found[-1]], axis=2)
    return found


def shown(ways: Sequence[Ran], last: bool) -> Array:
    """All hidden states (N, features, T), or those after the last step of each direction (N, features)."""
    if last:
        return np.concatenate([ran.hidden[-1 if way == 0 else 0] for way, ran in enumerate(ways)], axis=1)
    return np.ascontiguousarray(np.moveaxis(np.concatenate([ran.hidden for ran in ways], axis=2), 0, 2))


def rows_of(x: Array) -> Array:
    """Each row of a map (N, C, …, T) as a sequence of its own: (N·rows, C, T)."""
    return np.moveaxis(x, 1, -2).reshape(-1, x.shape[1], x.shape[-1])


def as_map(rows: Array, shape: Sequence[int]) -> Array:
    """The map of rows (N·rows, C, T); `shape` has its images, any channels, and its positions."""
    split = rows.reshape(shape[0], *shape[2:-1], rows.shape[1], shape[-1])
    return np.ascontiguousarray(np.moveaxis(split, -2, 1))


def _run(
    cell: Cell, x: Array, arrays: Mapping[str, Array], hidden: int, num_layers: int, bidirectional: bool, last: bool,
    per_row: bool,
) -> Array:  # fmt: skip
    """What the last layer gives."""
    rows = rows_of(x) if per_row else x
    made = shown(run_layers(cell, rows, arrays, hidden, num_layers, bidirectional)[-1], last)
    return as_map(made, x.shape) if per_row else made


def _arrays_of(gates: int) -> Any:
    def arrays(
        x: Array, *, hidden_size: int, num_layers: int, bias: bool, bidirectional: bool, single_bias: bool = False
    ) -> Sizes:
        rows, depth = gates * hidden_size, x.shape[1]
        found: dict[str, tuple[int, ...]] = {}
        for layer in passes(num_layers, bidirectional):
            for each in layer:
                found |= {each.weight_ih: (rows, depth), each.weight_hh: (rows, hidden_size)}
                if bias:
                    found[each.bias_ih] = (rows,)
                if bias and not single_bias:
                    found[each.bias_hh] = (rows,)
            depth = hidden_size * len(layer)
        return found

    return arrays


def _products_of(gates: int) -> Any:
    def products(x: Array, _out: Array, *, hidden_size: int, num_layers: int, bidirectional: bool) -> int:
        """Every weight once a step."""
        sizes = _arrays_of(gates)(
            x, hidden_size=hidden_size, num_layers=num_layers, bias=False, bidirectional=bidirectional
        )
        return int(math.prod(x.shape[2:]) * sum(rows * columns for rows, columns in sizes.values()))

    return products


@kernel("rnn", arrays=_arrays_of(1), products=_products_of(1))
def rnn(
    x: Array, *, hidden_size: int, num_layers: int = 1, bidirectional: bool = False, last: bool = False,
    per_row: bool = False, nonlinearity: Literal["tanh", "relu"] = "tanh", **arrays: Array,
) -> Array:  # fmt: skip
    """H = f(W·x + b + U·h + c) at each step. Source: PyTorch, `RNN`."""
    return _run(RnnCell(nonlinearity), x, arrays, hidden_size, num_layers, bidirectional, last, per_row)


@kernel("lstm", arrays=_arrays_of(4), products=_products_of(4))
def lstm(
    x: Array, *, hidden_size: int, num_layers: int = 1, bidirectional: bool = False, last: bool = False,
    per_row: bool = False, **arrays: Array,
) -> Array:  # fmt: skip
    """Long short-term memory. Source: Hochreiter & Schmidhuber 1997; PyTorch, `LSTM`."""
    return _run(LstmCell(), x, arrays, hidden_size, num_layers, bidirectional, last, per_row)


@kernel("gru", arrays=_arrays_of(3), products=_products_of(3))
def gru(
    x: Array, *, hidden_size: int, num_layers: int = 1, bidirectional: bool = False, last: bool = False,
    per_row: bool = False, reset_after: bool = True, **arrays: Array,
) -> Array:  # fmt: skip
    """Gated recurrent unit. Source: Cho et al. 2014; PyTorch, `GRU`; without `reset_after` Keras, `GRU`."""
    return _run(
        GruCell() if reset_after else ResetFirstGruCell(),
        x,
        arrays,
        hidden_size,
        num_layers,
        bidirectional,
        last,
        per_row,
    )
