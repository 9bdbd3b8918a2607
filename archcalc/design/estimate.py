"""How long a network takes at least: the roofline model, layer by layer.

A layer can be no quicker than its operations at the device's highest rate, and no quicker than its bytes at the highest
bandwidth. Source: Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archcalc.core.conventions import BYTES
from archcalc.core.language import mark
from archcalc.design.devices import Device
from archcalc.ops.base import elements
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.traffic import bytes_moved, operations_done

COMPUTE, MEMORY = mark("compute"), mark("memory")


class Bound(NamedTuple):
    """A layer for the whole batch; `operations` and `bytes` are None where the op cannot be counted.

    `by` is what takes longer, compute or memory; empty where nothing is done or known.
    """

    layer: int
    operations: int | None
    bytes: int | None
    seconds: float
    by: str

    @property
    def intensity(self) -> float | None:
        """Operations for each byte; None where nothing is moved or known."""
        return self.operations / self.bytes if self.bytes and self.operations is not None else None


class Timed(NamedTuple):
    """Seconds that a run took for some layers, in order, which ran as one.

    `transformed`: by Winograd's algorithm, with fewer multiplications than the convolution that the bound is of.
    """

    layers: tuple[int, ...]
    seconds: float
    transformed: bool = False


@dataclass(frozen=True)
class Estimate:
    """The bounds of all layers on a device, and the times of a run where there was one."""

    analysis: Analysis
    device: Device
    rate: int
    bounds: tuple[Bound, ...]
    run: tuple[Timed, ...] = ()

    @property
    def ridge(self) -> float:
        """Operations for each byte at which compute and memory take equally long."""
        return self.rate / self.device.bandwidth

    @property
    def source(self) -> str:
        """Where the two rates that it is calculated with come from."""
        return self.device.source_in(self.analysis.dtype)

    @property
    def operations(self) -> int:
        """Operations of all layers that can be counted."""
        return sum(bound.operations or 0 for bound in self.bounds)

    @property
    def bytes(self) -> int:
        """Bytes that all layers move that can be counted."""
        return sum(bound.bytes or 0 for bound in self.bounds)

    @property
    def seconds(self) -> float:
        """The bounds of all layers, one after the other."""
        return sum(bound.seconds for bound in self.bounds)

    @cached_property
    def on_chip_bytes(self) -> int:
        """Bytes that are moved even if no map between two layers leaves the chip: parameters, inputs and outputs."""
        analysis, last = self.analysis, len(self.analysis.rows)
        maps = [row.output_shape for row in analysis.rows if row.op.is_input]
        maps += [analysis.rows[output.layer].output_shape for output in analysis.graph.outputs if output.layer < last]
        values: int = sum(map(elements, maps)) * analysis.batch + sum(map(self._arrays, analysis.rows))
        return values * BYTES[analysis.dtype]

    def _arrays(self, row: Row) -> int:
        if row.not_counted:
            return 0
        read: int = row.op.params_read(row.output_shape, self.analysis.batch, row.params + row.buffers)
        return read

    @property
    def on_chip_seconds(self) -> float:
        """The bound that holds however layers are fused and maps are cached."""
        return max(self.operations / self.rate, self.on_chip_bytes / self.device.bandwidth)

    @property
    def run_seconds(self) -> float | None:
        """Seconds of the whole run; None where there was none."""
        return sum(part.seconds for part in self.run) if self.run else None

    @property
    def transformed(self) -> int:
        """How many convolutions the run computed by Winograd's algorithm: their bound does not hold for it."""
        return sum(part.transformed for part in self.run)

    @property
    def not_counted(self) -> list[str]:
        """The layers whose cost is not known: the time is at least that of the others."""
        rows = self.analysis.rows
        return [rows[bound.layer].name for bound in self.bounds if bound.operations is None or bound.bytes is None]

    def waiting(self, by: str) -> list[Bound]:
        """The layers that are bound by compute or by memory."""
        return [bound for bound in self.bounds if bound.by == by]


def estimate(analysis: Analysis, device: Device, run: Sequence[Timed] = ()) -> Estimate:
    """The bound of each layer. Raises `UsageError` where the device has no rate for the dtype of the analysis."""
    rate = device.rate(analysis.dtype)
    bounds = [_bound(analysis, layer, rate, device.bandwidth) for layer in range(len(analysis.rows))]
    return Estimate(analysis, device, rate, tuple(bounds), tuple(run))


def _bound(analysis: Analysis, layer: int, rate: int, bandwidth: int) -> Bound:
    operations, moved = operations_done(analysis, layer), bytes_moved(analysis, layer)
    done, carried = operations or 0, moved or 0
    # Whole numbers are compared, so that the ridge itself is on one side on every machine.
    by = COMPUTE if done * bandwidth > carried * rate else MEMORY if carried else ""
    return Bound(layer, operations, moved, max(done / rate, carried / bandwidth), by)
