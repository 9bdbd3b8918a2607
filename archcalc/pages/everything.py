"""The reports of the whole catalogue, as files."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.analysis import analyse
from archcalc.catalogue import load, names
from archcalc.plots.catalogue import catalogue_plots
from archcalc.reports import markdown
from archcalc.reports.index import file_name, render_index
from archcalc.reports.report import make_report


def catalogue_files() -> Iterator[tuple[str, str]]:
    """Name and text of every file of `reports/`: a report for each network, the plots, the index last.

    Raises `UsageError` where the extra `plot` is not installed.
    """
    analyses = []
    for name in names():
        analysis = analyse(load(name))
        analyses.append(analysis)
        yield file_name(name), markdown.render([make_report(analysis)])
    yield from catalogue_plots()
    yield "README.md", render_index(analyses)
