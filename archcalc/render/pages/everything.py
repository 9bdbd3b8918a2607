"""The reports of the whole catalogue, as files: what `archcalc report --all` writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.catalogue import catalogue_plots
from archcalc.render.pages.comparison import overview
from archcalc.render.pages.document import document
from archcalc.render.pages.report import render
from archcalc.render.tables import markdown
from archcalc.render.tables.index import file_name, is_block, render_index
from archcalc.render.tables.report import make_report
from archcalc.spec.catalogue import load, names

COMPARISON = "comparison.html"


def catalogue_files() -> Iterator[tuple[str, str]]:
    """Name and text of every file of `reports/`, network by network, what compares them last.

    Raises `UsageError` where a package is missing that the pictures need.
    """
    analyses = []
    for name in names():
        analysis = analyse(load(name))
        analyses.append(analysis)
        yield from network_files(analysis)
    yield from catalogue_plots()
    yield from overview_files(analyses)


def network_files(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """The table as Markdown, the page, and the diagrams that suit the network."""
    from archcalc.render.diagrams.pages import standard_pictures

    report = make_report(analysis)
    yield file_name(analysis.graph.name), markdown.render([report])
    page = render([report])
    if page.missing:  # half a page would be taken for a whole one
        raise UsageError(page.missing[0])
    yield file_name(analysis.graph.name, "html"), page.text
    yield from standard_pictures(analysis).items()


def overview_files(analyses: Sequence[Analysis]) -> Iterator[tuple[str, str]]:
    """The comparison of the networks, and the index of all files."""
    networks = [analysis for analysis in analyses if not is_block(analysis)]
    links = [file_name(analysis.graph.name, "html") for analysis in networks]
    compared = overview([make_report(analysis) for analysis in networks], links, "The catalogue side by side")
    if compared.missing:
        raise UsageError(compared.missing[0])
    yield COMPARISON, document("The catalogue side by side", compared.html)
    yield "README.md", render_index(analyses, {analysis.graph.name: _others(analysis) for analysis in analyses})


def _others(analysis: Analysis) -> dict[str, str]:
    """What there is of a network beside its table, and the file."""
    from archcalc.render.diagrams.pages import standard_styles

    name = analysis.graph.name
    return {"page": file_name(name, "html"), **{style: f"{name}-{style}.svg" for style in standard_styles(analysis)}}
