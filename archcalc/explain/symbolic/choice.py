"""The layer that stands where two flows of one structure meet, of which each configuration has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from archcalc.core.shapes import Shape
from archcalc.explain.symbolic.paths import Deciding
from archcalc.ops.base import Pointwise


class Choice(Pointwise):
    """The first input where the guard holds, else the second; nothing is calculated."""

    kind: ClassVar[str] = "choice"
    stem: ClassVar[str] = "choice"
    family: ClassVar[str] = "arrange"
    most_inputs: ClassVar[int | None] = 2
    guard: Any = None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The shape of the one or the other, side by side; both must have as many axes."""
        guard: Deciding = self.guard
        first, other = inputs
        if len(first) != len(other):
            from archcalc.core.errors import ShapeError

            raise ShapeError("parts with different numbers of axes cannot be merged")
        return tuple([_chosen(guard, *sides) for sides in zip(first, other, strict=True)])


def _chosen(guard: Deciding, yes: Any, no: Any) -> Any:
    if yes is no or (not isinstance(yes, Deciding) and not isinstance(no, Deciding) and yes == no):
        return yes
    if isinstance(yes, Deciding) and isinstance(no, Deciding) and yes.node is no.node:
        return yes
    return guard.path.choice(guard, yes, no)
