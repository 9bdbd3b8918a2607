"""Activation memory: what each layer stores, and the most that is live at one time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.core.numbers import Number
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.base import Op, elements
from archcalc.passes.shapes import ShapedLayer


class Memory(NamedTuple):
    """Numbers of values for one image: those that each layer adds, and those that are live while it runs."""

    stored: tuple[int, ...]
    live: tuple[int, ...]

    @property
    def peak(self) -> int:
        return max(self.live)

    @property
    def peak_layer(self) -> int:
        """Index of the first layer at which the peak is reached."""
        return self.live.index(self.peak)


def stored_values(op: Op, values: Number, in_place: bool = True) -> Number:
    """How many of the values of its output a layer stores: none where it works in place, by that convention."""
    return 0 if in_place and op.in_place else values


def buffer_values(op: Op, values: Number) -> Number:
    """How many values of memory a new map needs: none where it is a parameter, which has its memory already."""
    return 0 if op.shows_parameters else values


def measure_memory(graph: LayerGraph, layers: Sequence[ShapedLayer], in_place: bool = True) -> Memory:
    """Stored and live values.

    `stored` follows the convention: ops that work in place store nothing (with `in_place=False` each output counts).
    `live` is inference in order: a map is freed once its last reader has run. Views never need memory of their own; an
    op that overwrites its input needs it only while another layer still has to read that input. Parameters as a map
    need no memory a second time, and no layer overwrites them.
    """
    sizes: dict[int, int] = {}
    needed: dict[int, int] = {}
    for layer in layers:
        if layer.key not in sizes:
            sizes[layer.key] = elements(layer.output)
            needed[layer.key] = buffer_values(layer.op, sizes[layer.key])
    stored = tuple([stored_values(layer.op, sizes[layer.key], in_place) for layer in layers])
    last_use = _last_uses(graph, len(layers))
    live: list[int] = []
    buffer: list[int] = []  # the buffer that holds each layer's output
    size: list[int] = []  # of each buffer
    dies: list[int] = []  # after which layer each buffer is free
    now = 0
    dying: dict[int, list[int]] = {}
    for index, layer in enumerate(layers):
        sources = layer.layer.inputs
        op = layer.op
        reuse = bool(sources) and (
            op.is_view
            or (in_place and op.in_place and size[buffer[sources[0]]] and _last_reader(dies, buffer, sources[0], index))
        )
        if reuse:
            own = buffer[sources[0]]
            if last_use[index] > dies[own]:
                dies[own] = last_use[index]
                dying.setdefault(dies[own], []).append(own)
        else:
            own = len(size)
            size.append(needed[layer.key])
            dies.append(last_use[index])
            dying.setdefault(last_use[index], []).append(own)
            now += size[own]
        buffer.append(own)
        live.append(now)
        for dead in dying.pop(index, ()):
            if dies[dead] == index:
                now -= size[dead]
    return Memory(stored, tuple(live))


def _last_reader(dies: Sequence[int], buffer: Sequence[int], source: int, index: int) -> bool:
    return dies[buffer[source]] <= index


def _last_uses(graph: LayerGraph, count: int) -> list[int]:
    """For each layer the last that reads it; outputs of the network live to the end."""
    last = list(range(count))
    for index, layer in enumerate(graph.layers[:count]):
        for source in layer.inputs:
            last[source] = index
    for output in graph.outputs:
        if output.layer < count:
            last[output.layer] = count
    return last
