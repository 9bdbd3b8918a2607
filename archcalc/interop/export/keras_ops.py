"""How each op is spelt in Keras 3, with channels last. Calls of `ops` take the map as their first argument."""

from __future__ import annotations

from archcalc.interop.export import (
    keras_merges,
    keras_pointwise,
    keras_recurrent,
    keras_shapes,
    keras_trained,
    keras_windows,
)
from archcalc.interop.export.spelling import KERAS, Case, Speller, Spelling, entry_of
from archcalc.ops.reweighted import Reweighted

TABLE: dict[str, Speller] = {
    **keras_pointwise.TABLE,
    **keras_windows.TABLE,
    **keras_trained.TABLE,
    **keras_shapes.TABLE,
    **keras_merges.TABLE,
    **keras_recurrent.TABLE,
}
#: Ops that Keras has no layer for, or one that has other parameters.
NONE = frozenset(
    {
        "alpha_dropout",
        "circular_pad",
        "drop_block",
        "feature_alpha_dropout",
        "replication_pad",
    }
)


def spell(case: Case) -> Spelling:
    """The layer in Keras. Raises `UsageError` that names the layer where there is no such thing."""
    found = entry_of(TABLE, case, KERAS)
    if isinstance(case.op, Reweighted) and case.op.normalised():
        raise case.cannot(case.op.normalised()[0], KERAS)
    return found(case)
