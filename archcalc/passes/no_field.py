"""Why a layer has no receptive field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from archcalc.core.language import mark, say
from archcalc.core.shapes import Shape
from archcalc.ops.base import UNKNOWN, VALUES, Op

#: By what is so of the layer where it begins.
_REASONS = {
    "size": mark("an input of another size than {first}, in whose positions it is measured ({layers})"),
    "blind": mark("no input is read ({layers})"),
    "opaque": mark("only the shape of the output is known ({layers})"),
    "ways": mark("positions see parts of the input in too many ways ({layers})"),
}
#: At most so many layers are named.
_MOST_NAMES = 3


class _Row(Protocol):
    """What a row of an analysis tells."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> Op: ...
    @property
    def inputs(self) -> Sequence[str]: ...
    @property
    def input_shapes(self) -> Sequence[Shape]: ...
    @property
    def receptive_field(self) -> object: ...


class NoField(NamedTuple):
    """Why a layer has none: a key of `_REASONS`, the layer where that begins, and the first input."""

    reason: str
    layer: str
    first: str


def fields_not_known(rows: Sequence[_Row]) -> Mapping[str, NoField]:
    """The layers without a receptive field, each with the reason."""
    blind: set[str] = set()
    found: dict[str, NoField] = {}
    for row in rows:
        if not row.op.is_input and blind.issuperset(row.inputs):
            blind.add(row.name)
        if row.receptive_field is None:
            reason, layer = _reason(row, blind, found)
            found[row.name] = NoField(reason, layer, rows[0].name)
    return found


def _reason(row: _Row, blind: set[str], found: Mapping[str, NoField]) -> tuple[str, str]:
    """Why a row has none, and the layer where that begins; `found` are those before it."""
    if not row.inputs:
        return ("blind" if row.name in blind else "size"), row.name
    for source, reads in zip(row.inputs, row.op.windows(row.input_shapes), strict=True):
        if source in found and (row.name in blind or (reads is not None and source not in blind)):
            return found[source][:2]
        if reads == UNKNOWN:
            return "opaque", row.name
        if reads == VALUES:
            return "size", source
    return "ways", row.name


def in_words(reasons: Iterable[NoField]) -> str:
    """Reasons as a list, each once, with the layers where they begin."""
    layers: dict[tuple[str, str], dict[str, None]] = {}
    for reason, layer, first in reasons:
        layers.setdefault((reason, first), {})[layer] = None
    return "; ".join(
        say(
            _REASONS[reason], first=first, layers=", ".join([*names][:_MOST_NAMES]) + ", …" * (len(names) > _MOST_NAMES)
        )
        for (reason, first), names in layers.items()
    )
