"""Parameters of a block: names for the numbers in which its uses differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.interop.structure_parts import Block, Hole
from archcalc.spec.expressions import KEYWORDS, SIZE_FUNCTIONS, SIZE_NAMES


def parameters_of(block: Block, columns: Mapping[Hole, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Parameters for the numbers that differ, in the order of the lines.

    Numbers that are equal or multiples in all uses share one, where they are settings that depend on each other:
    widths on widths. A width that is 16 times the stride is so by accident.
    """
    varying = {hole: column for hole, column in columns.items() if len(set(column)) > 1}
    stands_for: dict[Hole, Hole] = {}
    own: list[Hole] = []
    # The smallest numbers first: the others may be multiples of them.
    for hole, column in sorted(varying.items(), key=lambda pair: (not _whole(pair[1]), sum(pair[1]))):
        found = next((known for known in own if _depends(hole, known, _factor(varying[known], column))), hole)
        stands_for[hole] = found
        if found == hole:
            own.append(hole)
    names: dict[Hole, str] = {}
    for hole in varying:
        if hole in own:
            is_only = sum(other[1] == hole[1] for other in own) == 1
            names[hole] = _parameter_name(block, hole, set(names.values()), is_only)
    for hole, column in varying.items():
        factor, name = _factor(varying[stands_for[hole]], column), names[stands_for[hole]]
        block.holes[hole] = name if factor == 1 else f"{factor}*{name}"
    return {name: varying[hole] for hole, name in names.items()}


#: Settings that count channels, or parts of them: one may be a multiple of another.
_WIDTHS = frozenset({"out_channels", "out_features", "hidden_size", "embed_dim", "kdim", "vdim", "groups", "num_groups",
                     "num_heads", "num_parameters"})  # fmt: skip
#: Settings that are equal where a window keeps the size of its map.
_MARGINS = frozenset({"padding", "dilation"})


def _depends(hole: Hole, known: Hole, factor: int) -> bool:
    """Whether a setting that is so many times another one may depend on it."""
    pair = {hole[1], known[1]}
    return pair <= _WIDTHS if factor > 1 else bool(factor) and (len(pair) == 1 or pair <= _WIDTHS or pair <= _MARGINS)


def _whole(column: Sequence[Any]) -> bool:
    return all(isinstance(value, int) for value in column)


def _factor(known: tuple[Any, ...], column: tuple[Any, ...]) -> int:
    """By which whole number a column is a multiple of another one everywhere; 0 where it is none."""
    if known == column:
        return 1
    if not _whole(known) or not _whole(column) or 0 in known:
        return 0
    factor: int = column[0] // known[0]
    same = factor > 1 and all(value == factor * own for value, own in zip(column, known, strict=True))
    return factor if same else 0


def _parameter_name(block: Block, hole: Hole, taken: set[str], is_only: bool) -> str:
    """The name of the setting; where several lines have one of their own, with that of the line before it."""
    place, setting = hole
    item = block.body.items[place]
    if setting == "repeat":
        setting = "units"
    line = re.sub(r"\W+", "_", item.name.partition("/")[0]).strip("_").lower()
    named = f"{line}_{setting}" if line.isidentifier() else f"{setting}_{line}"
    stems = [setting] if is_only else []
    stems += [named, *(f"{named}_{count}" for count in range(2, 2 + len(block.body.items)))]
    return next(name for name in stems if name not in taken and name not in _SIZES)


_SIZES = (*SIZE_NAMES, *SIZE_FUNCTIONS, *KEYWORDS, "i")
