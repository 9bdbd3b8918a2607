"""How several maps into one are spelt in Keras."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import KERAS, Case, Speller, Spelling, Table, only
from archcalc.ops.axes import axis_of

TABLE: Table[Speller] = Table()


def _wide(case: Case) -> list[str]:
    """The inputs, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    missing = [axes - len(shape) for shape in case.inputs]
    return [f"{{{n}}}" + (f"[:, {'None, ' * more}:]" if more else "") for n, more in enumerate(missing)]


@TABLE.of("add")
def _add(case: Case) -> Spelling:
    return Spelling(expression=" + ".join(_wide(case)))


@TABLE.of("multiply")
def _multiply(case: Case) -> Spelling:
    op: Any = case.op
    factor = [repr(op.factor)] if op.factor != 1 or len(case.inputs) == 1 else []
    return Spelling(expression=" * ".join([*factor, *_wide(case)]))


@TABLE.of("subtract")
def _subtract(case: Case) -> Spelling:
    return Spelling(expression=" - ".join(_wide(case)))


@TABLE.of("divide")
def _divide(case: Case) -> Spelling:
    return Spelling(expression=" / ".join(_wide(case)))


@TABLE.of("rescale")
def _rescale(case: Case) -> Spelling:
    op: Any = case.op
    # Channels are the last axis, so that a number for each is a list there.
    given = [list(numbers) if isinstance(numbers, tuple) else numbers for numbers in (op.factor, op.offset)]
    return only("layers.Rescaling", ("scale", given[0]), offset=(given[1], 0.0))


@TABLE.of("power")
def _power(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"ops.power({{0}}, {op.exponent!r})")


def _axis(case: Case) -> int:
    op: Any = case.op
    return axis_of(op.axis, case.inputs[0]) or -1


@TABLE.of("concat")
def _concat(case: Case) -> Spelling:
    return Spelling(
        expression=f"ops.concatenate([{', '.join(f'{{{n}}}' for n in range(len(case.inputs)))}], {_axis(case)})"
    )


@TABLE.of("matmul")
def _matmul(case: Case) -> Spelling:
    op: Any = case.op
    if case.rank > 1:
        raise case.cannot("a product of maps with several axes of positions", KERAS)
    turned = [
        f"ops.swapaxes({{{n}}}, 1, 2)" if flag else f"{{{n}}}"
        for n, flag in enumerate((op.transpose_first, op.transpose_second))
    ]
    return Spelling(expression=f"ops.matmul({', '.join(turned)})")


@TABLE.of("scaled_dot_product_attention")
def _attention(case: Case) -> Spelling:
    op: Any = case.op
    heads = ", ".join(f"{{{n}}}" for n in range(3))
    return Spelling(expression=f"attention({heads}, {op.num_heads}, {op.is_causal}, {op.scale!r})")
