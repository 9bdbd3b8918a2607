"""Why two counts of a network differ, item by item; and which way of counting gives a number that somebody has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archcalc.core.conventions import BYTES
from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import listed, several
from archcalc.design import tool_calls
from archcalc.design.conventions import OWN, TOOLS, Count, Tool, by_place, count, repeated, tool_named, unused
from archcalc.design.counting import (
    BETWEEN_TOKENS,
    BIAS_ADDITIONS,
    BIASES,
    COUNTERS,
    FACTORS,
    OF_FILE,
    SECOND_BIASES,
    STATISTICS,
    WEIGHTS,
    ZERO_BIASES,
    Measure,
    Term,
    Terms,
)
from archcalc.design.printed import CLOSENESS, PAPER, Wanted, adjustments, difference, needed, printed
from archcalc.design.tool_rules import as_written
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.spec.catalogue import implementations, key_of, load, variants_in_catalogue

QUANTITIES = ("params", "multiplications")
#: Sides of images and batches that are usual, the most usual first.
SIDES = (
    224, 227, 299, 256, 32, 28, 384, 331, 320, 288, 240, 192, 160, 128, 112, 96, 64, 416, 448, 480, 512, 608, 640, 1024,
)  # fmt: skip
#: Lengths of rows that are usual.
LENGTHS = (512, 128, 256, 384, 1024, 64, 2048)
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
#: A search counts at most so many layers.
MOST_LAYERS = 60_000


class Side(NamedTuple):
    """One end of a bridge: a network, and the tool that counts it."""

    analysis: Analysis
    tool: Tool


class Item(NamedTuple):
    """What one side counts more than the other, with the number of layers that it comes from."""

    words: str
    change: int
    layers: int


class Bridge(NamedTuple):
    """Two totals of one quantity and the items between them, which add up exactly."""

    quantity: str
    first: Count
    second: Count
    items: tuple[Item, ...]


@dataclass
class _Sum:
    """An item that is being added up: what each side counts, how often, and in which layers."""

    values: list[int] = field(default_factory=lambda: [0, 0])
    times: list[set[int]] = field(default_factory=lambda: [set(), set()])
    layers: list[int] = field(default_factory=lambda: [0, 0])


def bridge(first: Side, second: Side, quantity: str) -> Bridge:
    """What leads from one total to the other: first.total + the changes of all items = second.total.

    Layers whose cost a tool's rule does not know are in neither the totals nor the items; `not_counted` names them.
    Raises `UsageError` where a tool does not count the quantity.
    """
    counts = [_count(side, quantity) for side in (first, second)]
    sums: dict[tuple[Measure, str], _Sum] = defaultdict(_Sum)
    for end, side in enumerate((first, second)):
        placed = by_place(side.analysis, side.tool)
        for row in as_written(side.analysis.rows):
            for term in _terms(side.tool, row, placed, quantity):
                value = term.times * (term.measure.of(row) or 0)
                if value:
                    kind = "" if term.measure.of_all_kinds else row.op.noun
                    found = sums[term.measure, kind]
                    found.values[end] += value
                    found.times[end].add(term.times)
                    found.layers[end] += 1
    more = [unused(side.analysis, side.tool) if quantity == "params" else 0 for side in (first, second)]
    parts = listed(sorted({part for side in (first, second) for part in side.analysis.graph.unused}))
    items = (
        [Item(f"parameters that inference does not use: {parts}", more[1] - more[0], 0)] if more[0] != more[1] else []
    )
    fewer = [repeated(side.analysis, side.tool) if quantity == "params" else 0 for side in (first, second)]
    if fewer[0] != fewer[1]:
        items.append(Item("arrays that the file holds once and several layers have", fewer[0] - fewer[1], 0))
    items += [
        Item(_words(measure, kind, one), one.values[1] - one.values[0], max(one.layers))
        for (measure, kind), one in sums.items()
        if one.values[1] != one.values[0]
    ]
    return Bridge(
        quantity, counts[0], counts[1], tuple(sorted(items, key=lambda item: (-abs(item.change), item.words)))
    )


def _from_paper(first: Side, second: Side, quantity: str) -> Bridge:
    """The bridge, with what its source counts otherwise, and the rest, where an end is what was published."""
    whole = bridge(first, second, quantity)
    ends, items = [whole.first, whole.second], list(whole.items)
    for place, side in enumerate((first, second)):
        if side.tool.name == PAPER:
            figure = needed(side.analysis.graph, quantity)[quantity]
            sign = 1 if place else -1
            changes = adjustments(side.analysis, figure)
            items += [Item(one.words, sign * one.total, len(one.changes)) for one in changes if one.total]
            value, counted = int(figure.number.value), ends[place].total + sum(one.total for one in changes)
            words = f"{difference(figure, counted)} ({figure.source})"
            items += [Item(words, sign * (value - counted), 0)] if value != counted else []
            ends[place] = Count(value, {})
    return Bridge(quantity, ends[0], ends[1], tuple(items))


def _count(side: Side, quantity: str) -> Count:
    counted = count(side.analysis, side.tool, quantity)
    if counted is None:
        raise UsageError(f"{side.tool.name} counts no multiplications; its params can be reconciled: --quantity params")
    return counted


def _terms(tool: Tool, row: Row, placed: Mapping[str, Terms | None], quantity: str) -> Terms:
    """What a tool counts of a layer; nothing for one that it has no rule for, as in its total."""
    if quantity == "params":
        return tuple([Term(1, measure) for measure in tool.measures(row) or ()])
    return () if tool.multiplications(row, placed) is None else tool.terms(row, placed) or ()


def _words(measure: Measure, kind: str, one: _Sum) -> str:
    """Batch norm: 2 for each value."""
    before, after = (max(times, default=0) for times in one.times)
    if measure == COUNTERS:
        return "counters of values in Keras's Normalization"
    if measure == FACTORS:
        return "moving-average factors of Caffe's BatchNorm"
    if measure == OF_FILE:
        return f"{kind}: as its nodes in the file"
    if measure == BETWEEN_TOKENS:
        return f"{kind}: QKᵀ and AV"
    if measure not in (WEIGHTS, BIASES, SECOND_BIASES, ZERO_BIASES, STATISTICS, BIAS_ADDITIONS):
        if before == after:
            return f"{kind}: other layers, {before} for each {measure.words}"
        how = f"{after} for each {measure.words}" + (f" instead of {before}" if before and after else "")
        how = how if after else f"not {before} for each {measure.words}"
        return f"{kind}: {how}"
    if measure.of_all_kinds:
        return {"bias that is added": "additions of biases"}.get(measure.words, f"{measure.words}s")
    plural = several(2, measure.words).removeprefix("2 ")
    return f"{plural} of {kind}" + ("" if kind.endswith("norm") else " layers")


def implementation(graph: LayerGraph, tool: Tool, other: Tool) -> LayerGraph:
    """The network as the tool has it: a library's own variant where the catalogue has one, else the network itself.

    The library's own is the variant of its name, or one of which the spec says so. A variant of the other library gives
    way to the network without a variant.
    """
    if not tool.is_library or _is_own(graph.name, tool):
        return graph
    base, _, variant = graph.name.partition("@")
    known = {key_of(one): one for one in variants_in_catalogue(base)}
    own = known.get(key_of(f"{base}@{tool.name}")) or next(iter(implementations(base, tool.name)), None)
    if own is None and other.is_library and key_of(variant) == key_of(other.name):
        own = known.get(key_of(base))
    return graph if own is None or key_of(own) == key_of(graph.name) else load(own)


def _is_own(name: str, tool: Tool) -> bool:
    """Whether a network is the library's own by its name or by its spec."""
    variant, declared = name.partition("@")[2], implementations(name, tool.name)
    return key_of(variant) == key_of(tool.name) or any(key_of(one) == key_of(name) for one in declared)


