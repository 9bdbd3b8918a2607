"""The formats of a report, by name and by the ending of a file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from archcalc.render.tables.report import Report

_MODULES = {"table": "text", "markdown": "markdown", "csv": "csv", "json": "json", "latex": "latex"}
#: HTML is made by `archcalc.render.pages`, which stands above the reports.
FORMATS = (*_MODULES, "html")
ENDINGS = {
    ".txt": "table", ".md": "markdown", ".csv": "csv", ".json": "json", ".tex": "latex", ".html": "html",
    ".htm": "html",
}  # fmt: skip


def render(reports: Sequence[Report], form: str = "table") -> str:
    """One or several reports in a format of `FORMATS` that is a text by itself: all but `html`."""
    text = import_module(f"archcalc.render.tables.{_MODULES[form]}").render(reports)
    assert isinstance(text, str)
    return text
