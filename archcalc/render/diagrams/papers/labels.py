"""What is written at a layer of a figure: its name, what it does, and its numbers."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.core.language import say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Row
from archcalc.render.diagrams import words

#: What can be written at a layer.
LABELS = ("shape", "params", "macs", "kernel", "receptive_field")
#: Those that add up over layers.
COUNTS = ("params", "macs")
#: Names as papers write them, with the blocks around a layer, or none.
NAMES = ("paper", "full", "none")


def name_text(name: str, names: str) -> str:
    """The name of a layer; papers leave the blocks around it out."""
    return "" if names == "none" else name if names == "full" else name.rpartition("/")[2]


def label_texts(row: Row, labels: tuple[str, ...], others: Iterable[Row] = (), is_said: bool = False) -> list[str]:
    """One text for each label that a layer has; not whose weights it uses where that `is_said` around it.

    What is counted holds the `others` that are drawn with it.
    """
    rows = (row, *others)
    texts = [count_text(rows, label) if label in COUNTS else _text(row, label, is_said) for label in labels]
    return [text for text in texts if text]


def count_text(rows: Iterable[Row], label: str) -> str:
    """What some layers have together; nothing where they have none."""
    quantity = QUANTITIES["multiplications" if label == "macs" else label]
    total = quantity.sum_of(rows)
    return f"{words.figure(total)} {quantity.short}" if total else ""


def _text(row: Row, label: str, is_said: bool) -> str:
    if label == "kernel":
        return "" if row.op.family == "input" else words.summary(row, is_said)
    if label == "shape":
        return format_shape(row.output_shape)
    field = row.receptive_field
    return say("sees {size}", size="×".join(map(str, field.size))) if field is not None and field.axes else ""
