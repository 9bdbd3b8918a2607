"""Recurrent layers whose last states are read, and parameters that no layer has."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.interop.foreign import to_network
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse
from tests.interop.programs import Writer, ops

TIME, CHANNELS, HIDDEN = 7, 6, 5
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def _recurrent(write: Writer, op: str, layers: int, ways: int) -> list[str]:
    """A recurrent layer with its outputs: all steps, the last states, and those of the cells."""
    rows, arrays = GATES[op] * HIDDEN, []
    for layer in range(layers):
        for way in range(ways):
            depth = ways * HIDDEN if layer else CHANNELS
            shapes = {"w": (rows, depth), "r": (rows, HIDDEN), "a": (rows,), "b": (rows,)}
            arrays += [write.weight(f"{name}{layer}{way}", *shape) for name, shape in shapes.items()]
    state = (layers * ways, 1, HIDDEN)
    made: list[str] = write(
        op, [(1, TIME, ways * HIDDEN), state, *[state] * (op == "lstm")], write.last, *arrays, path="l",
        hidden_size=HIDDEN, num_layers=layers, bidirectional=ways == 2, bias=True, batch_first=True,
    )  # fmt: skip
    return made


def _counts(write: Writer, outputs: dict[str, str]) -> tuple[int, int, dict[str, int]]:
    totals = analyse(to_network(recognise(write.program(outputs)))).totals
    assert totals.multiplications is not None
    return totals.params, totals.multiplications, dict(totals.not_counted)


@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("read", ["last", "all", "states and steps", "cells"])
def test_the_parameters_of_a_layer_whose_states_are_read(read: str, op: str, layers: int, ways: int) -> None:
    write = Writer(1, TIME, CHANNELS)
    steps, states, *cells = _recurrent(write, op, layers, ways)
    if read == "cells" and not cells:
        return
    outputs = {"output": cells[0] if read == "cells" else states}
    if read == "last":
        outputs["output"] = write("select", (1, HIDDEN), states, dim=0, index=layers * ways - 1)
    if read == "states and steps":
        outputs["steps"] = steps
    rows = GATES[op] * HIDDEN * ways
    depths = [CHANNELS, *[ways * HIDDEN] * (layers - 1)]
    params = sum(rows * (depth + HIDDEN + 2) for depth in depths)
    assert _counts(write, outputs) == (params, sum(TIME * rows * (depth + HIDDEN) for depth in depths), {})


def test_the_last_state_is_the_last_step() -> None:
    write = Writer(1, TIME, CHANNELS)
    _, states = _recurrent(write, "gru", 2, 2)
    write("select", (1, HIDDEN), states, dim=0, index=3)
    layers = write.layers()
    assert ops(layers) == ["transpose", "gru", "gru", "chunk", "chunk", "flatten"]
    assert [layer.name for layer in layers if layer.op == "gru"] == ["l/0", "l/1"]
    assert layers[3].fields == {"axis": "length", "chunks": TIME}  # the way back ends at the first step


@pytest.mark.parametrize("read", [0, 1])
def test_an_operation_of_several_outputs_keeps_its_parameters(read: int) -> None:
    """Whichever of its outputs is read."""
    write = Writer(1, TIME, CHANNELS)
    shapes: Any = [(1, TIME, CHANNELS), (1, CHANNELS)]
    outputs = write("something", shapes, write.last, write.weight("w", 8, 9))
    params, _, not_counted = _counts(write, {"output": outputs[read]})
    assert (params, not_counted) == (72, {"something": 1})


def test_parameters_that_no_layer_has_are_named() -> None:
    """A clamp takes its bound as a setting, so the trained bound is in no layer."""
    write = Writer(1, CHANNELS)
    write("linear", (1, 4), write.last, write.weight("w", 4, CHANNELS), None)
    assert not recognise(write.program()).notes
    write("something", (1, 4), write.last, write.weight("v", 4, 5))
    first = write.last
    assert not recognise(write.program()).notes
    write("empty", (1, 0), first, write.weight("lost/weight", 3, 4))
    made = write("something", (1, 4), first, write.last)
    (note,) = recognise(write.program({"output": made})).notes
    assert note == "12 parameters that operations read are in no layer and not counted: lost/weight"
