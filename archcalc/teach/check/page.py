"""A check as a page: the table with its cells marked, and below it the feedback on each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from archcalc.core.language import say
from archcalc.core.markup import html_page
from archcalc.explain.derive.notation import MATHML
from archcalc.teach.check.findings import Finding, answer_and_right, chain, name_in_words, shorten, summary, words_of
from archcalc.teach.check.match import rows_of
from archcalc.teach.check.model import CHECKED, Check, Verdict


def page(title: str, check: Check, every: Sequence[Finding], notes: Sequence[str]) -> str:
    """One file that needs nothing else; everything that was written by others is escaped."""
    anchors = {id(finding.cell): f"c{number}" for number, finding in enumerate(every, 1)}
    sections = "\n".join(_section(finding, anchors[id(finding.cell)]) for finding in every)
    remarks = "".join(f"<li>{escape(note)}</li>" for note in notes)
    key = say("✓ right · → right, given an earlier mistake · ✗ wrong")
    body = (
        f"<h1>{escape(title)}</h1>\n<p>{escape(summary(check))}</p>\n"
        f'<div class="wide">\n<table>\n{"".join(_table(check, anchors))}</tbody>\n</table>\n</div>\n'
        f'<p class="key">{escape(key)}</p>\n{sections}\n{f"<ul>{remarks}</ul>" if remarks else ""}'
    )
    return html_page(title, Path(__file__).with_name("page.css").read_text(encoding="utf-8"), body)


def _table(check: Check, anchors: dict[int, str]) -> Iterator[str]:
    """The answers as they were handed in, each cell with its verdict."""
    used = {cell.quantity for cell in check.cells}
    quantities = [quantity for quantity in CHECKED if quantity in used]
    heads = "".join(f'<th scope="col">{escape(name_in_words(quantity))}</th>' for quantity in quantities)
    yield f'<thead><tr><th scope="col">{escape(say("layer"))}</th>{heads}</tr></thead>\n<tbody>\n'
    for row in rows_of([cell.answer for cell in check.cells]):
        cells = {check.cells[position].quantity: check.cells[position] for position in row.cells}
        yield f'<tr><th scope="row">{escape(shorten(row.label))}</th>'
        for quantity in quantities:
            cell = cells.get(quantity)
            if cell is None or cell.verdict is Verdict.EMPTY:
                yield "<td></td>"
                continue
            text = escape(shorten(cell.answer.text))
            anchor = anchors.get(id(cell))
            linked = f'<a href="#{anchor}">{text}</a>' if anchor else text
            yield f'<td class="{cell.verdict}">{linked}</td>'
        yield "</tr>\n"


def _section(finding: Finding, anchor: str) -> str:
    verdict = finding.cell.verdict
    you, right = answer_and_right(escape(finding.you), finding.right and f"<b>{escape(finding.right)}</b>")
    head = f'{escape(finding.where)} <span class="verdict">{escape(finding.verdict)}</span>'
    if verdict is Verdict.CARRIED:
        return f'<section class="{verdict}" id="{anchor}">\n<p>{head}. {you}{right}</p>\n</section>'
    lines = [f"<math><mrow>{line}</mrow></math>" for line in chain(finding, MATHML)]
    parts = [f"{you}{right}", *lines, *(escape(text) for text in words_of(finding))]
    body = "\n".join(f"<p>{part}</p>" for part in parts if part)
    return f'<section class="{verdict}" id="{anchor}">\n<h2>{head}</h2>\n{body}\n</section>'
