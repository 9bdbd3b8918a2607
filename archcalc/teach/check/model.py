"""What a checked hand calculation consists of: answers as written, what they state, verdicts and diagnoses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import Shape
from archcalc.explain.derive.trace import Node
from archcalc.teach.reading.stated import Stated

#: Quantities that an answer can be about, by their keys: those that people write columns of.
CHECKED = tuple(key for key, one in QUANTITIES.items() if one.headings)
#: The name of the row that holds the sums of the columns.
TOTAL = "total"
#: The name of a row without one.
NAMELESS = "?"
#: The heading of every column of a summary that a framework printed.
PRINTED = "printed summary"
#: The heading of what another tool counted and printed, before the name of the tool.
OF_TOOL = f"{PRINTED} of tool "
#: What stands after the heading of parameters that Keras printed: running statistics are among them.
OF_KERAS = " of keras"


class Place(NamedTuple):
    """Where an answer stands: rows and columns count from 1, as in the file."""

    file: str
    row: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.row}:{self.column}"


class Answer(NamedTuple):
    """A cell as it was written: the layer and the quantity that it is about, and its text."""

    layer: str
    quantity: str
    text: str
    place: Place | None = None
    #: The heading of its column, in lower case, and the order of axes that it gives: `whc` of W×H×D.
    heading: str = ""
    axes: str = ""
    #: It is about what the layer reads, not about what it gives.
    of_input: bool = False


class Group(NamedTuple):
    """A row of the table: its label, and the positions of its answers."""

    label: str
    cells: tuple[int, ...]


class Match(NamedTuple):
    """The layer that a row is about; a block stands for all its layers. Without one `note` says why."""

    layer: str = ""
    is_block: bool = False
    note: str = ""
    #: A row that means nothing in this network and harms nobody: flatten, where dense layers flatten.
    is_idle: bool = False
    #: Its name says another layer than the order of the rows.
    is_misplaced: bool = False
    #: A module that changes nothing, judged as a layer next to it.
    is_like: bool = False
    #: Of two layers that are one row, the first.
    first: str = ""
    #: The layer whose output that of the row reads.
    is_source: bool = False

    @property
    def key(self) -> tuple[str, bool]:
        """What it is about."""
        return self.layer, self.is_block


class Diagnosis(NamedTuple):
    """A mistake that gives exactly the number that was written.

    `mistake` is an id of `archcalc.teach.check.mistakes`; `layer` and `quantity` say where it was made, not always in
    the cell that shows it. `tree` is the calculation that the mistake leads to, where there is one to show.
    Alternatives of one cell have ranks from 0, the best; mistakes that only together give the number share one.
    """

    mistake: str
    layer: str
    quantity: str
    explanation: str
    tree: Node | None = None
    rank: int = 0


class Verdict(StrEnum):
    """What a cell is: right, wrong, right given an earlier mistake, or without an answer that can be judged."""

    RIGHT = "right"
    CARRIED = "carried_forward"
    WRONG = "wrong"
    EMPTY = "empty"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Cell:
    """An answer and what became of it.

    `expected` is the right value: a shape, or a number (bytes for memory, pixels for a receptive field). Where an
    earlier mistake changes what follows, `carried` is the value that is right given that mistake, and `carried_from`
    names the cell (layer, quantity) it came from. `diagnoses` are best first; all alternatives are listed.
    """

    answer: Answer
    layer: str
    quantity: str
    verdict: Verdict
    stated: Stated | None
    expected: int | Shape | tuple[int, int] | None
    carried: int | Shape | tuple[int, int] | None = None
    carried_from: tuple[str, str] | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    note: str = ""

    def without_reasons(self) -> Cell:
        """The same cell without what explains it."""
        return replace(self, diagnoses=())


@dataclass(frozen=True)
class Check:
    """A table of answers, judged: the cells in the order of the file."""

    network: str
    cells: tuple[Cell, ...]
    #: What is to be said of the table as a whole.
    notes: tuple[str, ...] = ()
    #: Another network of the catalogue, where the table is right for that.
    fits: str = ""

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """All diagnoses in the order of the cells; the same one is listed once."""
        return tuple(dict.fromkeys(found for cell in self.cells for found in cell.diagnoses))

    def count(self, verdict: Verdict) -> int:
        return sum(cell.verdict is verdict for cell in self.cells)

    @property
    def is_right(self) -> bool:
        """Whether something was answered and no answer is wrong; what was left empty is not."""
        return (
            self.count(Verdict.RIGHT) > 0
            and not self.count(Verdict.WRONG)
            and not self.count(Verdict.UNREADABLE)
            and not self.count(Verdict.CARRIED)
        )
