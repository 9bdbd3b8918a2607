"""Recurrent layers: backward through the steps, layer after layer. Source: Werbos 1990."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.recurrent import (
    Cell,
    GruCell,
    LstmCell,
    Moment,
    Pass,
    Ran,
    ResetFirstGruCell,
    RnnCell,
    State,
    as_map,
    passes,
    rows_of,
    run_layers,
)
from archcalc.execute.kernels.registry import Array


def _through(
    cell: Cell, each: Pass, ran: Ran, grad: Array, arrays: Mapping[str, Array]
) -> tuple[Array, dict[str, Array]]:
    """From the gradient of the hidden states (T, N, hidden) that of the inputs, and those of the arrays."""
    steps = len(grad)
    given, kept = np.zeros_like(ran.given), np.zeros_like(ran.given)
    carried: State = (np.zeros_like(grad[0]),) * cell.states
    for step in range(steps) if each.is_reverse else reversed(range(steps)):
        grads = (carried[0] + grad[step], *carried[1:])
        at = Moment(ran.given[step], ran.kept[step], ran.before[step], arrays[each.weight_hh])
        given[step], kept[step], carried = cell.back(grads, at)
    found = {
        each.weight_ih: np.einsum("tng,tnf->gf", given, ran.inputs),
        each.weight_hh: cell.weight_grad(kept, ran),
    }
    sums = {each.bias_ih: given, each.bias_hh: kept}
    found |= {name: part.sum(axis=(0, 1)) for name, part in sums.items() if name in arrays}
    return given @ arrays[each.weight_ih], found


def _back(
    cell: Cell,
    grad: Array,
    x: Array,
    arrays: Mapping[str, Array],
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    last: bool,
    per_row: bool,
) -> Gradients:
    if per_row:
        inputs, own = _back(
            cell, rows_of(grad), rows_of(x), arrays, hidden_size, num_layers, bidirectional, last, False
        )
        return Gradients(tuple([None if rows is None else as_map(rows, x.shape) for rows in inputs]), own)
    layers = run_layers(cell, x, arrays, hidden_size, num_layers, bidirectional)
    if last:
        wide = np.zeros((x.shape[2], len(x), grad.shape[1]), grad.dtype)
        wide[-1, :, :hidden_size] = grad[:, :hidden_size]
        wide[0, :, hidden_size:] += grad[:, hidden_size:]
    else:
        wide = np.moveaxis(grad, 2, 0)
    found: dict[str, Array] = {}
    for ways, ran in zip(reversed(list(passes(num_layers, bidirectional))), reversed(layers), strict=True):
        parts = np.split(wide, len(ways), axis=2)
        below = [_through(cell, *each, arrays) for each in zip(ways, ran, parts, strict=True)]
        for _, own in below:
            found |= own
        wide = np.sum([inputs for inputs, _ in below], axis=0)
    return Gradients((np.moveaxis(wide, 0, 2),), found)


@backward("rnn")
def rnn(
    grad: Array, x: Array, *, hidden_size: int, num_layers: int = 1, bidirectional: bool = False, last: bool = False,
    per_row: bool = False, nonlinearity: Literal["tanh", "relu"] = "tanh", **arrays: Array,
) -> Gradients:  # fmt: skip
    """Through f and U, step by step."""
    return _back(RnnCell(nonlinearity), grad, x, arrays, hidden_size, num_layers, bidirectional, last, per_row)


@backward("lstm")
def lstm(
    grad: Array, x: Array, *, hidden_size: int, num_layers: int = 1, bidirectional: bool = False, last: bool = False,
    per_row: bool = False, **arrays: Array,
) -> Gradients:  # fmt: skip
    """Through the gates; the cell carries its own gradient from step to step."""
    return _back(LstmCell(), grad, x, arrays, hidden_size, num_layers, bidirectional, last, per_row)


@backward("gru")
def gru(
    grad: Array, x: Array, *, hidden_size: int, num_layers: int = 1, bidirectional: bool = False, last: bool = False,
    per_row: bool = False, reset_after: bool = True, **arrays: Array,
) -> Gradients:  # fmt: skip
    """Through the gates and the share of the state that is kept."""
    cell = GruCell() if reset_after else ResetFirstGruCell()
    return _back(cell, grad, x, arrays, hidden_size, num_layers, bidirectional, last, per_row)
