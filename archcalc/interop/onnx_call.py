"""A node of an ONNX graph with what is known of its inputs, as the translators of operations see it."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np
from archcalc.interop.onnx_constants import Sizes, Stored, of_array, of_tensor
from archcalc.interop.onnx_graph import STANDARD, called
from archcalc.interop.onnx_numbers import is_parameter
from archcalc.interop.onnx_scopes import path_of
from archcalc.interop.onnx_state import LARGEST_COUNT, State, dtype_name
from archcalc.interop.program import STEP, Node, Value

if TYPE_CHECKING:
    import onnx

#: Makes operations of a program of an ONNX node; False where it cannot, so that the node becomes opaque.
Translator = Callable[["Call"], bool]
#: The translators by the names of the operations.
TRANSLATORS: dict[str, Translator] = {}
#: Attributes that are counts: the shape inference of onnx divides by some of them.
_COUNTS = frozenset({
    "strides", "dilations", "kernel_shape", "group", "blocksize", "num_groups", "hidden_size", "num_outputs",
    "q_num_heads", "kv_num_heads", "num_heads", "size", "output_height", "output_width",
})  # fmt: skip


#: The shape of a value, where it is known, and its element type.
Sized = tuple["Sizes | None", int]
_NO_TENSOR = -1
_UNKNOWN: Sized = (None, 0)
#: Operations whose output has the shape of the input, which the shape inference of onnx does not say.
_SAME_SHAPE = frozenset({"GroupNormalization", "MeanVarianceNormalization"})
#: Operations whose shapes depend on the shapes of their inputs only, not on any values.
_BY_SHAPES = frozenset({
    "Add", "BatchNormalization", "Conv", "ConvTranspose", "Div", "Gemm", "GRU", "GroupNormalization",
    "InstanceNormalization", "LayerNormalization", "LSTM", "MatMul", "Mul", "PRelu", "Pow", "RNN", "Sub",
})  # fmt: skip
#: Attributes that do not change the values: the order in memory, precision inside, and what only training needs.
_WITHOUT_EFFECT = frozenset({
    "allowzero", "consumed_inputs", "hidden_size", "kernel_shape", "momentum", "round_mode", "saturate", "seed",
    "softmax_precision", "stash_type", "storage_order", "training_mode",
})  # fmt: skip


def translates(*names: str) -> Callable[[Translator], Translator]:
    """A decorator that makes a function the translator of these ONNX operations."""

    def register(function: Translator) -> Translator:
        TRANSLATORS.update(dict.fromkeys(names, function))
        return function

    return register


class Call:
    """A node of the graph with what is known of its inputs, for its translator."""

    def __init__(self, trace: State, node: onnx.NodeProto) -> None:
        self.trace = trace
        self.node = node
        self.op = node.op_type
        self.is_standard = node.domain in STANDARD
        self.opset = trace.graph.opset
        self.inputs = [trace.same.get(name, name) or None for name in node.input]
        while self.inputs and self.inputs[-1] is None:
            self.inputs.pop()
        self.outputs = [name for name in node.output if name]
        self.attributes = attributes_of(node)

    # --- what is known

    def shape(self, index: int = 0) -> Sizes:
        """The shape of an input."""
        name = self.inputs[index]
        stored = self.trace.constants.get(name or "")
        return stored.shape if stored is not None else self.trace.shapes[name or ""]

    @property
    def output_shape(self) -> Sizes:
        """The shape of the first output, which the shape inference of onnx gives."""
        return self.trace.shapes[self.node.output[0]]

    def constant(self, index: int) -> Stored | None:
        """An input that is a constant."""
        name = self.inputs[index] if index < len(self.inputs) else None
        return None if name is None else self.trace.constants.get(name)

    def known(self, index: int) -> Any:
        """The values of an input that is a small constant, else None."""
        stored = self.constant(index)
        return stored.values if stored is not None and stored.is_known else None

    def has(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def uses(self, index: int) -> bool:
        """Whether an output is read by anything."""
        return index < len(self.node.output) and self.node.output[index] in self.trace.used

    # --- shapes and constants

    def infer(self, partly: bool = False) -> None:
        """The shapes of the outputs, as onnx infers them; those that the file states for what onnx does not know.

        Raises `UsageError` where a shape is unknown, unless `partly`.
        """
        found = self._inferred()
        for index, name in enumerate(self.node.output):
            shape, element = found[index] if index < len(found) else _UNKNOWN
            if shape is None:
                shape, element = _size_of(self.trace.graph.stated.get(name)) if name else _UNKNOWN
            if shape is not None:
                self.trace.know(name, shape, element)
            elif name in self.trace.used and not partly and name not in self.trace.shapes:
                if element == _NO_TENSOR:
                    raise UsageError(f"its output {name[:200]!r} is no tensor")
                reason = "it depends on values" if self.is_standard else "the file does not state it"
                raise UsageError(f"the shape of its output {name[:200]!r} is not known: {reason}")

    def _inferred(self) -> list[Sized]:
        """Shape and element of every output by the shape inference of onnx. Equal nodes on equal inputs are asked once.

        The values of known inputs belong to what has to be equal; long ones are not compared.
        """
        names = [name for name in self.inputs if name is not None]
        sizes = [self.trace.size_of(name) for name in names]
        values = [] if self.op in _BY_SHAPES else [self.trace.bytes_of(name) for name in names]
        attributes = sorted([each.SerializeToString() for each in self.node.attribute])
        places = tuple([None if name is None else names.index(name) for name in self.inputs])
        is_there = tuple([bool(name) for name in self.node.output])
        key = (self.op, self.node.domain, *attributes, *sizes, *values, *places, *is_there)
        known = self.trace.inferred
        if key not in known:
            known[key] = self._ask_onnx(dict.fromkeys(names))
        return known[key]

    def _ask_onnx(self, names: Iterable[str]) -> list[Sized]:
        from onnx.checker import ValidationError
        from onnx.defs import SchemaError, get_schema
        from onnx.shape_inference import InferenceError, infer_node_outputs

        version = self.trace.graph.opsets.get("" if self.is_standard else self.node.domain, 1)
        domain = "" if self.is_standard else self.node.domain
        try:
            schema = get_schema(self.op, version, domain)
        except SchemaError:
            if self.is_standard:
                raise UsageError(f"opset {version} has no operation {self.op[:60]}") from None
            return []
        types = {name: self.trace.type_of(name) for name in names}
        data = {name: tensor for name in names if (tensor := self.trace.data_of(name)) is not None}
        node = self.node
        if list(node.input) != [name or "" for name in self.inputs]:
            node = type(node)()
            node.CopyFrom(self.node)
            del node.input[:]
            node.input.extend(name or "" for name in self.inputs)
        try:
            found = infer_node_outputs(schema, node, types, data)
        except (InferenceError, ValidationError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise UsageError(f"its inputs do not fit: {reason[:300]}") from None
        if self.is_standard and self.op in _SAME_SHAPE and self.inputs[0]:
            found = {self.outputs[0]: types[self.inputs[0]]}
        return [_size_of(found.get(name)) if name else _UNKNOWN for name in node.output]

    def own_constant(self) -> Stored:
        """The constant of a Constant node."""
        name, attributes = self.outputs[0], self.attributes
        if "value" in attributes:
            return of_tensor(attributes["value"], name, self.trace.graph.spans.get(name), self.trace.file, False)
        for key, dtype in (("value_int", np.int64), ("value_ints", np.int64),
                           ("value_float", np.float32), ("value_floats", np.float32)):  # fmt: skip
            if key in attributes:
                return of_array(name, np.asarray(attributes[key], dtype=dtype))
        raise UsageError("its value is a text or a sparse tensor, which archcalc does not read")

    def size_of_input(self) -> Stored:
        """What Shape and Size give."""
        shape = self.shape()
        if self.op == "Size":
            return of_array(self.outputs[0], np.asarray(math.prod(shape), dtype=np.int64))
        start, end = self.attributes.get("start", 0), self.attributes.get("end")
        return of_array(self.outputs[0], np.asarray(shape[start:end], dtype=np.int64))

    # --- what is made

    def translated(self, translators: Mapping[str, Translator]) -> bool:
        """Whether it became operations of the program. Raises `UsageError` for attributes that make no sense."""
        translator = translators.get(self.op) if self.is_standard else None
        self.attributes.read.clear()
        try:
            if translator is None or not translator(self):
                return False
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            what = str(error)[:200] or type(error).__name__
            raise UsageError(f"its attributes or inputs make no sense: {what}") from None
        # What was not looked at may change what is computed.
        return set(self.attributes) <= self.attributes.read | _WITHOUT_EFFECT

    def emit(
        self, op: str, inputs: Sequence[str | Stored | None], attributes: Mapping[str, Any] | None = None,
        shape: Sizes | None = None, outputs: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Add an operation to the program, and give the name of its (first) output.

        With a `shape` it is a step on the way to the output of the node.
        """
        trace = self.trace
        if shape is not None:
            count = len(trace.nodes)
            outputs = (f"{self.outputs[0]}{STEP}{count}",)
            trace.know(outputs[0], shape, trace.elements[self.outputs[0]])
        outputs = tuple(outputs or self.node.output[:1])
        names = []
        for each in inputs:
            if isinstance(each, Stored):
                trace.constants[each.name] = each
            names.append(each.name if isinstance(each, Stored) else each)
        for name in outputs:
            trace.values[name] = Value(name, trace.shapes[name], dtype_name(trace.elements[name]))
        stored = [trace.constants[name] for name in names if name in trace.constants]
        path = path_of(self.node, [source for each in stored for source in each.sources])
        trace.nodes.append(Node(op, tuple(names), outputs, dict(attributes or {}), path, called("", self.node)[2:]))
        return outputs[0]

    def opaque(self) -> bool:
        """Let the node through as it is, under its ONNX name."""
        kind = self.op if self.is_standard else f"{self.node.domain}.{self.op}"
        outputs = [name for name in self.outputs if name in self.trace.used] or self.outputs[:1]
        plain = {key: value for key, value in self.attributes.items() if isinstance(value, (int, float, str, list))}
        self.emit(kind, [self._or_setting(name) for name in self.inputs], plain, outputs=outputs)
        return True

    def _or_setting(self, name: str | None) -> str | Stored | None:
        """An input of an operation that is not known: a single number is a setting, not a parameter."""
        stored = self.trace.constants.get(name or "")
        if stored is None or stored.size != 1 or is_parameter(stored):
            return name
        return replace(stored, name=f"{stored.name}#setting", sources={})


