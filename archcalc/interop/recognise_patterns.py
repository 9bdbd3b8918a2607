"""Patterns of several operations that are one: x·σ(x), hard swish, and decomposed attention."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from archcalc.graph.layer_graph import Call
from archcalc.interop.program import Node, Program, Value, needed
from archcalc.interop.recognise_filters import Filters
from archcalc.interop.recognise_fold import as_sums
from archcalc.interop.recognise_formulas import Formulas
from archcalc.interop.recognise_masks import HIDDEN, Masks
from archcalc.interop.recognise_parts import with_parts
from archcalc.interop.recognise_states import with_states
from archcalc.interop.recognise_steps import STEPS, Steps


def simplified(program: Program, apart: Collection[str] = ()) -> Program:
    """The program with known patterns as single operations, and without operations that do nothing.

    `apart`: results of attention whose operations stay as they are.
    """
    program = replace(program, nodes=needed(program.nodes, program.wanted))
    return _Rewriter(with_parts(program), apart).program()


class _Rewriter:
    """Finds patterns from their last operation backward."""

    def __init__(self, given: Program, apart: Collection[str] = ()) -> None:
        self.given, self.apart = given, apart
        self.values, self.constants = dict(given.values), dict(given.constants)
        #: Operations that come before the one that is rewritten.
        self.added: list[Node] = []
        self.makers: dict[str, Node] = {name: node for node in given.nodes for name in node.outputs}
        self.users: dict[str, int] = {}
        for node in given.nodes:
            for name in node.inputs:
                if name is not None:
                    self.users[name] = self.users.get(name, 0) + 1
        for name in given.wanted:
            self.users[name] = self.users.get(name, 0) + 1

    def program(self) -> Program:
        """The whole, rewritten."""
        nodes: list[Node] = []
        for node in self.given.nodes:
            steps = [node]
            if node.op in STEPS:
                steps = STEPS[node.op](node, self.given, self.values)
            elif node.op == "im2col":
                steps = as_windows(node, self.given.shape(node.inputs[0] or ""), self.values)
            elif node.op == "col2im":
                steps = as_sums(node, self.given.shape(node.inputs[0] or ""), self.values)
            elif node.op in ("rnn", "lstm", "gru") and any(self.users.get(name) for name in node.outputs[1:]):
                steps = with_states(node, self.given.shape(node.inputs[0] or ""), self.values, self.users)
            filters = Filters(self.values, self.constants, self.makers)
            for step in steps:
                self.makers |= dict.fromkeys(step.outputs, step)
                for name in step.outputs:
                    self.users.setdefault(name, 1)
            for one in [each for step in steps for each in filters.local(step) or [step]]:
                made = self.rewritten(one)
                nodes += [*self.added, made]
                self.added.clear()
        kept = needed(nodes, self.given.wanted)
        return replace(self.given, nodes=kept, values=self.values, constants=self.constants)

    def rewritten(self, node: Node) -> Node:
        """The operation that a pattern which ends here is; the node itself where none does."""
        formulas = Formulas(self.values, self.constants, self.makers, self.users)
        masks = Masks(self.constants, self.maker, self.users)
        finders = (
            self.self_gate, self.hard_sigmoid, self.padded_pool, self.attention, self.one_of_stack, self.dense,
        )  # fmt: skip
        for find in (*finders, masks.found, formulas.found):
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

    def one_of_stack(self, node: Node) -> Node | None:
        """One of several stacked values, as the state of one layer of all."""
        made = self.maker(node.inputs[0]) if node.op == "select" else None
        if made is None or made.op != "stack" or made.attributes["dim"] != node.attributes["dim"]:
            return None
        return replace(node, op="identity", inputs=(made.inputs[node.attributes["index"]],), attributes={})

    def dense(self, node: Node) -> Node | None:
        """x·W + b with stored W and b, or W·x + b with the channels before the last axis: a dense layer."""
        if node.op != "add" or len(node.inputs) != 2:
            return None
        for product, bias in (node.inputs, node.inputs[::-1]):
            made = self.maker(product)
            if made is None or made.op != "matmul" or self.users.get(product or "") != 1:
                continue
            weights = [self.given.constants.get(name or "") for name in (*made.inputs, bias)]
            is_last = weights[0] is None
            weight, stored, x = weights[1 if is_last else 0], weights[2], made.inputs[0 if is_last else 1] or ""
            shape = self.values[x].shape if x in self.values else ()
            if weight is None or stored is None or {stored.role, weight.role} != {"parameter"} or len(shape) < 2:
                continue
            if len(weight.shape) != 2 or stored.size != weight.shape[is_last]:
                continue
            width, last = stored.size, len(shape) - 1
            if stored.shape[-1:] != (width,) if is_last else stored.shape[-2:] != (width, 1):
                continue
            name = made.outputs[0]
            turned = {"dim0": last - 1, "dim1": last}
            steps = Steps(made, self.given, self.values)
            if is_last:
                across = steps("transpose", (weight.name,), weight.shape[::-1], f"{name} weight", dim0=0, dim1=1)
                inputs = (x, across, stored.name)
            else:
                rows = steps("transpose", (x,), (*shape[:-2], *shape[:-3:-1]), f"{name} rows", **turned)
                inputs = (rows, weight.name, steps.reshaped(stored.name, (width,)))
                flat = steps("linear", inputs, (*shape[:-2], shape[-1], width), f"{name} linear")
            self.added += steps.made
            if is_last:
                return replace(node, op="linear", inputs=inputs, attributes={}, path=made.path or node.path)
            return replace(node, op="transpose", inputs=(flat,), attributes=turned, path=made.path or node.path)
        return None

    def padded_pool(self, node: Node) -> Node | None:
        """A max pool of a map with −∞ around it, which is its own padding."""
        if node.op not in ("max_pool1d", "max_pool2d", "max_pool3d") or any(node.attributes["padding"]):
            return None
        made = self.maker(node.inputs[0])
        if made is None or made.op != "pad" or made.attributes["mode"] != "constant":
            return None
        pads, rank = made.attributes["pad"], len(node.attributes["kernel_size"])
        if made.attributes["value"] != -math.inf or min(pads) < 0 or any(pads[2 * rank :]):
            return None
        pads = (*pads, *(0,) * (2 * rank - len(pads)))
        begins, ends = (tuple(reversed(pads[side : 2 * rank : 2])) for side in (0, 1))
        return replace(node, inputs=made.inputs, attributes={**node.attributes, "padding": (*begins, *ends)})

    def attention(self, node: Node) -> Node | None:
        """softmax(q·k·scale + bias)·v, with the bias, the mask and dropout where they are."""
        if node.op != "matmul" or len(node.inputs) != 2 or node.outputs[0] in self.apart:
            return None
        soft = self.maker(self.skip(node.inputs[0], ("dropout",)))
        if soft is None or soft.op != "softmax" or self.users.get(soft.outputs[0]) != 1:
            return None
        if soft.attributes["dim"] != len(self.values[soft.outputs[0]].shape) - 1:
            return None
        scale, biases, name, masked = 1.0, [], soft.inputs[0], dict[str, Any]()
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
            elif made.op == "add" and len(made.inputs) == 2 and scale == 1:
                first, second = made.inputs
                if self.is_scores(first):
                    biases.append(second)
                    name = first
                else:
                    biases.append(first)
                    name = second
            elif made.op == "masked_fill" and not biases and float(made.attributes["value"]) <= HIDDEN:
                biases.append(made.inputs[1])
                name = made.inputs[0]
                masked = {"hides": not made.attributes["keeps"], "fill": float(made.attributes["value"])}
            else:
                return None
        q, by_q = self.unscaled(made.inputs[0])
        k, by_k = self.unscaled(made.inputs[1])
        return Node(
            "attention", (q, k, node.inputs[1], *biases), node.outputs,
            {"scale": scale * by_q * by_k, **masked}, _shared_path(node, made), node.place,
            _of_steps(made, soft, node),
        )  # fmt: skip

    def unscaled(self, name: str | None) -> tuple[str | None, float]:
        """A value before it was multiplied by a number, and the number; past axes that change places."""
        made = self.maker(name)
        if made is None or self.users.get(made.outputs[0], 0) != 1 or len(made.inputs) != 1:
            return name, 1.0
        if made.op in ("mul", "div"):
            other = float(made.attributes["other"])
            inner, factor = self.unscaled(made.inputs[0])
            return inner, factor * (other if made.op == "mul" else 1 / other)
        if made.op in ("transpose", "permute"):
            inner, factor = self.unscaled(made.inputs[0])
            if factor != 1:
                turned = replace(made, inputs=(inner,), outputs=(f"{made.outputs[0]} unscaled",))
                self.values[turned.outputs[0]] = replace(self.values[made.outputs[0]], name=turned.outputs[0])
                self.makers[turned.outputs[0]] = turned
                self.added.append(turned)
                return turned.outputs[0], factor
        return name, 1.0

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


def as_windows(node: Node, shape: Sequence[int], values: dict[str, Value]) -> list[Node]:
    """Windows of an image as columns, (N, C·height·width, windows): of its rows, and of these of their columns."""
    given = node.attributes
    (height, width), (down, right), padding = given["kernel_size"], given["stride"], given["padding"]
    if len(shape) != 4:
        return [node]
    apart, across = given["dilation"]
    tall, wide = (height - 1) * apart + 1, (width - 1) * across + 1
    steps: list[Node] = []

    def step(op: str, made_shape: Sequence[int], **attributes: Any) -> None:
        before = steps[-1].outputs[0] if steps else node.inputs[0]
        name = node.outputs[0] if op == "reshape" else f"{node.outputs[0]} {op} {len(steps)}"
        values[name] = Value(name, tuple(made_shape))
        steps.append(replace(node, op=op, inputs=(before,), outputs=(name,), attributes=attributes))

    batch, channels, *sides = shape
    rows, columns = (side + 2 * border for side, border in zip(sides, padding, strict=True))
    if any(padding):
        pads = (padding[1], padding[1], padding[0], padding[0])
        step("pad", (batch, channels, rows, columns), pad=pads, mode="constant", value=0.0)
    counts = ((rows - tall) // down + 1, (columns - wide) // right + 1)
    step("unfold", (batch, channels, counts[0], columns, tall), dim=2, size=tall, step=down)
    if apart > 1:
        step("slice", (batch, channels, counts[0], columns, height), dim=4, start=0, end=tall, step=apart)
    step("unfold", (batch, channels, *counts, height, wide), dim=3, size=wide, step=right)
    if across > 1:
        step("slice", (batch, channels, *counts, height, width), dim=5, start=0, end=wide, step=across)
    step("permute", (batch, channels, height, width, *counts), dims=(0, 1, 4, 5, 2, 3))
    made = (batch, channels * height * width, counts[0] * counts[1])
    step("reshape", made, shape=made)
    return steps


def _of_steps(*nodes: Node) -> Call | None:
    """How code calls what several operations are: each of them."""
    calls = [node.call for node in nodes if node.call is not None]
    return calls[-1]._replace(way="steps", steps=tuple(calls)) if len(calls) == len(nodes) else None


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