def as_it_is(side: Side) -> str:
    """What to say where a library's total is of a network of the catalogue that is not the library's own; else empty.

    Torchvision has no variants: where it has a network, the catalogue's is most often the same.
    """
    graph, tool = side.analysis.graph, side.tool.name
    if not side.tool.is_library or tool == "torchvision" or _is_own(graph.name, side.tool):
        return ""
    if not variants_in_catalogue(graph.name):
        return ""
    said = f"{tool}: {graph.name} as it is, for the catalogue has no variant of {tool}; its own may differ"
    figure = next((one for one in graph.reported if one.quantity == "params" and tool in one.source.lower()), None)
    return said if figure is None else f"{said}: {figure.source} prints {figure.value}"


def bridges(
    graph: LayerGraph, start: str, end: str, quantity: str | None = None
) -> tuple[tuple[Side, Side], list[Bridge]]:
    """Both sides and the bridges between them: of one quantity, or of each that both tools count.

    The convention `paper` is what was published of the network. Raises `UsageError` for a convention that does not
    exist or does not count the quantity.
    """
    tools = tool_named(start), tool_named(end)
    first, second = (Side(analyse(implementation(graph, tool, other)), tool) for tool, other in (tools, tools[::-1]))
    known = QUANTITIES if PAPER not in (start, end) else tuple(needed(graph, quantity))
    # Without a choice those that both count.
    countable = [one for one in known if one == "params" or all(tool.rules is not None for tool in tools)]
    quantities = [quantity] if quantity else countable or known
    return (first, second), [_from_paper(first, second, one) for one in quantities]


