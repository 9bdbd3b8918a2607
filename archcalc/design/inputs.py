"""Inputs that a network accepts: what to say where one does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.core.errors import Problem, SpecError
from archcalc.core.shapes import format_shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.shapes import infer_shapes

LARGEST = 2048
#: How much work a hint is worth, in layers shaped.
BUDGET = 60_000


def accepts(graph: LayerGraph, height: int, width: int, strict: bool = False) -> bool:
    """Whether every layer fits an input of this height and width."""
    return not infer_shapes(graph.with_input((graph.input_shape[0], height, width)), strict).problems


def smallest_input(graph: LayerGraph, strict: bool = False) -> int | None:
    """Side of the smallest square input that works, or None where none up to 2,048 does.

    Sizes above a working one need not work (valid convolutions and exact pools tile only some), so sizes are tried
    one by one below the first power of two that works.
    """
    powers = [1 << power for power in range(LARGEST.bit_length())]
    bound = next((side for side in powers if accepts(graph, side, side, strict)), None)
    most = BUDGET // len(graph)
    sides = range(1, min(LARGEST, most) + 1) if bound is None else range(max(bound // 2 + 1, bound - most), bound)
    return next((side for side in sides if accepts(graph, side, side, strict)), bound)


def nearest_inputs(graph: LayerGraph, strict: bool = False) -> tuple[int | None, int | None]:
    """How many pixels less, and how many more, on both sides the network would accept; None where none is near."""
    _, height, width = graph.input_shape
    steps = min(64, BUDGET // (2 * len(graph)))
    less = (step for step in range(1, min(steps, height, width)) if accepts(graph, height - step, width - step, strict))
    more = (step for step in range(1, steps) if accepts(graph, height + step, width + step, strict))
    return next(less, None), next(more, None)


def add_input_hints(graph: LayerGraph, problems: Sequence[Problem], strict: bool = False) -> list[Problem]:
    """The problems, the last with a line that says which inputs work, where any do."""
    *others, last = SpecError(problems).problems  # each once, in the order of the file
    return [*others, last._replace(details=(*last.details, *_hints(graph, strict)))]


def _hints(graph: LayerGraph, strict: bool) -> Iterator[str]:
    channels, height, width = graph.input_shape
    less, more = nearest_inputs(graph, strict)
    if less is not None or more is not None:
        steps = ([-less] if less is not None else []) + ([more] if more is not None else [])
        near = [format_shape((channels, height + step, width + step)) for step in steps]
        yield f"network inputs near {format_shape(graph.input_shape)} that work: {' and '.join(near)}"
        return
    smallest = smallest_input(graph, strict)
    if smallest is not None:
        yield f"smallest square network input that works: {format_shape((channels, smallest, smallest))}"
