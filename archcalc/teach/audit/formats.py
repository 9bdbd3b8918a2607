"""An audit as text, Markdown, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import Any

from archcalc.core.markup import escape_markdown, html_page
from archcalc.core.text import wrap
from archcalc.core.words import line
from archcalc.teach.audit.verdicts import Audit, CheckedClaim, Verdict
from archcalc.teach.audit.view import calculated, claimed, counts, details, statement, summary, topics

FORMATS = ("text", "markdown", "html", "json")
ENDINGS = {".txt": "text", ".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}
_WIDTH = 120
_HEADS = ("claims", *(str(verdict) for verdict in Verdict))


def render(audit: Audit, form: str, only: str | None = None, width: int | None = None) -> str:
    """An audit in a format of `FORMATS`; `only` keeps the claims of one verdict."""
    kept = Verdict(only) if only else None
    if form == "json":
        return json.dumps(as_dict(audit, kept), indent=2, ensure_ascii=False) + "\n"
    if form == "html":
        return _html(audit, kept)
    return _markdown(audit, kept) if form == "markdown" else _text(audit, kept, width or _WIDTH)


# --- text


def _text(audit: Audit, kept: Verdict | None, width: int) -> str:
    out = []
    for topic in topics(audit, kept):
        title = f" · {topic.title}" if topic.title else ""
        out += [f"{topic.heading or 'claims'}{title}", ""]
        longest = max(len(one.claim.id) for one in topic.checked)
        for one in topic.checked:
            out += _text_of(one, min(longest, 24), width)
        out.append("")
    return "\n".join([*out, summary(audit), ""])


def _text_of(one: CheckedClaim, column: int, width: int) -> Iterator[str]:
    where = f" (line {one.claim.line})" if one.claim.line else ""
    result = ""
    if one.verdict is Verdict.WRONG:
        right = calculated(one)
        result = f" – claimed {claimed(one)}{f', right is {right}' if right else ''}"
    elif one.verdict in (Verdict.NOT_CALCULATED, Verdict.DEPENDS):
        result = f" – {line(one.reason)}"
    elif one.claim.formula is None:
        result = f" – {calculated(one)}"
    head = f"  {one.verdict:<14}  {line(one.claim.id):<{column}}  "
    first, *rest = wrap(f"{statement(one)}{where}{result}", max(width - len(head), 40))
    yield head + first.strip()
    yield from (" " * len(head) + text.strip() for text in rest)
    if one.verdict is Verdict.WRONG:
        for text in details(one):
            first, *rest = wrap(text, max(width - len(head) - 4, 40))
            yield " " * (len(head) + 2) + first.strip()
            yield from (" " * (len(head) + 4) + more.strip() for more in rest)


# --- Markdown


def _markdown(audit: Audit, kept: Verdict | None) -> str:
    title = line(audit.claims.title) or "claims"
    out = [f"# Audit: {escape_markdown(title)}", "", f"{summary(audit)}.", ""]
    out += [f"| document | {' | '.join(_HEADS)} |", "|:---" + "|---:" * len(_HEADS) + "|"]
    out += [f"| {escape_markdown(label)} | {' | '.join(map(str, numbers))} |" for label, numbers in counts(audit)]
    sections = {
        Verdict.WRONG: ("Wrong", _markdown_wrong),
        Verdict.DEPENDS: ("Depends on what is meant", _markdown_table),
        Verdict.NOT_CALCULATED: ("Not calculated", _markdown_table),
        Verdict.RIGHT: ("Right", _markdown_table),
    }
    for verdict, (heading, rows) in sections.items():
        if kept in (None, verdict) and audit.count(verdict):
            out += ["", f"## {heading}", ""]
            for topic in topics(audit, verdict):
                out += [f"### {escape_markdown(topic.heading or title)}", "", *rows(topic.checked), ""]
            out.pop()
    return "\n".join(out) + "\n"


def _markdown_wrong(claims: tuple[CheckedClaim, ...]) -> Iterator[str]:
    for one in claims:
        right = calculated(one)
        where = f" (line {one.claim.line})" if one.claim.line else ""
        correction = f"claimed {escape_markdown(claimed(one))}" + (
            f", right is **{escape_markdown(right)}**" if right else ""
        )
        yield f"- **{escape_markdown(line(one.claim.id))}**{where}: {escape_markdown(statement(one))}: {correction}"
        yield from (f"  - {escape_markdown(text)}" for text in details(one))


def _markdown_table(claims: tuple[CheckedClaim, ...]) -> Iterator[str]:
    """Claims that need no explanation: why they were not calculated, or what was."""
    head = "calculated" if claims[0].verdict is Verdict.RIGHT else "why not"
    yield from (f"| claim | line | says | {head} |", "|:---|---:|:---|:---|")
    for one in claims:
        yield _row(one, line(one.reason) or calculated(one))


def _row(one: CheckedClaim, last: str) -> str:
    cells = (line(one.claim.id), str(one.claim.line or ""), statement(one), last)
    return f"| {' | '.join(escape_markdown(cell) for cell in cells)} |"


# --- HTML

_CLASSES = {Verdict.WRONG: "wrong", Verdict.RIGHT: "right", Verdict.DEPENDS: "left", Verdict.NOT_CALCULATED: "left"}


def _html(audit: Audit, kept: Verdict | None) -> str:
    title = line(audit.claims.title) or "Claims"
    heads = "".join(f'<th class="number">{head}</th>' for head in _HEADS)
    rows = "\n".join(f"<tr><td>{escape(label)}</td>{_cells(numbers)}</tr>" for label, numbers in counts(audit))
    sections = "\n".join(
        f"<h2>{escape(topic.heading or title)}</h2>\n"
        '<div class="wide"><table>\n'
        "<tr><th>verdict</th><th>claim</th><th>line</th><th>says</th><th>result</th></tr>\n"
        f"{''.join(_html_row(one) for one in topic.checked)}</table></div>"
        for topic in topics(audit, kept)
    )
    body = (
        f"<h1>Audit: {escape(title)}</h1>\n<p>{escape(summary(audit))}.</p>\n"
        f'<div class="wide"><table>\n<tr><th>document</th>{heads}</tr>\n{rows}\n</table></div>\n{sections}'
    )
    return html_page(f"Audit: {title}", Path(__file__).with_name("page.css").read_text(encoding="utf-8"), body)


def _cells(numbers: list[int]) -> str:
    return "".join(f'<td class="number">{number}</td>' for number in numbers)


def _html_row(one: CheckedClaim) -> str:
    correction = line(one.reason) or calculated(one)
    if one.verdict is Verdict.WRONG:
        correction = f"claimed {claimed(one)}" + (f", right is {correction}" if correction else "")
    more = "".join(f"<li>{escape(text)}</li>" for text in details(one)) if one.verdict is Verdict.WRONG else ""
    return (
        f'<tr class="{_CLASSES[one.verdict]}"><td class="verdict">{one.verdict}</td>'
        f'<td class="id">{escape(line(one.claim.id))}</td><td>{one.claim.line or ""}</td>'
        f"<td>{escape(statement(one))}{f'<ul>{more}</ul>' if more else ''}</td><td>{escape(correction)}</td></tr>\n"
    )


# --- JSON


def as_dict(audit: Audit, kept: Verdict | None = None) -> dict[str, Any]:
    """An audit as plain data; the keys are stable."""
    return {
        "schema": "archcalc.audit/1",
        "title": audit.claims.title,
        "documents": dict(audit.claims.documents),
        "counts": {str(verdict).replace(" ", "_"): audit.count(verdict) for verdict in Verdict},
        "claims": [_claim(one) for one in audit.checked if kept in (None, one.verdict)],
    }


def _claim(one: CheckedClaim) -> dict[str, Any]:
    return {
        "id": one.claim.id,
        "document": one.claim.document,
        "line": one.claim.line,
        "topic": one.claim.topic,
        "text": statement(one),
        "verdict": str(one.verdict).replace(" ", "_"),
        "claimed": claimed(one),
        "calculated": [_plain(part.value) for part in one.parts] if one.verdict is not Verdict.NOT_CALCULATED else [],
        "reason": one.reason,
        "workings": list(one.workings),
        "diagnoses": [
            {
                "mistake": found.mistake,
                "layer": found.layer,
                "quantity": found.quantity,
                "explanation": found.explanation,
            }
            for found in one.diagnoses
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
