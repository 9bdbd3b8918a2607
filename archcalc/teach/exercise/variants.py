"""Variants of a network: other kernels, channels and input, so that no two students calculate the same numbers.

A change is kept only where every layer still fits, and no window leaves more pixels unread than in the network itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, Self

from archcalc.core.errors import SpecError
from archcalc.core.language import say
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.ops import rules
from archcalc.ops.base import Op
from archcalc.ops.reshape import Input
from archcalc.ops.trained import Parameter
from archcalc.ops.windowed import Sides, Windowed
from archcalc.passes.shapes import ShapedLayer, infer_shapes
from archcalc.teach.exercise.choices import Choices
from archcalc.teach.exercise.refit import Settings, refit, with_settings

#: What a number of channels is multiplied by, in eighths.
_EIGHTHS = (4, 5, 6, 7, 9, 10, 11, 12)
#: At most so many kernels of a network change.
_KERNELS = 4
#: So many other numbers of channels are tried for each.
_TRIED = 3
#: There are at least so many round sizes of the input to choose from, where they fit.
_CHOICES = 6
#: How far the input may move, in percent of its side.
_NEAR, _FAR = 60, 140
#: How much work the search for an input is worth, in layers shaped.
_BUDGET = 40_000


def vary(graph: LayerGraph, seed: object) -> LayerGraph:
    """A variant of the network: the same layers by name, with other settings. The same seed gives the same variant.

    Facts about the published network (authors, year, reported figures) do not hold for it and are left out. A network
    in which nothing can change comes back with the same layers: see `is_varied`.
    """
    choices = Choices("variant", graph.name, seed)
    changed = replace(
        graph, authors=(), year=None, paper=None, follows=(), reported=(), description="",
        title=say("{title}, variant", title=graph.title or graph.name),
    )  # fmt: skip
    shapes = infer_shapes(graph)
    if shapes.problems:
        return changed
    fitted = _Fitted(changed, shapes.layers)
    for change in (_channels, _kernels, _input):
        fitted = change(fitted, choices)
    return fitted.graph


def is_varied(graph: LayerGraph, variant: LayerGraph) -> bool:
    """Whether a variant differs from its network in anything that changes a number."""
    return settings_of(variant) != settings_of(graph)


def settings_of(graph: LayerGraph) -> Hashable:
    """All that tells a variant from another one."""
    return tuple([layer.op for layer in graph.layers])


class _Fitted(NamedTuple):
    """A network whose layers fit, and their shapes."""

    graph: LayerGraph
    layers: tuple[ShapedLayer, ...]

    @property
    def unread(self) -> int:
        """Positions along any axis that no window reads, over all layers."""
        found = 0
        for layer in self.layers:
            if isinstance(layer.op, Windowed):
                axes = layer.op.axes(layer.inputs[0])
                found += sum(rules.leftover(axis.size, axis.window, axis.stride, axis.padding) for axis in axes)
        return found

    def changed(self, graph: LayerGraph | None) -> Self | None:
        """The network after a change; None where a layer does not fit or leaves more unread than before."""
        refitted = graph and refit(graph, self.layers)
        if refitted is None:
            return None
        shapes = infer_shapes(refitted)
        found = None if shapes.problems else self._replace(graph=refitted, layers=shapes.layers)
        return found if found and found.unread <= self.unread else None


def _updated(graph: LayerGraph, update: Callable[[Layer], Settings]) -> LayerGraph | None:
    """The network with some settings of some layers changed; None where an op refuses them."""
    try:
        layers = [layer._replace(op=with_settings(layer.op, update(layer))) for layer in graph.layers]
    except ValueError:
        return None
    return replace(graph, layers=tuple(layers))


# --- channels


#: The settings that say how many channels a layer makes.
_WIDTHS = ("out_channels", "out_features", "hidden_size", "embedding_dim")
#: An input of at most so many channels is an image, whose colours stay.
_COLOURS = 4


def _width(op: Op) -> int | None:
    """How many channels a layer makes, or neurons; None where its input or the shape of an image says so."""
    if isinstance(op, (Input, Parameter)):
        return op.shape[0] if len(op.shape) > 1 and op.shape[0] > _COLOURS else None
    return next((value for name in _WIDTHS if (value := getattr(op, name, None)) is not None), None)


def _with_width(op: Op, width: int) -> Settings:
    """The setting of another number of channels."""
    if isinstance(op, (Input, Parameter)):
        return {"shape": (width, *op.shape[1:])}
    return {next(name for name in _WIDTHS if getattr(op, name, None) is not None): width}


def _channels(fitted: _Fitted, choices: Choices) -> _Fitted:
    """Every number of channels becomes another one, the same wherever it stands, so that maps still add up.

    Those that fit with no other number by themselves, as where a branch gets half of a map, grow or shrink together.
    """
    kept = _classes(fitted.graph)
    ops = [layer.op for layer in fitted.graph.layers if layer.name not in kept]
    widths = {width for op in ops if (width := _width(op)) is not None}
    taken, alone = set(widths), list[int]()
    for width in sorted(widths):
        for wanted in choices.shuffled(_other_widths(width, taken), "channels", width)[:_TRIED]:
            if found := fitted.changed(_with_widths(fitted.graph, {width: wanted}, kept)):
                fitted = found
                taken.add(wanted)
                break
        else:
            alone.append(width)
    if len(alone) > 1:
        for eighths in choices.shuffled(_EIGHTHS, "together")[:_TRIED]:
            together = {width: width * eighths // 8 for width in alone if width * eighths % 8 == 0}
            if found := fitted.changed(_with_widths(fitted.graph, together, kept)):
                return found
    return fitted


def _with_widths(graph: LayerGraph, widths: Mapping[int, int], kept: set[str]) -> LayerGraph | None:
    """The network with other numbers of channels in place of these."""

    def update(layer: Layer) -> Settings:
        width = None if layer.name in kept else _width(layer.op)
        return {} if width is None or width not in widths else _with_width(layer.op, widths[width])

    return _updated(graph, update)


def _other_widths(width: int, taken: set[int]) -> Iterator[int]:
    """Other widths of about the same size, in steps that people would choose."""
    step = next((step for step in (64, 16, 8, 4, 2) if width >= 4 * step), 1)
    near = range(-3, 4) if step == 1 else ()
    wanted = [width + offset for offset in near] or [width * eighths // 8 // step * step for eighths in _EIGHTHS]
    return (other for other in dict.fromkeys(wanted) if other >= 1 and other not in taken)


def _classes(graph: LayerGraph) -> set[str]:
    """Names of the layers whose width is the number of classes: the last with weights before each output.

    A block that gives as many channels as it reads has no classes.
    """
    read = {_width(graph.layers[index].op) for index in range(len(graph.inputs))}
    found = set()
    for output in graph.outputs:
        index = output.layer
        while index and (_width(graph.layers[index].op) is None and graph.layers[index].inputs):
            index = graph.layers[index].inputs[0]
        if _width(graph.layers[index].op) not in read:
            found.add(graph.layers[index].name)
    return found


# --- kernels


def _kernels(fitted: _Fitted, choices: Choices) -> _Fitted:
    """Some square kernels grow or shrink by two, their padding with them where it keeps the size."""
    # Chosen by name: what else a layer holds must not move the choice. Layers that share a kernel change together.
    graph = fitted.graph
    sized = {
        layer.name: kernels
        for layer in graph.layers
        if layer.weights_of is None and (kernels := _other_kernels(layer.op))
    }
    wanted = max(1, min(_KERNELS, len(sized) // 3))
    changed = 0
    for name in choices.shuffled(sized, "kernels"):
        if changed == wanted:
            break
        fields = choices.pick(sized[name], "kernel", name)

        def update(other: Layer, name: str = name, fields: Settings = fields) -> Settings:
            return fields if graph.owner(other).name == name else {}

        if found := fitted.changed(_updated(fitted.graph, update)):
            fitted = found
            changed += 1
    return fitted


def _other_kernels(op: Op) -> list[Settings]:
    """Fields that give a convolution another kernel; none for what is no convolution, or has a kernel of one pixel."""
    kernel = getattr(op, "kernel_size", None)
    if not isinstance(op, Windowed) or op.family != "convolution" or kernel is None or len(set(kernel)) > 1:
        return []
    size = kernel[0]
    if size == 1 or size % 2 == 0 or set(op.dilation) != {1}:
        return []
    found: list[Settings] = []
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


def _input(fitted: _Fitted, choices: Choices) -> _Fitted:
    """Another size of the input, at which the windows tile as well as they did."""
    graph = fitted.graph
    channels, *own = graph.input_shape
    for sides in _other_sides(own or [channels], choices)[: _BUDGET // len(graph)]:
        with suppress(SpecError):  # layers that depend on the input need not exist for each
            tried = graph.with_input((channels, *sides) if own else sides)
            if [layer.name for layer in tried] == [layer.name for layer in graph] and (found := fitted.changed(tried)):
                return found
    return fitted


def _other_sides(own: Sequence[int], choices: Choices) -> list[tuple[int, ...]]:
    """Other sizes of an input: of a square round numbers first, as people choose 192 or 240 rather than 211.

    Sides that differ grow or shrink together.
    """
    side = own[0]
    if len(set(own)) > 1:
        eighths = choices.shuffled(_EIGHTHS, "input")
        return [tuple([side * part // 8 for side in own]) for part in eighths if not any(s * part % 8 for s in own)]
    sides = [other for other in range(max(1, side * _NEAR // 100), side * _FAR // 100 + 1) if other != side]
    step = next(step for step in (8, 4, 2, 1) if step == 1 or len(sides) >= _CHOICES * step)
    order = sorted(choices.shuffled(sides, "input"), key=lambda other: other % step != 0)
    return [(other,) * len(own) for other in order]