class Attributes(dict[str, Any]):
    """The attributes of a node by name, and which of them were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        self.read.add(name)
        return super().get(name, default)


def decimal(value: float) -> float:
    """A number of a file, which is a float32, as it was written: 0.01 instead of 0.009999999776482582."""
    try:
        stored = struct.pack("<f", value)
    except OverflowError:
        return math.copysign(math.inf, value)
    (exact,) = struct.unpack("<f", stored)
    written = (float(f"{exact:.{digits}g}") for digits in range(6, 9))
    return next((number for number in written if _float32(number) == stored), float(f"{exact:.9g}"))


def _float32(value: float) -> bytes:
    """The bytes of a number, or none where it is too large."""
    with suppress(OverflowError):
        return struct.pack("<f", value)
    return b""


def attributes_of(node: onnx.NodeProto) -> Attributes:
    """The attributes of a node by name. Raises `UsageError` for counts that are none."""
    from onnx.helper import get_attribute_value

    found = Attributes()
    for each in node.attribute:
        try:
            value = get_attribute_value(each)
        except ValueError:
            raise UsageError(f"its attribute {each.name[:60]!r} has no value of a known type") from None
        if value is None:
            raise UsageError(f"its attribute {each.name[:60]!r} has no value of a known type")
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        elif isinstance(value, float):
            value = decimal(value)
        elif each.ints or each.floats:
            value = list(value)
        elif each.strings:
            value = [text.decode("utf-8", "replace") for text in value]
        if each.name in _COUNTS:
            counts = value if isinstance(value, list) else [value]
            if not all(isinstance(count, int) and 1 <= count <= LARGEST_COUNT for count in counts):
                raise UsageError(f"{each.name} is {str(value)[:100]}; it counts from 1 to {LARGEST_COUNT:,}")
        found[each.name] = value
    return found


def _size_of(kind: onnx.TypeProto | None) -> Sized:
    """The shape of a tensor type where every size is known, and its element."""
    if kind is None:
        return _UNKNOWN
    if not kind.HasField("tensor_type"):
        return None, _NO_TENSOR
    tensor = kind.tensor_type
    if not tensor.HasField("shape") or any(not axis.HasField("dim_value") for axis in tensor.shape.dim):
        return None, tensor.elem_type
    return tuple([axis.dim_value for axis in tensor.shape.dim]), tensor.elem_type
