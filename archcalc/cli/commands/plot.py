"""`archcalc plot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from archcalc.cli.options import Finite, complete_network, network_options, parse_input, parse_settings
from archcalc.cli.output import ending, note, write_bytes
from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.figure import HEIGHT, WIDTH, Look
from archcalc.render.charts.render import FORMATS, lacking, render
from archcalc.render.charts.sweep import SWEPT
from archcalc.render.charts.theme import theme_of
from archcalc.render.diagrams.theme import THEMES
from archcalc.spec.catalogue import load

Spec = dict[str, Any]
#: Values of a sweep.
MOST_STEPS = 60


class Plots(click.Group):
    """A group that names its plots where one is asked for that does not exist."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            from archcalc.core.suggest import did_you_mean

            known = f"there are {', '.join(self.commands)}"
            raise click.UsageError(
                f"there is no plot {args[0][:60]!r}{did_you_mean(args[0], self.commands)}; {known}", ctx
            )
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    name="plot",
    cls=Plots,
    epilog="""\b
Examples:
  archcalc plot compare -o comparison.svg
  archcalc plot compare resnet50 vgg16 mobilenet -o three.html
  archcalc plot profile alexnet -o alexnet.pdf
  archcalc plot memory unet --batch 4 --theme dark -o unet.png
  archcalc plot receptive-field vgg16 -o field.svg
  archcalc plot timeline -o timeline.svg
  archcalc plot sweep mobilenet --for alpha --values 0.25,0.5,0.75,1 -o alpha.svg
""",
)
def command() -> None:
    """A chart: networks next to each other, or one along its depth.

    The ending of -o is the format: .svg, .png, .pdf, .html (interactive, works offline) or .json (the Vega-Lite
    specification).
    """


def look_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Where the picture goes, and how it looks."""
    for option in reversed(
        (
            click.option("-o", "--output", metavar="FILE", required=True, help="The picture; - is stdout (with -f)."),
            click.option("-f", "--format", "form", metavar="FORMAT",
                         help=f"{', '.join(FORMATS)}; default: the ending of -o."),
            click.option("--theme", default="light", metavar="NAME", show_default=True, help=f"{', '.join(THEMES)}."),
            click.option("--width", type=click.IntRange(320, 4000), default=WIDTH, show_default=True,
                         help="Of the picture, in pixels;"),
            click.option("--height", type=click.IntRange(240, 4000), default=HEIGHT, show_default=True,
                         help="its height."),
            click.option("--title", help="Another title; an empty one for none."),
            click.option("--scale", type=Finite(0.1, 20), default=2.0, show_default=True,
                         help="Pixels of a PNG to each pixel of the picture."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def counted_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the bytes are for."""
    function = click.option("--dtype", type=click.Choice(list(BYTES)), default="float32", show_default=True,
                            help="Type of a stored value.")(function)  # fmt: skip
    return click.option("--batch", type=click.IntRange(1, 1 << 20), default=1, help="Images at a time.")(function)


def draw(make: Callable[[Look], Spec], options: Mapping[str, Any]) -> None:
    """Make the specification, render it, write it. The target and the words are looked at before any work."""
    output = options["output"]
    check_target(output)
    form = options["form"] or ending(output, FORMATS)
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    theme_of(options["theme"])
    look = Look(options["theme"], options["width"], options["height"], options["title"])
    spec = make(look)
    write_bytes(render(spec, form, options["scale"]), output)
    strange = lacking(spec) if form in ("png", "pdf") else ""
    if strange:
        note(f"note: {strange[:20]} is drawn in a font of this system, as □ where it has none")


def of_one_network(
    name: str, module: str, short: str, options: Callable[[Callable[..., Any]], Callable[..., Any]], epilog: str
) -> None:
    """A command that draws one analysis with the function of the same name as its module."""

    @command.command(name=name, help=short, epilog=f"\b\nExample:\n  archcalc plot {name} {epilog}\n")
    @click.argument("network", metavar="NET", shell_complete=complete_network)
    @network_options
    @options
    @look_options
    def plot(network: str, input_size: str | None, settings: tuple[str, ...], **options: Any) -> None:
        def make(look: Look) -> Spec:
            from importlib import import_module

            counted = {key: options[key] for key in ("batch", "dtype") if key in options}
            analysis = analyse(load(network, parse_settings(settings), parse_input(input_size)), **counted)
            spec: Spec = getattr(import_module(f"archcalc.render.charts.{module}"), module)(analysis, look)
            return spec

        draw(make, options)


def analyses_of(networks: Sequence[str]) -> list[Analysis]:
    """The networks that were named, each once."""
    return [analyse(load(network)) for network in dict.fromkeys(networks)]


