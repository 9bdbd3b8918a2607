"""`archcalc plot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from archcalc import tools
from archcalc.cli.app import Group
from archcalc.cli.options import (
    Command,
    Finite,
    NetworkChoice,
    batch_option,
    comma_separated,
    complete_network,
    dtype_option,
    lang_option,
    network_argument,
    network_options,
    parse_settings,
)
from archcalc.cli.output import ending, note, write_bytes
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target
from archcalc.core.shapes import parse_shape
from archcalc.design.search.space import RESOLUTION, parse_values
from archcalc.displays import Chart, chart_of, look_of
from archcalc.render.charts.figure import HEIGHT, WIDTH
from archcalc.render.charts.render import FORMATS, missing_characters, render
from archcalc.render.charts.sweep import SHOWN, sweep
from archcalc.render.diagrams.theme import THEMES

#: Values of a sweep.
MOST_STEPS = 60


@click.group("plot", cls=Group)
def command() -> None:
    """A chart of several networks, or of one network along its depth.

    The ending of -o is the format: .svg, .png, .pdf, .html (interactive, works offline) or .json (the Vega-Lite
    specification).
    """


def look_options(function: Command) -> Command:
    """Where the picture goes, and how it looks."""
    for option in reversed(
        (
            click.option("-o", "--output", metavar="FILE", required=True, help="The picture; - is stdout (with -f)."),
            click.option("-f", "--format", "form", metavar="FORMAT",
                         help=f"{', '.join(FORMATS)}; default: the ending of -o."),
            click.option("--theme", default="light", metavar="NAME", show_default=True, help=f"{', '.join(THEMES)}."),
            click.option("--width", type=click.IntRange(320, 4000),
                         help=f"Width in pixels; default: {WIDTH}, of a timeline of the catalogue more."),
            click.option("--height", type=click.IntRange(240, 4000),
                         help=f"Height in pixels; default: {HEIGHT}, of a timeline of the catalogue more."),
            click.option("--title", help="Another title; an empty one for none."),
            click.option("--scale", type=Finite(0.1, 20), default=2.0, show_default=True,
                         help="Pixels of a PNG to each pixel of the picture."),
            lang_option,
        )
    ):  # fmt: skip
        function = option(function)
    return function


def draw(make: Callable[[Mapping[str, Any]], Chart], output: str, form: str | None, scale: float, **look: Any) -> None:
    """Make a chart, render it, write it. The target and the choices are checked before any work."""
    check_target(output)
    form = form or ending(output, FORMATS)
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    look = {name: choice for name, choice in look.items() if choice is not None}
    look_of(look)
    chart = make(look)
    write_bytes(render(chart.spec, form, scale), output)
    strange = missing_characters(chart.spec) if form in ("png", "pdf") else ""
    if strange:
        note(f"note: {strange[:20]} is drawn in a font of this system, as □ where it has none")
    for remark in chart.notes:
        note(f"note: {remark}")


def of_one_network(kind: str, explanation: str, with_bytes: bool = True) -> None:
    """The command of a chart of one network; `with_bytes`: it has options for what bytes depend on."""

    def plot(network: NetworkChoice, batch: int = 1, dtype: str = "float32", **options: Any) -> None:
        draw(lambda look: chart_of(network.analyse(batch, dtype), kind, **look), **options)

    plot = look_options(plot)
    if with_bytes:
        plot = batch_option(dtype_option(plot))
    command.command(kind.replace("_", "-"), help=explanation)(network_argument(network_options(plot)))


def of_several_networks(kind: str, explanation: str) -> None:
    """The command of a chart of several networks, by default the landmarks of the catalogue."""

    @command.command(kind, help=explanation)
    @click.argument("networks", metavar="[NET]...", nargs=-1, shell_complete=complete_network)
    @click.option("--all", "everything", is_flag=True, help="The whole catalogue.")
    @look_options
    def plot(networks: tuple[str, ...], everything: bool, **options: Any) -> None:
        if networks and everything:
            raise click.UsageError("--all takes no NET")
        draw(lambda look: tools.plot(kind, *dict.fromkeys(networks), everything=everything, **look), **options)


of_several_networks(
    "compare",
    """Top-1 accuracy over multiplications; the area of a bubble is the number of parameters.

    Accuracies are the reported ones of the specs, with their sources. Without NET: the landmarks of the catalogue,
    with --all every network that has one. Networks without are named on stderr.
    """,
)
of_one_network("profile", "Parameters, multiplications and stored activations along the depth of NET.")
of_one_network("memory", "Memory of the live activations while NET runs, with its peak.")
of_one_network("receptive_field", "Size of the receptive field of each layer of NET.", with_bytes=False)
of_several_networks(
    "timeline",
    """The line of development: families of networks by year, and which follows which.

    Year and `follows` are those of the specs. Without NET: the landmarks of the catalogue, or with --all
    every network.
    """,
)


@command.command("pareto")
@click.argument("found", metavar="FILE")
@click.option("--pareto", "objectives", metavar="X,Y", required=True,
              help="Across and upwards: less is better, or more of X:max; as of search.")  # fmt: skip
@click.option("--where", metavar="CONDITION", help="Draw its limits, and what does not keep to it pale.")
@look_options
def pareto_command(found: str, objectives: str, where: str | None, **options: Any) -> None:
    """What a search found as points, with the Pareto front and limits.

    FILE is the .csv or .parquet file of `archcalc search -o FILE`. X and Y are columns of it. The values at a point
    are those of the parameters that the legend names.
    """
    draw(lambda look: tools.plot("pareto", found, pareto=objectives, where=where, **look), **options)


@command.command("sweep")
@network_argument
@click.option(
    "--for",
    "name",
    metavar="NAME",
    required=True,
    help="The parameter that changes, or input, or resolution: the side of the input.",
)
@click.option(
    "--values",
    metavar="A,B,…",
    help="Its values, in the order of the axis, or as 96..320 step 32; of a FILE those in it.",
)
@click.option("--of", "quantities", metavar="WHAT,…",
              help=f"{', '.join(SHOWN)}; default: all but the peak. Of a FILE: its columns.")  # fmt: skip
@click.option("--where", metavar="CONDITION", help="Of a FILE: only what keeps to it.")
@network_options
@batch_option
@dtype_option
@look_options
def sweep_command(
    network: NetworkChoice,
    name: str,
    values: str | None,
    quantities: str | None,
    where: str | None,
    batch: int,
    dtype: str,
    **options: Any,
) -> None:
    """The totals of a network over the values of a parameter.

    NET may be the .csv or .parquet FILE of `archcalc search`: a line for each choice of its other parameters.
    """
    chosen = comma_separated(quantities) or None
    if tools.is_search_file(network.name):
        given = {"--values": values, "--batch": batch > 1, "--dtype": dtype != "float32", "--set": network.settings,
                 "--input": network.shape}  # fmt: skip
        for option in (option for option, value in given.items() if value):
            raise UsageError(f"{option} is for a network, and {network.name} is what a search found")
        draw(lambda look: tools.plot("sweep", network.name, over=name, quantities=chosen, where=where, **look),
             **options)  # fmt: skip
        return
    if values is None or where is not None:
        raise UsageError("a sweep of a network needs --values" if values is None else "--where is for a search's FILE")
    steps = parse_values(values, MOST_STEPS) if ".." in values else comma_separated(values)
    if not 1 <= len(steps) <= MOST_STEPS:
        raise UsageError(f"--values takes 1 to {MOST_STEPS} values, comma-separated, not {len(steps)}")

    def at(step: str) -> NetworkChoice:
        if name == "input":
            return network._replace(shape=parse_shape(step))
        if name == RESOLUTION and name not in (graph := network.load()).settings:
            channels, *sides = graph.input_shape
            if not sides:
                raise UsageError(f"the input of {graph.name} has no sides; there is only --for input")
            return network._replace(shape=parse_shape(f"{'x'.join([step] * len(sides) + [str(channels)])} hwc"))
        return network._replace(settings={**network.settings, **parse_settings([f"{name}={step}"])})

    def make(look: Mapping[str, Any]) -> Chart:
        analyses = [at(step).analyse(batch, dtype) for step in steps]
        return Chart(sweep(analyses, name, steps, chosen, look_of(look)))

    draw(make, **options)
