"""Inputs that a network accepts: what to say where one does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from archcalc.core.errors import Problem, SpecError, UsageError
from archcalc.core.shapes import format_shape, spec_shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.shapes import infer_shapes

LARGEST = 2048
#: The positions of an input along each axis: height and width of an image.
Sides = tuple[int, ...]
#: How much work a hint is worth, in layers shaped.
BUDGET = 60_000
#: Of so many of several inputs other sizes are looked for.
MOST_INPUTS = 6


def accepts(graph: LayerGraph, sides: Sides, strict: bool = False, name: str | None = None) -> bool:
    """Whether every layer fits an input of these sides; with a `name` this one alone of several changes."""
    try:
        shape = (graph.inputs[name or graph.layers[0].name][0], *sides)
        return not infer_shapes(graph.with_input({name: shape} if name else shape), strict).problems
    except (SpecError, UsageError):  # the layers depend on the input, and there are none for this one
        return False


def smallest_input(graph: LayerGraph, strict: bool = False) -> int | None:
    """Side of the smallest input with equal sides that works, or None where none up to 2,048 does.

    Sizes above a working one need not work (valid convolutions and exact pools tile only some), so sizes are tried
    one by one below the first power of two that works.
    """

    def fits(side: int) -> bool:
        return accepts(graph, (side,) * (len(graph.input_shape) - 1), strict)

    powers = [1 << power for power in range(LARGEST.bit_length())]
    bound = next((side for side in powers if fits(side)), None)
    most = BUDGET // len(graph)
    sides = range(1, min(LARGEST, most) + 1) if bound is None else range(max(bound // 2 + 1, bound - most), bound)
    return next((side for side in sides if fits(side)), bound)


def nearest_inputs(
    graph: LayerGraph, strict: bool = False, name: str | None = None
) -> tuple[Sides | None, Sides | None]:
    """The sides of the nearest inputs that the network accepts, none larger than now and none smaller than now.

    None where there is none within 64 positions. A side that fits stays as it is. With a `name` this one alone of
    several inputs changes.
    """
    sides = graph.inputs[name or graph.layers[0].name][1:]
    fits = partial(accepts, graph, strict=strict, name=name)
    budget = BUDGET // (min(len(graph.inputs), MOST_INPUTS) if name else 1) // len(graph)
    return _nearest(fits, sides, -1, budget), _nearest(fits, sides, 1, budget)


def _nearest(accepts: Callable[[Sides], bool], sides: Sides, sign: int, budget: int) -> Sides | None:
    steps = min(64, budget // 8)
    rank = len(sides)

    def first(value: int, fits: Callable[[int], bool]) -> int | None:
        tried = (value + sign * step for step in range(steps) if value + sign * step > 0)
        return next((side for side in tried if fits(side)), None)

    # Most networks treat all axes alike, so equal sides are tried first, then each axis by itself.
    alike = [first(side, lambda side: accepts((side,) * rank)) for side in sides]
    found = tuple([side for side in alike if side])
    if len(found) == rank and accepts(found):
        for axis, side in enumerate(sides):
            before, after = found[:axis], found[axis + 1 :]
            fits = partial(_fits, accepts, before, after)
            found = (*before, first(side, fits) or found[axis], *after)
        if found != sides:
            return found
    offsets = (one for total in range(1, rank * steps) for one in _shared_out(total, rank))
    near = (
        tuple([side + sign * more for side, more in zip(sides, one, strict=True)])
        for one in islice(offsets, budget // 4)
    )
    return next((one for one in near if min(one) > 0 and accepts(one)), None)


def _fits(accepts: Callable[[Sides], bool], before: Sides, after: Sides, side: int) -> bool:
    return accepts((*before, side, *after))


def _shared_out(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to share a number out, the first part from none on."""
    if parts == 1:
        yield (total,)
        return
    for own in range(total + 1):
        for rest in _shared_out(total - own, parts - 1):
            yield (own, *rest)


def add_input_hints(graph: LayerGraph, problems: Sequence[Problem], strict: bool = False) -> list[Problem]:
    """The problems, the last with a line that says which inputs work, where any do."""
    *others, last = SpecError(problems).problems  # each once, in the order of the file
    return [*others, last._replace(details=(*last.details, *_hints(graph, strict)))]


def _hints(graph: LayerGraph, strict: bool) -> Iterator[str]:
    if len(graph.inputs) > 1:
        options = list(_options(graph, strict))
        if options:
            yield f"the network works with {' or '.join(options)}"
        return
    channels, *positions = graph.input_shape
    if not positions:
        return
    near = [format_shape((channels, *sides)) for sides in nearest_inputs(graph, strict) if sides is not None]
    if near:
        yield f"network inputs near {format_shape(graph.input_shape)} that work: {' and '.join(near)}"
        return
    smallest = smallest_input(graph, strict)
    if smallest is not None:
        kind = ("", "square ", "cubic ")[len(positions) - 1]
        shown = format_shape((channels, *(smallest,) * len(positions)))
        yield f"smallest {kind}network input that works: {shown}"


def _options(graph: LayerGraph, strict: bool) -> Iterator[str]:
    """How to give one of several inputs another size, so that every layer fits; else those of the first one's size."""
    found = [
        {name: (shape[0], *sides)}
        for name, shape in islice(graph.inputs.items(), MOST_INPUTS)
        if len(shape) > 1
        for sides in nearest_inputs(graph, strict, name)
        if sides is not None
    ]
    if not found and len(graph.input_shape) > 1:
        alike = [name for name, shape in graph.inputs.items() if shape[1:] == graph.input_shape[1:]]
        found = [
            {name: (graph.inputs[name][0], *sides) for name in alike}
            for sides in nearest_inputs(graph, strict)
            if sides is not None
        ]
    for one in found:
        yield "--input " + ",".join(f"{name}={spec_shape(shape)}" for name, shape in one.items())
