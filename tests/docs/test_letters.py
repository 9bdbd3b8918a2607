"""The letters of derivations are explained where they are shown."""

from __future__ import annotations

import re
from pathlib import Path

from archcalc.ops import OPS

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "explain.md"


def test_every_letter_is_in_the_guide() -> None:
    text = GUIDE.read_text(encoding="utf-8").partition("## Reading it")[2].partition("## What can be explained")[0]
    words = set(re.findall(r"\w+", text))
    used = {letter.text for op in OPS.values() for letter in op.letters().values()}
    assert used <= words
    assert {"L", "C", "N", "V", "b", "r", "j"} <= words
