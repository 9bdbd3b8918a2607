"""The fonts that go into PDF and PNG: two shipped ones, and a font of the system for what they lack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archcalc.render.diagrams.text import covered

FOLDER = Path(__file__).parent / "fonts"
FILES = {False: FOLDER / "Arimo-Regular.ttf", True: FOLDER / "Arimo-Bold.ttf"}


def missing(texts: Iterable[str]) -> set[str]:
    """Characters that the shipped fonts lack."""
    return {c for text in texts for c in text if not covered(c)}
