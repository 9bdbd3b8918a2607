"""Words that readers stumble over are in no text of the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AVOIDED = re.compile(
    r"forth and back|how-manieth|\banew\b|stands twice|\bdearer\b|\blikelier\b|slip of the pen|pays no heed",
    re.IGNORECASE,
)
ENDINGS = {".py", ".md", ".txt", ".yaml", ".js", ".css", ".html"}


@pytest.mark.parametrize("folder", ["archcalc", "benchmarks", "docs", "specs", "tests"])
def test_no_text_has_a_word_that_is_avoided(folder: str) -> None:
    found = []
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in ENDINGS and path != Path(__file__) and "node_modules" not in path.parts:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [
                f"{path.relative_to(ROOT)}:{at}: {line}" for at, line in enumerate(lines, 1) if AVOIDED.search(line)
            ]
    assert found == []
