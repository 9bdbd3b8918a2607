"""File names that are made of names of people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_LONGEST = 100


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each student: letters, digits, - and _; of names that would share one, numbered."""
    taken: set[str] = set()
    found = []
    for name in names:
        plain = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", name)).strip("_")[:_LONGEST] or "student"
        stem, number = plain, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.casefold())
        found.append(stem)
    return found
