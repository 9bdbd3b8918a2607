"""The layout that makes a diagram largest on a page of a given shape: its direction and its columns."""

from __future__ import annotations

from archcalc.render.diagrams.frames import LONGEST_PIECE
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.pack import MOST_LINES, Layout, Plan, assemble, make_segments, plan
from archcalc.render.diagrams.ushape import find_arms, u_layout

DIRECTIONS = ("fit", "TB", "LR")
#: Margins, title and legend, roughly.
AROUND = (48.0, 120.0)
#: What turning at the end of a line costs the reader, as a share of the size: once, and for each further line.
FIRST_TURN, TURN = 0.12, 0.03
#: What each further map costs that turns with the first one.
LANE_COST = 0.12
#: Cards may be cut into shorter segments than layers.
SHORT_PIECE = 7


def arrange(diagram: Diagram, direction: str = "fit", ratio: float = 16 / 9) -> Layout:
    """Lay a diagram out. `TB` and `LR` run straight down or right; `fit` fills a page of width:height = `ratio`."""
    if direction != "fit":
        down = direction == "TB"
        return assemble(plan(make_segments(diagram, down), down, 1))
    arms = find_arms(diagram) if not diagram.whole else None
    u_shaped = u_layout(diagram, arms) if arms else None
    if u_shaped:
        return u_shaped
    plans: list[tuple[float, Plan]] = []
    ways = [(LONGEST_PIECE, True)]
    if diagram.cards:
        ways += [(LONGEST_PIECE, False), (SHORT_PIECE, True), (SHORT_PIECE, False)]
    for longest, down in ways:
        segments = make_segments(diagram, down, longest)
        lanes = max((len(segment.entries) for segment in segments), default=1)
        for count in range(1, min(len(segments), MOST_LINES) + 1):
            candidate = plan(segments, down, count)
            cost = (1 - FIRST_TURN) * (1 - TURN) ** min(count - 2, 8) if count > 1 else 1.0
            cost *= (1 - LANE_COST) ** (lanes - 1) if count > 1 else 1.0
            plans.append((size_on_page(candidate.size, ratio) * cost, candidate))
    return assemble(max(plans, key=lambda entry: entry[0])[1])


def size_on_page(size: tuple[float, float], ratio: float) -> float:
    """How much a layout can be enlarged on a page of unit height."""
    width, height = size[0] + AROUND[0], size[1] + AROUND[1]
    return min(ratio / width, 1 / height)
