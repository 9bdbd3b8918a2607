"""An ONNX graph while it is built: nodes, the weights as initialisers, and small constants as nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.interop.export.spelling import Case

if TYPE_CHECKING:
    import numpy
    import onnx

OPSET = 21
MISSING = "ONNX files need the package onnx: pip install onnx"


def package() -> Any:
    """The package onnx. Raises `UsageError` where it is not installed."""
    try:
        import onnx
    except ImportError:
        raise UsageError(MISSING) from None
    return onnx


class Builder:
    """The nodes of a graph. Every node of a layer is named after it; the last one gives the layer's value."""

    def __init__(self) -> None:
        self._helper = package().helper
        self._types = package().TensorProto
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self.values: set[str] = set()
        #: Maps that are stored, the same for every image, by the name of their value: the name of the array, and it.
        self.stored: dict[str, tuple[str, numpy.ndarray[Any, Any]]] = {}
        self._case: Case | None = None
        self._arrays: Mapping[str, numpy.ndarray[Any, Any]] = {}
        self._owner = ""

    # --- layers

    def begin(self, case: Case, owner: str, arrays: Mapping[str, numpy.ndarray[Any, Any]]) -> None:
        """What follows belongs to this layer, whose arrays are those of `owner`."""
        self._case, self._owner, self._arrays = case, owner, arrays

    @property
    def name(self) -> str:
        assert self._case is not None
        return self._case.name

    def own_name(self, wanted: str) -> str:
        """The name, with a number where another value has it."""
        name, number = wanted, 1
        while name in self.values:
            number += 1
            name = f"{wanted}_{number}"
        self.values.add(name)
        return name

    # --- nodes

    def __call__(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and give the name of its output, or the names of several."""
        names = [self.own_name(f"{self.name}/{op}") for _ in range(outputs)]
        node = self._helper.make_node(op, list(inputs), names, name=names[0], **attributes)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def finish(self, value: str, wanted: str) -> str:
        """End a layer: `value`, which its last node makes, gets this name, and the node that of the layer."""
        for node in reversed(self.nodes):
            if value in node.output:
                node.output[list(node.output).index(value)] = wanted
                node.name = self.name
                return wanted
        return value

    # --- weights and constants

    def has(self, name: str) -> bool:
        """Whether the layer has an array of this name."""
        return name in self._arrays

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._arrays[name].shape)

    def weight(self, name: str) -> str:
        """An array of the layer as an initialiser, in archcalc's layout."""
        return self.initialiser(f"{self._owner}.{name}", self._arrays[name])

    def array(self, name: str) -> numpy.ndarray[Any, Any]:
        return self._arrays[name]

    def changed(self, name: str, array: numpy.ndarray[Any, Any]) -> str:
        """An array of the layer in ONNX's layout."""
        return self.initialiser(f"{self._owner}.{name}", array)

    def initialiser(self, name: str, array: numpy.ndarray[Any, Any]) -> str:
        return self._initialiser(name, self._types.FLOAT, array.astype("<f4"))

    def places(self, value: str, count: int, shape: Sequence[int]) -> str:
        """A map that is stored as numbers of so many places, in this shape: rounded, and counting on beyond them."""
        name, array = self.stored[value]
        numbers = (array.round().astype("<i8") % count).reshape(shape)
        return self._initialiser(f"{name}/{'x'.join(map(str, (count, *shape)))}", self._types.INT64, numbers)

    def _initialiser(self, name: str, kind: int, array: numpy.ndarray[Any, Any]) -> str:
        if name not in self.weights:
            self.values.add(name)
            self.weights[name] = self._helper.make_tensor(name, kind, array.shape, array.tobytes(), raw=True)
        return name

    def ints(self, values: Sequence[int], shape: Sequence[int] | None = None) -> str:
        """Whole numbers as a constant."""
        return self._constant(self._types.INT64, [int(value) for value in values], shape)

    def floats(self, values: Sequence[float], shape: Sequence[int] | None = None) -> str:
        """Numbers as a constant."""
        return self._constant(self._types.FLOAT, [float(value) for value in values], shape)

    def number(self, value: float) -> str:
        """A number as a constant without axes."""
        return self.floats([value], ())

    def _constant(self, kind: int, values: list[Any], shape: Sequence[int] | None) -> str:
        name = self.own_name(f"{self.name}/Constant")
        tensor = self._helper.make_tensor(name, kind, [len(values)] if shape is None else shape, values)
        self.nodes.append(self._helper.make_node("Constant", [], [name], name=name, value=tensor))
        return name

    # --- what many layers need

    def spread(self, value: str, rank: int) -> str:
        """A number for each channel, spread over so many position axes."""
        return str(self("Unsqueeze", value, self.ints(range(1, 1 + rank)))) if rank else value

    def reshape(self, x: str, *sizes: int) -> str:
        """Another shape for each image; the batch stays."""
        return str(self("Reshape", x, self.ints([0, *sizes])))

    def transpose(self, x: str, *order: int) -> str:
        return str(self("Transpose", x, perm=list(order)))

    def slice(self, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
        """Part of an axis."""
        return str(self("Slice", x, *(self.ints([each]) for each in (start, stop, axis, step))))

    def pad(self, x: str, sides: Mapping[int, tuple[int, int]], value: float = 0.0, mode: str = "constant") -> str:
        """Values before and after along axes; less than nothing cuts off."""
        axes = sorted(sides)
        pads = [sides[axis][0] for axis in axes] + [sides[axis][1] for axis in axes]
        if not any(pads):
            return x
        return str(self("Pad", x, self.ints(pads), self.number(value), self.ints(axes), mode=mode))


#: Writes the nodes of a layer and gives the name of its value.
Writer = Callable[[Builder, Case, Sequence[str]], str]
