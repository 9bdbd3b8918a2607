"""An analysis as a pandas table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.core.quantities import QUANTITIES
from archcalc.passes.analysis import Analysis, Row

if TYPE_CHECKING:
    import pandas


def to_pandas(analysis: Analysis) -> pandas.DataFrame:
    """A row for each layer, by its name. Shapes are (C, H, W) or (N,), counts per image, bytes for the whole batch.

    Columns: `op`, `summary`, `inputs`, `input_shapes`, then every quantity by its key. Those that add up have the
    sums of the totals. Raises `UsageError` where pandas is not installed.

    >>> from archcalc.passes.analysis import analyse
    >>> from archcalc.spec.catalogue import load
    >>> table = to_pandas(analyse(load("alexnet")))
    >>> int(table["params"].sum())
    62378344
    >>> table["params"].idxmax()
    'fc6'
    """
    try:
        import pandas
    except ImportError:
        raise UsageError("a table of pandas needs pandas: pip install pandas") from None
    cells = [_cells(row) for row in analysis.rows]
    index = pandas.Index([row.name for row in analysis.rows], name="layer", dtype=object)
    return pandas.DataFrame({key: [line[key] for line in cells] for key in cells[0]}, index=index)


def _cells(row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "op": row.op.kind, "summary": row.summary, "inputs": row.inputs, "input_shapes": row.input_shapes,
    }  # fmt: skip
    cells.update((key, quantity.of(row)) for key, quantity in QUANTITIES.items())
    field = row.receptive_field
    cells["receptive_field"] = field.size if field else None
    return cells
