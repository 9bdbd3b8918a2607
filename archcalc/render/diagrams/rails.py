"""Lines between cells that stand in rows: maps have tracks of their own, and no line runs through a cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import inf
from operator import itemgetter
from typing import NamedTuple

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.section import SAME, Block
from archcalc.render.diagrams.tracks import HEAD, NEAR, TRACK

#: What a corner and a crossing cost, as a length; and how many tracks are tried between two rows.
CORNER, CROSSING, MOST = 25.0, 60.0, 10
#: Between two rows without a line.
BETWEEN = 12.0


class Cell(NamedTuple):
    """A part of a row with positions of its own, and where it starts."""

    block: Block
    row: int
    start: float

    @property
    def end(self) -> float:
        return self.start + self.block.length


class Wanted(NamedTuple):
    """A map from a cell to another one, by their numbers."""

    name: str
    source: int
    target: int


class _Level(NamedTuple):
    """Where a part of a line lies: so far from the axis of a row, or in a track above a row."""

    row: int
    across: float = 0.0
    track: int | None = None


class _Piece(NamedTuple):
    """A straight part of a line: in which axis it is fixed, where, and from and to in the other one."""

    axis: int
    at: float
    low: float
    high: float


Way = tuple[tuple[float, _Level], ...]


class Rails:
    """The places of rows, and the lines."""

    def __init__(self, cells: Sequence[Cell], wanted: Sequence[Wanted]) -> None:
        self.cells, self.wanted = cells, wanted
        count = max(cell.row for cell in cells) + 1
        self.rows = [sorted((cell for cell in cells if cell.row == row), key=lambda cell: cell.start)
                     for row in range(count)]  # fmt: skip
        self.above = [max(cell.block.left for cell in row) for row in self.rows]
        self.below = [max(cell.block.right for cell in row) for row in self.rows]
        self.width = max(cell.end for cell in cells)
        #: The parts of lines so far, by the map; and the tracks above each row, and below the last one.
        self.pieces: dict[str, list[_Piece]] = {}
        self.axes: list[float] = []
        self.tracks: list[dict[int, float]] = []
        self.height = 0.0
        self._set([range(MOST)] * (count + 1))

    def _set(self, used: Sequence[Sequence[int]]) -> None:
        """Place the rows, with space for some tracks between them."""
        self.axes, self.tracks, low = [], [], 0.0
        for row, tracks in enumerate(used):
            outer = row in (0, len(self.rows))
            space = HEAD * (1 if outer else 2) + TRACK * (len(tracks) - 1) if tracks else 0.0 if outer else BETWEEN
            first, step = (low + space - HEAD, -TRACK) if row < len(self.rows) else (low + HEAD, TRACK)
            self.tracks.append({track: first + step * place for place, track in enumerate(sorted(tracks))})
            low += space
            if row < len(self.rows):
                self.axes.append(low + self.above[row])
                low = self.axes[-1] + self.below[row]
        self.height = low

    def lines(self) -> list[tuple[str, list[Point]]] | None:
        """The corners of each line, the shortest nearest to its row; None where there is no place for one."""
        longest: dict[str, float] = {}
        for want in self.wanted:
            longest[want.name] = max(longest.get(want.name, 0.0), self._length(want))
        found: list[tuple[Wanted, Way]] = []
        for want in sorted(self.wanted, key=lambda want: (longest[want.name], want.name, -self._length(want))):
            way = self._best(want)
            if way is None:
                return None
            found.append((want, way))
            self.pieces.setdefault(want.name, []).extend(self._pieces(way))
        used = [{level.track for _, way in found for _, level in way if level.row == row and level.track is not None}
                for row in range(len(self.tracks))]  # fmt: skip
        self._set([sorted(tracks) for tracks in used])
        return [(want.name, [(x, self._y(level)) for x, level in way]) for want, way in found]

    def _length(self, want: Wanted) -> float:
        return self.cells[want.target].start - self.cells[want.source].end

    def _y(self, level: _Level) -> float:
        return self.axes[level.row] + level.across if level.track is None else self.tracks[level.row][level.track]

    def _ways(self, want: Wanted) -> Iterator[Way]:
        """Straight across, with one step, and by way of a track."""
        source, target = self.cells[want.source], self.cells[want.target]
        start = source.end, _Level(source.row, source.block.exits[want.name])
        goal = target.start, _Level(target.row, target.block.entries[want.name])
        level = source.row == target.row and abs(start[1].across - goal[1].across) < SAME
        if level and self._is_free(source.row, start[0], goal[0]):
            yield start, goal
            return
        places = [HEAD + TRACK * number for number in range(MOST // 2)]
        out = [x for place in places if self._is_free(source.row, start[0], x := start[0] + place)]
        into = [x for place in places if self._is_free(target.row, x := goal[0] - place, goal[0])]
        low, high = sorted((source.row, target.row))
        for x in dict.fromkeys((*out, *into)):
            reaches = start[0] < x < goal[0] and self._is_free(source.row, start[0], x)
            if reaches and self._is_free(target.row, x, goal[0]) and self._may_pass(x, low + 1, high):
                yield start, (x, start[1]), (x, goal[1]), goal
        for row, track in product(range(low, high + 2), range(MOST)):
            lane = _Level(row, track=track)
            firsts = [x for x in out if self._reaches(x, source.row, row)]
            lasts = [x for x in into if self._reaches(x, target.row, row)]
            for first, last in product(firsts, lasts):
                yield start, (first, start[1]), (first, lane), (last, lane), (last, goal[1]), goal

    def _is_free(self, row: int, low: float, high: float) -> bool:
        """Whether nothing stands in a row between two places."""
        return not any(cell.start < high - SAME and low + SAME < cell.end for cell in self.rows[row])

    def _may_pass(self, x: float, low: int, high: int) -> bool:
        """Whether a line may run past some rows."""
        return not any(cell.start - NEAR < x < cell.end + NEAR for row in self.rows[low:high] for cell in row)

    def _reaches(self, x: float, row: int, channel: int) -> bool:
        """Whether a line may run from the axis of a row to the tracks above another one."""
        return self._may_pass(x, channel, row) if channel <= row else self._may_pass(x, row + 1, channel)

    def _pieces(self, way: Way) -> list[_Piece]:
        found = []
        for (x, level), (u, other) in pairwise(way):
            y, v = self._y(level), self._y(other)
            found.append(_Piece(0, x, *sorted((y, v))) if abs(x - u) < SAME else _Piece(1, y, *sorted((x, u))))
        return found

    def _best(self, want: Wanted) -> Way | None:
        """The way with the fewest corners and crossings that adds the least length; None where there is none."""
        own = self.pieces.get(want.name, [])
        others = [piece for name, pieces in self.pieces.items() if name != want.name for piece in pieces]
        best: tuple[float, Way | None] = (inf, None)
        for least, way, pieces in sorted((self._new(way, own) for way in self._ways(want)), key=itemgetter(0)):
            if least >= best[0]:
                break
            crossings = _crossings(pieces, others)
            if crossings is not None and least + CROSSING * crossings < best[0]:
                best = least + CROSSING * crossings, way
        return best[1]

    def _new(self, way: Way, own: Sequence[_Piece]) -> tuple[float, Way, list[_Piece]]:
        """The length of what a way has next to the lines of its own map, with its corners; and those parts."""
        cost, found = 0.0, []
        for piece in self._pieces(way):
            shared = [min(piece.high, other.high) - max(piece.low, other.low) for other in own
                      if other.axis == piece.axis and abs(other.at - piece.at) < SAME]  # fmt: skip
            length = piece.high - piece.low - max([0.0, *shared])
            if length >= SAME:
                cost += length + CORNER
                found.append(piece)
        return cost, way, found


def _crossings(pieces: Sequence[_Piece], others: Sequence[_Piece]) -> int | None:
    """How often parts of lines cross those of other maps; None where they lie on them."""
    count = 0
    for piece, other in product(pieces, others):
        if other.axis != piece.axis:
            count += other.low < piece.at < other.high and piece.low < other.at < piece.high
        elif abs(other.at - piece.at) < NEAR and min(piece.high, other.high) > max(piece.low, other.low):
            return None
    return count
