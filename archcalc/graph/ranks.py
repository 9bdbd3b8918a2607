"""Inputs with another number of position axes than those that a network was written for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape, axes_written, format_shape
from archcalc.graph.layer_graph import Layer
from archcalc.graph.shaping import KnownShapes


def check_ranks(
    network: str, own: Mapping[str, Shape], given: Mapping[str, Shape], layers: Sequence[Layer] = ()
) -> None:
    """Raise `UsageError` where an input that is given has another number of position axes than that of the network.

    With its `layers` only where one of them does not take it, or where one of the two shapes is flat.
    """
    for name, shape in given.items():
        if len(shape) == len(own[name]):
            continue
        refusing = _of_other_rank(layers)
        if not layers or refusing or 1 in (len(shape), len(own[name])):
            wanted = f"{axes_written(len(own[name]) - 1)}, as {format_shape(own[name])}"
            count = f"{len(shape)} {'number' if len(shape) == 1 else 'numbers'}"
            reason = f", and {refusing.name} is a {refusing.op.kind}" if refusing else ""
            raise UsageError(f"{network} reads {wanted}; {format_shape(shape)} has {count}{reason}")


def _of_other_rank(layers: Sequence[Layer]) -> Layer | None:
    """The first layer that cannot be worked out, if that is because it slides over another number of axes."""
    known = KnownShapes(layers)
    for index, layer in enumerate(layers):
        if known.of(index) is None:
            ranks = {len(shape) - 1 for source in layer.inputs if (shape := known.of(source))}
            return layer if ranks - {getattr(layer.op, "rank", None)} and hasattr(layer.op, "rank") else None
    return None
