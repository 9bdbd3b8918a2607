"""What a demonstration of a layer shows: matrices of numbers, and steps that read some and write others.

The executor makes it, and pictures and pages show it; neither knows the other.
"""

from __future__ import annotations

from typing import NamedTuple


class Grid(NamedTuple):
    """A matrix: its name, its numbers (None: not written yet), and how many of its first rows and columns are padding.

    `inner` is the part that is the map itself, as first row, first column, rows and columns; the rest is padding.
    """

    name: str
    values: tuple[tuple[float | None, ...], ...]
    inner: tuple[int, int, int, int]


class Group(NamedTuple):
    """Matrices that belong together, below each other: the channels of a map, or of a filter."""

    title: str
    grids: tuple[Grid, ...]


class Cell(NamedTuple):
    """A number of a matrix; matrices are counted over all groups."""

    grid: int
    row: int
    column: int


class Written(NamedTuple):
    """A number that a step writes in the place of what was there."""

    cell: Cell
    value: float


class Step(NamedTuple):
    """What happens at one place: what is read, which weights, what is written, and the calculation in words."""

    title: str
    read: tuple[Cell, ...]
    weights: tuple[Cell, ...]
    written: tuple[Written, ...]
    lines: tuple[str, ...]


class Demonstration(NamedTuple):
    """A layer at work, step by step; `notes` say what its settings do."""

    kind: str
    title: str
    subtitle: str
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    def grids(self) -> list[Grid]:
        """All matrices, as cells count them."""
        return [grid for group in self.groups for grid in group.grids]


def written_number(value: float) -> str:
    """A whole number without a point; others with at most three digits after it; a true minus sign."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    return text.replace("-", "−")
