"""The table as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from archcalc.reports.report import Report

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; white-space: nowrap; }
.number { text-align: right; }
thead th, tfoot td { border-bottom: 1px solid; border-top: 1px solid; font-weight: 600; }
tbody tr:hover { background: color-mix(in srgb, currentColor 8%, transparent); }
"""


def render(reports: Sequence[Report]) -> str:
    """A page with the table and the notes of each network."""
    title = ", ".join(report.title for report in reports)
    sections = "\n".join(_section(report) for report in reports)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{sections}\n</body>\n</html>\n"
    )


def _section(report: Report) -> str:
    kinds = [' class="number"' if column.right else "" for column in report.columns]

    def line(cells: Sequence[str], tag: str, scope: str = "") -> str:
        parts = (f"<{tag}{scope}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True))
        return f"<tr>{''.join(parts)}</tr>"

    heads = line(report.heads(), "th", ' scope="col"')
    body = "\n".join(line(cells, "td") for cells in report.lines())
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in report.notes())
    return (
        f'<section>\n<h1>{escape(report.title)}</h1>\n<div class="wide">\n<table>\n'
        f"<caption>{escape(report.subtitle)}</caption>\n"
        f"<thead>{heads}</thead>\n<tbody>\n{body}\n</tbody>\n"
        f"<tfoot>{line(report.total_line(), 'td')}</tfoot>\n</table>\n</div>\n<ul>\n{notes}\n</ul>\n</section>"
    )
