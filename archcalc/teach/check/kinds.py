"""How unlike a layer is the kinds that a row may mean."""

from __future__ import annotations

from archcalc.ops import OPS
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Row
from archcalc.teach.check.labels import STATISTICS, Label
from archcalc.teach.check.numbering import families

#: Families that keep shapes and have few or no parameters: tables have a row for them or have not.
MINOR = ("activation", "regularisation", "normalisation", "shape", "input")
#: Ops of these families do not stand for one another.
_DISTINCT = ("merge", "parameter", "shape", "normalisation")
#: What speaks against a layer of a kind that is related, or where the kind is not known.
RELATED, UNKNOWN = 50, 40
#: A dense layer that is called a convolution, or the other way round: only where nothing is wrong with it so.
OTHER_KIND = 2 * RELATED


def kind_cost(kinds: tuple[str, ...], row: Row) -> int | None:
    """How unlike a layer is the kinds of a label; None where they cannot be the same."""
    kind, family = row.op.kind, row.op.family
    if not kinds:
        if family == "input":
            return UNKNOWN + RELATED
        return None if family in MINOR else UNKNOWN
    own = families(kinds)
    if kind in kinds or (kinds == STATISTICS and isinstance(row.op, BatchNorm) and row.op.counts_values):
        return 0
    if family not in _DISTINCT and family in own:
        is_plain = family != "convolution" or any(kind.startswith("conv") and kind[4].isdecimal() for kind in kinds)
        return RELATED if is_plain else None  # a transposed convolution is no other one
    if {family, *own} <= {"convolution", "dense"}:
        return OTHER_KIND if _is_either(row) else None
    if "softmax" in kinds and family == "dense":
        return RELATED  # the classifier before it, where a table has one row for both
    return None


def _is_either(row: Row) -> bool:
    """Whether a convolution is a dense layer too: of one position, with a window as large as the map."""
    shapes = (row.output_shape,) if row.op.family == "convolution" else row.input_shapes
    is_single = all(side == 1 for shape in shapes for side in shape[1:])
    return is_single == (row.op.family == "convolution")


def is_minor(label: Label) -> bool:
    """Whether a label means a layer that tables have a row for or have not."""
    return bool(label.kinds) and all(OPS[kind].family in MINOR for kind in label.kinds)
