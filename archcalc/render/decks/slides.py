"""What a slide holds, in the units of a slide of 13.3 × 7.5 inches: points."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.render.diagrams.drawing import Cluster, Link

WIDTH, HEIGHT = 960.0, 540.0


class Area(NamedTuple):
    """A rectangle of a slide."""

    x: float
    y: float
    width: float
    height: float


#: Where the contents of a slide lie, below its title; the items of a slide count from its left upper corner.
BODY = Area(40.0, 78.0, 880.0, 430.0)
#: What remains of it below a subtitle.
BELOW = Area(0.0, 28.0, 880.0, 402.0)


class Table(NamedTuple):
    """A table of texts: its heads, its rows, and which columns are numbers. The last row may be a `total`."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    total: bool = False


class Slide(NamedTuple):
    """A slide: one of `title`, `section`, `points`, `quiz` (points with numbers), `table` and `picture`.

    `notes` are for the speaker, a paragraph each. `about` says in words what a picture shows.
    """

    kind: str
    title: str
    subtitle: str = ""
    items: tuple[Cluster, ...] = ()
    links: tuple[Link, ...] = ()
    points: tuple[str, ...] = ()
    #: The number of the first point of a quiz, which may go on over several slides.
    first: int = 1
    table: Table | None = None
    notes: tuple[str, ...] = ()
    about: str = ""

    def steps(self) -> list[int]:
        """The steps in which parts appear, the first of which is there from the start."""
        if self.points:
            return list(range(1, len(self.points) + 1))
        return sorted({item.step for item in self.items if item.step} | {link.step for link in self.links if link.step})


class Deck(NamedTuple):
    """The slides of a lecture, and what there is to say about them."""

    title: str
    author: str
    slides: tuple[Slide, ...]
    remarks: tuple[str, ...] = ()
