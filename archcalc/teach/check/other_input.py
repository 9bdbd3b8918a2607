"""A table that was made for another size of the network's input: each cell that follows from it says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archcalc.core.errors import ArchcalcError
from archcalc.core.shapes import Shape
from archcalc.passes.analysis import analyse
from archcalc.teach.check.agreement import fits
from archcalc.teach.check.by_tools import Question
from archcalc.teach.check.explain import capital
from archcalc.teach.check.mistakes.context import NetworkContext
from archcalc.teach.check.mistakes.elsewhere import size_reason, usual_inputs
from archcalc.teach.check.model import TOTAL, Cell, Diagnosis, Verdict
from archcalc.teach.check.prepared import PreparedNetwork

#: Fewer wrong cells are those of a person who errs.
_FEWEST = 4


def for_other_input(network: PreparedNetwork, questions: Sequence[Question], cells: Sequence[Cell]) -> list[Cell]:
    """The cells; where nearly all are right for another input, the wrong ones are explained by it."""
    odd = {at for at, cell in enumerate(cells) if cell.verdict in (Verdict.WRONG, Verdict.CARRIED)}
    if len(odd) < _FEWEST:
        return list(cells)
    asked = [question for question in questions if question.match.layer and question.readings]
    for shape in dict.fromkeys(_candidates(network, cells)):
        other = _at(network, shape)
        right = {one.position for one in asked if _is_right(other, one)} if other is not None else set()
        if 10 * len(right) >= 9 * len(asked) and 10 * len(right & odd) >= 9 * len(odd):
            reason = capital(size_reason(NetworkContext(network.analysis), shape[1:]))
            return [
                replace(cell, diagnoses=(Diagnosis("other_input", cell.layer, cell.quantity, reason),))
                if at in right and cell.verdict is Verdict.WRONG
                else cell
                for at, cell in enumerate(cells)
            ]
    return list(cells)


def _candidates(network: PreparedNetwork, cells: Sequence[Cell]) -> Iterator[Shape]:
    """The input that is written in the table, then those that are taken for that of this network."""
    first = network.rows[0]
    if len(network.analysis.graph.inputs) > 1 or len(first.output_shape) < 2:
        return
    depth, *own = first.output_shape
    for cell in cells:
        shape = cell.stated.shape if cell.stated is not None and cell.quantity == "output_shape" else None
        if cell.layer == first.name and shape and shape[0] == depth and len(shape) == len(own) + 1:
            yield shape
    for sides in usual_inputs(tuple(own)):
        yield (depth, *sides)


def _at(network: PreparedNetwork, shape: Shape) -> PreparedNetwork | None:
    """The network on another input; None where it has none of this size."""
    if shape not in network.on_other_inputs:
        own = network.analysis
        try:
            made = analyse(own.graph.with_input(shape), own.batch, own.dtype, own.conventions)
            network.on_other_inputs[shape] = PreparedNetwork(made)
        except ArchcalcError:
            network.on_other_inputs[shape] = None
    return network.on_other_inputs[shape]


def _is_right(other: PreparedNetwork, question: Question) -> bool:
    match, quantity = question.match, question.answer.quantity
    names = [name for name in (match.first, match.layer) if name and not match.is_block and name != TOTAL]
    if any(name not in other.analysis.by_name for name in names) or (match.is_block and match.layer not in other.ends):
        return False
    values = other.values(match, question.answer)
    return any(fits(stated, value, quantity) for value in values for stated in question.readings)
