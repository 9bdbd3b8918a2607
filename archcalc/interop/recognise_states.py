"""Recurrent layers whose last states are read: they are steps of the sequence that the layers give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archcalc.interop.program import Node, Value


def with_states(node: Node, shape: Sequence[int], values: dict[str, Value], users: Mapping[str, int]) -> list[Node]:
    """Recurrent layers as one operation a layer, and their last states as parts of what each gives.

    The state of a layer that goes backward is that of the first step. No step of the sequence has the state of an
    LSTM's cells: it becomes an operation of its own, which archcalc does not have.
    """
    given = node.attributes
    time = 1 if given["batch_first"] else 0
    ways, hidden, layers = 1 + given["bidirectional"], given.get("proj_size", given["hidden_size"]), given["num_layers"]
    arrays = node.inputs[1:]
    count = len(arrays) // layers
    sequence, *states = node.outputs
    flat = (*shape[:2], ways * hidden)
    steps: list[Node] = []

    def step(op: str, inputs: Sequence[str | None], made: Sequence[int], name: str = "", **attributes: Any) -> str:
        name = name or f"{sequence} {op} {len(steps)}"
        values[name] = Value(name, tuple(made), values[sequence].dtype)
        steps.append(replace(node, op=op, inputs=tuple(inputs), outputs=(name,), attributes=attributes))
        return name

    found = []
    name = node.inputs[0]
    for index in range(layers):
        own = arrays[index * count : (index + 1) * count]
        name = step(node.op, (name, *own), flat, sequence if index == layers - 1 else "", **{**given, "num_layers": 1})
        if layers > 1:
            steps[-1] = replace(steps[-1], path="/".join([*([node.path] if node.path else []), str(index)]))
        found.append(name)
    if users.get(states[0]):
        parts = []
        for name in found:
            for way in range(ways):
                last = step("select", (name,), (flat[1 - time], flat[2]), dim=time, index=0 if way else flat[time] - 1)
                if ways > 1:
                    bounds = {"dim": 1, "start": way * hidden, "end": (way + 1) * hidden, "step": 1}
                    last = step("slice", (last,), (flat[1 - time], hidden), **bounds)
                parts.append(last)
        step("stack", parts, values[states[0]].shape, states[0], dim=0)
    for name in states[1:]:
        if users.get(name):
            step(f"{node.op} cell state", found, values[name].shape, name)
    return steps
