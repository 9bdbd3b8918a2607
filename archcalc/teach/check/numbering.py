"""How the rows of a table are numbered, and the numbers that layers have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from archcalc.ops import OPS
from archcalc.passes.analysis import Row
from archcalc.teach.check.labels import Label

_MAIN = ("convolution", "pooling", "dense")
_WEIGHTED = ("convolution", "dense")


class Numbering(Enum):
    """How the rows of a table are numbered."""

    #: Conv 1, conv 2, pool 1.
    BY_KIND = auto()
    #: Through the layers with weights: CONV1, POOL1, CONV2, FC3.
    WEIGHTED = auto()
    #: Through all rows: C1, S2, C3, or Conv2d-1, ReLU-2.
    ALL = auto()


class Place(NamedTuple):
    """The numbers of a layer: among its kind and its family, and among all that people count (0: not counted)."""

    of_kind: set[int]
    #: Of a convolution among those with each of its properties.
    of_narrow: Mapping[str, int]
    main: int
    weighted: int


def places(rows: Sequence[Row]) -> Iterator[Place]:
    """The numbers of each layer."""
    counts: Counter[str] = Counter()
    for row in rows:
        is_main, is_weighted = row.op.family in _MAIN, bool(row.multiplications)
        counts.update({row.op.kind, row.op.family})
        counts.update({"main": is_main, "weighted": is_weighted})
        of_kind = {counts[row.op.kind], counts[row.op.family]}
        narrow = [name for name, has_it in _NARROW.items() if has_it(row)]
        counts.update(narrow)
        yield Place(
            of_kind,
            {name: counts[name] for name in narrow},
            counts["main"] * is_main,
            counts["weighted"] * is_weighted,
        )


def is_depthwise(row: Row) -> bool:
    """Whether it is a convolution that reads each map alone."""
    return row.op.family == "convolution" and 1 < getattr(row.op, "groups", 1) == row.input_shapes[0][0]


def _is_pointwise(row: Row) -> bool:
    return set(getattr(row.op, "kernel_size", ())) == {1} and not is_depthwise(row)


def _is_grouped(row: Row) -> bool:
    return row.op.family == "convolution" and getattr(row.op, "groups", 1) > 1


def _is_dilated(row: Row) -> bool:
    return row.op.family == "convolution" and max(getattr(row.op, "dilation", (1,))) > 1


#: The properties of convolutions that names may say.
_NARROW: Mapping[str, Callable[[Row], bool]] = {
    "depthwise": is_depthwise,
    "pointwise": _is_pointwise,
    "grouped": _is_grouped,
    "dilated": _is_dilated,
}


def has_property(narrow: str, row: Row) -> bool:
    """Whether a layer is a convolution with this property."""
    return _NARROW[narrow](row)


def numbering(labels: Sequence[Label]) -> Numbering:
    """How the rows are numbered."""
    numbered = [label for label in labels if label.number is not None]
    weighted = [label for label in numbered if families(label.kinds) & set(_WEIGHTED)]
    if _is_rising(numbered) and len(weighted) < len(numbered):
        return Numbering.ALL
    return Numbering.WEIGHTED if _is_rising(weighted) else Numbering.BY_KIND


def _is_rising(labels: Sequence[Label]) -> bool:
    """Whether one numbering runs through labels of several kinds."""
    kinds = {label.kinds for label in labels}
    rising = all((one.number or 0) < (other.number or 0) for one, other in pairwise(labels))
    return len(kinds) > 1 and len(labels) > 2 and rising


def as_in_notes(labels: list[Label]) -> list[Label]:
    """Of POOL2 next to CONV3-64 the number is that of the window."""
    if not any(label.kernel and label.adjective != "pointwise" for label in labels):
        return labels
    return [
        label._replace(numbers=(), is_window=True)
        if label.number is not None and label.kinds and families(label.kinds) == {"pooling"}
        else label
        for label in labels
    ]


def renumbered(labels: list[Label], rows: Sequence[Row]) -> list[Label]:
    """Numbers that run on from elsewhere say no more than the order does: conv2d, conv2d_1, …, or conv2d_14."""
    found = list(labels)
    by_kind: dict[tuple[str, ...], list[int]] = {}
    for index, label in enumerate(labels):
        if label.kinds and len(label.numbers) <= 1:
            by_kind.setdefault(label.kinds, []).append(index)
    for kinds, indices in by_kind.items():
        numbers = [labels[index].number or 0 for index in indices]
        runs = all(second == first + 1 for first, second in pairwise(numbers))
        is_from_zero = numbers[0] == 0 and len(numbers) > 1
        # Names that Keras makes run through all models of a session, in the order in which layers were made.
        are_made = all(labels[index].is_typed and labels[index].is_made for index in indices)
        if (are_made and not runs) or (
            runs and (is_from_zero or numbers[-1] > sum(row.op.kind in kinds for row in rows))
        ):
            for index in indices:
                found[index] = labels[index]._replace(numbers=())
    return found


def numbered_by_kind(labels: Sequence[Label], layers_of: Callable[[Label], Sequence[int]]) -> dict[int, int] | None:
    """The layers that have the numbers of the labels among their kinds."""
    found: dict[int, int] = {}
    for key, layers in {(label.kinds, label.narrow): layers_of(label) for label in labels if label.kinds}.items():
        of_kinds = [index for index, label in enumerate(labels) if (label.kinds, label.narrow) == key]
        numbers = [labels[index].number or 0 for index in of_kinds]
        first = min(1, *numbers) if len(numbers) > 1 else numbers[0]
        if len(set(numbers)) < len(numbers) or max(numbers) - first >= len(layers):
            return None
        found |= {index: layers[number - first] for index, number in zip(of_kinds, numbers, strict=True)}
    return found


def families(kinds: Iterable[str]) -> set[str]:
    """The families of ops."""
    return {OPS[kind].family for kind in kinds}
