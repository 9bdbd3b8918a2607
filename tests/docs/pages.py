"""The pages of the documentation, their examples and their tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from archcalc.ops import OPS
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load

ROOT = Path(__file__).parents[2]
#: All but those of docs/playground/, an npm project whose packages bring their own.
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    page for page in (ROOT / "docs").rglob("*.md") if page.relative_to(ROOT).parts[1] != "playground"
)
LANGUAGE = ROOT / "docs" / "reference" / "spec-language.md"
#: What a fenced block may be. All but `sh` are run; `yaml invalid` must be refused.
LANGUAGES = ("yaml", "yaml invalid", "python", "console", "sh")
#: A block with the name of the file that it is: `file answers.csv`.
FILE = "file "
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


class Command(NamedTuple):
    """A command of a console block and what the page shows under it."""

    words: list[str]
    shown: str


@lru_cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@lru_cache
def examples_of(page: Path) -> tuple[Example, ...]:
    text = read(page)
    return tuple(
        Example(page, text.count("\n", 0, match.start()) + 1, match[1].strip(), match[2])
        for match in FENCE.finditer(text)
    )


def every(*languages: str, slow: Collection[str] = ()) -> pytest.MarkDecorator:
    """One test for each example in these languages; those of the pages `slow` in the slow tier."""
    found = [example for page in PAGES for example in examples_of(page) if example.language in languages]
    marks = [[pytest.mark.slow] * (example.page.stem in slow) for example in found]
    cases = [pytest.param(example, marks=mark) for example, mark in zip(found, marks, strict=True)]
    return pytest.mark.parametrize("example", cases, ids=[str(example) for example in found])


def name_of(example: Example) -> str:
    """The file that the commands below the example mean."""
    match = re.search(r"^name: (\S+)$", example.text, re.MULTILINE)
    assert match, f"{example}: the example has no name"
    return f"{match[1]}.yaml"


def table(page: Path, heading: str, number: int = 0) -> list[list[str]]:
    """The rows of a table under a heading, without its head; the cells as text."""
    _, _, rest = read(page).partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no heading {heading!r}"
    section = re.split(r"^#{1,6} ", FENCE.sub("", rest), maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert number < len(tables), f"{page.name}, {heading!r}: there are {len(tables)} tables"
    lines = tables[number].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def keys(rows: Sequence[Sequence[str]]) -> list[str]:
    """Everything that stands as code in the first column."""
    return [key for row in rows for key in re.findall(r"`([^`]+)`", row[0])]


@lru_cache
def analysis_of(name: str) -> Analysis:
    return analyse(load(name))


#: A value for each field that has no default.
NEEDED: Mapping[str, Any] = {
    "out_channels": 7,
    "out_features": 7,
    "kernel_size": 3,
    "output_size": 7,
    "shape": "1x1x7",
    "padding": 7,
    "num_groups": 3,
    "chunks": 2,
    "sizes": 6,
    "groups": 3,
    "dims": ("height", "width"),
    "axes": ("height",),
    "upscale_factor": 2,
    "downscale_factor": 2,
    "shifts": 1,
    "num_heads": 3,
    "hidden_size": 5,
    "of": "grid_sample",
    "num_embeddings": 9,
    "embedding_dim": 4,
    "exponent": 0.5,
}


def needed_by(kind: str) -> dict[str, Any]:
    """Values for the fields that have no default."""
    return {name: NEEDED[name] for name, field in OPS[kind].model_fields.items() if field.is_required()}
