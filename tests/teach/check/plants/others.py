"""Planted in units, sums, digits, and in what follows from a mistake."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from random import Random

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.model import TOTAL, Answer
from archcalc.teach.reading.stated import Stated
from tests.teach.check.plants.numbers import Conv, Plant, convolutions, number, pick, rows, shape, windows


def factor_two(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in analysis.rows if row.multiplications])
    if not row:
        return None
    # Twice the memory is that of values of 8 bytes as well.
    quantity = rng.choice(("params", "multiplications", "multiplications", "activations"))
    right = {"params": row.params, "activations": row.activations}.get(quantity, row.multiplications)
    if rng.random() < 0.2:
        return Plant(TOTAL, "multiplications", number(2 * sum(row.multiplications or 0 for row in analysis.rows)))
    return Plant(row.name, quantity, number(2 * right))


def unit(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in analysis.rows if row.activations > 1000])
    case = rng.randrange(4)
    if case == 0:
        return Plant(row.name, "activation_bytes", number(row.activations))
    if case == 1:
        return Plant(row.name, "activations", number(row.activation_bytes))
    if case == 2:
        row = pick(rng, [row for row in analysis.rows if row.params])
        if not row:
            return None
        return Plant(row.name, "params", number(4 * row.params))
    where = rng.choice((row.name, TOTAL))
    value = row.activation_bytes if where == row.name else sum(row.activation_bytes for row in analysis.rows)
    # The number of MiB with two decimals, called MB; and the other way round.
    divided, times = (1 << 20, 10**6) if rng.random() < 0.5 else (10**6, 1 << 20)
    hundredths = (200 * value + divided) // (2 * divided)
    if hundredths < 100:
        return None
    low, high = (Fraction(2 * hundredths + off, 200) * times for off in (-1, 1))
    return Plant(where, "activation_bytes", Stated("", Fraction(hundredths, 100) * times, low, high, "bytes"))


def sum_of_parts(rng: Random, analysis: Analysis) -> Plant | None:
    row = pick(rng, [row for row in rows(analysis, "concat", "add") if len(row.output_shape) == 3])
    if not row:
        return None
    depths = [given[0] for given in row.input_shapes]
    wrong = sum(depths) - rng.choice(depths) if row.op.kind == "concat" else sum(depths)
    return Plant(row.name, "output_shape", shape(row.output_shape[1], row.output_shape[2], wrong))


def repeat_count(rng: Random, analysis: Analysis) -> Plant | None:
    quantity = rng.choice(("params", "multiplications"))
    column = [getattr(row, quantity) for row in analysis.rows if getattr(row, quantity)]
    if len(column) < 2:
        return None
    change = rng.choice(column) * rng.choice((-1, -1, 1))
    return Plant(TOTAL, quantity, number(sum(column) + change))


def digit_slip(rng: Random, analysis: Analysis) -> Plant | None:
    quantity = rng.choice(("params", "multiplications", "activations"))
    row = pick(rng, [row for row in analysis.rows if getattr(row, quantity) > 9999])
    if not row:
        return None
    digits = list(str(getattr(row, quantity)))
    at = rng.randrange(1, len(digits))
    case = rng.randrange(4)
    if case == 0:
        digits[at] = rng.choice([digit for digit in "0123456789" if digit != digits[at]])
    elif case == 1:
        digits[at - 1], digits[at] = digits[at], digits[at - 1]
        if digits[0] == "0":
            return None
    elif case == 2:
        del digits[at]
    else:
        digits.insert(at, digits[at])
    return Plant(row.name, quantity, number(int("".join(digits))))


def _significant(value: int, digits: int) -> int:
    unit = 10 ** max(0, len(str(value)) - digits)
    return int((2 * value + unit) // (2 * unit) * unit)


def rounded_inputs(rng: Random, analysis: Analysis) -> Plant | None:
    conv = pick(rng, [conv for conv in convolutions(analysis) if conv.positions > 1])
    counts = [row.params for row in analysis.rows if row.params]
    if rng.random() < 0.3 and len(counts) > 1:
        return Plant(TOTAL, "params", number(sum(_significant(count, 3) for count in counts)))
    if not conv:
        return None
    if rng.random() < 0.5:
        values = _significant(conv.positions * conv.K, 3)
        return Plant(conv.name, "multiplications", number(values * conv.Fh * conv.Fw * conv.D // conv.G))
    weights = conv.Fh * conv.Fw * conv.D // conv.G
    each = _significant(weights + conv.b, 2)
    if conv.b and each == weights:
        return None  # 180 for 181: the bias left out
    return Plant(conv.name, "params", number(each * conv.K))


def carried_forward(rng: Random, analysis: Analysis) -> Plant | None:
    """The padding or the + 1 of a convolution forgotten, and the pool or convolution that reads it right for that."""
    readers = [conv for conv in windows(analysis) if conv.H1 > 4]
    conv = pick(rng, readers)
    if not conv:
        return None
    name = conv.row.inputs[0]
    while analysis[name].op.kind in ("relu", "batch_norm2d", "dropout", "local_response_norm"):
        name = analysis[name].inputs[0]
    if analysis[name].op.kind != "conv2d" or isinstance(getattr(analysis[name].op, "padding", ""), str):
        return None
    before = Conv(analysis[name])
    sizes = before.sizes(P=(0, 0)) if rng.random() < 0.6 else before.sizes(one=0)
    if min(sizes) < conv.Fh or sizes == (before.H2, before.W2):
        return None
    follow = Conv(conv.row)
    follow.H1, follow.W1 = sizes
    wrong = follow.sizes()
    if min(wrong) < 1 or wrong == (conv.H2, conv.W2):
        return None
    answer = Answer(before.name, "output_shape", f"{sizes[0]}x{sizes[1]}x{before.K}")
    if conv.row.multiplications and rng.random() < 0.6:
        return Plant(conv.name, "multiplications", number(conv.weights * wrong[0] * wrong[1]), answer)
    return Plant(conv.name, "output_shape", shape(*wrong, conv.K), answer)


def unknown(rng: Random, analysis: Analysis) -> Plant | None:
    """A number out of nowhere."""
    quantity = rng.choice(("params", "multiplications"))
    row = pick(rng, [row for row in analysis.rows if getattr(row, quantity) > 9999])
    if not row:
        return None
    right = getattr(row, quantity)
    wrong = rng.randrange(right // 2, 2 * right)
    return Plant(row.name, quantity, number(wrong)) if wrong != right else None


def other_variant(rng: Random, analysis: Analysis) -> Plant | None:
    """The total of another variant of the network."""
    base = analysis.graph.name.partition("@")[0]
    others = [name for name in archcalc.names() if name.partition("@")[0] == base != name and "@" in name]
    other = pick(rng, others)
    if not other:
        return None
    quantity = rng.choice(("params", "multiplications"))
    rows = archcalc.analyse(archcalc.load(other)).rows
    return Plant(TOTAL, quantity, number(sum(getattr(row, quantity) for row in rows)))


def other_tool(rng: Random, analysis: Analysis) -> Plant | None:
    """Fvcore's total: 2 for each value of batch norm, without γ 1; 1 for each that an adaptive average pool reads."""
    others = ("attention", "recurrent"), ("interpolate", "upsample2d", "layer_norm", "group_norm")
    if any(row.op.family in others[0] or row.op.kind in others[1] for row in analysis.rows):
        return None  # it counts these in ways of its own
    more = 0
    for row in analysis.rows:
        if row.op.kind == "batch_norm2d":
            more += (2 if row.weights else 1) * prod(row.output_shape)
        elif row.op.kind in ("global_avg_pool2d", "adaptive_avg_pool2d"):
            more += prod(row.input_shapes[0])
    total = sum(row.multiplications or 0 for row in analysis.rows) + more
    return Plant(TOTAL, "multiplications", number(total)) if more > 1000 else None
