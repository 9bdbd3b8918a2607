"""File names that are made of names of people."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.core.errors import UsageError


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each student: letters, digits, - and _. Raises `UsageError` where two would be the same."""
    stems: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^\w-]+", "_", name).strip("_")[:100] or "student"
        if stem.casefold() in (known := {each.casefold(): each for each in stems}):
            other = stems[known[stem.casefold()]]
            raise UsageError(f"{other!r} and {name!r} would share the file {stem}; tell them apart in the roster")
        stems[stem] = name
    return list(stems)
