"""What is known while an ONNX graph is walked: shapes, constants, and the operations made so far."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np
from archcalc.interop.onnx_constants import MOST_ELEMENTS, Sizes, Stored
from archcalc.interop.onnx_file import OnnxFile
from archcalc.interop.onnx_graph import Graph
from archcalc.interop.program import Node, Value

if TYPE_CHECKING:
    import onnx

#: The values of longer constants are not compared.
_FEW = 16
#: No size is larger.
LARGEST_COUNT = 1 << 31


class State:
    """The values and constants of a graph by name, and the operations of the program.

    `same` maps a name to the one that it stands for, `used` are the names that anything reads.
    """

    def __init__(self, file: OnnxFile, graph: Graph) -> None:
        self.file = file
        self.graph = graph
        self.shapes: dict[str, Sizes] = {}
        self.elements: dict[str, int] = {}
        self.constants: dict[str, Stored] = {}
        self.same: dict[str, str] = {}
        self.nodes: list[Node] = []
        self.values: dict[str, Value] = {}
        self.used: set[str] = set(graph.outputs)
        #: Arrays of one number that are parameters, those of them that a word names, and settings of operations.
        self.trained: set[str] = set()
        self.named: dict[str, None] = {}
        self.numbers: dict[str, int] = {}
        #: The shapes and elements of the outputs of nodes that are equal in all that shapes depend on.
        self.inferred: dict[tuple[object, ...], list[tuple[Sizes | None, int]]] = {}
        self._data: dict[str, onnx.TensorProto] = {}

    def size_of(self, name: str) -> tuple[Sizes, Any]:
        """The shape of a value or a constant, and its element type."""
        stored = self.constants.get(name)
        if stored is not None:
            return stored.shape, stored.dtype
        if name not in self.shapes:
            raise UsageError(f"it reads {name[:200]!r}, which is no tensor of a known size")
        return self.shapes[name], self.elements[name]

    def bytes_of(self, name: str) -> object:
        """The values of a known constant, to compare them; a long one is equal to itself only. None for all others."""
        stored = self.constants.get(name)
        if stored is None or not stored.is_known:
            return None
        return stored.values.tobytes() if stored.size <= _FEW else name

    def type_of(self, name: str) -> onnx.TypeProto:
        """The type of a value or a constant, for the shape inference of onnx."""
        from onnx.helper import make_tensor_type_proto, np_dtype_to_tensor_dtype

        shape, element = self.size_of(name)
        is_stored = name in self.constants
        return make_tensor_type_proto(np_dtype_to_tensor_dtype(element) if is_stored else element, shape)

    def data_of(self, name: str) -> onnx.TensorProto | None:
        """The values of a known constant, for the shape inference of onnx."""
        from onnx.numpy_helper import from_array

        stored = self.constants.get(name)
        if stored is None or not stored.is_known:
            return None
        if name not in self._data:
            self._data[name] = from_array(stored.values, name)
        return self._data[name]

    def know(self, name: str, shape: Sizes, element: int) -> None:
        """Note the shape of a value."""
        if any(size < 0 or size > LARGEST_COUNT for size in shape) or math.prod(shape) > MOST_ELEMENTS:
            sizes = "×".join(map(str, shape))[:200]
            raise UsageError(f"its output {name[:200]!r} would be {sizes}, which no network has")
        self.shapes[name], self.elements[name] = shape, element


@cache
def dtype_name(element: int) -> str:
    """The name of an element type: float32. Raises `UsageError` as `dtype_of`."""
    return str(dtype_of(element).name)


@cache
def dtype_of(element: int) -> Any:
    from onnx.helper import tensor_dtype_to_np_dtype

    try:
        return np.dtype(tensor_dtype_to_np_dtype(element))
    except KeyError:
        raise UsageError(f"it has the unknown type {element}") from None
