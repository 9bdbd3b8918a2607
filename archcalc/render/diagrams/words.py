"""The words in a diagram's boxes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from archcalc.passes.analysis import Row

_PLAIN = re.compile(r"[\d_ -]")
#: How a box counts the layers of a block.
_COUNTED = {"conv2d": "conv", "conv_transpose2d": "transposed conv", "linear": "dense", "max_pool2d": "max pool",
            "avg_pool2d": "avg pool", "global_avg_pool2d": "global pool", "concat": "concat", "add": "add"}  # fmt: skip
_SMALL = frozenset({"activation", "normalisation", "regularisation", "merge"})


def figure(number: float) -> str:
    """Three digits and K, M or B (thousand, million, billion): 70.4 K, 1.08 B."""
    value, unit = float(number), ""
    for larger in ("K", "M", "B", "T"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    if not unit:
        return f"{number:g}" if number == int(number) else f"{number:.3g}"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def is_small(row: Row) -> bool:
    """Whether a layer is drawn as one line."""
    return row.op.family in _SMALL and not row.multiplications


def suffix(row: Row, label: str) -> str:
    """What stands next to the name of a small layer: nothing where the name says it."""
    summary = row.summary
    leaf = _PLAIN.sub("", label.rpartition("/")[2].lower())
    same = leaf == _PLAIN.sub("", summary.lower()) or (leaf == "concat" and row.op.kind == "concat")
    parts = [] if same else [summary]
    if row.params:
        parts.append(f"{row.params:,} params")
    return " · ".join(parts)


def composition(rows: Sequence[Row]) -> str:
    """What a block is made of: 6 conv · max pool · concat."""
    counts = Counter(_COUNTED[row.op.kind] for row in rows if row.op.kind in _COUNTED)
    parts = [f"{counts[name]} {name}" if counts[name] > 1 else name for name in _COUNTED.values() if counts[name]]
    others = dict.fromkeys(row.op.kind.removesuffix("2d").replace("_", " ") for row in rows)
    return " · ".join(parts[:4] or list(others)[:4])


def shortcut(rows: Sequence[Row]) -> str:
    """A shortcut by its layers: none, some without weights, or a projection (He et al. 2016, section 3.3)."""
    if not rows:
        return "identity shortcut"
    return "projection shortcut" if any(row.params for row in rows) else "zero-padded shortcut"


def span(first: str, last: str) -> str:
    """The names of a run of blocks: unit2–4, or the first and the last."""
    if first == last:
        return first
    common = 0
    while common < min(len(first), len(last)) and first[common] == last[common]:
        common += 1
    while common and first[common - 1].isdigit():
        common -= 1
    if common and first[common:].isdigit() and last[common:].isdigit():
        return f"{first}–{last[common:]}"
    return f"{first} … {last}"
