"""Words around numbers and shapes in the languages of `words.json`, as patterns of regular expressions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: By kind; `scales` and `axes` say what their words mean. Longer words stand before those that they begin with.
WORDS: dict[str, Any] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


def any_of(kind: str) -> str:
    """A pattern for any word of a kind."""
    return "|".join(WORDS[kind])
