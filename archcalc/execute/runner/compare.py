"""What was executed against what the analysis says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import NamedTuple

from archcalc.core.conventions import BYTES
from archcalc.core.shapes import Shape, format_shape
from archcalc.execute.execution import ExecutedLayer, Execution
from archcalc.execute.kernels import Matrices
from archcalc.passes.analysis import Analysis, Row


class Difference(NamedTuple):
    """A quantity of a layer for which the run and the analysis disagree, or values that plain kernels do not give."""

    layer: str
    quantity: str
    executed: str
    analysed: str

    def __str__(self) -> str:
        values = f"executed {self.executed}, the analysis says {self.analysed}" if self.analysed else self.executed
        return f"{self.layer}: {self.quantity}: {values}"


def compare(execution: Execution, analysis: Analysis, memory: bool = False) -> list[Difference]:
    """Every difference, layer by layer; with `memory` in the bytes that were live too."""
    differences: list[Difference] = []
    size = BYTES[analysis.dtype] * execution.batch
    for layer, row, live in zip(execution.layers, analysis.rows, analysis.memory.live, strict=True):
        differences += _layer(layer, row)
        if layer.dtype != analysis.dtype:
            differences.append(Difference(row.name, "dtype", layer.dtype, analysis.dtype))
        if memory and layer.live_bytes != live * size:
            differences.append(Difference(row.name, "live bytes", f"{layer.live_bytes:,}", f"{live * size:,}"))
    differences += _totals(execution, analysis)
    if execution.values is not None:
        differences += [Difference(each.layer, "values", each.difference, "") for each in execution.values.differences]
    return differences


def _layer(layer: ExecutedLayer, row: Row) -> Iterator[Difference]:
    if layer.shape != row.output_shape:
        yield Difference(row.name, "output shape", format_shape(layer.shape), format_shape(row.output_shape))
    claimed = {param.name: param.shape for param in row.op.param_shapes(row.input_shapes)}
    if dict(layer.arrays) != claimed:
        yield Difference(row.name, "parameters", _listed(layer.arrays), _listed(claimed))
    if layer.multiplications != row.multiplications:
        yield Difference(row.name, "multiplications", f"{layer.multiplications:,}", f"{row.multiplications:,}")
    if layer.matrices is not None:
        yield from _matrices(layer.matrices, row)


def _matrices(executed: Matrices, row: Row) -> Iterator[Difference]:
    claim = row.op.matrix_product(row.input_shapes, row.output_shape)
    if claim is None:
        yield Difference(row.name, "matrices", str(executed), "none")
        return
    claimed = Matrices(claim.weights, claim.patches, (claim.weights[0], claim.patches[1]), claim.count)
    if executed != claimed:
        yield Difference(row.name, "matrices", str(executed), str(claimed))


def _totals(execution: Execution, analysis: Analysis) -> Iterator[Difference]:
    executed = {
        "parameters and buffers": parameters(execution),
        "multiplications": sum(layer.multiplications for layer in execution.layers),
    }
    totals = analysis.totals
    analysed = {
        "parameters and buffers": totals.params + totals.buffers,
        "multiplications": totals.multiplications,
    }
    for quantity, value in executed.items():
        if value != analysed[quantity]:
            yield Difference("total", quantity, f"{value:,}", f"{analysed[quantity]:,}")


def parameters(execution: Execution) -> int:
    """Values of all arrays that were read, running statistics included; those that layers share count once."""
    read = {(layer.owner, name): shape for layer in execution.layers for name, shape in layer.arrays.items()}
    return sum(map(prod, read.values()))


def _listed(arrays: Mapping[str, Shape]) -> str:
    return ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in arrays.items()) or "none"
