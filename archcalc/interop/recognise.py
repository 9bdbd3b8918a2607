"""Layers from the operations of a program: its batch axis goes, blocks and patterns come back.

Tensors are views of maps (`recognise_views`), so that a reshape or a permutation makes no layer by itself. An
operation that archcalc does not have becomes an opaque layer with its known shape and its parameters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from archcalc.interop import (  # noqa: F401  # they register their operations
    recognise_arrange,
    recognise_attention,
    recognise_channels,
    recognise_merge,
    recognise_windows,
)
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.program import Node, Program
from archcalc.interop.recognise_account import account, order_notes, values_in
from archcalc.interop.recognise_batch import JOINED, batch_axes, mixed_axes, refuse_mixed
from archcalc.interop.recognise_handler import HANDLERS, Handler
from archcalc.interop.recognise_layers import Fixed, UnknownFormError
from archcalc.interop.recognise_maps import Maps
from archcalc.interop.recognise_names import last_names, with_names
from archcalc.interop.recognise_patterns import simplified
from archcalc.interop.recognise_steps import as_products
from archcalc.interop.recognise_views import BATCH, View, whole_axes, without
from archcalc.interop.recognise_whole import fused, those_read, with_biases
from archcalc.interop.tied import with_biases_apart

Tensor = View | Fixed
#: Attention that is no op of its own is read again without its pattern, and what layers have in several forms as a map
#: of its own; more than this often all stays as it is.
_MOST_READINGS = 3


def recognise(program: Program) -> ForeignNetwork:
    """The network of a program."""
    apart: set[str] = set()
    lifted: set[str] = set()
    program = with_biases_apart(program)
    for _ in range(_MOST_READINGS):
        reader = Recogniser(simplified(program, apart), apart, lifted)
        found = reader.network()
        if not reader.apart - apart and not reader.layers.several_forms:
            break
        apart |= reader.apart
        lifted |= reader.layers.several_forms
    return found


class Recogniser:
    """Goes through the operations and knows of every tensor where it lies."""

    def __init__(self, program: Program, known: Collection[str] = (), lifted: Collection[str] = ()) -> None:
        """`known`: results of attention that an earlier reading found to be no op of archcalc; `lifted` as `Layers`."""
        program = replace(program, values=dict(program.values), constants=dict(program.constants))
        self.program = program
        self.layers = Maps(program, lifted)
        self.env: dict[str, Tensor] = {}
        self.reasons: dict[str, str] = {}
        #: What operations of stored tensors alone became as layers, by value.
        self.made: dict[str, View] = {}
        #: Results of attention that is no op of archcalc: its products are read one by one.
        self.apart: set[str] = set(known)
        self.layers.compute = self.compute
        #: Multiplications of products of stored tensors that no layer has, by value.
        self.folded: dict[str, tuple[str, int]] = {}

    def network(self) -> ForeignNetwork:
        """The whole."""
        program, layers = self.program, self.layers
        batch = batch_axes(program) | dict(program.batch)
        for name in program.inputs:
            self.env[name] = layers.input(name, program.shape(name), batch.get(name, 0))
        self.store()
        for node in program.nodes:
            self.visit(node)
        outputs = {key: self.output(key, value) for key, value in program.outputs.items()}
        tables = {
            layer: program.constants[source].size
            for source, (layer, array) in layers.owners.items()
            if array == "relative_position_bias_table"
        }
        unread = [tensor.layer for name in program.unread if isinstance(tensor := self.env.get(name), View)]
        nodes = those_read(layers.with_frozen(), [*outputs.values(), *unread])
        there = {node.name for node in nodes}
        held = Counter(source for layer, source in layers.held if layer in there)
        nodes, outputs = with_biases(nodes, outputs, layers.shapes)
        nodes = fused(nodes, outputs.values(), layers.shapes, tables, layers.names.wanted)
        self.apart |= {
            layers.unfinished[node.name] for node in nodes if node.name in layers.unfinished and node.op == "opaque"
        }
        folded: dict[str, int] = {}
        for name, (op, count) in self.folded.items():
            if name not in self.made:
                folded[op] = folded.get(op, 0) + count
        left_out = [
            f"{count:,} multiplications of {op} are of stored tensors alone; they are not counted"
            for op, count in folded.items()
        ]
        fixed = {node.name for node in nodes if node.op == "parameter" and node.fields.get("buffer")}
        buffers = Counter(source for layer, source in layers.held if layer in fixed)
        names = last_names(nodes, layers.names, program.inputs, outputs.values(), {layer for layer, _ in layers.held})
        texts = [
            *layers.notes,
            *(text.format(*[names.get(layer, layers.names.wanted[layer].name) for layer in those])
              for text, those in layers.named_notes),
        ]  # fmt: skip
        left_out += order_notes(program, nodes, outputs, names)
        accounts, repeated = account(program, held, buffers)
        notes = tuple(dict.fromkeys([*program.notes, *texts, *left_out, *accounts]))
        nodes, outputs = with_names(nodes, names), {key: names.get(layer, layer) for key, layer in outputs.items()}
        inputs = {name: layers.shapes[name] for name in program.inputs}
        values = values_in(program, held)
        return ForeignNetwork(
            _plain(program.name), program.name, inputs, nodes, outputs, notes, values, program.unused,
            images=layers.images, repeated=repeated,
        )  # fmt: skip

    def store(self) -> None:
        """Know the constants of the program; operations that are taken apart have some of their own."""
        for name, constant in self.program.constants.items():
            if name not in self.env:
                self.env[name] = self.layers.fixed[name] = Fixed((name,), constant.shape, whole_axes(constant.shape))

    def output(self, key: str, value: str) -> str:
        """The layer that an output is."""
        tensor = self.env[value]
        if isinstance(tensor, View):
            node = Node("output", (value,), (), {}, "output")
            try:
                axes = without(tensor.axes, BATCH)
                if len(axes) > 1 and not axes[0]:
                    return self.layers.arranged(tensor.layer, axes[1:], node)
            except UnknownFormError:
                pass
            return tensor.layer
        return self.layers.opaque(Node("constant", (), (), {}, key), [tensor], tensor.shape).layer

    def visit(self, node: Node) -> None:
        """Add what an operation becomes."""
        inputs = [None if name is None else self.env[name] for name in node.inputs]
        if self.layers.images > 1:
            self.check_images(node, inputs)
        if all(isinstance(tensor, Fixed) for tensor in inputs if tensor is not None):
            self.fixed(node, [tensor for tensor in inputs if isinstance(tensor, Fixed)])
            return
        if len(node.outputs) == 1 and 0 in self.program.shape(node.outputs[0]):
            self.env[node.outputs[0]] = Fixed((), self.program.shape(node.outputs[0]))  # nothing
            return
        for name, view in zip(node.outputs, self.results(node, inputs), strict=False):
            self.env[name] = view

    def results(self, node: Node, inputs: list[Tensor | None]) -> list[Tensor]:
        """What an operation gives, once its layers are there."""
        handler, owned = HANDLERS.get(node.op), len(self.layers.owners)
        try:
            if handler is None or (node.op == "scaled_dot_product_attention" and node.outputs[0] in self.apart):
                raise UnknownFormError(f"archcalc has no {node.op} of this form")
            results = handler(Handler(self.layers, self.env, node, inputs))
            if self.layers.used.intersection(node.outputs[len(results) :]):
                raise UnknownFormError("a second output, as the indices of a pool")
            for name, made in zip(node.outputs, results, strict=False):  # what nothing reads may be left out
                if name in self.layers.used and made.shape != tuple(self.program.shape(name)):
                    raise UnknownFormError(f"its output would be {made.shape}, not {self.program.shape(name)}")
        except UnknownFormError as reason:
            # What a function added before it gave up owns nothing.
            while len(self.layers.owners) > owned:
                self.layers.owners.popitem()
            if steps := as_products(node, self.program):
                self.store()
                for step in steps:
                    self.visit(step)
                return [self.env[name] for name in node.outputs]
            self.reasons[node.op] = str(reason)
            if node.op == "attention":
                self.apart.add(node.outputs[0])
            # The first layer has the parameters: an output that something reads comes before one that nothing does.
            opaque = {name: self.layers.opaque(node, inputs, self.program.shape(name))
                      for name in sorted(node.outputs, key=lambda name: name not in self.layers.used)}  # fmt: skip
            results = [opaque[name] for name in node.outputs]
        return results

    def compute(self, name: str) -> View:
        """The layers that compute a value of stored tensors alone: they are made only where a layer needs the value."""
        if name not in self.made:
            node = self.layers.stored[name]
            if node.op not in HANDLERS:
                # A value for each of a trained tensor, as its exponential, is that tensor with other values.
                derived, shape = self.layers.derived(self.layers.fixed[name]), self.program.shape(name)
                self.made[name] = self.layers.view_of(Fixed((derived,), shape, whole_axes(shape)), node)
                return self.made[name]
            inputs = [None if each is None else self.env[each] for each in node.inputs]
            trained = [n for n, each in enumerate(inputs) if isinstance(each, Fixed) and self.layers.is_trained(each)]
            first = trained[0] if trained and node.op in JOINED else 0
            tensor = inputs[first] if inputs else None
            if not isinstance(tensor, Fixed):
                raise UnknownFormError("a tensor that is computed from nothing")
            inputs[first] = self.layers.view_of(tensor, node)
            results = self.results(node, inputs)
            self.made |= {key: each for key, each in zip(node.outputs, results, strict=False) if isinstance(each, View)}
            if name not in self.made:
                if self.layers.stored[name] is node:
                    raise UnknownFormError(f"{node.op} of stored tensors")
                return self.compute(name)  # it was taken apart, and the last of its products gives the value
        return self.made[name]

    def check_images(self, node: Node, inputs: Sequence[Tensor | None]) -> None:
        """Raise `UsageError` where an operation would compute with several images of a batch."""
        tensors = [(index, tensor) for index, tensor in enumerate(inputs) if tensor is not None]
        places = [_image_places(tensor) for _, tensor in tensors]
        joined = set().union(*places)
        for (index, tensor), found in zip(tensors, places, strict=True):
            rank = len(tensor.shape)
            mixed = {dim - rank for dim in mixed_axes(node, index, rank)}
            # Values for each image of their own, which come from no image.
            others = {place for place in joined - found if -place <= rank and tensor.shape[place] > 1}
            if found & mixed or (node.op in JOINED and (others or len(joined) > 1)):
                raise refuse_mixed(node, self.layers.images)

    def fixed(self, node: Node, inputs: list[Fixed]) -> None:
        """The result of stored tensors alone: an arrangement of one, or computed."""
        sources = tuple(dict.fromkeys(name for tensor in inputs for name in tensor.sources))
        if count := _products([tensor.shape for tensor in inputs], node, self.program.shape(node.outputs[0])):
            self.folded[node.outputs[0]] = (node.op, count)
        for name in node.outputs:
            shape = self.program.shape(name)
            axes = _arranged_constant(node, inputs[0], shape) if len(inputs) == 1 else None
            self.env[name] = self.layers.fixed[name] = Fixed(sources, shape, axes, name)
            self.layers.stored[name] = node


def _products(shapes: list[tuple[int, ...]], node: Node, made: tuple[int, ...]) -> int:
    """Multiplications of a matrix product, a transposed convolution or attention of stored tensors; 0 for all else."""
    if node.op == "matmul":
        return math.prod(made) * shapes[0][-1]
    if node.op == "addmm":
        return math.prod(made) * shapes[1][-1]
    if node.op.startswith("conv_transpose"):
        return math.prod(shapes[0]) * math.prod(shapes[1][1:])
    if node.op in ("scaled_dot_product_attention", "attention"):
        queries, values = shapes[0], shapes[2]
        scores = math.prod(queries[:-1]) * values[-2]
        return scores * (queries[-1] + values[-1])
    return 0


def _image_places(tensor: Tensor | None) -> set[int]:
    """The axes of a tensor that hold images of the batch, counted from the last one: -1."""
    if not isinstance(tensor, View):
        return set()
    return {dim - len(tensor.axes) for dim, axis in enumerate(tensor.axes) if any(f.axis == BATCH for f in axis)}


def _arranged_constant(node: Node, tensor: Fixed, shape: tuple[int, ...]) -> tuple[tuple, ...] | None:  # type: ignore[type-arg]
    from archcalc.interop.recognise_views import permuted, reshaped

    if tensor.axes is None:
        return None
    if node.op == "reshape":
        return reshaped(tensor.axes, shape)
    if node.op == "permute":
        return permuted(tensor.axes, node.attributes["dims"])
    if node.op == "transpose":
        dims = list(range(len(shape)))
        first, second = node.attributes["dim0"], node.attributes["dim1"]
        dims[first], dims[second] = dims[second], dims[first]
        return permuted(tensor.axes, dims)
    if node.op == "expand" and math.prod(shape) == math.prod(tensor.shape):
        return ((),) * (len(shape) - len(tensor.axes)) + tensor.axes
    if node.op in ("identity", "expand") and (node.op == "identity" or tensor.shape == shape):
        return tensor.axes
    return None


def _plain(name: str) -> str:
    """A name of letters, digits and underscores."""
    return "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in name) or "network"
