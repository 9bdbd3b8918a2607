"""The layout that makes a diagram largest on a page of a given shape: its direction and its columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from operator import itemgetter

from archcalc.render.diagrams.columns import Plan, plan
from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.frames import LONGEST_PIECE
from archcalc.render.diagrams.measure import SMALL
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.pack import MOST_LINES, Layout, assemble, cut_ranges, make_segments
from archcalc.render.diagrams.ushape import u_layout

DIRECTIONS = ("fit", "TB", "LR")
#: Margins, title and legend: what a drawing has around its layout; on a slide the legend stands next to the title.
AROUND, ON_SLIDE, UNTITLED = (40.0, 122.0), (40.0, 86.0), (40.0, 76.0)
#: A slide of 13.3 × 7.5 inches in points; pages that are higher than wide are sheets of A4.
PAGES = {"slide": (960.0, 540.0), "sheet": (595.0, 842.0)}
#: The size of a text that can be read, and of one that is large enough.
READABLE, LARGE = 9.0, 17.0
#: In the shape of its network a figure says so much that its texts may be smaller.
READABLE_U = 7.5
#: What turning at the end of a line costs the reader, as a share of the size: once, and for each further line.
FIRST_TURN, TURN = 0.12, 0.03
#: What a layout without turns gains once its texts can be read.
STRAIGHT = 1.3
#: What each further map costs that turns with the first one, and what columns of layers gain over rows.
LANE_COST, ROWS_COST = 0.12, 0.2
#: What a figure in the shape of the network gains.
U_GAIN = 1.6
#: How much of these costs counts as long as texts are too small to be read.
UNREAD = 0.3
#: A frame has at most so many columns, in diagrams of every layer with at most so many nodes.
MOST_COLUMNS, MOST_WRAPPED = 5, 60
#: Cards may be cut into shorter segments than layers.
SHORT_PIECES = (7, 4, 3)


def arrange(diagram: Diagram, direction: str = "fit", ratio: float = 16 / 9, slide: bool = False) -> Layout:
    """Lay a diagram out. `TB` and `LR` run straight down or right; `fit` fills a page of width:height = `ratio`.

    `slide` says that the page has exactly this shape.
    """
    around = ON_SLIDE if slide else AROUND
    if direction != "fit":
        down = direction == "TB"
        return assemble(plan(make_segments(diagram, down), down, 1), diagram.leaving)
    lengths = (LONGEST_PIECE, *SHORT_PIECES) if diagram.cards else (LONGEST_PIECE,)
    # Most diagrams are cut into the same segments whatever the length, which are laid out once.
    cuts: dict[tuple[range, ...], int] = {}
    for longest in lengths:
        cuts.setdefault(tuple(cut_ranges(diagram, longest)), longest)
    ways = [*product(cuts.values(), (True, False))]
    plans = [each for way in ways for each in _plans(diagram, *way, ratio, around)]
    for depth in (1, 2) if len(diagram.nodes) <= MOST_WRAPPED and not diagram.cards else ():
        if max(plans, key=itemgetter(0))[0] < READABLE:
            for way, columns in product(ways, range(2, MOST_COLUMNS + 1)):
                plans += _plans(diagram, *way, ratio, around, columns, depth)
    worth, best = max(plans, key=itemgetter(0))
    u_shaped = u_layout(diagram) if not diagram.whole else None
    if u_shaped:
        size = (u_shaped.width, u_shaped.height)
        # What is as large as it needs to be can be enlarged.
        lowest = READABLE_U if slide else min(READABLE_U, points_on_slide(best.size, ratio, around) / U_GAIN)
        if _worth(size, ratio, U_GAIN, around, lowest) >= worth:
            return u_shaped
    return assemble(best, diagram.leaving)


def _plans(
    diagram: Diagram, longest: int, down: bool, ratio: float, around: Point, columns: int = 1, depth: int = 1
) -> Iterator[tuple[float, Plan]]:
    """Everything in one line, in two, and so on, with what each is worth.

    What is long in a frame stands in about so many `columns`; with a `depth` of 2 what is in frames of frames too.
    """
    segments = make_segments(diagram, down, longest)
    if columns > 1:
        most = max(segment.length for segment in segments) / columns
        segments = make_segments(diagram, down, longest, most=(most,) * depth)
    lanes = max((len(segment.entries) for segment in segments), default=1)
    lines = min(len(segments), MOST_LINES) if down or columns == 1 else 1
    for count in range(1, lines + 1):
        candidate = plan(segments, down, count)
        cost = 1.0 if down or diagram.cards else 1 - ROWS_COST
        if count > 1:
            cost *= (1 - FIRST_TURN) * (1 - TURN) ** min(count - 2, 8) * (1 - LANE_COST) ** min(lanes - 1, 2)
        worth = _worth(candidate.size, ratio, cost, around, gain=STRAIGHT if count == columns == 1 else 1.0)
        yield worth if columns == 1 else worth * (1 - FIRST_TURN) * (1 - TURN) ** (columns * depth - 2), candidate


def _worth(
    size: Point, ratio: float, cost: float, around: Point, readable: float = READABLE, gain: float = 1.0
) -> float:
    """How good a layout is: what can be read on a slide comes first, then what is large and easy to follow."""
    points = points_on_slide(size, ratio, around)
    return min(points, LARGE) * cost * gain + 100 if points >= readable else points * cost**UNREAD


def points_on_slide(size: Point, ratio: float, around: Point = ON_SLIDE) -> float:
    """The size of the smallest text where a layout fills a page that is as high as a slide."""
    width, height = size[0] + around[0], size[1] + around[1]
    return SMALL * page_height(ratio) * min(ratio / width, 1 / height)


def page_height(ratio: float) -> float:
    """The height in points of the largest page of a shape: on a slide of 13.3 × 7.5 inches, or an upright A4 sheet."""
    wide, high = PAGES["sheet" if ratio < 1 else "slide"]
    return min(high, wide / ratio)
