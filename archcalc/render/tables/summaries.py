"""The figures of the catalogue in a line for each network, kept next to the specs that they were calculated from.

`specs/figures.json` has the hash of all specs: where it is not that of the specs at hand, they are analysed again.
`pytest tests/render/tables/test_summaries.py --update` writes the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archcalc.core.shapes import Shape

_PACKAGE = Path(__file__).parents[2]


class Summary(NamedTuple):
    """A network of the catalogue and its totals."""

    network: str
    title: str
    year: int | None
    input: Shape
    layers: int
    params: int
    multiplications: int
    family: str
    family_title: str


@cache
def summaries() -> tuple[Summary, ...]:
    """Every network and variant of the catalogue, in its order."""
    from archcalc.spec.catalogue import SPECS

    try:
        kept = json.loads((SPECS / "figures.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = {}
    if kept.get("specs") != hash_of(SPECS):
        return tuple(calculated())
    columns = kept["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in kept["networks"]]
    return tuple([Summary(**{**row, "input": tuple(row["input"])}) for row in rows])


def hash_of(specs: Path) -> str:
    """The hash of all specs in a folder and of the blocks that they may use, whatever the ends of their lines."""
    found = hashlib.sha256()
    for folder in (specs, _PACKAGE / "spec"):
        for path in sorted(folder.rglob("*.yaml"), key=lambda path: path.relative_to(folder).as_posix()):
            text = path.read_text(encoding="utf-8")
            found.update(f"{path.relative_to(folder).as_posix()}\n{len(text)}\n{text}".encode())
    return found.hexdigest()


def calculated() -> Iterator[Summary]:
    """The same from the analyses of all networks."""
    from archcalc.passes.analysis import analyse
    from archcalc.spec.catalogue import load, names

    for name in names():
        analysis = analyse(load(name))
        graph, totals = analysis.graph, analysis.totals
        yield Summary(
            graph.name, graph.title, graph.year, graph.input_shape, analysis.layer_count, totals.params,
            totals.multiplications, graph.family, graph.family_title,
        )  # fmt: skip


def written(specs: Path) -> str:
    """The text of `figures.json`."""
    columns = json.dumps(Summary._fields)
    rows = ",\n".join(json.dumps(summary, ensure_ascii=False, separators=(",", ":")) for summary in calculated())
    return f'{{"specs": "{hash_of(specs)}",\n"columns": {columns},\n"networks": [\n{rows}\n]}}\n'
