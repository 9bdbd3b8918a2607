"""The reports of the whole catalogue, as files: what `archcalc report --all` writes, in full or as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.catalogue import catalogue_plots, comparison_plot
from archcalc.render.pages.comparison import overview
from archcalc.render.pages.document import document
from archcalc.render.pages.report import render
from archcalc.render.tables import markdown
from archcalc.render.tables.index import family_file, file_name, is_block, render_index
from archcalc.render.tables.report import make_report, short_report
from archcalc.spec.catalogue import load, names

COMPARISON = "comparison.html"
#: Rows of a table in the short form, of the first network of a family and of the others; deeper ones show blocks.
MOST_ROWS = 64, 24
#: The networks that have a diagram in the short form, and its style: those that courses and papers start from.
PICTURES = {
    "alexnet": "volumes",
    "googlenet": "blocks",
    "lenet5": "volumes",
    "mobilenet": "blocks",
    "nin": "volumes",
    "resnet50": "blocks",
    "unet": "volumes",
    "vgg16": "volumes",
    "xception": "blocks",
    "zfnet": "volumes",
}


def catalogue_files() -> Iterator[tuple[str, str]]:
    """Name and text of every file, network by network, what compares them last: tables, pages, all diagrams, plots.

    Raises `UsageError` where a package is missing that the pictures need.
    """
    analyses = []
    for name in names():
        analysis = analyse(load(name))
        analyses.append(analysis)
        yield from network_files(analysis)
    yield from catalogue_plots()
    yield from overview_files(analyses)


def markdown_files() -> Iterator[tuple[str, str]]:
    """The short form, for readers without a browser: tables, a diagram of each network of `PICTURES`, the comparison.

    Raises `UsageError` where a package is missing that the pictures need.
    """
    analyses = [analyse(load(name)) for name in names()]
    yield from family_files(analyses)
    for name in PICTURES:
        yield picture_file(name)
    yield comparison_plot()
    yield index_file(analyses)


def table_file(analysis: Analysis) -> tuple[str, str]:
    """The table of a network, its conventions and reported figures."""
    return file_name(analysis.graph.name), markdown.render([make_report(analysis)])


def family_files(analyses: Sequence[Analysis]) -> Iterator[tuple[str, str]]:
    """The tables of each family as the short form has them: of blocks, where a network has many layers."""
    families: defaultdict[str, list[Analysis]] = defaultdict(list)
    for analysis in analyses:
        families[family_file(analysis)].append(analysis)
    first, other = MOST_ROWS
    for file, members in families.items():
        rows = [first, *(other for _ in members[1:])]
        yield file, markdown.render([short_report(*each) for each in zip(members, rows, strict=True)])


def picture_file(name: str) -> tuple[str, str]:
    """The diagram of a network of `PICTURES`."""
    from archcalc.render.diagrams.pages import standard_picture

    return _picture_name(name, PICTURES[name]), standard_picture(analyse(load(name)), PICTURES[name])


def index_file(analyses: Sequence[Analysis]) -> tuple[str, str]:
    """The index of the short form."""
    links = {name: {"diagram": _picture_name(name, style)} for name, style in PICTURES.items()}
    return "README.md", render_index(analyses, links, pages=False)


def network_files(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """The table as Markdown, the page, and the diagrams that suit the network."""
    from archcalc.render.diagrams.pages import standard_picture, standard_styles

    yield table_file(analysis)
    page = render([make_report(analysis)])
    if page.missing:  # half a page would be taken for a whole one
        raise UsageError(page.missing[0])
    yield file_name(analysis.graph.name, "html"), page.text
    for style in standard_styles(analysis):
        yield _picture_name(analysis.graph.name, style), standard_picture(analysis, style)


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
    """What there is of a network next to its table, and the file."""
    from archcalc.render.diagrams.pages import standard_styles

    name = analysis.graph.name
    return {
        "page": file_name(name, "html"),
        **{style: _picture_name(name, style) for style in standard_styles(analysis)},
    }


def _picture_name(network: str, style: str) -> str:
    return f"{network}-{style}.svg"
