"""Words that people write in tables, in many languages: `words.json` has them by what they mean, separated by bars."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def words(meaning: str) -> frozenset[str]:
    """The words for `total`, `layer`, `last`, `output`, `hidden`, `ordinal 1`, `heading depth`, …."""
    return frozenset("|".join(_vocabulary()[meaning]).split("|"))


@cache
def _vocabulary() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    return found
