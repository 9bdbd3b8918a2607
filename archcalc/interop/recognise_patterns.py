"""Patterns of several operations that are one: x·σ(x), hard swish, and decomposed attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archcalc.interop.program import Node, Program


def simplified(program: Program) -> Program:
    """The program with known patterns as single operations, and without operations that do nothing."""
    return _Rewriter(program).program()


class _Rewriter:
    """Finds patterns from their last operation backward."""

    def __init__(self, given: Program) -> None:
        self.given = given
        self.makers: dict[str, Node] = {name: node for node in given.nodes for name in node.outputs}
        self.users: dict[str, int] = {}
        for node in given.nodes:
            for name in node.inputs:
                if name is not None:
                    self.users[name] = self.users.get(name, 0) + 1
        for name in given.outputs.values():
            self.users[name] = self.users.get(name, 0) + 1

    def program(self) -> Program:
        """The whole, rewritten."""
        nodes = [self.rewritten(node) for node in self.given.nodes]
        return replace(self.given, nodes=tuple(nodes))

    def rewritten(self, node: Node) -> Node:
        """The operation that a pattern which ends here is; the node itself where none does."""
        for find in (self.self_gate, self.hard_sigmoid, self.attention):
            found = find(node)
            if found is not None:
                self.makers[node.outputs[0]] = found
                return found
        return node

    def maker(self, name: str | None) -> Node | None:
        """The operation that makes a value, past those that do nothing."""
        node = self.makers.get(name or "")
        while node is not None and _does_nothing(node):
            node = self.makers.get(node.inputs[0] or "")
        return node

    def self_gate(self, node: Node) -> Node | None:
        """x·σ(x) and x·hardsigmoid(x); other gates stay products."""
        if node.op != "mul" or len(node.inputs) != 2:
            return None
        for x, gate in (node.inputs, node.inputs[::-1]):
            made = self.maker(gate)
            kinds = {"sigmoid": "silu", "hardsigmoid": "hardswish"}
            if made is not None and made.op in kinds and made.inputs[0] == x:
                return replace(node, op=kinds[made.op], inputs=(x,), attributes={}, path=made.path or node.path)
        return None

    def hard_sigmoid(self, node: Node) -> Node | None:
        """clamp(x + 3, 0, 6)/6, which is also written times 1/6; and x times it before the division."""
        factor = node.attributes.get("other")
        if len(node.inputs) != 1 or factor is None or node.op not in ("div", "mul"):
            return None
        if not (factor == 6 if node.op == "div" else abs(factor * 6 - 1) < 1e-6):
            return None
        made = self.maker(node.inputs[0])
        if made is not None and made.op == "mul" and len(made.inputs) == 2:
            for x, gate in (made.inputs, made.inputs[::-1]):
                if self._shifted_clamp(self.maker(gate)) == x:
                    return replace(node, op="hardswish", inputs=(x,), attributes={})
        x = self._shifted_clamp(made)
        return None if x is None else replace(node, op="hardsigmoid", inputs=(x,), attributes={})

    def _shifted_clamp(self, node: Node | None) -> str | None:
        """X of clamp(x + 3, 0, 6)."""
        if node is None or not (node.op == "relu6" or (node.op == "clamp" and _bounds(node) == (0, 6))):
            return None
        shifted = self.maker(node.inputs[0])
        if shifted is None or shifted.op != "add" or shifted.attributes.get("other") != 3:
            return None
        return shifted.inputs[0]

    def attention(self, node: Node) -> Node | None:
        """softmax(q·k·scale + bias)·v, with the bias, the mask and dropout where they are."""
        if node.op != "matmul" or len(node.inputs) != 2:
            return None
        soft = self.maker(self.skip(node.inputs[0], ("dropout",)))
        if soft is None or soft.op != "softmax" or self.users.get(soft.outputs[0]) != 1:
            return None
        if soft.attributes["dim"] != len(self.given.shape(soft.outputs[0])) - 1:
            return None
        scale, biases, name = 1.0, [], soft.inputs[0]
        while True:
            made = self.maker(name)
            if made is None or self.users.get(made.outputs[0], 0) != 1:
                return None
            if made.op == "matmul":
                break
            if made.op in ("mul", "div") and len(made.inputs) == 1:
                other = float(made.attributes["other"])
                scale = scale * other if made.op == "mul" else scale / other
                name = made.inputs[0]
            elif made.op == "reshape":
                name = made.inputs[0]  # masks are added to windows that are an axis of their own
            elif made.op == "add" and len(made.inputs) == 2:
                first, second = made.inputs
                if self.is_scores(first):
                    biases.append(second)
                    name = first
                else:
                    biases.append(first)
                    name = second
            elif made.op == "masked_fill":
                biases.append(made.inputs[1])
                name = made.inputs[0]
            else:
                return None
        return Node(
            "attention", (made.inputs[0], made.inputs[1], node.inputs[1], *biases), node.outputs,
            {"scale": scale}, _shared_path(node, made), node.place,
        )  # fmt: skip

    def is_scores(self, name: str | None) -> bool:
        """Whether a value comes of a product of two tensors that depend on the input, before any softmax."""
        for _ in range(8):
            made = self.maker(name)
            if made is None:
                return False
            if made.op == "matmul":
                return True
            if made.op not in ("mul", "div", "add", "reshape", "masked_fill") or made.inputs[0] is None:
                return False
            name = made.inputs[0]
        return False

    def skip(self, name: str | None, kinds: Sequence[str]) -> str | None:
        """The value before operations of these kinds."""
        while (made := self.maker(name)) is not None and made.op in kinds:
            name = made.inputs[0]
        return name


def _does_nothing(node: Node) -> bool:
    return node.op == "identity" or (node.op == "dropout" and node.attributes.get("p") == 0)


def _bounds(node: Node) -> tuple[Any, Any]:
    return node.attributes.get("min"), node.attributes.get("max")


def _shared_path(one: Node, other: Node) -> str:
    """The path of the module that both belong to."""
    shared = []
    for first, second in zip(one.path.split("/"), other.path.split("/"), strict=False):
        if first != second:
            break
        shared.append(first)
    return "/".join(shared)
