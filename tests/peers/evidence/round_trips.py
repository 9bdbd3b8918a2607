"""Networks of the catalogue, written in another format, run there, and read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.core.errors import ArchcalcError
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import smaller
from tests.networks import one_of_each
from tests.peers.evidence.page import Table

HEAD = ("network", "values", "graph")
#: The largest difference from archcalc's own outputs, of the largest value, that counts as equal.
PRECISION = 1e-4


def rows(way: str) -> Iterator[list[str]]:
    """The first network of each spec and every variant, on small inputs."""
    from tests.peers import exported, test_round_trip

    worst = {"onnx": exported.worst_of_onnx, "torch": exported.worst_of_torch, "keras": exported.worst_of_keras}[way]
    for name in one_of_each():
        try:
            values = f"{worst(smaller(load(name))):.0e}"
        except (ArchcalcError, AssertionError) as refused:
            values = f"failed: {str(refused)[:80]}"
        graph = test_round_trip.small(name)
        try:
            shown = kinds(*test_round_trip.differences(graph, test_round_trip.WAYS[way](graph)))
        except ArchcalcError as refused:
            shown = f"refused: {str(refused)[:80]}"
        yield [name, values, shown]


def kinds(lost: Counter[tuple[Any, ...]], new: Counter[tuple[Any, ...]]) -> str:
    """The kinds of layers that became others."""
    if not lost and not new:
        return "equal"
    return " → ".join([", ".join(sorted({kind for kind, *_ in each})) or "nothing" for each in (lost, new)])


def table(found: Sequence[Sequence[str]]) -> Table:
    close = sum(1 for _, values, _ in found if not values.startswith("failed") and float(values) <= PRECISION)
    equal = sum(1 for _, _, graph in found if graph == "equal")
    return Table(
        f"of {len(found)} networks {close} have archcalc's outputs on the same weights within {PRECISION:g}, and "
        f"{equal} come back as an equal graph.",
        HEAD,
        found,
    )
