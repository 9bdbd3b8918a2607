"""A checked claim as people read it: the same sentences for every format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core.words import line, listed, several
from archcalc.teach.audit.networks import MOST_STEPS
from archcalc.teach.audit.numbers import value_text
from archcalc.teach.audit.trees import written
from archcalc.teach.audit.verdicts import Audit, CheckedClaim, Verdict
from archcalc.teach.audit.workings import measured, part_text
from archcalc.teach.check.model import TOTAL, Diagnosis

#: A calculation of more characters is shown in part.
LONGEST = 60


class Topic(NamedTuple):
    """Claims of one document on one topic, in the order of the file."""

    document: str
    title: str
    topic: str
    checked: tuple[CheckedClaim, ...]

    @property
    def heading(self) -> str:
        return ", ".join(part for part in (self.document, self.topic) if part)


def topics(audit: Audit, kept: Verdict | None = None) -> list[Topic]:
    """The claims by document and topic, in the order in which they first appear; only those of one verdict."""
    found: dict[tuple[str, str], list[CheckedClaim]] = {}
    for one in audit.checked:
        if kept is None or one.verdict is kept:
            found.setdefault((line(one.claim.document), line(one.claim.topic)), []).append(one)
    titles = audit.claims.documents
    return [Topic(key[0], line(titles.get(key[0], "")), key[1], tuple(claims)) for key, claims in found.items()]


def counts(audit: Audit) -> list[tuple[str, list[int]]]:
    """For each document the number of claims, and of those of each verdict; at the end all."""
    documents = dict.fromkeys(line(one.claim.document) for one in audit.checked)
    rows = []
    for name in documents:
        its = [one for one in audit.checked if line(one.claim.document) == name]
        title = line(audit.claims.documents.get(name, ""))
        label = " · ".join(part for part in (name, title) if part) or "claims"
        rows.append((label, [len(its), *(sum(one.verdict is verdict for one in its) for verdict in Verdict)]))
    if len(rows) > 1:
        rows.append(("all", [len(audit.checked), *(audit.count(verdict) for verdict in Verdict)]))
    return rows


def summary(audit: Audit) -> str:
    """354 claims: 255 right, 46 wrong, 53 not calculated."""
    wrong, right, left = (audit.count(verdict) for verdict in (Verdict.WRONG, Verdict.RIGHT, Verdict.NOT_CALCULATED))
    depends = f", {count} depending on what is meant" if (count := audit.count(Verdict.DEPENDS)) else ""
    text = f"{several(len(audit.checked), 'claim')}: {right} right, {wrong} wrong{depends}, {left} not calculated"
    return f"{text}; {budget(audit)}" if audit.unreached or audit.unexplained else text


def budget(audit: Audit) -> str:
    """What the bound on the work left undone."""
    return (
        f"the budget of {MOST_STEPS:,} steps was reached: "
        f"{several(audit.unreached, 'claim')} not calculated, {audit.unexplained} wrong not explained"
    )


def statement(checked: CheckedClaim) -> str:
    """What is claimed, in words; made of the calculation where the file has none."""
    claim = checked.claim
    if claim.text:
        return line(claim.text)
    if claim.calculation is not None:
        return line(written(claim.calculation.tree, claim.calculation.variables))
    return line(claim.printed.text if claim.printed else claim.id)


def claimed(checked: CheckedClaim) -> str:
    """The claimed value as it was written, after its calculation where the text prints one; of a list what is wrong."""
    claim = checked.claim
    if claim.formula is not None:
        return line(claim.formula.printed_text)
    if claim.printed is None and checked.wrong_parts:
        return ", ".join(line(part.claimed.text) for part in checked.wrong_parts)
    if claim.printed is None:
        return line(claim.value.text) if claim.value else ""
    value = line(claim.value.text) if claim.value else value_text(checked.printed)
    return f"{_short(line(claim.printed.text))} = {value}"


def _short(calculation: str) -> str:
    """A calculation with its middle left out where it is long."""
    return (
        calculation if len(calculation) <= LONGEST else f"{calculation[: LONGEST // 2]}…{calculation[-LONGEST // 2 :]}"
    )


def calculated(checked: CheckedClaim) -> str:
    """The right value, where one was calculated."""
    if checked.claim.formula is not None:
        return "" if checked.counterexample else "holds at every point tried"
    if checked.verdict in (Verdict.NOT_CALCULATED, Verdict.DEPENDS):
        return ""
    # Where a claim is wrong and none of its parts is, only the printed calculation is wrong.
    parts = checked.wrong_parts if checked.verdict is Verdict.WRONG else checked.parts
    return "; ".join(part_text(part) for part in parts)


def details(checked: CheckedClaim) -> Iterator[str]:
    """What teaches at a wrong claim: the right calculation, then what led to the wrong one."""
    yield from (line(text) for text in checked.workings)
    if rest := measured(checked.parts):
        yield f"Not calculated: {line(rest)}."
    if checked.counterexample is not None:
        point, found, expected = checked.counterexample
        where = ", ".join(f"{name} = {value_text(value)}" for name, value in point.items())
        yield f"for {where} it gives {value_text(found)}, right is {value_text(expected)}"
    # Mistakes that only together give the value share their explanation.
    reasons: dict[str, list[Diagnosis]] = {}
    for one in checked.diagnoses:
        reasons.setdefault(one.explanation, []).append(one)
    for explanation, ones in reasons.items():
        layers = dict.fromkeys(one.layer for one in ones)
        unnamed = [layer for layer in layers if layer and layer != TOTAL and layer not in explanation]
        where = f"{listed(unnamed)}: " if unnamed and checked.claim.printed is not None else ""
        mistakes = ", ".join(dict.fromkeys(one.mistake for one in ones))
        yield line(f"{where}{explanation} [{mistakes}]")
