"""Variants of a network: other kernels, channels and input, so that no two students calculate the same numbers.

A change is kept only where every layer still fits, and no window leaves more pixels unread than in the network itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from archcalc.core.errors import SpecError
from archcalc.core.language import say
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.ops import rules
from archcalc.ops.base import Op
from archcalc.ops.windowed import Sides, Windowed
from archcalc.passes.shapes import infer_shapes
from archcalc.teach.exercise.choices import Choices

#: What a number of channels is multiplied by, in eighths.
_EIGHTHS = (4, 5, 6, 7, 9, 10, 11, 12)
#: At most so many kernels of a network change.
_KERNELS = 4
#: How far the input may move, in percent of its side.
_NEAR, _FAR = 60, 140
#: How much work the search for an input is worth, in layers shaped.
_BUDGET = 40_000


def vary(graph: LayerGraph, seed: object) -> LayerGraph:
    """A variant of the network: the same layers by name, with other settings. The same seed gives the same variant.

    Facts about the published network (authors, year, reported figures) do not hold for it and are left out.
    """
    choices = Choices("variant", graph.name, seed)
    changed = replace(
        graph, authors=(), year=None, paper=None, follows=(), reported=(), description="",
        title=say("{title}, variant", title=graph.title or graph.name),
    )  # fmt: skip
    unread = _unread(graph)
    for change in (_channels, _kernels, _input):
        changed = change(changed, choices, unread)
    return changed


def _unread(graph: LayerGraph) -> int | None:
    """Pixels along either axis that no window reads, over all layers; None where a layer does not fit."""
    shapes = infer_shapes(graph)
    if shapes.problems:
        return None
    found = 0
    for layer in shapes.layers:
        if isinstance(layer.op, Windowed):
            axes = layer.op.axes(layer.inputs[0])
            found += sum(rules.leftover(axis.size, axis.window, axis.stride, axis.padding) for axis in axes)
    return found


def _fits(graph: LayerGraph, unread: int | None) -> bool:
    left = _unread(graph)
    return left is not None and (unread is None or left <= unread)


def _updated(graph: LayerGraph, update: Callable[[Layer], Mapping[str, Any] | None]) -> LayerGraph:
    """The network with some fields of some layers changed; what an op refuses leaves the network as it is."""
    layers = []
    for layer in graph.layers:
        fields = update(layer)
        op = layer.op
        if fields:
            given = {name: getattr(op, name) for name in type(op).model_fields}
            try:
                op = type(op).model_validate({**given, **fields})
            except ValueError:
                return graph
        layers.append(layer._replace(op=op))
    return replace(graph, layers=tuple(layers))


# --- channels


def _width(op: Op) -> str | None:
    """The field that says how many maps or neurons a layer makes."""
    return next((name for name in ("out_channels", "out_features") if getattr(op, name, None) is not None), None)


def _channels(graph: LayerGraph, choices: Choices, unread: int | None) -> LayerGraph:
    """Every number of channels becomes another one, the same wherever it stands, so that maps still add up."""
    kept = _classes(graph)
    widths = {
        getattr(layer.op, name)
        for layer in graph.layers
        if layer.name not in kept and (name := _width(layer.op)) is not None
    }
    taken = set(widths)
    for width in sorted(widths):
        wanted = choices.pick([*_other_widths(width, taken)] or [width], "channels", width)

        def update(layer: Layer, width: int = width, wanted: int = wanted) -> Mapping[str, Any] | None:
            name = _width(layer.op)
            has_width = name is not None and getattr(layer.op, name) == width and layer.name not in kept
            return {str(name): wanted} if has_width else None

        tried = _updated(graph, update)
        if wanted != width and _fits(tried, unread):
            graph = tried
            taken.add(wanted)
    return graph


def _other_widths(width: int, taken: set[int]) -> Iterator[int]:
    """Other widths of about the same size, in steps that people would choose."""
    step = next((step for step in (64, 16, 8, 4, 2) if width >= 4 * step), 1)
    near = range(-3, 4) if step == 1 else ()
    wanted = [width + offset for offset in near] or [width * eighths // 8 // step * step for eighths in _EIGHTHS]
    return (other for other in dict.fromkeys(wanted) if other >= 1 and other not in taken)


def _classes(graph: LayerGraph) -> set[str]:
    """Names of the layers whose width is the number of classes: the last with weights before each output."""
    found = set()
    for output in graph.outputs:
        index = output.layer
        while index and _width(graph.layers[index].op) is None:
            index = graph.layers[index].inputs[0]
        found.add(graph.layers[index].name)
    return found


# --- kernels


def _kernels(graph: LayerGraph, choices: Choices, unread: int | None) -> LayerGraph:
    """Some square kernels grow or shrink by two, their padding with them where it keeps the size."""
    # Chosen by name: what else a layer holds must not move the choice.
    sized = {layer.name: kernels for layer in graph.layers if (kernels := _other_kernels(layer.op))}
    wanted = max(1, min(_KERNELS, len(sized) // 3))
    changed = 0
    for name in choices.shuffled(sized, "kernels"):
        if changed == wanted:
            break
        fields = choices.pick(sized[name], "kernel", name)

        def update(other: Layer, name: str = name, fields: Mapping[str, Any] = fields) -> Mapping[str, Any] | None:
            return fields if other.name == name else None

        tried = _updated(graph, update)
        if tried is not graph and _fits(tried, unread):
            graph = tried
            changed += 1
    return graph


def _other_kernels(op: Op) -> list[Mapping[str, Any]]:
    """Fields that give a convolution another kernel; none for what is no convolution, or has a kernel of one pixel."""
    kernel = getattr(op, "kernel_size", None)
    if not isinstance(op, Windowed) or op.family != "convolution" or kernel is None or len(set(kernel)) > 1:
        return []
    size = kernel[0]
    if size == 1 or size % 2 == 0 or set(op.dilation) != {1}:
        return []
    found: list[Mapping[str, Any]] = []
    for other in (size - 2, size + 2):
        if not 3 <= other <= 11:
            continue
        fields: dict[str, Any] = {"kernel_size": (other,) * len(kernel)}
        if isinstance(op.padding, Sides):
            if not op.padding.is_even or op.padding[0] not in (0, size // 2):
                continue
            if op.padding[0]:
                fields["padding"] = (other // 2,) * len(op.padding)
        found.append(fields)
    return found


# --- input


def _input(graph: LayerGraph, choices: Choices, unread: int | None) -> LayerGraph:
    """Another size of the input, at which the windows tile as well as they did."""
    channels, *own = graph.input_shape
    if len(set(own)) != 1 or len(graph.inputs) > 1:
        return graph
    sides = [side for side in range(max(1, own[0] * _NEAR // 100), own[0] * _FAR // 100 + 1) if side != own[0]]
    # Round numbers first: people choose 192 or 240 rather than 211.
    order = sorted(choices.shuffled(sides, "input"), key=lambda side: next(n for n in (0, 1) if n or side % 8 == 0))
    for side in order[: _BUDGET // len(graph)]:
        with suppress(SpecError):  # layers that depend on the input need not exist for each
            tried = graph.with_input((channels, *(side for _ in own)))
            if _fits(tried, unread):
                return tried
    return graph
