"""A plot as a page of its own: Vega with its tooltips, the numbers as a table; it works from a file, offline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from archcalc.render.diagrams.theme import THEMES

#: Vega's export menu without the two entries that lead to other sites.
_OPTIONS = {"renderer": "svg", "actions": {"export": True, "source": False, "compiled": False, "editor": False}}

_STYLE = """\
body { margin: 1.5rem; font-family: %(fonts)s; background: %(background)s; color: %(ink)s; }
figure { margin: 0; }
#plot { max-width: 100%%; overflow-x: auto; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%%); }
details { margin-top: 1rem; }
summary { cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin-top: 0.5rem; }
th, td { border-bottom: 1px solid %(line)s; padding: 0.25rem 0.6rem; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
@media print { details:not([open]) { display: none; } .vega-embed summary { display: none; } }
"""


def page(spec: Mapping[str, Any], bundle: str, fonts: str) -> str:
    """The page; `bundle` is the JavaScript of Vega, Vega-Lite and Vega-Embed."""
    meta = spec["usermeta"]["archcalc"]
    theme = THEMES[meta["theme"]]
    colours = {"fonts": fonts, "background": theme.background, "ink": theme.ink, "line": theme.frame.line}
    title = escape(meta["title"])
    script = bundle.replace("</script", "<\\/script")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{_STYLE % colours}</style>
<script>
{script}
</script>
</head>
<body>
<main>
<h1 class="hidden">{title}</h1>
<figure>
<div id="plot"></div>
<figcaption class="hidden">{escape(spec["description"])}</figcaption>
</figure>
{table(meta["table"])}
</main>
<script type="application/json" id="spec">{_json(spec)}</script>
<script>
vegaEmbed("#plot", JSON.parse(document.getElementById("spec").textContent), {_json(_OPTIONS)}).catch(console.error);
</script>
</body>
</html>
"""


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
