"""A row of the tables of ops: an op on small inputs, and what must come out."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.core.shapes import Shape
from archcalc.ops import Operations


class Row(NamedTuple):
    """An op on its inputs, and what must come out. `counts` are Operations in their order."""

    kind: str
    fields: dict[str, Any]
    inputs: tuple[Shape, ...]
    output: Shape
    params: int = 0
    macs: int = 0
    counts: Operations = Operations()
    fixed: int = 0
    buffers: int = 0


def label(row: Row) -> str:
    """The op and the shapes that it reads."""
    return f"{row.kind}-{'-'.join('x'.join(map(str, shape)) for shape in row.inputs)}"
