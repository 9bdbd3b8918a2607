"""What is written at a layer of a figure: its name, what it does, and its numbers."""

from __future__ import annotations

from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Row
from archcalc.render.diagrams import words

#: What can be written at a layer.
LABELS = ("shape", "params", "macs", "kernel", "receptive_field")
#: Names as papers write them, with the blocks around a layer, or none.
NAMES = ("paper", "full", "none")


def name_text(name: str, names: str) -> str:
    """The name of a layer; papers leave the blocks around it out."""
    return "" if names == "none" else name if names == "full" else name.rpartition("/")[2]


def label_texts(row: Row, labels: tuple[str, ...], is_said: bool = False) -> list[str]:
    """One text for each label that a layer has; not whose weights it uses where that `is_said` around it."""
    return [text for label in labels if (text := _text(row, label, is_said))]


def _text(row: Row, label: str, is_said: bool) -> str:
    if label == "kernel":
        return "" if row.op.family == "input" else words.summary(row, is_said)
    if label == "shape":
        return format_shape(row.output_shape)
    if label == "receptive_field":
        field = row.receptive_field
        return say("sees {size}", size="×".join(map(str, field.size))) if field is not None and field.axes else ""
    quantity = QUANTITIES["multiplications" if label == "macs" else label]
    value = quantity.of(row)
    return f"{words.figure(value)} {quantity.short}" if value else ""
