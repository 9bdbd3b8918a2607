"""The graph of an ONNX model made ready: one list of nodes in order, functions inlined, inputs with concrete sizes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.core.shapes import LARGEST_SIZE, Shape, format_shape
from archcalc.graph.inputs import InputShapes, given_inputs
from archcalc.interop.onnx_file import MOST_NODES, Span, Way

if TYPE_CHECKING:
    import onnx

OLDEST_OPSET = 7
#: The domain of the standard has two spellings.
STANDARD = ("", "ai.onnx")
#: The field of GraphProto that holds the initialisers; the other one with arrays holds the nodes.
_INITIALIZER = 5


@dataclass(frozen=True)
class Input:
    """An input of the network: its type, and which axis is the batch."""

    name: str
    shape: tuple[int, ...]
    element: int
    batch: int = 0


@dataclass(frozen=True)
class Graph:
    """A graph whose nodes stand in the order in which they can be computed.

    `spans` are the places of arrays that were left in the file, by the name of the value that they are.
    """

    name: str
    opset: int
    inputs: tuple[Input, ...]
    nodes: tuple[onnx.NodeProto, ...]
    initializers: Mapping[str, onnx.TensorProto]
    outputs: tuple[str, ...]
    stated: Mapping[str, onnx.TypeProto]
    spans: Mapping[str, Span]
    opsets: Mapping[str, int]


def prepare(
    name: str,
    model: onnx.ModelProto,
    spans: Mapping[Way, Span],
    given: InputShapes | None,
    batch: Mapping[str, int] | None = None,
) -> Graph:
    """The graph of a model, with every input of a concrete size. `batch` has axes of the batch that are not the first.

    Raises `UsageError` for a model that cannot be read, and for an axis of unknown size.
    """
    opsets = _opsets(name, model)
    by_value = {_named(model.graph, way): span for way, span in spans.items()}
    if model.functions:
        model = _inlined(name, model)
    graph = model.graph
    stated = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    if not all(isinstance(each.name, str) for each in stated):
        raise UsageError(f"{name} is damaged: a value has a name that is not UTF-8")
    initializers = _initializers(name, graph)
    inputs = [each for each in graph.input if each.name not in initializers]
    nodes = in_order(name, graph.node, {*initializers, *(each.name for each in inputs)})
    outputs = tuple(dict.fromkeys(each.name for each in graph.output if each.name))
    if not outputs:
        raise UsageError(f"{name} has no outputs")
    sized = tuple(_concrete_inputs(name, inputs, given, batch or {}))
    return Graph(
        name, opsets[""], sized, tuple(nodes), initializers, outputs,
        {each.name: each.type for each in (*graph.value_info, *graph.output)}, by_value, opsets,
    )  # fmt: skip


def _opsets(name: str, model: onnx.ModelProto) -> dict[str, int]:
    from onnx.defs import onnx_opset_version

    if not all(isinstance(each.domain, str) for each in model.opset_import):
        raise UsageError(f"{name} is damaged: a domain is not UTF-8")
    found = {"" if each.domain in STANDARD else each.domain: each.version for each in model.opset_import}
    if any(not 0 <= version < 1 << 31 for version in found.values()):
        raise UsageError(f"{name} has an opset that does not exist: {min(found.values())} to {max(found.values())}")
    opset = found.setdefault("", 0)
    if opset == 0 and len(found) > 1:
        opset = found[""] = onnx_opset_version()
    if opset < OLDEST_OPSET:
        older = f"opset {opset}" if opset else "no opset"
        raise UsageError(
            f"{name} has {older}; opset {OLDEST_OPSET} is the oldest that archcalc reads: "
            f"onnx.version_converter.convert_version(model, {OLDEST_OPSET}) rewrites it"
        )
    if opset > onnx_opset_version():
        raise UsageError(
            f"{name} has opset {opset}, and the installed onnx knows up to {onnx_opset_version()}: pip install -U onnx"
        )
    return found


def _named(graph: onnx.GraphProto, way: Way) -> str:
    """The name of the value whose array was left at the end of this way."""
    field, index = way[1]
    if field == _INITIALIZER:
        return str(graph.initializer[index].name)
    return next(iter(graph.node[index].output), "")


def _initializers(name: str, graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    found: dict[str, onnx.TensorProto] = {}
    for tensor in graph.initializer:
        if tensor.name in found:
            raise UsageError(f"{name} has two initializers named {tensor.name[:200]!r}")
        found[tensor.name] = tensor
    if graph.sparse_initializer:
        raise UsageError(f"{name} has sparse initializers, which archcalc does not read")
    return found


def in_order(name: str, nodes: Iterable[onnx.NodeProto], made: set[str]) -> list[onnx.NodeProto]:
    """The nodes so that each reads only what is made before it; those in order already stay as they are.

    Raises `UsageError` for a value that is made twice or never, and for a cycle.
    """
    nodes = list(nodes)
    for node in nodes:
        _check_names(name, node)
    makers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for output in node.output:
            if output and (output in makers or output in made):
                raise UsageError(f"{called(name, node)}: {output[:200]!r} is made twice")
            if output:
                makers[output] = index
    waits: list[int] = []
    readers: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        reads = {makers[each] for each in read_by(node) if each in makers}
        waits.append(len(reads))
        for source in reads:
            readers[source].append(index)
        missing = [each for each in node.input if each and each not in makers and each not in made]
        if missing:
            raise UsageError(f"{called(name, node)}: it reads {missing[0][:200]!r}, which nothing makes")
    ready = [index for index, count in enumerate(waits) if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        index = heapq.heappop(ready)
        order.append(nodes[index])
        for reader in readers[index]:
            waits[reader] -= 1
            if waits[reader] == 0:
                heapq.heappush(ready, reader)
    if len(order) < len(nodes):
        stuck = next(node for node, count in zip(nodes, waits, strict=True) if count)
        raise UsageError(f"{called(name, stuck)}: it is part of a cycle")
    return order


def _check_names(name: str, node: onnx.NodeProto) -> None:
    """Refuse names that are no text: protobuf gives bytes for those."""
    own = (node.name, node.op_type, node.domain, *node.input, *node.output, *(each.name for each in node.attribute))
    if not all(isinstance(each, str) for each in own):
        raise UsageError(f"{name} is damaged: a node has a name that is not UTF-8")


def read_by(node: onnx.NodeProto) -> Iterator[str]:
    """The names that a node reads, those of its subgraphs too."""
    yield from (each for each in node.input if each)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs) if attribute.HasField("g") or attribute.graphs else ():
            for inner in graph.node:
                yield from read_by(inner)
            yield from (each.name for each in graph.output)


def called(name: str, node: onnx.NodeProto) -> str:
    """A node as errors call it."""
    label = node.name or next((each for each in node.output if each), "")
    return f'{name}: node "{label[:200]}" ({node.op_type[:60]})'


# --- functions


def _inlined(name: str, model: onnx.ModelProto) -> onnx.ModelProto:
    from onnx import inliner

    functions = {_key(each): each for each in model.functions}
    _Sizes(name, functions).nodes(model.graph.node)
    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"{name}: its functions cannot be inlined: {str(error).splitlines()[0][:200]}") from None


def _key(each: Any) -> tuple[str, str, str]:
    """What a call names: domain, name and overload."""
    domain = "" if each.domain in STANDARD else each.domain
    return domain, getattr(each, "op_type", None) or each.name, getattr(each, "overload", "")


class _Sizes:
    """How many nodes the functions have when they are inlined, which a few lines can make astronomical."""

    def __init__(self, name: str, functions: Mapping[tuple[str, str, str], onnx.FunctionProto]) -> None:
        self.name = name
        self.functions = functions
        self.known: dict[tuple[str, str, str], int] = {}
        self.open: set[tuple[str, str, str]] = set()

    def nodes(self, nodes: Iterable[onnx.NodeProto]) -> int:
        """The number of nodes with every call in full. Raises `UsageError` for too many, and for a recursion."""
        count = 0
        for node in nodes:
            key = (("" if node.domain in STANDARD else node.domain), node.op_type, node.overload)
            count += self.function(key) if key in self.functions else 1
            for attribute in node.attribute:
                graphs = (attribute.g, *attribute.graphs) if attribute.HasField("g") or attribute.graphs else ()
                count += sum(self.nodes(graph.node) for graph in graphs)
            if count > MOST_NODES:
                raise UsageError(f"{self.name} has more than {MOST_NODES:,} nodes; no network needs that many")
        return count

    def function(self, key: tuple[str, str, str]) -> int:
        """The number of nodes of a function."""
        if key not in self.known:
            if key in self.open or len(self.open) > 50:
                raise UsageError(f"{self.name}: the function {key[1][:200]!r} calls itself, or functions nest too deep")
            self.open.add(key)
            self.known[key] = self.nodes(self.functions[key].node)
            self.open.discard(key)
        return self.known[key]


# --- inputs


def _concrete_inputs(
    name: str, inputs: Sequence[onnx.ValueInfoProto], given: InputShapes | None, batch: Mapping[str, int]
) -> Iterator[Input]:
    """The inputs; `given` are shapes without the batch, by name or that of the only one."""
    if not inputs:
        raise UsageError(f"{name} has no inputs: every value in it is a constant")
    shapes = {} if given is None else given_inputs(name, [each.name for each in inputs], given)
    for each in inputs:
        if not each.type.HasField("tensor_type"):
            raise UsageError(f"{name}: the input {each.name[:200]!r} is no tensor")
        axis = batch.get(each.name, _batch_by_name(each))
        yield Input(each.name, _shape(name, each, shapes.get(each.name), axis), each.type.tensor_type.elem_type, axis)


def _batch_by_name(each: onnx.ValueInfoProto) -> int:
    """The axis of the batch: the only one whose symbol says so, else the first."""
    symbols = [axis.dim_param.lower() for axis in each.type.tensor_type.shape.dim]
    called = [index for index, symbol in enumerate(symbols) if "batch" in symbol or symbol in ("n", "bs")]
    return called[0] if len(called) == 1 else 0


def _shape(name: str, each: onnx.ValueInfoProto, given: Shape | None, batch: int) -> tuple[int, ...]:
    """The shape of an input; a batch of unknown size is 1."""
    tensor = each.type.tensor_type
    if not tensor.HasField("shape"):
        if given is None:
            raise UsageError(f"{name}: the input {each.name[:200]!r} has no shape; give one with --input")
        return (*given[:batch], 1, *given[batch:])
    axes = [axis.dim_value if axis.HasField("dim_value") and axis.dim_value > 0 else None for axis in tensor.shape.dim]
    if any(axis.HasField("dim_value") and axis.dim_value < 0 for axis in tensor.shape.dim):
        raise UsageError(f"{name}: the input {each.name[:200]!r} has a negative size")
    if axes and axes[batch] is None and len(axes) > 1:
        axes[batch] = 1
    if given is not None:
        if len(given) != len(axes) - 1:
            raise UsageError(
                f"{name}: the input {each.name[:200]!r} has {len(axes) - 1} axes besides the batch; "
                f"{format_shape(given)} has {len(given)}"
            )
        axes = [*given[:batch], axes[batch], *given[batch:]]
    symbols = [str(axis.dim_param or "?") for axis in tensor.shape.dim]
    if None in axes:
        sizes = "×".join(symbol if size is None else str(size) for size, symbol in zip(axes, symbols, strict=True))
        raise UsageError(
            f"{name}: the input {each.name[:200]!r} is {sizes[:200]}, without a fixed size; give one with --input"
        )
    found = tuple(size for size in axes if size is not None)
    if any(size > LARGEST_SIZE for size in found):
        sizes = "×".join(map(str, found))[:200]
        raise UsageError(f"{name}: the input {each.name[:200]!r} is {sizes}; an axis has at most {LARGEST_SIZE:,}")
    return found
