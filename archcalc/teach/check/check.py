"""A table of answers checked against a network: each cell right, wrong, or right given an earlier mistake."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from fractions import Fraction

from archcalc.core.language import say
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load, variants_in_catalogue
from archcalc.teach.check.by_tools import Question
from archcalc.teach.check.evidence import CellEvidence
from archcalc.teach.check.labels import read_label, squeezed
from archcalc.teach.check.marking import Marking
from archcalc.teach.check.match import rows_of
from archcalc.teach.check.model import OF_KERAS, OF_TOOL, PRINTED, TOTAL, Answer, Check, Group, Match
from archcalc.teach.check.other_input import for_other_input
from archcalc.teach.check.paths import are_modules
from archcalc.teach.check.prepared import PreparedNetwork, prepare
from archcalc.teach.reading.calculation import StatementError
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import is_empty, read_statement


def check_answers(analysis: Analysis, answers: Iterable[Answer]) -> Check:
    """Check every answer, in their order. What depends on the network alone is worked out once for each analysis."""
    network = prepare(analysis)
    marking = Marking(network, list(_questions(network, _as_of_keras(network, _as_printed(tuple(answers))))))
    cells = for_other_input(network, marking.questions, marking.cells())
    return Check(analysis.graph.name, tuple(cells), marking.notes)


def _questions(network: PreparedNetwork, answers: Sequence[Answer]) -> Iterator[Question]:
    """The answers, read, with the layers that their rows are about."""
    read = _with_small(answers, [_read(answer) for answer in answers])
    groups = [group for group in rows_of(answers) if not _is_remark(network, group, read)]
    evidence = CellEvidence(network, answers, [readings for readings, _ in read])
    matches: list[Match] = [Match()] * len(answers)
    is_tree = are_modules([group.label for group in groups])
    printed = [
        not is_tree and any(answers[position].heading.startswith(PRINTED) for position in group.cells)
        for group in groups
    ]
    found = network.matcher.match(groups, evidence, is_printed=all(printed))
    if all(printed) and any(match.is_misplaced for match in found):
        found = _as_in_another_form(network, groups, answers, evidence.readings) or found
    found = _with_output(
        network,
        groups,
        found,
        {at for at, (one, _) in enumerate(read) if one and one[0].value and answers[at].quantity == "params"},
        evidence,
    )
    for group, match, is_printed in zip(groups, found, printed, strict=True):
        # A module of a framework may be none of the network's blocks.
        is_idle = match.is_idle or (is_printed and not match.layer and not read_label(group.label).kinds)
        own = match
        if all(answers[at].heading.startswith(OF_TOOL) and _is_unweighted(answers[at]) for at in group.cells) and (
            not match.layer or evidence.wrong(group, match)
        ):  # a pool to the size that a map has counts something in another form of the network
            own, is_idle = Match(note=say("the network has no such layer at this place")), True
        for position in group.cells:
            found_for = own._replace(is_idle=is_idle)
            matches[position] = network.source(found_for) if answers[position].of_input else found_for
    for position, (answer, match, (readings, note)) in enumerate(zip(answers, matches, read, strict=True)):
        if match.layer:
            yield Question(position, answer, match, readings, note)
        else:
            yield Question(position, answer, match, (), match.note)


def _with_small(
    answers: Sequence[Answer], read: Sequence[tuple[tuple[Stated, ...], str]]
) -> list[tuple[tuple[Stated, ...], str]]:
    """The readings; of a column of numbers with equal decimals, 0.00M is what rounds to it: less than half of 0.01M."""
    halves: dict[tuple[str, str, str], Fraction] = {}
    for answer, (readings, _) in zip(answers, read, strict=True):
        if (form := _form(answer)) and (one := readings[0] if readings else None) and one.value and one.high:
            halves[answer.quantity, answer.heading, form] = one.high - one.value
    return [
        (tuple([one._replace(high=half) if one.value == 0 else one for one in readings]), note)
        if (half := halves.get((answer.quantity, answer.heading, _form(answer))))
        else (readings, note)
        for answer, (readings, note) in zip(answers, read, strict=True)
    ]


def _form(answer: Answer) -> str:
    """The decimals and the unit of a number; nothing where it lacks either."""
    match = re.fullmatch(r"\d+[.,](\d{1,3})(\s?[^\W\d_]+)", answer.text.strip())
    return "0" * len(match[1]) + match[2].strip() if match else ""


def _is_unweighted(answer: Answer) -> bool:
    """Whether a count of a tool is not that of weights."""
    return answer.quantity != "params" or answer.text.strip("0.") == ""


def _with_output(
    network: PreparedNetwork,
    groups: Sequence[Group],
    found: Sequence[Match],
    params: Container[int],
    evidence: CellEvidence,
) -> list[Match]:
    """The matches; a softmax with `params` is the last layer that multiplies, which has no row of its own.

    A row with the very name of the softmax is so only where the numbers are right then.
    """
    last = next((row.name for row in reversed(network.rows) if row.multiplications), "")
    softmax = {"", *(row.name for row in network.rows if row.op.kind == "softmax")}
    if not last or last in {match.layer for match in found}:
        return list(found)
    output = Match(last, note=say("matched by the order of the rows"))
    own = network.matcher.by_name.plain
    return [
        output
        if match.layer in softmax
        and read_label(group.label).kinds == ("softmax",)
        and any(at in params for at in group.cells)
        and (squeezed(group.label) not in own or not evidence.wrong(group, output))
        else match
        for group, match in zip(groups, found, strict=True)
    ]


def _as_in_another_form(
    network: PreparedNetwork, groups: Sequence[Group], answers: Sequence[Answer], read: Sequence[tuple[Stated, ...]]
) -> list[Match] | None:
    """What the rows of a summary are about in a form of the network that has a layer for all: with biases, as Keras."""
    own = network.analysis
    for variant in variants_in_catalogue(own.graph.name):
        if variant == own.graph.name:
            continue
        other = analyse(load(variant))
        prepared = prepare(other)
        found = prepared.matcher.match(groups, CellEvidence(prepared, answers, read), is_printed=True)
        is_here = [
            match.layer == TOTAL or match.layer in (network.ends if match.is_block else own.by_name) for match in found
        ]
        missing = sum(bool(match.layer) and not here for match, here in zip(found, is_here, strict=True))
        if any(match.is_misplaced for match in found) or 10 * missing > len(groups):
            continue
        absent = Match(note=say("the network has no such layer at this place"))
        return [match if here or not match.layer else absent for match, here in zip(found, is_here, strict=True)]
    return None


def _as_printed(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """The answers; the shapes of modules of PyTorch that stand in brackets are whole, as it prints them."""
    shapes = [answer for answer in answers if answer.quantity == "output_shape"]
    bracketed = sum(answer.text.strip(" `*")[:1] in tuple("([") for answer in shapes)
    if 5 * bracketed < 4 * len(shapes) or not shapes or not are_modules([answer.layer for answer in answers]):
        return answers
    return tuple([one._replace(heading=PRINTED) if one.quantity == "output_shape" else one for one in answers])


def _as_of_keras(network: PreparedNetwork, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """The answers; where norms have the names that Keras gives them, running statistics are parameters."""
    if not any(answer.quantity == "params" and network.matcher.is_of_keras(answer.layer) for answer in answers):
        return answers
    return tuple(
        [
            answer._replace(heading=answer.heading.removesuffix(OF_KERAS) + OF_KERAS)
            if answer.quantity == "params"
            else answer
            for answer in answers
        ]
    )


def _is_remark(network: PreparedNetwork, group: Group, read: Sequence[tuple[tuple[Stated, ...], str]]) -> bool:
    """Whether a row is a title of the rows below it: without an answer, and with a name that means no layer."""
    label = read_label(group.label)
    if label.kinds or label.is_block or any(read[position][0] for position in group.cells):
        return False
    return all(not read[position][1] for position in group.cells) and network.matcher.by_name.find(group.label) is None


def _read(answer: Answer) -> tuple[tuple[Stated, ...], str]:
    """The readings of an answer; without any a note says why, unless it is empty."""
    if is_empty(answer.text):
        return (), ""
    try:
        return read_statement(answer.text, answer.quantity), ""
    except StatementError as error:
        if not error.offset:
            return (), error.message
        return (), say("{message} (character {number})", message=error.message, number=error.offset + 1)
