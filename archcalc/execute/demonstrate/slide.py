"""What slides over a map: a convolution's filters, a pool's window, and the matrices of both."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from archcalc.core.demonstration import Group, Step, Written, written_number
from archcalc.core.errors import UsageError
from archcalc.core.language import formula, say
from archcalc.execute.demonstrate.grids import (
    Places,
    bracketed,
    channels,
    grid,
    place_text,
    products,
    terms,
    window_cells,
)
from archcalc.execute.demonstrate.small import MOST_NUMBERS, Small, base
from archcalc.execute.kernels import Array

Shown = tuple[list[Group], list[Step]]


def groups_of(small: Small) -> int:
    """In how many groups the filters read the channels."""
    settings = small.op
    return small.x.shape[1] if base(settings) == "depthwise_conv" else int(getattr(settings, "groups", 1))


def filters(small: Small, letter: str = "w") -> list[Group]:
    """Each filter with its bias."""
    weight, bias = small.arrays["weight"], small.arrays.get("bias")
    found = []
    for k, one in enumerate(weight):
        parts = list(channels(f"{letter}{k}", "", one).grids)
        if bias is not None:
            parts.append(grid(f"b{k}", np.array([bias[k]])))
        found.append(Group(say("filter {number}", number=k), tuple(parts)))
    return found


def convolution(small: Small) -> Shown:
    """One step for each value of the result: a window times a filter, channel by channel, and the bias."""
    frame, x, out = small.frame(), small.x, small.out
    weight, bias = small.arrays["weight"], small.arrays.get("bias")
    padded = frame.pad(x)
    starts = frame.starts(padded)
    groups = [
        channels("x", say("input"), x[0], frame=frame),
        *filters(small),
        channels("o", say("output"), out[0], empty=True),
    ]
    places = Places(groups)
    count = groups_of(small)
    depth = weight.shape[1]
    # What each channel adds, from the kernel itself: the map with nothing but this channel, and no bias.
    no_bias = {} if bias is None else {"bias": np.zeros_like(bias)}
    alone = []
    for channel in range(x.shape[1]):
        one = np.zeros_like(x)
        one[:, channel] = x[:, channel]
        alone.append(small.again(one, **no_bias)[0])
    steps = []
    for k, *position in np.ndindex(*out.shape[1:]):
        first = k // (len(weight) // count) * depth
        seen = list(window_cells(frame, starts, position))
        read = [places.cell(0, first + channel, at) for channel in range(depth) for at in seen]
        used = [cell for channel in range(depth) for cell in places.everywhere(1 + k, channel, weight[k, channel])]
        lines = []
        for channel in range(depth):
            values = np.array([padded[(0, first + channel, *at)] for at in seen])
            total = written_number(float(alone[first + channel][(k, *position)]))
            name = _name(x, first + channel)
            lines.append(formula(f"{name}: {products(values, weight[k, channel])} = {total}"))
        parts = [float(alone[first + channel][(k, *position)]) for channel in range(depth)]
        added = terms(parts)
        if bias is not None:
            used.append(places.cell(1 + k, depth, (0,)))
            added += f" + {bracketed(float(bias[k]))}"
        result = float(out[(0, k, *position)])
        whole = formula(f"{added} = {written_number(result)}")
        lines.append(
            say("channels and bias: {sum}", sum=whole) if bias is not None else say("channels: {sum}", sum=whole)
        )
        written = (Written(places.cell(1 + len(weight), k, position), result),)
        steps.append(Step(_at(k, position), tuple(read), tuple(used), written, tuple(lines)))
    return groups, steps


def _at(number: int, position: Sequence[int]) -> str:
    return say("filter {number} at {place}", number=number, place=place_text(position))


def _name(x: Array, channel: int) -> str:
    return f"x[{','.join(':' * (x.ndim - 2))},{channel}]"


def pooling(small: Small) -> Shown:
    """One step for each value of the result: a window of one channel."""
    frame, x, out = small.frame(), small.x, small.out
    kind = base(small.op)
    padded = frame.pad(x)
    starts = frame.starts(padded)
    groups = [channels("x", say("input"), x[0], frame=frame), channels("o", say("output"), out[0], empty=True)]
    places = Places(groups)
    begins, sizes = frame.begins, x.shape[2:]
    steps = []
    for channel, *position in np.ndindex(*out.shape[1:]):
        seen = list(window_cells(frame, starts, position))
        inside = [
            at
            for at in seen
            if all(begin <= place < begin + size for place, begin, size in zip(at, begins, sizes, strict=True))
        ]
        values = [float(padded[(0, channel, *at)]) for at in inside]
        listed = ", ".join(written_number(value) for value in values)
        result = float(out[(0, channel, *position)])
        line = _pooled(kind, len(inside) < len(seen) and _counts(small), listed, written_number(result))
        read = tuple(places.cell(0, channel, at) for at in seen)
        written = (Written(places.cell(1, channel, position), result),)
        title = say("channel {channel} at {place}", channel=channel, place=place_text(position))
        steps.append(Step(title, read, (), written, (line,)))
    return groups, steps


def _pooled(kind: str, with_padding: bool, values: str, result: str) -> str:
    if kind == "max_pool":
        return say("the largest of {values}: {result}", values=values, result=result)
    if kind != "avg_pool":
        return say("the norm of {values}: {result}", values=values, result=result)
    if with_padding:
        return say("the mean of {values}, the padding counted too: {result}", values=values, result=result)
    return say("the mean of {values}: {result}", values=values, result=result)


def _counts(small: Small) -> bool:
    return bool(getattr(small.op, "count_include_pad", False))


def im2col(small: Small) -> Shown:
    """One step for each position: its window becomes a column, and the rows of filters give a column of the result."""
    frame, x, out, weight = small.frame(), small.x, small.out, small.arrays["weight"]
    bias = small.arrays.get("bias")
    if groups_of(small) > 1:
        raise UsageError(f"{small.layer.name} has groups: im2col makes matrices of each, so show one without")
    padded = frame.pad(x)
    starts = frame.starts(padded)
    rank = small.rank
    windows = frame.windows(padded)[0]
    order = (0, *range(1 + rank, 1 + 2 * rank), *range(1, 1 + rank))
    x_col = windows.transpose(order).reshape(weight[0].size, -1)
    w_row = weight.reshape(len(weight), -1)
    result = out[0].reshape(len(weight), -1)
    _check_numbers(x_col.size)
    groups = [
        channels("x", say("input"), x[0], frame=frame),
        Group(say("a row for each filter"), (grid("W_row", w_row),)),
        Group(say("a column for each window"), (grid("X_col", x_col),)),
        Group("W_row · X_col + b", (grid("O", result, empty=True),)),
    ]
    places = Places(groups)
    steps = []
    for column, position in enumerate(np.ndindex(*out.shape[2:])):
        seen = list(window_cells(frame, starts, position))
        read = [places.cell(0, channel, at) for channel in range(x.shape[1]) for at in seen]
        read += [places.cell(2, 0, (row, column)) for row in range(len(x_col))]
        used = [places.cell(1, 0, at) for at in np.ndindex(*w_row.shape)]
        written = [Written(places.cell(3, 0, (k, column)), float(result[k, column])) for k in range(len(weight))]
        lines = [
            say(
                "window at {place} → column {column} of {matrix}: {count} numbers",
                place=place_text(position),
                column=column,
                matrix="X_col",
                count=len(x_col),
            ),
            *(
                say(
                    "row {row} · column {column}: {sum}",
                    row=k,
                    column=column,
                    sum=_sum(x_col[:, column], w_row[k], None if bias is None else float(bias[k]), result[k, column]),
                )
                for k in range(len(weight))
            ),
        ]
        title = say("window at {place}", place=place_text(position))
        steps.append(Step(title, tuple(read), tuple(used), tuple(written), tuple(lines)))
    return groups, steps


def matrix(small: Small) -> Shown:
    """The convolution as a dense layer: a row for each value of the result, mostly zeros, in blocks that repeat."""
    x, out = small.x, small.out
    bias = small.arrays.get("bias")
    zero = {} if bias is None else {"bias": np.zeros_like(bias)}
    inputs, outputs = prod(x.shape[1:]), prod(out.shape[1:])
    _check_numbers(inputs * outputs)
    # The kernel on each unit vector gives a column; with filters of ones, where a weight can stand at all.
    dense, reached = np.empty((outputs, inputs)), np.empty((outputs, inputs))
    ones = np.ones_like(small.arrays["weight"])
    for column in range(inputs):
        unit = np.zeros(inputs)
        unit[column] = 1
        dense[:, column] = small.again(unit.reshape(x.shape), **zero).ravel()
        reached[:, column] = small.again(unit.reshape(x.shape), **zero, weight=ones).ravel()
    flat_in, flat_out = x.ravel(), out.ravel()
    groups = [
        Group(say("a dense layer"), (grid("W", dense),)),
        Group(say("input, flat"), (grid("x", flat_in[:, None]),)),
        Group(say("output, flat"), (grid("o", flat_out[:, None], empty=True),)),
    ]
    places = Places(groups)
    steps = []
    for row, position in enumerate(np.ndindex(*out.shape[1:])):
        used = np.flatnonzero(reached[row])
        read = tuple(places.cell(1, 0, (column, 0)) for column in used.tolist())
        weights = tuple(places.cell(0, 0, (row, column)) for column in used.tolist())
        added = None if bias is None else float(bias[position[0]])
        line = say(
            "row {row}, {zeros} of {all} weights are 0 whatever the filter: {sum}",
            row=row, zeros=inputs - len(used), all=inputs,
            sum=_sum(flat_in[used], dense[row][used], added, flat_out[row]),
        )  # fmt: skip
        written = (Written(places.cell(2, 0, (row, 0)), float(flat_out[row])),)
        steps.append(Step(_at(position[0], position[1:]), read, weights, written, (line,)))
    return groups, steps


def _sum(values: Array, weights: Array, bias: float | None, result: float) -> str:
    """1·0 + 2·(−1) + 1 = −1, the bias last."""
    added = "" if bias is None else f" + {bracketed(float(bias))}"
    return formula(f"{products(values, weights) or '0'}{added} = {written_number(float(result))}")


def _check_numbers(count: int) -> None:
    if count > MOST_NUMBERS:
        raise UsageError(
            f"the matrix would have {count:,} numbers; at most {MOST_NUMBERS:,} are shown: a smaller layer"
        )