class Match(NamedTuple):
    """A way of counting that gives the number: the tools that agree on it, and what else differs from the network."""

    network: str
    shape: Shape
    batch: int
    quantity: str
    tools: tuple[str, ...]
    #: 2 where each multiply-add is written as two operations; bytes of a value.
    factor: int
    value: int
    closeness: int
    cost: int
    #: Where the number was published; empty where it is counted.
    source: str = ""
    #: How code calls layers without parameters, where not as modules.
    form: str = ""
    #: How the text is read, where not as it is written: 528 MB read as MiB.
    reading: str = ""


class Search(NamedTuple):
    """What was found, the most likely first; how many ways were tried; whether the budget ended the search."""

    matches: tuple[Match, ...]
    tried: int
    is_complete: bool


def explain_number(graph: LayerGraph, wanted: Wanted) -> Search:
    """The ways of counting this network that give the number, ranked by how much differs from archcalc's own.

    Tried are every tool, with multiply-adds once and twice; the trainable parameters alone; other variants of the
    catalogue; other sides of the input; batches. A search counts at most `MOST_LAYERS` layers. Raises `SpecError` for
    a network that has no numbers.
    """
    found: list[Match] = []
    tried, layers, is_complete = 0, 0, True
    seen: set[tuple[str, Shape]] = set()
    for candidate, cost, tells_params in _networks(graph):
        layers += len(candidate)
        if layers > MOST_LAYERS:
            is_complete = False
            break
        try:
            analysis = analyse(candidate)
        except ArchcalcError:  # it does not take an input of this size
            if candidate is graph:
                raise
            continue
        if (candidate.name, candidate.input_shape) in seen:
            continue
        seen.add((candidate.name, candidate.input_shape))
        for match in _ways(analysis, cost, tells_params, wanted.is_bytes):
            tried += 1
            for read in (wanted, wanted.binary):
                close = None if read is None else read.closeness(match.value)
                # Of rounded numbers the forms of code would be too many.
                if read is not None and close is not None and not (match.form and close):
                    more = close + (len(CLOSENESS) if read.reading else 0)
                    found.append(match._replace(closeness=close, cost=match.cost + more, reading=read.reading))
                    break
        for figure in printed(candidate).values() if tells_params else ():
            tried += 1
            if wanted.value == figure.number.value and not wanted.is_bytes:
                value = int(figure.number.value)
                found.append(
                    Match(
                        candidate.name,
                        candidate.input_shape,
                        1,
                        figure.quantity,
                        (PAPER,),
                        1,
                        value,
                        0,
                        cost,
                        figure.source,
                    )
                )
    ranked = sorted(found, key=lambda one: (one.cost, one.network, one.quantity, one.tools))
    return Search(tuple(ranked), tried, is_complete)


