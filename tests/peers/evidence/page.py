"""The page of the tables: one section a part, between two comments."""

from __future__ import annotations

import datetime
import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[3] / "docs/reference/evidence.md"


class Table(NamedTuple):
    """What a part measured: the summary, and a row for each model."""

    summary: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def versions(packages: Sequence[str]) -> str:
    """The packages with the versions that are installed."""
    return ", ".join([f"{package} {importlib.metadata.version(package)}" for package in packages])


def section(part: str, packages: Sequence[str], table: Table) -> str:
    """A table in Markdown with its date and versions."""
    day = datetime.datetime.now(datetime.UTC).date()
    said = f"{day.day} {day:%B %Y}" + (f", {versions(packages)}" if packages else "")
    lines = [
        f"{said}: {table.summary}",
        "",
        " | ".join(table.head),
        "|".join(["---"] + ["--:"] * (len(table.head) - 1)),
    ]
    lines += [" | ".join(row) for row in table.rows]
    return "\n".join([f"<!-- {part} -->", *lines, "", f"<!-- end of {part} -->"])


def write(part: str, packages: Sequence[str], table: Table) -> None:
    """Put a table in the place of the one that is there."""
    old = PAGE.read_text(encoding="utf-8")
    place = re.compile(rf"<!-- {part} -->.*<!-- end of {part} -->", re.DOTALL)
    if not place.search(old):
        raise SystemExit(f"{PAGE} has no place for the part {part}")
    new = section(part, packages, table)
    PAGE.write_text(place.sub(lambda _: new, old), encoding="utf-8")


def both(found: int | None, stated: int) -> str:
    """A number, with the one that the peer states where that is another."""
    if found is None:
        return f"not counted ({stated:,})"
    return f"{found:,}" if found == stated else f"{found:,} ≠ {stated:,}"
