"""All numbers of a network: the passes, run once, as rows and totals."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from archcalc.core.conventions import BYTES, PRODUCTS, Conventions
from archcalc.core.errors import Problem, SpecError, UsageError
from archcalc.core.language import say
from archcalc.core.shapes import LARGEST_BATCH, Shape
from archcalc.graph.layer_graph import Call, LayerGraph
from archcalc.ops.base import Op, Operations, elements
from archcalc.passes.depth import weighted_depth
from archcalc.passes.memory import Memory, measure_memory, stored_values
from archcalc.passes.no_field import NoField, fields_not_known
from archcalc.passes.operations import Work, count_operations
from archcalc.passes.params import ParamCount, count_params
from archcalc.passes.receptive_field import ReceptiveField, receptive_fields
from archcalc.passes.shapes import ShapedLayer, infer_shapes


class Row(NamedTuple):
    """The numbers of one layer. Shapes are (C, H, W) or (N,); counts are per image, bytes for the whole batch.

    `weights` and `biases` are the parameters apart, without running statistics.

    >>> import archcalc as ac
    >>> row = ac.analyse("alexnet")["conv1"]
    >>> row.output_shape, row.params, row.weights, row.biases, row.multiplications
    ((96, 55, 55), 34944, 34848, 96, 105415200)

    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    params: int
    weights: int
    biases: int
    trainable_params: int
    buffers: int
    #: None where they cannot be counted; so for `operations`.
    multiplications: int | None
    operations: Operations | None
    activations: int
    activation_bytes: int
    receptive_field: ReceptiveField | None
    #: The layer whose arrays it uses, which counts them; None: it has its own.
    weights_of: str | None = None
    #: What cannot be counted, by kind: of a layer itself, of a block once for each such layer in it.
    not_counted: tuple[str, ...] = ()
    #: How code calls it, where the network comes of code.
    call: Call | None = None
    #: Whether papers count its multiplications, as those of convolution and dense layers; the same by any convention.
    is_weighted: bool = False

    @property
    def summary(self) -> str:
        """The op in a few words: conv 11×11, 96, /4; conv 3×3, 64, weights of conv1."""
        summary = self.op.summary(self.input_shapes)
        if self.weights_of is None:
            return summary
        return say("{summary}, weights of {layer}", summary=summary, layer=self.weights_of)


class Totals(NamedTuple):
    """Sums over the layers, and the peak of live activations with the layer where it is reached.

    >>> import archcalc as ac
    >>> totals = ac.analyse("alexnet").totals
    >>> totals.params, totals.param_bytes, totals.peak_layer
    (62378344, 249513376, 'norm1')

    """

    params: int
    weights: int
    biases: int
    trainable_params: int
    buffers: int
    multiplications: int
    operations: Operations
    activations: int
    activation_bytes: int
    param_bytes: int
    peak_activation_bytes: int
    peak_layer: str
    #: What could not be counted, by kind, with the number of such layers: the multiplications and operations above are
    #: those of the other layers, so that the network makes at least as many.
    not_counted: Mapping[str, int] = MappingProxyType({})


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
    #: The values that the parameters have in memory, where params are counted as another tool does; None: params.
    stored_params: int | None = None

    @cached_property
    def totals(self) -> Totals:
        """Column sums of the rows."""
        params = sum(row.params for row in self.rows)
        buffers = sum(row.buffers for row in self.rows)
        return Totals(
            params=params,
            weights=sum(row.weights for row in self.rows),
            biases=sum(row.biases for row in self.rows),
            trainable_params=sum(row.trainable_params for row in self.rows),
            buffers=buffers,
            multiplications=sum(row.multiplications or 0 for row in self.rows),
            operations=sum_operations(self.rows),
            activations=sum(row.activations for row in self.rows),
            activation_bytes=sum(row.activation_bytes for row in self.rows),
            param_bytes=(params if self.stored_params is None else self.stored_params) * BYTES[self.dtype],
            peak_activation_bytes=self.memory.peak * BYTES[self.dtype] * self.batch,
            peak_layer=self.rows[self.memory.peak_layer].name,
            not_counted=not_counted(self.rows),
        )

    def describe_conventions(self) -> dict[str, str]:
        """What is counted, and how, in a sentence for each choice; kinds of layers that are not there are not named."""
        sentences = self.conventions.describe(self.batch, self.dtype, self.all_counted_kinds)
        if self.rows and len(self.rows[0].output_shape) != 3:
            sentences["receptive_field"] = say(
                "input positions that an output can depend on, padding included; not cut off at the ends of the input"
            )
        return sentences

    @property
    def counted_kinds(self) -> list[str]:
        """The kinds of layers whose multiplications count, besides convolution and dense layers."""
        return list(dict.fromkeys(row.op.counted_as for row in self.rows if row.multiplications and row.op.counted_as))

    @property
    def all_counted_kinds(self) -> list[str]:
        """The same with convolution and dense layers, unless others alone multiply."""
        others = self.counted_kinds
        has_products = any(row.multiplications and not row.op.counted_as for row in self.rows)
        return [PRODUCTS, *others] if has_products or not others else others

    @cached_property
    def depth(self) -> int:
        """Convolution and dense layers on the longest path, as in "ResNet-50"."""
        sources = [layer.inputs for layer in self.graph.layers[: len(self.rows)]]
        return weighted_depth(sources, [row.is_weighted for row in self.rows])

    @cached_property
    def fields_not_known(self) -> Mapping[str, NoField]:
        """The layers without a receptive field, each with the reason."""
        return fields_not_known(self.rows)

    @property
    def layer_count(self) -> int:
        """The layers, the inputs not among them."""
        return len(self.rows) - len(self.graph.inputs)

    @cached_property
    def by_name(self) -> Mapping[str, Row]:
        return {row.name: row for row in self.rows}

    def __getitem__(self, name: str) -> Row:
        """The row of a layer. Raises `KeyError`."""
        return self.by_name[name]


