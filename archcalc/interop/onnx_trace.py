"""An ONNX graph walked node by node: constants are folded away, and what remains becomes operations of a program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import FileNode
from archcalc.interop import onnx_graph
from archcalc.interop.onnx_call import Call
from archcalc.interop.onnx_constants import Stored, all_sources, derived, of_array, of_tensor
from archcalc.interop.onnx_file import MOST_NODES, OnnxFile
from archcalc.interop.onnx_fold import FOLDS, MOST_VALUES, fold
from archcalc.interop.onnx_graph import called
from archcalc.interop.onnx_ops import TRANSLATORS
from archcalc.interop.onnx_state import State, dtype_name, dtype_of
from archcalc.interop.program import Constant, Program, Role, Value, WrittenNode, with_unread

if TYPE_CHECKING:
    import onnx

#: Those that run parts of the graph again, as often as values say.
_LOOPS = frozenset({"Loop", "Scan", "SequenceMap"})
#: Those whose outputs are no larger than what bounds their inputs, where the size depends on the values.
_BOUNDED = frozenset({"Range", "NonZero"})
#: Those whose work is more than the values that they give.
_LATER = frozenset({"MatMul"})
#: Values that are computed while a file is read, all together.
MOST_FOLDED = 1 << 24
#: A constant of more values is given to a program without them.
_FEW = 64


class Trace(State):
    """The walk; `program` is what it makes."""

    def __init__(self, file: OnnxFile, graph: onnx_graph.Graph) -> None:
        super().__init__(file, graph)
        self.count = 0
        #: The outputs of operations on constants, by what they do.
        self.done: dict[tuple[object, ...], list[str]] = {}
        self.folded = 0
        #: The nodes as the file writes them.
        self.written: list[WrittenNode] = []

    def is_quick(self, name: str, most: int = MOST_VALUES) -> bool:
        """Whether a constant is loaded with little work: so many values at most."""
        return name in self.constants and self.constants[name].is_there and self.constants[name].work <= most

    def program(self) -> Program:
        """The whole graph. Raises `UsageError` for what cannot be read."""
        graph = self.graph
        for each in graph.inputs:
            self.shapes[each.name], self.elements[each.name] = each.shape, each.element
            self.values[each.name] = Value(each.name, each.shape, dtype_name(each.element))
        self._store(graph.initializers.values())
        for node in graph.nodes:
            self.used.update(onnx_graph.read_by(node))
        for node in graph.nodes:
            self.node(node)
        return self._pruned()

    def _store(self, tensors: Iterable[onnx.TensorProto]) -> None:
        for tensor in tensors:
            self.constants[tensor.name] = of_tensor(
                tensor, tensor.name, self.graph.spans.get(tensor.name), self.file, True
            )

    def _pruned(self) -> Program:
        """The operations that the outputs need."""
        outputs = {name: self.same.get(name, name) for name in self.graph.outputs}
        for name in [name for name, value in outputs.items() if value in self.constants]:
            raise UsageError(f"{self.file.name}: the output {name[:200]!r} is a constant")
        missing = [name for name, value in outputs.items() if value not in self.values]
        if missing:
            raise UsageError(f"{self.file.name}: the output {missing[0][:200]!r} is made by no node")
        nodes, unread = with_unread(
            self.nodes, outputs.values(),
            lambda name: name in self.constants and self._constant(self.constants[name]).role == "parameter",
        )  # fmt: skip
        needed = {*outputs.values(), *(name for node in nodes for name in node.inputs)}
        constants = {name: self._constant(self.constants[name]) for node in nodes for name in node.inputs
                     if name is not None and name in self.constants}  # fmt: skip
        made = {name for node in nodes for name in node.outputs} | {each.name for each in self.graph.inputs}
        inputs = tuple(each.name for each in self.graph.inputs if each.name in needed)
        notes = [f"the input {each.name[:100]} is not used" for each in self.graph.inputs if each.name not in needed]
        apart = [name for name in constants if not self.constants[name].is_there]
        if apart:
            more = f" and {len(apart) - 1:,} more" if len(apart) > 1 else ""
            notes.append(
                f"the values of {apart[0][:100]}{more} are in another file, which is not read; shapes are known"
            )
        for names, kind in ((self.numbers, "constants, not as parameters"), (self.named, "parameters, by their names")):
            if own := [name for name in names if name in self.graph.initializers]:
                more = f" and {len(own) - 1:,} more" if len(own) > 1 else ""
                notes.append(f"single numbers of the file count as {kind}: {own[0][:100]}{more}")
        values = {name: value for name, value in self.values.items() if name in made}
        batch = {each.name: each.batch for each in self.graph.inputs if each.batch}
        return Program(
            self.file.stem,
            inputs,
            nodes,
            outputs,
            values,
            constants,
            tuple(notes),
            batch,
            self._arrays(constants),
            unread,
            written=tuple(self.written),
        )

    def _arrays(self, constants: Mapping[str, Constant]) -> dict[str, int]:
        """The arrays of the file, without single numbers that are constants and whole numbers that stay such."""
        held = {name: math.prod(tensor.dims) for name, tensor in self.graph.initializers.items()
                if dtype_of(tensor.data_type).kind not in "iub"}  # fmt: skip
        for constant in constants.values():
            # Whole numbers are weights where nothing else is: those of quantised layers.
            if constant.role == "parameter" and not held.keys() & constant.sources:
                held |= self.constants[constant.name].sources
        return {name: size for name, size in held.items() if size > 1 or name in self.trained}

    @staticmethod
    def _constant(stored: Stored) -> Constant:
        values = None
        if stored.is_known and stored.size <= _FEW:
            values = tuple(stored.values.reshape(-1).tolist())
        is_number = not stored.is_decimal or not stored.sources or _is_spread(stored)
        role: Role = "constant" if is_number else "parameter"
        load = stored.load if stored.is_there else None
        return Constant(stored.name, stored.shape, stored.dtype.name, role, load, values, sources=tuple(stored.sources))

    # --- nodes

    def node(self, node: onnx.NodeProto) -> None:
        """One node: folded away, inlined, or translated."""
        self.count += 1
        if self.count > MOST_NODES:
            raise UsageError(f"{self.file.name} has more than {MOST_NODES:,} nodes; no network needs that many")
        try:
            call = Call(self, node)
            self._node(call)
            self._write(call)
        except UsageError as error:
            where = called(self.file.name, node)
            raise error if str(error).startswith(self.file.name) else UsageError(f"{where}: {error}") from None

    def _write(self, call: Call) -> None:
        """Note how the file writes a node, of constants too, for tools that count the nodes of files."""
        node = call.node
        sizes, made = ([self._size(name) for name in names] for names in (node.input, node.output))
        plain = {key: value for key, value in dict(call.attributes).items() if isinstance(value, (int, str, list))}
        kind = call.op if call.is_standard else f"{node.domain}.{call.op}"
        found = FileNode(kind, tuple(sizes), tuple(made), plain)
        self.written.append(WrittenNode(found, tuple(node.input), tuple(call.outputs)))

    def _size(self, name: str) -> tuple[int, ...] | None:
        name = self.same.get(name, name)
        stored = self.constants.get(name)
        return self.shapes.get(name) if stored is None else stored.shape

    def _node(self, call: Call) -> None:
        if call.op in _LOOPS and call.is_standard:
            raise UsageError(f"{call.op} runs a part of the network as often as values say; archcalc cannot read it")
        if call.op == "If" and call.is_standard:
            self._branch(call)
        elif not (call.is_standard and self._folded(call)):
            call.infer()
            start = len(self.nodes)
            if not call.translated(TRANSLATORS):
                del self.nodes[start:]
                call.opaque()

    def _branch(self, call: Call) -> None:
        condition = call.known(0)
        if condition is None:
            raise UsageError("which branch If takes depends on values; archcalc reads one network, not two")
        graph = call.attributes["then_branch" if condition.reshape(-1)[0] else "else_branch"]
        self._store(graph.initializer)
        known = {*self.constants, *self.shapes, *self.same}
        nodes = onnx_graph.in_order(self.file.name, graph.node, known)
        self.used.update(each.name for each in graph.output)
        for inner in nodes:
            self.used.update(onnx_graph.read_by(inner))
        for inner in nodes:
            self.node(inner)
        for name, inner in zip(call.outputs, graph.output, strict=True):
            self.same[name] = self.same.get(inner.name, inner.name)

    def _cast_like(self, call: Call, stored: Stored) -> None:
        """A constant in the type of a value, of which nothing else is needed."""
        name, like = call.outputs[0], call.constant(1)
        dtype = dtype_of(self.elements[call.inputs[1] or ""]) if like is None else like.dtype
        if stored.is_known:
            self.constants[name] = of_array(name, stored.values.astype(dtype), stored.sources)
        else:
            self.constants[name] = stored.changed(name, stored.shape, lambda array: array.astype(dtype), dtype)

    def _folded(self, call: Call) -> bool:
        """Whether the node has only constants as inputs, so that its outputs are constants."""
        if call.op == "Constant":
            self.constants[call.outputs[0]] = call.own_constant()
            return True
        if call.op in ("Shape", "Size"):
            self.constants[call.outputs[0]] = call.size_of_input()
            return True
        if call.op == "Identity":
            self.same[call.outputs[0]] = call.inputs[0] or ""
            return True
        if call.op == "CastLike" and (stored := call.constant(0)) is not None:
            self._cast_like(call, stored)
            return True
        inputs = [None if name is None else self.constants.get(name) for name in call.inputs]
        is_constant = all(each is not None or name is None for each, name in zip(inputs, call.inputs, strict=True))
        if not is_constant or not call.inputs or call.op not in FOLDS:
            return False
        # The same of the same array is one array: two layers may have it.
        key = self._key(call)
        if (before := self.done.setdefault(key, call.outputs)) is not call.outputs:
            self.same |= {name: self.same.get(first, first) for name, first in zip(call.outputs, before, strict=False)}
            return True
        if call.op not in _BOUNDED:
            call.infer(partly=True)
        shapes = [self.shapes.get(name) for name in call.outputs]
        sizes = [None if shape is None else math.prod(shape) for shape in shapes]
        is_small = all(size is not None and size <= MOST_VALUES for size in sizes) or call.op in _BOUNDED
        is_small = is_small and call.op not in _LATER and self.folded < MOST_FOLDED
        if is_small and all(each is None or each.is_known for each in inputs):
            given = [None if each is None else each.values for each in inputs]
            for name, array in zip(call.outputs, fold(call.op, call.attributes, self.graph.opset, given), strict=False):
                self.folded += array.size
                self.constants[name] = of_array(name, array, all_sources(inputs))
                self.shapes.pop(name, None)
            return True
        if any(shape is None for shape in shapes):
            raise UsageError("the size of its output depends on values that are not known")
        for index, name in enumerate(call.outputs):
            shape, dtype = self.shapes.pop(name), dtype_of(self.elements[name])
            opset = self.graph.opset
            self.constants[name] = derived(name, call.op, call.attributes, opset, inputs, index, shape, dtype)
        return True

    def _key(self, call: Call) -> tuple[object, ...]:
        """What is equal where the results of an operation on constants are: whole numbers by value, others by name."""
        names: list[object] = []
        for name in call.inputs:
            stored = self.constants.get(name or "")
            by_value = stored is not None and stored.is_known and stored.dtype.kind in "iub" and stored.size <= _FEW
            names.append((stored.values.tobytes(), stored.shape) if stored is not None and by_value else name)
        simple = all(isinstance(value, (int, float, str, bytes, list, tuple)) for value in call.attributes.values())
        settings = repr(sorted(call.attributes.items())) if simple else call.outputs[0]
        return (call.op, settings, len(call.outputs), *names)


def _is_spread(stored: Stored) -> bool:
    """Whether a decimal array has more values than the file holds of it, as masks have: it is no trained array."""
    return stored.is_decimal and bool(stored.sources) and stored.size > sum(stored.sources.values())
