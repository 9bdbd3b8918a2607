"""Problems met while a spec is expanded, each with its place."""

from __future__ import annotations

from archcalc.core.errors import Location, Problem
from archcalc.spec.source import Mark

MOST_PROBLEMS = 50


class TooMuchError(Exception):
    """The expansion has to stop: too many layers, steps or problems."""


class Faults:
    """Collects problems; gives up when there are very many."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        #: Where everything inside a block of the prelude is said to stand: at its use in the user's file.
        self.pinned: Location | None = None

    def place(self, at: Mark) -> Location:
        return self.pinned or Location(self.file, *at)

    def add(self, message: str, at: Mark, layer: str | None = None, details: tuple[str, ...] = ()) -> None:
        """Note a problem at a place of the file. Raises `TooMuchError` after 50."""
        self.problems.append(Problem(message, self.place(at), f'"{layer}"' if layer else None, details))
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooMuchError
