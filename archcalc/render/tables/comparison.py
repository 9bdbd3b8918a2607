"""Networks side by side, as a table for a terminal, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.core.cells import harmless
from archcalc.core.language import apart, say
from archcalc.core.markup import escape_markdown
from archcalc.core.quantities import quantity, quantity_of_network
from archcalc.core.shapes import format_shape
from archcalc.core.text import align, bold
from archcalc.core.words import AT_LEAST, several, share
from archcalc.design.compare import SHARED_OUT, Pair, Total, shares, totals
from archcalc.design.compare import align as aligned
from archcalc.ops import OPS
from archcalc.passes.analysis import Analysis, Row
from archcalc.render.tables.report import not_counted_in_words

FORMATS = ("table", "markdown", "csv", "json")
ENDINGS = {".txt": "table", ".md": "markdown", ".csv": "csv", ".json": "json"}
_SIGNS = {"same": " ", "changed": "~", "removed": "-", "added": "+"}

#: A title, the lines of a table with its heading first, and which columns are numbers.
Section = tuple[str, list[list[str]], list[bool]]


def render(
    analyses: Sequence[Analysis], form: str, diff: bool = False, colour: bool = False, names: Sequence[str] = ()
) -> str:
    """The totals of the networks, and with `diff` the layers that two of them do not have in common.

    `names`: what headings call the networks, where that is not their name alone.
    """
    pairs = aligned(*analyses) if diff else ()
    if form == "json":
        return json.dumps(as_dict(analyses, pairs if diff else None), ensure_ascii=False, indent=1) + "\n"
    found = list(_sections(analyses, names or [analysis.graph.name for analysis in analyses]))
    if diff:
        found = [found[0], _differences(pairs)]
    if form == "csv":
        return _csv(analyses, pairs if diff else None)
    write = _markdown if form == "markdown" else _text
    notes = [f"{_summary(pairs)}\n"] if diff else []
    notes += [f"{one.graph.name}: {not_counted_in_words(one.totals)}.\n" for one in analyses if one.totals.not_counted]
    return "\n".join([*(write(section, colour) for section in found), *notes])


def as_dict(analyses: Sequence[Analysis], pairs: Sequence[Pair] | None) -> dict[str, Any]:
    """The comparison as data; numbers as they are."""
    made: dict[str, Any] = {
        "schema": "archcalc.compare/1",
        "networks": [analysis.graph.name for analysis in analyses],
        "totals": {total.key: list(total.values) for total in totals(analyses)},
        "ratios": {total.key: list(total.ratios) for total in totals(analyses)},
        "not_counted": {one.graph.name: dict(one.totals.not_counted) for one in analyses if one.totals.not_counted},
        "shares": {key: {one.kind: list(one.values) for one in shares(analyses, key)} for key in SHARED_OUT},
    }
    if pairs is not None:
        made["layers"] = [
            {
                "status": pair.status,
                "first": pair.first.name if pair.first else None,
                "second": pair.second.name if pair.second else None,
                "changes": {what: [before, after] for what, before, after in pair.changes},
            }
            for pair in pairs
        ]
    return made


def _sections(analyses: Sequence[Analysis], names: Sequence[str]) -> Iterator[Section]:
    heads = [part for index, name in enumerate(names) for part in ([name] if index == 0 else [name, "×"])]
    numbers = [True] * len(heads)
    inputs = [analysis.graph.inputs_in_words() for analysis in analyses]
    counts = [f"{one.layer_count:,}" for one in analyses]
    body = [[say("input"), *_with_gaps(inputs)], [say("layers"), *_with_gaps(counts)]]
    yield (
        say("Totals"),
        [["", *heads], *body, *([_title(total), *_cells(total)] for total in totals(analyses))],
        [
            False,
            *numbers,
        ],
    )
    for key in SHARED_OUT:
        wholes = [quantity(key).of(analysis.totals) for analysis in analyses]
        lines = [
            [
                _kind(one.kind),
                *(part for value, whole in zip(one.values, wholes, strict=True) for part in _part(value, whole)),
            ]
            for one in shares(analyses, key)
        ]
        title = say("{quantity} by kind of layer", quantity=quantity(key).title)
        title = title[:1].upper() + title[1:]
        yield title, [["", *(part for name in names for part in (name, ""))], *lines], [False, *[True] * 2 * len(names)]


def _kind(kind: str) -> str:
    """A kind of layer: in English as specs write it, in other languages with what it is called before that."""
    noun = OPS[kind].noun
    return kind if say(noun) == noun else f"{say(noun)} ({apart(kind)})"


def _with_gaps(values: Sequence[str]) -> list[str]:
    """The values, with an empty ratio after each but the first."""
    return [part for index, value in enumerate(values) for part in ([value] if index == 0 else [value, ""])]


def _title(total: Total) -> str:
    return quantity_of_network(total.key).title


def _ratio(ratio: float) -> str:
    """Three digits, or as many as it takes to tell a ratio from 1."""
    texts = [f"{ratio:.{digits}g}" for digits in range(3, 17)]
    return texts[0] if ratio == 1 else next((text for text in texts if float(text) != 1), texts[-1])


def _cells(total: Total) -> list[str]:
    write = quantity_of_network(total.key).write_total
    cells = [
        say("unknown") if value is None else f"{AT_LEAST if bound else ''}{write(value)}"
        for value, bound in zip(total.values, total.at_least, strict=True)
    ]
    found = cells[:1]
    for cell, ratio in zip(cells[1:], total.ratios[1:], strict=True):
        found += [cell, "" if ratio is None else _ratio(ratio)]
    return found


def _part(value: int, whole: int | None) -> tuple[str, str]:
    return f"{value:,}", share(value, whole) if whole else ""


def _differences(pairs: Sequence[Pair]) -> Section:
    """What differs, layer by layer."""
    lines = [["", say("layer"), say("what it does"), say("output"), say("params"), say("difference")]]
    for pair in pairs:
        if pair.status == "same":
            continue
        row = pair.second or pair.first
        assert row is not None
        lines.append([_SIGNS[pair.status], _name(pair), row.summary, format_shape(row.output_shape), *_what(pair, row)])
    return say("Layers that differ"), lines, [False, False, False, True, True, False]


def _name(pair: Pair) -> str:
    first, second = (row.name if row else "" for row in (pair.first, pair.second))
    return first or second if not (first and second) or first == second else f"{first} → {second}"


def _what(pair: Pair, row: Row) -> tuple[str, str]:
    if not pair.changes:
        reads = ", ".join(row.inputs)
        return f"{row.params:,}", say("reads {names}", names=reads) if reads else ""
    return f"{row.params:,}", "; ".join(_change(*change) for change in pair.changes)


def _change(what: str, before: str, after: str) -> str:
    if what == "reads":
        return say("reads {names}", names=f"{before} → {after}")
    return f"{say('output') if what == 'output' else what} {before} → {after}"


def _summary(pairs: Sequence[Pair]) -> str:
    counts = {status: sum(pair.status == status for pair in pairs) for status in _SIGNS}
    # An input is no layer.
    counts["same"] -= sum(pair.status == "same" and pair.first is not None and pair.first.op.is_input for pair in pairs)
    return say(
        "{layers} the same, {changed:,} changed, {removed:,} only in the first, {added:,} only in the second.",
        layers=several(counts["same"], "layer"), changed=counts["changed"], removed=counts["removed"],
        added=counts["added"],
    )  # fmt: skip


def _text(section: Section, colour: bool) -> str:
    title, lines, right = section
    return "\n".join([bold(title, colour), *align(lines, right, colour), ""])


def _markdown(section: Section, _colour: bool) -> str:
    title, lines, right = section
    rules = ["---:" if one else ":---" for one in right]
    head, *body = [[escape_markdown(cell) for cell in line] for line in lines]
    return "\n".join([f"## {title}", "", *("| " + " | ".join(line) + " |" for line in (head, rules, *body)), ""])


def _csv(analyses: Sequence[Analysis], pairs: Sequence[Pair] | None) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if pairs is None:
        writer.writerow(["quantity", "kind", *(harmless(analysis.graph.name) for analysis in analyses)])
        writer.writerows([total.key, "", *total.values] for total in totals(analyses))
        writer.writerows([key, one.kind, *one.values] for key in SHARED_OUT for one in shares(analyses, key))
        return out.getvalue()
    writer.writerow(["status", "first", "second", "what", "before", "after"])
    for pair in pairs:
        names = [harmless(row.name) if row else "" for row in (pair.first, pair.second)]
        for change in pair.changes or (("", "", ""),):
            writer.writerow([pair.status, *names, *map(harmless, change)])
    return out.getvalue()
