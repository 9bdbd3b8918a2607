"""What each layer reads, writes and calculates for a batch: the two coordinates of a roofline."""

from __future__ import annotations

from archcalc.core.conventions import BYTES
from archcalc.ops.base import elements
from archcalc.passes.analysis import Analysis


def bytes_moved(analysis: Analysis, layer: int) -> int | None:
    """Bytes that the layer of an index reads and writes for the batch: inputs, parameters and output, each once.

    Of an input only what the windows reach, of an embedding only the rows that are looked up; parameters that are
    shared and running statistics are read too. An input of the network and a view move nothing. None where the op
    cannot be counted: it may be a view.
    """
    row = analysis.rows[layer]
    if row.operations is None:
        return None
    if row.op.is_input or row.op.is_view:
        return 0
    maps = row.op.values_read(row.input_shapes, row.output_shape) + elements(row.output_shape)
    owner = analysis.by_name[row.weights_of] if row.weights_of is not None else row
    arrays = row.op.params_read(row.output_shape, analysis.batch, owner.params + owner.buffers)
    count: int = maps * analysis.batch + arrays
    return count * BYTES[analysis.dtype]


def operations_done(analysis: Analysis, layer: int) -> int | None:
    """Operations of all kinds for the batch, a multiply-add as two; None where they cannot be counted."""
    operations = analysis.rows[layer].operations
    return None if operations is None else sum(operations) * analysis.batch
