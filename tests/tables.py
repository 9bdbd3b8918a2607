"""What real implementations build, as the tables of `tests/truth` say: see its README."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from zipfile import ZipFile

TRUTH = Path(__file__).with_name("truth")
#: The tables of layers, one for each network; as files of their own they would take six times as much.
LAYERS = TRUTH / "layers.zip"


@cache
def table_names() -> frozenset[str]:
    """The names of the tables of layers, as `catalogue.csv` gives them."""
    with ZipFile(LAYERS) as tables:
        return frozenset(tables.namelist())


def read_layers(name: str) -> list[dict[str, str]]:
    """The rows of a table of layers, such as alexnet_grouped.csv: column → text."""
    with ZipFile(LAYERS) as tables:
        return list(csv.DictReader(tables.read(name).decode().splitlines()))


def read_catalogue() -> list[dict[str, str]]:
    """One row for each network."""
    return list(csv.DictReader((TRUTH / "catalogue.csv").read_text(encoding="utf-8").splitlines()))
