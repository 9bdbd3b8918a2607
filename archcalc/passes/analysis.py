"""All numbers of a network: the passes, run once, as rows and totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archcalc.core.conventions import BYTES, Conventions
from archcalc.core.errors import Problem, SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.base import Op, Operations
from archcalc.passes.depth import weighted_depth
from archcalc.passes.memory import Memory, measure_memory
from archcalc.passes.operations import Work, count_operations
from archcalc.passes.params import ParamCount, count_params
from archcalc.passes.receptive_field import ReceptiveField, receptive_fields
from archcalc.passes.shapes import ShapedLayer, infer_shapes

LARGEST_BATCH = 1 << 20


class Row(NamedTuple):
    """The numbers of one layer. Shapes are (C, H, W) or (N,); counts are per image, bytes for the whole batch."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    params: int
    trainable_params: int
    buffers: int
    multiplications: int
    operations: Operations
    activations: int
    activation_bytes: int
    receptive_field: ReceptiveField | None

    @property
    def summary(self) -> str:
        """The op in a few words: conv 11×11, 96, /4."""
        return self.op.summary(self.input_shapes)


class Totals(NamedTuple):
    """Sums over the layers, and the peak of live activations with the layer where it is reached."""

    params: int
    trainable_params: int
    buffers: int
    multiplications: int
    operations: Operations
    activations: int
    activation_bytes: int
    param_bytes: int
    peak_activation_bytes: int
    peak_layer: str


@dataclass(frozen=True)
class Analysis:
    """A network and its numbers. `problems` is empty unless a layer failed; `rows` then ends before it."""

    graph: LayerGraph
    rows: tuple[Row, ...]
    memory: Memory
    conventions: Conventions
    batch: int
    dtype: str
    problems: tuple[Problem, ...] = ()

    @cached_property
    def totals(self) -> Totals:
        """Column sums of the rows."""
        columns = zip(*(row.operations for row in self.rows), strict=True)
        size = BYTES[self.dtype]
        params = sum(row.params for row in self.rows)
        buffers = sum(row.buffers for row in self.rows)
        return Totals(
            params=params,
            trainable_params=sum(row.trainable_params for row in self.rows),
            buffers=buffers,
            multiplications=sum(row.multiplications for row in self.rows),
            operations=Operations(*(sum(column) for column in columns)),
            activations=sum(row.activations for row in self.rows),
            activation_bytes=sum(row.activation_bytes for row in self.rows),
            param_bytes=params * size,
            peak_activation_bytes=self.memory.peak * size * self.batch,
            peak_layer=self.rows[self.memory.peak_layer].name,
        )

    @cached_property
    def depth(self) -> int:
        """Convolution and dense layers on the longest path, as in "ResNet-50"."""
        sources = [layer.inputs for layer in self.graph.layers[: len(self.rows)]]
        return weighted_depth(sources, [row.multiplications for row in self.rows])

    @cached_property
    def by_name(self) -> Mapping[str, Row]:
        return {row.name: row for row in self.rows}

    def __getitem__(self, name: str) -> Row:
        """The row of a layer. Raises `KeyError`."""
        return self.by_name[name]


def analyse(
    graph: LayerGraph,
    batch: int = 1,
    dtype: str = "float32",
    conventions: Conventions | None = None,
    partial: bool = False,
) -> Analysis:
    """Run every pass over a network.

    Raises `SpecError` where a layer does not fit; with `partial` the rows before it are returned, and the problems
    beside them. Raises `UsageError` for a batch or dtype that does not exist.
    """
    conventions = conventions or Conventions()
    if dtype not in BYTES:
        raise UsageError(f"there is no dtype {dtype!r}; there are {', '.join(BYTES)}")
    if not 1 <= batch <= LARGEST_BATCH:
        raise UsageError(f"the batch must lie between 1 and {LARGEST_BATCH:,}, not {batch}")
    shapes = infer_shapes(graph, conventions.strict)
    if shapes.problems and not partial:
        raise SpecError(shapes.problems)
    layers = shapes.layers
    memory = measure_memory(graph, layers, conventions.in_place)
    fields = receptive_fields(layers)
    size = BYTES[dtype] * batch
    names = [layer.name for layer in graph.layers]
    counts: dict[int, tuple[ParamCount, Work]] = {}
    for layer in layers:
        if layer.key not in counts:
            counts[layer.key] = (count_params(layer), count_operations(layer))
    rows = tuple(
        make_row(layer, *counts[layer.key], field, stored, size, names, conventions)
        for layer, field, stored in zip(layers, fields, memory.stored, strict=True)
    )
    return Analysis(graph, rows, memory, conventions, batch, dtype, shapes.problems)


def make_row(
    shaped: ShapedLayer,
    counted: ParamCount,
    work: Work,
    field: ReceptiveField | None,
    stored: int,
    size: int,
    names: Sequence[str],
    conventions: Conventions,
) -> Row:
    """The row of a layer: `stored` values of `size` bytes each; `names` are those of all layers, by index."""
    params, buffers = counted.params, counted.buffers
    if conventions.running_statistics:
        params, buffers = params + buffers, 0
    return Row(
        shaped.layer.name,
        shaped.op,
        tuple([names[source] for source in shaped.layer.inputs]),
        shaped.inputs,
        shaped.output,
        params,
        counted.trainable,
        buffers,
        work.macs,
        work.operations,
        stored,
        stored * size,
        field,
    )
