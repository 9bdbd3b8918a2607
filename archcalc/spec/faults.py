"""Problems met while a spec is expanded, each with its place."""

from __future__ import annotations

import re
from typing import Any

from archcalc.core.errors import Location, Problem
from archcalc.spec.evaluate import show
from archcalc.spec.source import Mark

MOST_PROBLEMS = 50


class TooMuchError(Exception):
    """The expansion has to stop: too many layers, steps or problems."""


class Faults:
    """Collects problems; gives up when there are very many."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        #: Where everything inside a block of the prelude is reported: where it is used in the user's file.
        self.pinned: Location | None = None

    def place(self, at: Mark) -> Location:
        return self.pinned or Location(self.file, *at)

    def add(self, message: str, at: Mark, layer: str | None = None, details: tuple[str, ...] = ()) -> None:
        """Note a problem at a place of the file. Raises `TooMuchError` after 50."""
        self.problems.append(Problem(message, self.place(at), f'"{layer}"' if layer else None, details))
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooMuchError


def describe_fault(fault: Any) -> str:
    """A pydantic error in a few plain words, with the value that came."""
    if fault["type"] in ("too_long", "too_short"):
        limit = fault["ctx"].get("max_length") or fault["ctx"].get("min_length")
        return f"takes {limit} numbers, not {fault['ctx']['actual_length']}"
    if fault["type"] == "missing" and len(fault["loc"]) > 1:
        return "has too few numbers"
    value = fault.get("input")
    if isinstance(value, tuple):
        value = list(value)
    message = str(fault["msg"]).replace(", unable to parse string as an integer", "")
    message = re.sub(" or instance of \\w+", "", message)
    for clumsy, plain in (
        ("Input should be", "should be"),
        ("Value error, ", ""),
        ("a valid integer", "a whole number"),
        ("a valid number", "a number"),
        ("a valid string", "a word or text"),
        ("a valid boolean, unable to interpret input", "true or false"),
        ("a valid boolean", "true or false"),
        ("a valid list", "a list"),
        ("a valid tuple", "a list"),
        ("a valid dictionary", "a mapping"),
        ("a dictionary", "a mapping"),
        ("an instance of MarkedList", "a list"),
        ("an instance of MarkedDict", "a mapping"),
        ("greater than or equal to", "at least"),
        ("less than or equal to", "at most"),
        ("Field required", "is missing"),
    ):
        message = message.replace(clumsy, plain)
    shown = show(value) if isinstance(value, (str, int, float, bool, list)) else ""
    says_it = not shown or shown[:60] in message or ", not " in message
    return message if says_it else f"{message}, not {shown[:60]}"