def _networks(graph: LayerGraph) -> Iterator[tuple[LayerGraph, int, bool]]:
    """The network, its variants, and it on other inputs; each with its cost and whether its params are looked at."""
    yield graph, 0, True
    for other in variants_in_catalogue(graph.name):
        if key_of(other) != key_of(graph.name):
            try:
                yield load(other), 4, True
            except ArchcalcError:  # a parameter of it must be given
                continue
    for size in _sizes(graph.input_shape):
        # Rows of numbers that stand next to each other, as tokens and segments, are equally long.
        given = {name: size for name, shape in graph.inputs.items() if shape == graph.input_shape}
        try:
            yield graph.with_input(size if size[1:] else given), 6, False
        except ArchcalcError:  # its layers depend on the input, and there are none for this one
            continue


def _sizes(shape: Shape) -> Iterator[Shape]:
    """Other usual sizes of an input: images with sides of these, rows of these lengths."""
    if len(shape) == 3:
        yield from ((shape[0], side, side) for side in SIDES if shape[1:] != (side, side))
    elif len(shape) < 3:
        yield from ((*shape[:-1], length) for length in LENGTHS if shape[-1] != length)


def _ways(analysis: Analysis, cost: int, tells_params: bool, is_bytes: bool) -> Iterator[Match]:
    """Every number of a network, with its cost; tools that agree are one way."""
    name, shape = analysis.graph.name, analysis.graph.input_shape
    by_value: dict[tuple[str, int, str], list[str]] = defaultdict(list)
    for tool in TOOLS.values():
        for quantity in QUANTITIES:
            counted = count(analysis, tool, quantity)
            if counted is None or not counted.total or counted.not_counted:
                continue
            by_value[quantity, counted.total, ""].append(tool.name)
            seen = {0, None}
            for way in tool_calls.FORMS if quantity == "multiplications" and tells_params else ():
                change = tool.change_as(analysis, way.call)
                if change not in seen:  # the first of those that count the same
                    seen.add(change)
                    by_value[quantity, counted.total + (change or 0), way.words].append(tool.name)
    sizes = {1: 0} if not is_bytes else {size: 0 if size == 4 else 2 for size in sorted(set(BYTES.values()))}
    for (quantity, value, form), tools in by_value.items():
        extra = cost + (0 if OWN in tools else 2) + bool(form)
        if quantity == "params":
            if tells_params:
                for size, more in sizes.items():
                    yield Match(name, shape, 1, quantity, tuple(tools), size, value * size, 0, extra + more)
        elif not is_bytes:
            for factor in (1, 2) if "flop-counter" not in tools else (1,):
                for batch in (1, *(BATCHES if not cost else ())):
                    more = 3 * (factor == 2) + 5 * (batch > 1)
                    total = value * factor * batch
                    yield Match(name, shape, batch, quantity, tuple(tools), factor, total, 0, extra + more, form=form)
    trainable = analysis.totals.trainable_params
    if tells_params and trainable and trainable != analysis.totals.params:
        for size, more in sizes.items():
            yield Match(name, shape, 1, "trainable_params", (OWN,), size, trainable * size, 0, cost + 1 + more)
    values = analysis.totals.activations
    for size, more in sizes.items():
        if values:
            yield Match(name, shape, 1, "activations", (OWN,), size, values * size, 0, cost + 3 + more)


def describe(match: Match, graph: LayerGraph) -> str:
    """What gives the number, in words: multiplications as ptflops counts, of resnet50@v1, for a batch of 8."""
    words = {"activations": "stored values", "trainable_params": "trainable params"}.get(match.quantity, match.quantity)
    if match.source:
        words += f" as {match.source} prints them"
    elif OWN not in match.tools:
        words += f" as {listed(match.tools)} {'count' if match.tools[1:] else 'counts'}"
    words += f", {match.form}" if match.form else ""
    if match.quantity == "multiplications" and match.factor > 1:
        words += ", each as 2 operations"
    elif match.factor > 1:
        words += f", {match.factor} bytes each"
    if match.network != graph.name:
        words += f", of {match.network}"
    if match.shape != graph.input_shape:
        words += f", for an input of {format_shape(match.shape)}"
    words += f", for a batch of {match.batch}" if match.batch > 1 else ""
    return words + (f"; {match.reading}" if match.reading else "")