@command.command(
    name="compare",
    epilog="\b\nExamples:\n  archcalc plot compare -o comparison.svg\n"
    "  archcalc plot compare resnet18 resnet50 vgg16 -o three.html\n",
)
@click.argument("networks", metavar="[NET]...", nargs=-1, shell_complete=complete_network)
@look_options
def compare_command(networks: tuple[str, ...], **options: Any) -> None:
    """Top-1 accuracy over multiplications; the area of a bubble is the number of parameters.

    Accuracies are the reported ones of the specs, with their sources. Without NET: every network of the catalogue that
    has one. Networks without are named on stderr.
    """
    from archcalc.render.charts.accuracy import comparable
    from archcalc.render.charts.catalogue import compared
    from archcalc.render.charts.compare import compare

    missing: list[tuple[str, str]] = []

    def make(look: Look) -> Spec:
        analyses = analyses_of(networks) if networks else compared()
        missing.extend(comparable(analyses).missing)
        return compare(analyses, look)

    draw(make, options)
    reasons: dict[str, list[str]] = {}
    for name, why in missing:
        reasons.setdefault(why, []).append(name)
    for why, left_out in reasons.items():
        note(f"left out: {', '.join(left_out)}: {why}")


of_one_network(
    "profile", "profile", "Parameters, multiplications and stored activations along the depth of NET.", counted_options,
    "resnet50 -o resnet50.svg",
)  # fmt: skip
of_one_network(
    "memory", "memory", "Live bytes of activations while NET runs, with the peak.", counted_options,
    "vgg16 --batch 32 -o memory.svg",
)  # fmt: skip
of_one_network(
    "receptive-field", "receptive_field", "How many pixels an output of each layer of NET can see.",
    lambda function: function, "alexnet -o field.svg",
)  # fmt: skip


@command.command(
    name="timeline",
    epilog="\b\nExamples:\n  archcalc plot timeline -o timeline.svg\n"
    "  archcalc plot timeline lenet5 alexnet vgg16 mine.yaml -o mine.svg\n",
)
@click.argument("networks", metavar="[NET]...", nargs=-1, shell_complete=complete_network)
@look_options
def timeline_command(networks: tuple[str, ...], **options: Any) -> None:
    """The line of development: families of networks by year, and which follows which.

    Year and `follows` are those of the specs. Without NET: the whole catalogue.
    """
    from archcalc.render.charts.catalogue import families
    from archcalc.render.charts.families import line_of_development
    from archcalc.render.charts.timeline import timeline

    notes: list[str] = []

    def make(look: Look) -> Spec:
        analyses = analyses_of(networks) if networks else families()
        notes.extend(line_of_development(analyses).notes)
        return timeline(analyses, look)

    draw(make, options)
    for remark in notes:
        note(f"note: {remark}")


@command.command(
    name="sweep",
    epilog="\b\nExamples:\n  archcalc plot sweep mobilenet --for alpha --values 0.25,0.5,0.75,1 -o alpha.svg\n"
    "  archcalc plot sweep resnet50 --for input --values 128x128x3,224x224x3,384x384x3 -o input.svg\n"
    "  archcalc plot sweep resnet18 --for depth --values 18,34,50,101,152 --of params,top1 -o depth.svg\n",
)
@click.argument("network", metavar="NET", shell_complete=complete_network)
@click.option("--for", "name", metavar="NAME", required=True, help="The parameter that changes, or input.")
@click.option("--values", metavar="A,B,…", required=True, help="Its values, in the order of the axis.")
@click.option("--of", "quantities", metavar="WHAT,…",
              help=f"{', '.join(SWEPT)}; default: all but the peak.")  # fmt: skip
@network_options
@counted_options
@look_options
def sweep_command(
    network: str,
    name: str,
    values: str,
    quantities: str | None,
    input_size: str | None,
    settings: tuple[str, ...],
    batch: int,
    dtype: str,
    **options: Any,
) -> None:
    """What a parameter does to the totals of a network."""
    from archcalc.render.charts.sweep import sweep

    steps = [value.strip() for value in values.split(",") if value.strip()]
    if not 1 <= len(steps) <= MOST_STEPS:
        raise UsageError(f"--values takes 1 to {MOST_STEPS} values, comma-separated, not {len(steps)}")
    chosen = [key.strip() for key in quantities.split(",") if key.strip()] if quantities else None

    def make(look: Look) -> Spec:
        analyses = []
        for step in steps:
            shape = parse_input(step if name == "input" else input_size)
            changed = settings if name == "input" else (*settings, f"{name}={step}")
            analyses.append(analyse(load(network, parse_settings(changed), shape), batch, dtype))
        return sweep(analyses, name, steps, chosen, look)

    draw(make, options)
