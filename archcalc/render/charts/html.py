"""A plot as a page of its own: Vega with its tooltips, the numbers as a table; it works from a file, offline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from archcalc.render.diagrams.theme import THEMES

#: Vega's export menu without the two entries that lead to other sites.
_OPTIONS = {"renderer": "svg", "actions": {"export": True, "source": False, "compiled": False, "editor": False}}


def page(spec: Mapping[str, Any], bundle: str, fonts: str) -> str:
    """The page; `bundle` is the JavaScript of Vega, Vega-Lite and Vega-Embed."""
    meta = spec["usermeta"]["archcalc"]
    theme = THEMES[meta["theme"]]
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        fonts=fonts,
        background=theme.background,
        ink=theme.ink,
        line=theme.frame.line,
        title=escape(meta["title"]),
        description=escape(spec["description"]),
        script=bundle.replace("</script", "<\\/script"),
        table=table(meta["table"]),
        spec=_json(spec),
        options=_json(_OPTIONS),
    )


def table(data: Mapping[str, Sequence[Any]]) -> str:
    """The numbers of a plot, closed until somebody asks for them."""
    if not data["rows"]:
        return ""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in data["heads"])
    rows = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in data["rows"])
    return (
        '<details><summary>The numbers</summary>\n<div class="scroll" tabindex="0"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div></details>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{escape('–' if value is None else str(value))}</td>"


def _json(value: Any) -> str:
    """JSON that can stand inside a script: no tag can begin in it."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
