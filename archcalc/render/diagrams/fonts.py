"""The fonts that go into PDF and PNG: two shipped ones, and a font of the system for what they lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from archcalc.render.diagrams.text import covered

FOLDER = Path(__file__).parent / "fonts"
FILES = {False: FOLDER / "Arimo-Regular.ttf", True: FOLDER / "Arimo-Bold.ttf"}

#: Where systems keep their fonts.
_PLACES = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts", "C:/Windows/Fonts")


def missing(texts: Iterable[str]) -> set[str]:
    """Characters that the shipped fonts lack."""
    return {c for text in texts for c in text if not covered(c)}


def system_fonts() -> Iterator[Path]:
    """TrueType files of the system, in a fixed order."""
    for place in (*_PLACES, str(Path.home() / ".fonts")):
        folder = Path(place)
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".ttf", ".ttc"))
