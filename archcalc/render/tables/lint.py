"""What the rules found, as text, JSON and annotations of GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archcalc.core.text import bold, dim, wrap
from archcalc.core.words import count, several, size
from archcalc.design.lint.rule import Found, Rule
from archcalc.passes.analysis import Analysis

FORMATS = ("text", "json", "github")
ENDINGS = {".txt": "text", ".json": "json"}
_WIDTH = 110


def render(analysis: Analysis, found: Sequence[Found], form: str, colour: bool = False, most: int | None = None) -> str:
    """The findings of a network; as text `most` of each rule."""
    if form == "json":
        return json.dumps(as_dict(analysis, found), ensure_ascii=False, indent=1) + "\n"
    if form == "github":
        return "".join(_annotation(one) for one in found)
    seen = Counter[str]()
    lines: list[str] = []
    for one in found:
        seen[one.rule.id] += 1
        if most is None or seen[one.rule.id] <= most:
            lines += _lines(one, colour)
    lines += [
        f"and {number - most} more of {name}; --select {name} shows all"
        for name, number in seen.items()
        if most is not None and number > most
    ]
    return "\n".join([*lines, _summary(analysis, found), ""])


def as_dict(analysis: Analysis, found: Sequence[Found]) -> dict[str, Any]:
    """The findings as data."""
    return {
        "schema": "archcalc.lint/1",
        "network": analysis.graph.name,
        "findings": [
            {
                "rule": one.rule.id, "layer": one.layer, "message": one.finding.message,
                "costs": dict(one.finding.costs), "change": one.finding.change, "reason": one.rule.reason,
                "source": one.rule.source, "location": str(one.location) if one.location else None,
            }
            for one in found
        ],
    }  # fmt: skip


def explain(rule: Rule) -> str:
    """A rule in words."""
    return "\n".join([f"{rule.id}: {rule.title}", "", *wrap(rule.reason, _WIDTH), f"Source: {rule.source}", ""])


def _lines(one: Found, colour: bool) -> list[str]:
    place = f"{one.location}: " if one.location else ""
    text = f"{place}{bold(one.layer, colour)}: {one.finding.message} [{one.rule.id}]"
    return [text, dim(f"    {_change(one)}", colour)]


def _change(one: Found) -> str:
    """The change that fixes it, and what it costs as it is."""
    costs = [cost(name, number) for name, number in one.finding.costs.items()]
    return one.finding.change + (f"; {', '.join(costs)}" if costs else "")


def cost(name: str, number: int) -> str:
    """A cost in words: 3 params, 264 values unread."""
    if name == "bytes":
        return f"{size(number)} moved"
    what, _, rest = name.partition("_")
    return f"{count(number)} {what if number > 1 else what.removesuffix('s')}{rest and f' {rest}'}"


def _summary(analysis: Analysis, found: Sequence[Found]) -> str:
    if not found:
        return f"{analysis.graph.title}: nothing found."
    by_rule = Counter(one.rule.id for one in found)
    return f"{several(len(found), 'finding')}: " + ", ".join(f"{number} {name}" for name, number in by_rule.items())


def _annotation(one: Found) -> str:
    """A workflow command; its data cannot break out of it."""
    where = ""
    # A network of the catalogue has no file in the repository that is checked.
    if one.location and one.location.line and Path(one.location.file).is_file():
        where = f"file={_property(one.location.file)},line={one.location.line},col={one.location.column},"
    message = f"{one.layer}: {one.finding.message}. {_change(one)}"
    return f"::warning {where}title={_property(one.rule.id)}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
