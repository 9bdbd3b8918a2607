"""The worksheets of a class: for each student a variant that no other has, as hard as those of the others."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from archcalc.core.words import several
from archcalc.graph.layer_graph import LayerGraph
from archcalc.teach.exercise.variants import settings_of, vary
from archcalc.teach.exercise.worksheet import Worksheet, difficulty

#: So many variants are looked at for one that is new and as hard.
_TRIED = 8


class Option(NamedTuple):
    """A variant and its worksheet; whether nobody has it, and whether it asks for the same kinds of steps."""

    variant: LayerGraph
    sheet: Worksheet
    is_new: bool
    is_as_hard: bool


class Handout:
    """Gives out variants one by one; `notes` says where there were not enough different ones."""

    def __init__(self, graph: LayerGraph, sheet_of: Callable[[LayerGraph, str], Worksheet]) -> None:
        self._graph = graph
        self._sheet_of = sheet_of
        self._taken: set[Hashable] = {settings_of(graph)}
        self._difficulty: dict[str, int] = {}
        self._alike = self._other = 0

    def give(self, seed: str) -> Option:
        """The next variant. The same seeds in the same order give the same."""
        best = self._option(seed)
        for number in range(1, _TRIED):
            if best.is_new and best.is_as_hard:
                break
            best = max(best, self._option(f"{seed}/{number}"), key=lambda option: (option.is_new, option.is_as_hard))
        self._alike += not best.is_new
        self._other += not best.is_as_hard
        self._taken.add(settings_of(best.variant))
        self._difficulty = self._difficulty or difficulty(best.sheet)
        return best

    def _option(self, seed: str) -> Option:
        variant = vary(self._graph, seed)
        sheet = self._sheet_of(variant, seed)
        is_as_hard = not self._difficulty or difficulty(sheet) == self._difficulty
        return Option(variant, sheet, settings_of(variant) not in self._taken, is_as_hard)

    @property
    def notes(self) -> list[str]:
        """What a teacher should know of the class."""
        notes = []
        if self._alike:
            has = f"{several(self._alike, 'worksheet')} {'has' if self._alike == 1 else 'have'}"
            notes.append(f"{has} the numbers of another, or of {self._graph.name} itself: too little in it can change")
        if self._other:
            asks = f"{several(self._other, 'worksheet')} {'asks' if self._other == 1 else 'ask'}"
            notes.append(f"{asks} for other kinds of steps than the first")
        return notes
