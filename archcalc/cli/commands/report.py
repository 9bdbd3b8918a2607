"""`archcalc report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from archcalc.cli.options import (
    complete_network,
    counting_options,
    network_options,
    parse_input,
    parse_settings,
    share_settings,
)
from archcalc.cli.output import colour, note, width, write
from archcalc.core.conventions import Conventions
from archcalc.core.errors import SpecError
from archcalc.core.files import check_target, make_folder
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.tables import formats
from archcalc.render.tables.report import Report, make_report
from archcalc.spec.catalogue import load


@click.command(
    name="report",
    epilog="""\b
Examples:
  archcalc report alexnet
  archcalc report vgg16 --input 384x384x3 --batch 32
  archcalc report mobilenet --set alpha=0.5 -f markdown
  archcalc report resnet50 --depth 2 --columns layer,output,params
  archcalc report alexnet vgg16 -f json -o both.json
  archcalc report --all -o site/
""",
)
@click.argument("networks", metavar="NET...", nargs=-1, shell_complete=complete_network)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Every network of the catalogue as table, page and diagrams, with an index, into the folder -o; "
    "with -f markdown no pages, and diagrams of well-known networks only.",
)
@click.option(
    "-f", "--format", "form", type=click.Choice(formats.FORMATS), help="Default: by the ending of -o, else table."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@network_options
@counting_options
@click.option(
    "--layout",
    type=click.Choice(["hwc", "chw"]),
    default="hwc",
    show_default=True,
    help="Shapes in tables as height×width×channels or channels×height×width.",
)
@click.option("--columns", metavar="KEYS", help="Columns by key, comma-separated; all for every one.")
@click.option("--depth", type=click.IntRange(min=1), help="Fold blocks below so many levels of names into one row.")
def command(
    networks: tuple[str, ...],
    everything: bool,
    form: str | None,
    output: str | None,
    input_size: str | None,
    settings: tuple[str, ...],
    batch: int,
    dtype: str,
    strict: bool,
    count_in_place: bool,
    running_statistics: bool,
    layout: str,
    columns: str | None,
    depth: int | None,
) -> None:
    """The per-layer table and the totals of one or several networks.

    NET is a name of the catalogue (alexnet), a variant (alexnet@grouped) or a spec file (mynet.yaml).
    """
    if everything:
        if networks or input_size or settings or output in (None, "-"):
            raise click.UsageError("--all takes no NET, --input or --set, and needs a folder: --all -o site/")
        if form not in (None, "markdown"):
            raise click.UsageError(f"--all makes tables, pages and diagrams, or -f markdown; not -f {form}")
        write_catalogue(str(output), form == "markdown")
        return
    if not networks:
        raise click.UsageError("which network? For example: archcalc report alexnet; `archcalc list` shows all")
    check_target(output)
    form = form or formats.format_of(output)
    shape, values = parse_input(input_size), parse_settings(settings)
    conventions = Conventions(running_statistics=running_statistics, in_place=not count_in_place, strict=strict)
    reports = []
    for network, own in zip(networks, share_settings(networks, values), strict=True):
        analysis = analyse(load(network, own, shape), batch, dtype, conventions, partial=True)
        if analysis.problems:
            fail(analysis, form, output, columns, layout)
        reports.append(make_report(analysis, columns, layout, depth))
    write(render(reports, form, output), output)


def write_catalogue(folder: str, short: bool) -> None:
    """The files of every network and the index, one by one, their names on stderr."""
    from archcalc.render.pages.everything import catalogue_files, markdown_files

    for name, text in markdown_files() if short else catalogue_files():
        target = Path(folder, name)
        make_folder(target.parent)
        write(text, str(target))
        note(str(target))


def render(reports: list[Report], form: str, output: str | None) -> str:
    """The text of the reports; on a terminal as wide as it is, and in colour."""
    if form == "table" and output in (None, "-"):
        from archcalc.render.tables.text import render as render_text

        return render_text(reports, width(), colour())
    if form == "html":
        from archcalc.render.pages.report import render as render_page

        page = render_page(reports)
        for sentence in page.missing:
            note(f"left out of the page: {sentence}")
        return page.text
    return formats.render(reports, form)


def fail(analysis: Analysis, form: str, output: str | None, columns: str | None, layout: str) -> None:
    """Show the layers before the one that failed, where a person reads; then raise what is wrong."""
    if form == "table" and output in (None, "-") and analysis.rows:
        from archcalc.render.tables.text import render_partial

        sys.stdout.write(render_partial(make_report(analysis, columns, layout), width(), colour()))
        sys.stdout.flush()
    from archcalc.design.inputs import add_input_hints

    raise SpecError(add_input_hints(analysis.graph, analysis.problems, analysis.conventions.strict))
