"""What real implementations build, as the tables of `tests/truth` say: see its README."""

from __future__ import annotations

import csv
import lzma
import re
from functools import cache
from pathlib import Path

TRUTH = Path(__file__).with_name("truth")
#: The tables of layers, one for each network; as files of their own they would take twenty times as much.
LAYERS = TRUTH / "layers.txt.xz"


@cache
def _tables() -> dict[str, str]:
    parts = re.split(r"^=== (.+)\n", lzma.decompress(LAYERS.read_bytes()).decode(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table_names() -> frozenset[str]:
    """The names of the tables of layers, as `catalogue.csv` gives them."""
    return frozenset(_tables())


def read_layers(name: str) -> list[dict[str, str]]:
    """The rows of a table of layers, such as alexnet_grouped.csv: column → text."""
    return list(csv.DictReader(_tables()[name].splitlines()))


def read_catalogue() -> list[dict[str, str]]:
    """One row for each network."""
    return list(csv.DictReader((TRUTH / "catalogue.csv").read_text(encoding="utf-8").splitlines()))