def sum_operations(rows: Sequence[Row]) -> Operations:
    """The operations of all layers that can be counted, by kind."""
    return Operations(*map(sum, zip(*(row.operations for row in rows if row.operations is not None), strict=True)))


def not_counted(rows: Iterable[Row]) -> Mapping[str, int]:
    """What cannot be counted, by kind, with the number of such layers."""
    return Counter(kind for row in rows for kind in row.not_counted)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Without the search for cycles, which rows have none of: it looks through all of them several times.

    Of a chain of 10,000 layers that takes a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collector()
def analyse(
    graph: LayerGraph,
    batch: int = 1,
    dtype: str = "float32",
    conventions: Conventions | None = None,
    partial: bool = False,
) -> Analysis:
    """Run every pass over a network.

    Raises `SpecError` where a layer does not fit; with `partial` the rows before it are returned together with the
    problems. Raises `UsageError` for a batch or dtype that does not exist.
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
    counts: dict[int, tuple[ParamCount, Work]] = {}

    names = [layer.name for layer in graph.layers]
    size = batch * BYTES[dtype]
    rows = []
    for layer, field, stored in zip(layers, fields, memory.stored, strict=True):
        own = layer.layer
        if layer.key not in counts:
            counts[layer.key] = (count_params(layer), count_operations(layer))
        sources = tuple([names[source] for source in own.inputs])
        owner = None if own.weights_of is None else names[own.weights_of]
        rows.append(_row(layer, *counts[layer.key], field, stored, sources, conventions, size, owner))
    return Analysis(graph, tuple(rows), memory, conventions, batch, dtype, shapes.problems)


def row_of(
    analysis: Analysis,
    layer: int,
    inputs: Sequence[Shape],
    output: Shape | None = None,
    op: Op | None = None,
    field: ReceptiveField | None = None,
    owner: bool = False,
) -> Row:
    """The row of a layer on inputs of other shapes, by the conventions, batch and dtype of the analysis.

    `layer` is its index. `output` and `op` stand in for what the layer has of its own, `field` is its receptive field
    (that of the analysis by default); `owner` gives it weights of its own. Raises `ShapeError` where the op does not
    take the inputs.
    """
    known, row = analysis.graph.layers[layer], analysis.rows[layer]
    weights_of = None if owner else row.weights_of
    if owner:
        known = known._replace(weights_of=None)
    op = (known.op if op is None else op).resolve(inputs)
    op.check(inputs)
    made = op.output_shape(inputs) if output is None else output
    shaped = ShapedLayer(known, op, tuple(inputs), made, layer)
    stored = stored_values(op, elements(made), analysis.conventions.in_place)
    counts = count_params(shaped), count_operations(shaped)
    size = analysis.batch * BYTES[analysis.dtype]
    return _row(
        shaped, *counts, field or row.receptive_field, stored, row.inputs, analysis.conventions, size, weights_of
    )


def _row(
    shaped: ShapedLayer,
    counted: ParamCount,
    work: Work,
    field: ReceptiveField | None,
    stored: int,
    sources: tuple[str, ...],
    conventions: Conventions,
    size: int,
    weights_of: str | None,
) -> Row:
    """The row of a layer: `stored` values of `size` bytes each; `sources` are the names of the layers that it reads.

    `weights_of` is the name of the layer whose arrays it uses.
    """
    params, buffers = counted.params, counted.buffers
    if conventions.running_statistics:
        params, buffers = params + buffers, 0
    return Row(
        shaped.layer.name,
        shaped.op,
        sources,
        shaped.inputs,
        shaped.output,
        params,
        counted.params - counted.biases,
        counted.biases,
        counted.trainable,
        buffers,
        work.macs,
        work.operations,
        stored,
        stored * size,
        field,
        weights_of,
        (shaped.op.not_counted,) if work.macs is None else (),
        shaped.layer.call,
        bool(work.macs),
    )
