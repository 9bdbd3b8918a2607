"""Programs written by hand: tensors with their batch axis, as readers make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.interop.foreign import ForeignNode, to_network
from archcalc.interop.program import Constant, Node, Program, Value
from archcalc.interop.recognise import recognise


def of_counts(notes: Sequence[str]) -> tuple[str, ...]:
    """The notes but that on the order of axes."""
    return tuple(note for note in notes if "channels are the first axis" not in note)


class Writer:
    """Writes a program operation by operation; values are named after their number."""

    def __init__(self, *shape: int) -> None:
        self.values = {"x": Value("x", shape)}
        self.constants: dict[str, Constant] = {}
        self.nodes: list[Node] = []
        self.last = "x"

    def weight(self, name: str, *shape: int, values: Sequence[float] | None = None, role: Any = "parameter") -> str:
        """A stored tensor."""
        self.constants[name] = Constant(name, shape, role=role, values=None if values is None else tuple(values))
        return name

    def __call__(
        self,
        op: str,
        made: Sequence[int] | Sequence[Sequence[int]],
        /,
        *inputs: str | None,
        path: str = "",
        **given: Any,
    ) -> Any:
        """An operation on the inputs, or on the last value; gives the name of its output, or the names of several."""
        several = isinstance(made[0], Sequence)
        names = [f"v{len(self.values) + index}" for index in range(len(made) if several else 1)]
        for name, sizes in zip(names, made if several else [made], strict=True):
            self.values[name] = Value(name, tuple(sizes))  # type: ignore[arg-type]  # one shape or several
        if op == "reshape":
            given["shape"] = made
        self.nodes.append(Node(op, inputs or (self.last,), tuple(names), given, path, f'node "{op}"'))
        self.last = names[-1]
        return names if several else names[0]

    def program(self, outputs: Mapping[str, str] | None = None) -> Program:
        """The whole; its output is the last value unless others are given."""
        made = Program("net", ("x",), tuple(self.nodes), outputs or {"output": self.last}, self.values, self.constants)
        made.check()
        return made

    def layers(self, outputs: Mapping[str, str] | None = None) -> tuple[ForeignNode, ...]:
        """The layers that are recognised; they make a network of the program's shapes."""
        foreign = recognise(self.program(outputs))
        to_network(foreign)
        return foreign.nodes


def ops(nodes: Sequence[ForeignNode]) -> list[str]:
    """The kinds of layers."""
    return [node.op for node in nodes]
