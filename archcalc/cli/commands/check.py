"""`archcalc check`."""

from __future__ import annotations

import click

from archcalc.cli.options import (
    Counting,
    NetworkChoice,
    counting_options,
    lang_option,
    network_argument,
    network_options,
)
from archcalc.cli.output import Target, output_options
from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.passes.analysis import analyse
from archcalc.teach.check.answers import FORMATS as FILE_FORMATS
from archcalc.teach.check.formats import ENDINGS, FORMATS, render
from archcalc.teaching import TOTALS, checked


@click.command("check")
@network_argument
@click.argument("file", metavar="[ANSWERS]", required=False)
@output_options(FORMATS, ENDINGS)
@click.option("--from", "kind", type=click.Choice(FILE_FORMATS), help="Form of ANSWERS. Default: by its name.")
@click.option("--params", metavar="NUMBER|SUM", help="Check this total, or the sum that gives it, term by term.")
@click.option("--multiplications", metavar="NUMBER|SUM", help="The same for multiplications.")
@click.option("--activations", metavar="NUMBER|SUM", help="The same for values stored.")
@click.option("--memory", metavar="NUMBER|SUM", help="The same for bytes stored: 58.1 MiB.")
@lang_option
@network_options
@counting_options
def command(
    network: NetworkChoice,
    file: str | None,
    target: Target,
    kind: str | None,
    counting: Counting,
    **options: str | None,
) -> int:
    """Compare a hand calculation with a network: what is right, what is wrong, and why.

    ANSWERS is a table (CSV, YAML, JSON, Markdown, LaTeX, XLSX, DOCX, a printed summary, or a notebook or PDF of
    `archcalc exercise`; - is stdin) with a column for the layer and any of: output shape, params, multiplications,
    activations, memory, receptive field. A cell may be a calculation. A result that follows from an earlier mistake is
    marked as such. Exit code 1 where something is wrong, and where no cell has an answer.
    """
    totals = {name: text for name in TOTALS if (text := options[name]) is not None}
    if (file is None) == (not totals):
        raise UsageError(
            say("give a file of ANSWERS, or a total as --params, --multiplications, --activations or --memory")
        )
    analysis = analyse(network.load(), *counting)
    check, notes = checked(analysis, file, totals, kind, option="--")
    target.write(render(check, analysis, target.form, notes, target.colour, target.width))
    return 0 if check.is_right else 1
