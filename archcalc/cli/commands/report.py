"""`archcalc report`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from archcalc.cli.options import (
    Counting,
    NetworkChoice,
    counting_options,
    data_in_english,
    lang_option,
    network_options,
    networks_argument,
)
from archcalc.cli.output import Target, note, output_options, write
from archcalc.core.errors import SpecError
from archcalc.core.files import make_folder
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.tables import formats
from archcalc.render.tables.report import Report, make_report


@click.command("report")
@networks_argument
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Every network of the catalogue as table, page and diagrams, with an index, into the folder -o; "
    "with -f markdown no pages, and diagrams of well-known networks only.",
)
@output_options(formats.FORMATS, formats.ENDINGS, "table", checked=False)
@lang_option
@network_options
@counting_options
@click.option("--convention", metavar="NAME", help="Params and multiplications as another tool counts: keras, fvcore, "
              "ptflops, thop, torchinfo, …; archcalc reconcile shows the difference.")  # fmt: skip
@click.option("--layout", type=click.Choice(["hwc", "chw"]), default="hwc", show_default=True,
              help="Shapes in tables as height×width×channels or channels×height×width.")  # fmt: skip
@click.option("--columns", metavar="KEYS", help="Columns by key, comma-separated; all for every one.")
@click.option(
    "--depth", type=click.IntRange(min=1), help="Levels of block names to show; deeper blocks become one row each."
)
def command(
    networks: list[NetworkChoice],
    everything: bool,
    target: Target,
    counting: Counting,
    convention: str | None,
    layout: str,
    columns: str | None,
    depth: int | None,
) -> None:
    """The per-layer table and the totals of one or several networks.

    NET is a name of the catalogue (alexnet), a variant (alexnet@grouped), a spec file (mynet.yaml), a pattern in quotes
    or a model file (net.onnx).
    """
    if everything:
        given = click.get_current_context().params
        if networks or given["input_size"] or given["settings"] or convention or target.is_stdout:
            raise click.UsageError(
                "--all takes no NET, --input, --set or --convention, and needs a folder: --all -o site/"
            )
        if given["form"] not in (None, "markdown"):
            raise click.UsageError(f"--all makes tables, pages and diagrams, or -f markdown; not -f {target.form}")
        data_in_english("html", "html")
        write_catalogue(str(target.path), target.form == "markdown")
        return
    if not networks:
        raise click.UsageError("which network? For example: archcalc report alexnet; `archcalc list` shows all")
    target.check()
    data_in_english(target.form)
    counted = None if convention is None else counted_as(convention)
    reports = []
    for network in networks:
        analysis = analyse(network.load(), *counting, partial=True)
        if analysis.problems:
            fail(analysis, target, columns, layout)
        if counted is not None:
            analysis = counted(analysis)
        reports.append(make_report(analysis, columns, layout, depth))
    target.write(render(reports, target))


def counted_as(convention: str) -> Callable[[Analysis], Analysis]:
    """What counts an analysis again as another tool does. Raises `UsageError` for an unknown one."""
    from archcalc.design.conventions import as_counted, tool_named

    return partial(as_counted, tool=tool_named(convention))


def write_catalogue(folder: str, short: bool) -> None:
    """The files of every network and the index, one by one, their names on stderr."""
    from archcalc.render.pages.everything import catalogue_files, markdown_files

    make_folder(folder)  # before minutes of work, for which there might be no place
    for name, text in markdown_files() if short else catalogue_files():
        target = Path(folder, name)
        make_folder(target.parent)
        write(text, str(target))
        note(str(target))


def render(reports: list[Report], target: Target) -> str:
    """The text of the reports; on a terminal as wide as it is, and in colour."""
    if target.form == "table" and target.is_stdout:
        from archcalc.render.tables.text import render as render_text

        return render_text(reports, target.width, target.colour)
    if target.form == "html":
        from archcalc.render.pages.report import render as render_page

        page = render_page(reports)
        for sentence in page.missing:
            note(f"left out of the page: {sentence}")
        return page.text
    return formats.render(reports, target.form)


def fail(analysis: Analysis, target: Target, columns: str | None, layout: str) -> None:
    """Show the layers before the one that failed, where a person reads; then raise what is wrong."""
    if target.form == "table" and target.is_stdout and analysis.rows:
        from archcalc.render.tables.text import render_partial

        sys.stdout.write(render_partial(make_report(analysis, columns, layout), target.width, target.colour))
        sys.stdout.flush()
    from archcalc.design.inputs import add_input_hints

    raise SpecError(add_input_hints(analysis.graph, analysis.problems, analysis.conventions.strict))
