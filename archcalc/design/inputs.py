"""Inputs that a network accepts: what to say where one does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from archcalc.core.errors import Problem, SpecError
from archcalc.core.shapes import format_shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.shapes import infer_shapes

LARGEST = 2048
#: Height and width.
Sides = tuple[int, int]
#: How much work a hint is worth, in layers shaped.
BUDGET = 60_000


def accepts(graph: LayerGraph, height: int, width: int, strict: bool = False) -> bool:
    """Whether every layer fits an input of this height and width."""
    try:
        return not infer_shapes(graph.with_input((graph.input_shape[0], height, width)), strict).problems
    except SpecError:  # the layers depend on the input, and there are none for this one
        return False


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


def nearest_inputs(graph: LayerGraph, strict: bool = False) -> tuple[Sides | None, Sides | None]:
    """The nearest (height, width) that the network accepts, neither larger than now and neither smaller than now.

    None where there is none within 64 pixels. A side that fits stays as it is.
    """
    _, height, width = graph.input_shape
    return _nearest(graph, height, width, -1, strict), _nearest(graph, height, width, 1, strict)


def _nearest(graph: LayerGraph, height: int, width: int, sign: int, strict: bool) -> Sides | None:
    steps = min(64, BUDGET // (8 * len(graph)))

    def first(value: int, fits: Callable[[int], bool]) -> int | None:
        sides = (value + sign * step for step in range(steps) if value + sign * step > 0)
        return next((side for side in sides if fits(side)), None)

    # Most networks treat both axes alike, so the sides of squares are tried first, then each axis by itself.
    rows, columns = (first(side, lambda side: accepts(graph, side, side, strict)) for side in (height, width))
    if rows and columns and accepts(graph, rows, columns, strict):
        across = columns
        top = first(height, lambda side: accepts(graph, side, across, strict)) or rows
        left = first(width, lambda side: accepts(graph, top, side, strict)) or columns
        if (top, left) != (height, width):
            return top, left
    pairs = ((down, total - down) for total in range(1, 2 * steps) for down in range(total + 1))
    near = (
        (height + sign * rows, width + sign * columns) for rows, columns in islice(pairs, BUDGET // (4 * len(graph)))
    )
    return next((pair for pair in near if min(pair) > 0 and accepts(graph, *pair, strict)), None)


def add_input_hints(graph: LayerGraph, problems: Sequence[Problem], strict: bool = False) -> list[Problem]:
    """The problems, the last with a line that says which inputs work, where any do."""
    *others, last = SpecError(problems).problems  # each once, in the order of the file
    return [*others, last._replace(details=(*last.details, *_hints(graph, strict)))]


def _hints(graph: LayerGraph, strict: bool) -> Iterator[str]:
    channels, *positions = graph.input_shape
    if len(positions) != 2:
        return
    near = [format_shape((channels, *sides)) for sides in nearest_inputs(graph, strict) if sides is not None]
    if near:
        yield f"network inputs near {format_shape(graph.input_shape)} that work: {' and '.join(near)}"
        return
    smallest = smallest_input(graph, strict)
    if smallest is not None:
        yield f"smallest square network input that works: {format_shape((channels, smallest, smallest))}"
