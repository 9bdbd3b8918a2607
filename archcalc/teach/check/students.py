"""What a student may go on with after a wrong answer: with the answer, or with what should stand there."""

from __future__ import annotations

from collections.abc import Callable

from archcalc.core.shapes import Shape
from archcalc.teach.check.expected import expected
from archcalc.teach.check.model import Match
from archcalc.teach.check.prepared import PreparedNetwork
from archcalc.teach.check.student import Follows, Recounter, StudentNetwork, Where


class Students:
    """The networks that a student may have; the likeliest goes on with what is written."""

    def __init__(self, network: Recounter) -> None:
        self.likeliest = StudentNetwork(network)
        #: The same without the last wrong answer, or with its sides as they stand; and with nothing of what is wrong
        #: by itself after an earlier mistake.
        self.others: list[StudentNetwork] = []

    @property
    def all(self) -> list[StudentNetwork]:
        """The networks, the likeliest first."""
        return [self.likeliest, *self.others]

    def enter(self, index: int, with_field: bool) -> None:
        """A layer on what each of them has before it."""
        for student in self.all:
            if student.shape_from:
                student.enter(index)
            if with_field and (student.field_from or student.shape_from):
                student.enter_field(index)

    def write(self, sides: Shape, write: Callable[[StudentNetwork, Shape], None]) -> None:
        """Go on with an answer that is right, or right after an earlier mistake."""
        for student in self.all:
            write(student, sides)

    def write_wrong(
        self, sides: Shape, right: object, given: object, write: Callable[[StudentNetwork, Shape], None]
    ) -> None:
        """Go on with a wrong answer, and without it; `given` is what would follow from earlier mistakes.

        Sides in the wrong order are right sides that were written so: the likeliest goes on with the right order.
        """
        without = self.likeliest.copy()
        steady = self.others[1] if self.others else self.likeliest.copy()
        write(self.likeliest, sides)
        meant = next((one for one in (given, right) if isinstance(one, tuple) and sorted(one) == sorted(sides)), None)
        if meant is not None and meant == right:
            write(without, meant)
        elif meant is None and given is None:
            write(steady, sides)
        self.others = [without, steady]
        if meant is not None:
            self.likeliest, self.others[0] = without, self.likeliest


def following(
    network: PreparedNetwork, student: StudentNetwork, match: Match, index: int, quantity: str
) -> list[Follows]:
    """What would be right given what is wrong before; the likeliest first. Of a block, its layers together."""
    if quantity == "output_shape":
        return list(student.shapes_of(index))
    if quantity == "receptive_field":
        field, source = student.fields.get(index), student.field_from.get(index)
        return [Follows(field.size, source)] if field and source else []
    if not match.is_block:
        return list(student.counts_of(index, quantity))
    total = 0
    origin: Where | None = None
    for row in network.inside(match.layer):
        place = network.recounter.index[row.name]
        value = expected(student.rows.get(place, row), network.analysis, quantity)
        total += value if isinstance(value, int) else 0
        origin = origin or student.row_from.get(place)
    return [Follows(total, origin)] if origin is not None else []
