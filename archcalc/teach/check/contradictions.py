"""Reasons that would make right cells of the same table wrong, which are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archcalc.core.language import say
from archcalc.explain.derive.notation import number
from archcalc.teach.check import explain
from archcalc.teach.check.findings import value_text
from archcalc.teach.check.mistakes.elsewhere import other_inputs, size_reason
from archcalc.teach.check.model import Cell, Diagnosis, Verdict
from archcalc.teach.check.prepared import PreparedNetwork
from archcalc.teach.check.search import tables_of


def without_contradictions(network: PreparedNetwork, cells: Sequence[Cell]) -> list[Cell]:
    """The cells; of wrong ones only reasons by which the right shapes of the table stay right."""
    places = network.recounter.index
    right = [
        places[cell.layer] if cell.layer in places else network.ends[cell.layer]
        for cell in cells
        if cell.quantity == "output_shape" and cell.verdict is Verdict.RIGHT and cell.layer in {*places, *network.ends}
    ]
    right = [at for at in dict.fromkeys(right) if max(network.rows[at].output_shape[1:], default=1) > 1]
    return [_consistent(network, cell, right) if right else cell for cell in cells]


def _consistent(network: PreparedNetwork, cell: Cell, right: Sequence[int]) -> Cell:
    if cell.verdict is not Verdict.WRONG:
        return cell
    ranks: dict[int, list[Diagnosis]] = {}
    for one in cell.diagnoses:
        ranks.setdefault(one.rank, []).append(one)
    kept = {rank: steps for rank, steps in ranks.items() if not _contradicts(network, steps, right)}
    if len(kept) == len(ranks):
        return cell
    found = [one._replace(rank=rank) for rank, steps in enumerate(kept.values()) for one in steps]
    if not found:
        value = cell.expected
        shown = value_text(value, cell.quantity) if isinstance(value, tuple) else number(int(value or 0))
        text = explain.unknown(say("It is {right}.", right=shown))
        found = [Diagnosis("unknown", cell.layer, cell.quantity, text)]
    return replace(cell, diagnoses=tuple(found))


def _contradicts(network: PreparedNetwork, steps: Sequence[Diagnosis], right: Sequence[int]) -> bool:
    """Whether another size of the input, or of an earlier map, would change a map that is right."""
    first = steps[0]
    if first.mistake == "other_input":
        return any(_differs_on(network, at, first.explanation) for at in right)
    if first.mistake == "other_variant" and first.quantity == "output_shape":
        return any(_differs_in_variant(network, at, first.explanation) for at in right)
    if first.mistake == "carried_forward" and len(steps) > 1 and steps[1].layer in network.recounter.index:
        source = network.recounter.index[steps[1].layer]
        return any(_depends(network, at, source) for at in right)
    return False


def _differs_on(network: PreparedNetwork, at: int, explanation: str) -> bool:
    """Whether a layer has another shape for the size of the input that a reason is about."""
    context = tables_of(network.analysis).network.context(network.rows[at])
    return any(
        explain.capital(size_reason(context.network, other.size)) in explanation
        and other.row.output_shape != network.rows[at].output_shape
        for other in other_inputs(context)
    )


def _differs_in_variant(network: PreparedNetwork, at: int, explanation: str) -> bool:
    """Whether a layer has another shape in the variant of the network that a reason is about."""
    context = tables_of(network.analysis).network.context(network.rows[at])
    names = [name for name, rows in context.network.variants.items() if f" {name}." in explanation and rows]
    rows = [context.network.variants[name].get(context.name) for name in names]
    return any(row is not None and row.output_shape != network.rows[at].output_shape for row in rows)


def _depends(network: PreparedNetwork, at: int, source: int) -> bool:
    """Whether a layer reads another one, or is it."""
    waiting, seen = [at], set[int]()
    while waiting:
        index = waiting.pop()
        if index == source:
            return True
        if index > source and index not in seen:
            seen.add(index)
            waiting += network.recounter.sources[index]
    return False
