"""`report -f html`: one network as a page of its own, several as a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.render.pages.document import document
from archcalc.render.pages.network import section
from archcalc.render.tables.report import Report


class Page(NamedTuple):
    """The text of a file, and a sentence for each part that could not be made."""

    text: str
    missing: tuple[str, ...]


def render(reports: Sequence[Report]) -> Page:
    """The page of one or several reports."""
    if len(reports) == 1:
        part = section(reports[0])
        return Page(document(reports[0].title, part.html), part.missing)
    from archcalc.render.pages.comparison import comparison

    parts = comparison(reports)
    title = say("Comparison: {networks}", networks=", ".join(report.title for report in reports))
    return Page(document(title, parts.html), parts.missing)
