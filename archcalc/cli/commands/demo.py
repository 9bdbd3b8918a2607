"""`archcalc demo`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.options import NetworkChoice, lang_option, network_argument, network_options
from archcalc.cli.output import ending, note_fonts, write_bytes
from archcalc.core.errors import ArrayError, Problem, SpecError, UsageError
from archcalc.core.files import check_target
from archcalc.passes.analysis import analyse
from archcalc.render.demos.demo import FORMATS, render
from archcalc.render.diagrams.theme import THEMES


@click.command("demo")
@click.argument("what", metavar="WHAT")
@network_argument
@click.argument("layer", metavar="[LAYER]", required=False)
@click.option("-o", "--output", metavar="FILE", required=True, help="The demonstration; - is stdout (with -f).")
@click.option("-f", "--format", "form", metavar="FORMAT", help=f"{', '.join(FORMATS)}; default: the ending of -o.")
@network_options
@click.option("--numbers", metavar="FILE", help="A YAML file with input, weight and bias in place of made numbers.")
@click.option("--seed", type=int, default=0, show_default=True, help="Other made numbers.")
@click.option("--theme", default="light", metavar="NAME", show_default=True, help=f"{', '.join(THEMES)}.")
@lang_option
def command(
    what: str,
    network: NetworkChoice,
    layer: str | None,
    output: str,
    form: str | None,
    numbers: str | None,
    seed: int,
    theme: str,
) -> None:
    """A layer at work, step by step: windows move, numbers multiply and add, the output fills in.

    WHAT is conv, pool, im2col, matrix (a convolution as a dense layer), dilated, transposed, receptive-field or
    backward. LAYER is by default the first that can be shown. A large layer is shown on fewer channels, filters and
    pixels; the notes say so. All numbers are those of the executor.
    """
    check_target(output)
    form = form or ending(output, FORMATS)
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    from archcalc.execute.demonstrate.demonstrate import demonstrate
    from archcalc.lecturing import arrays_of
    from archcalc.spec.source import read_source

    source = None if numbers is None else read_source(Path(numbers))
    if source is not None and not isinstance(source.value, dict):
        raise SpecError([Problem("must be a mapping with input, weight or bias", source.locate(()))])
    try:
        given = None if source is None else arrays_of(source.value)
        shown = demonstrate(what, analyse(network.load()), layer, seed, given)
    except ArrayError as error:
        if source is None:
            raise
        raise SpecError([Problem(str(error), source.locate((error.key,)))]) from None
    write_bytes(render(shown, form, theme), output)
    note_fonts(form)
