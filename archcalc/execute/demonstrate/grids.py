"""Maps and filters as matrices, and the cells that a window reads in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from archcalc.core.demonstration import Cell, Grid, Group, Written, written_number
from archcalc.core.language import say
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.windows import Frame

#: So many products of a sum are written out; of more the first, and how many there are.
MOST_TERMS = 9


def flat(array: Array) -> Array:
    """The last axes as a matrix: a signal is one row."""
    return array.reshape(1, -1) if array.ndim == 1 else array


def grid(name: str, array: Array, empty: bool = False, inner: tuple[int, int, int, int] | None = None) -> Grid:
    """A matrix of numbers; `empty` ones are written later."""
    shown = flat(array)
    rows = tuple(tuple(None if empty else float(value) for value in row) for row in shown)
    return Grid(name, rows, inner or (0, 0, *shown.shape))


def channels(letter: str, title: str, array: Array, empty: bool = False, frame: Frame | None = None) -> Group:
    """A map (C, *positions) as a matrix a channel; with a frame its padding is around it."""
    inner = None
    shown = array
    if frame is not None:
        shown = frame.pad(array[None])[0]
        begins, sizes = frame.begins, array.shape[1:]
        inner = (*begins, *sizes) if len(sizes) == 2 else (0, begins[0], 1, sizes[0])
    axes = ",".join(":" * (array.ndim - 1))
    return Group(title, tuple(grid(f"{letter}[{axes},{c}]", one, empty, inner) for c, one in enumerate(shown)))


class Places:
    """Where the groups of a demonstration begin, so that cells can be named by group, channel and position."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.first = [0]
        for group in groups:
            self.first.append(self.first[-1] + len(group.grids))

    def cell(self, group: int, channel: int, position: Sequence[int]) -> Cell:
        row, column = (0, position[0]) if len(position) == 1 else (position[0], position[1])
        return Cell(self.first[group] + channel, row, column)

    def everywhere(self, group: int, channel: int, array: Array) -> list[Cell]:
        """All cells of a matrix that holds an array."""
        return [self.cell(group, channel, position) for position in np.ndindex(*array.shape)]

    def written(self, group: int, channel: int, array: Array) -> list[Written]:
        """All values of a matrix."""
        return [
            Written(self.cell(group, channel, position), float(array[position]))
            for position in np.ndindex(*array.shape)
        ]


def window_cells(frame: Frame, starts: Sequence[range], position: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The positions of the padded map that the window at a position reads, tap by tap."""
    begins = [start[index] for start, index in zip(starts, position, strict=True)]
    for tap in np.ndindex(*frame.kernel_size):
        yield tuple(begin + by * step for begin, by, step in zip(begins, tap, frame.dilation, strict=True))


def bracketed(value: float) -> str:
    """A factor: what is negative in brackets."""
    text = written_number(value)
    return f"({text})" if text.startswith("−") else text


def products(first: Array, second: Array) -> str:
    """1·0 + 2·(−1) + …, of long ones the beginning."""
    pairs = list(zip(first.ravel(), second.ravel(), strict=True))
    shown = " + ".join(f"{bracketed(a)}·{bracketed(b)}" for a, b in pairs[:MOST_TERMS])
    return shown if len(pairs) <= MOST_TERMS else say("{terms} + … ({count} products)", terms=shown, count=len(pairs))


def terms(values: Sequence[float]) -> str:
    """3 + (−2) + 1, of long ones the beginning."""
    shown = " + ".join(bracketed(value) for value in values[:MOST_TERMS])
    return shown if len(values) <= MOST_TERMS else say("{terms} + … ({count} terms)", terms=shown, count=len(values))


def place_text(position: Sequence[int]) -> str:
    return ", ".join(map(str, position))
