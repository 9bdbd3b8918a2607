"""`archcalc check`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.options import complete_network, counting_options, network_options, parse_input, parse_settings
from archcalc.cli.output import colour, width, write
from archcalc.core.conventions import Conventions
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from archcalc.teach.check.answers import FORMATS as FILE_FORMATS
from archcalc.teach.check.answers import read_answers
from archcalc.teach.check.asked import read_total, refuse_strangers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.formats import ENDINGS, FORMATS, render
from archcalc.teach.check.model import Check

_COUNTS = ("params", "multiplications", "activations", "activation_bytes")


@click.command(
    name="check",
    epilog="""\b
Examples:
  archcalc check alexnet answers.csv
  archcalc check vgg16 answers.xlsx -f html -o feedback.html
  archcalc check lenet5 --params 61,706
  archcalc check alexnet --params "(3*11*11*96+96)+(96*256*5*5+256)+(256*384*3*3+384)*2+…"
  archcalc check "32x32x3 -> conv5-6 -> pool2 -> fc10" answers.md
""",
)
@click.argument("network", metavar="NET", shell_complete=complete_network)
@click.argument("file", metavar="[ANSWERS]", required=False)
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of -o, or text.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@click.option("--from", "kind", type=click.Choice(FILE_FORMATS), help="Form of ANSWERS. Default: by its name.")
@click.option("--params", metavar="NUMBER|SUM", help="Check this total, or the sum that gives it, term by term.")
@click.option("--multiplications", metavar="NUMBER|SUM", help="The same for multiplications.")
@click.option("--activations", metavar="NUMBER|SUM", help="The same for values stored.")
@click.option("--memory", metavar="NUMBER|SUM", help="The same for bytes stored: 58.1 MiB.")
@network_options
@counting_options
def command(
    network: str,
    file: str | None,
    form: str | None,
    output: str | None,
    kind: str | None,
    params: str | None,
    multiplications: str | None,
    activations: str | None,
    memory: str | None,
    input_size: str | None,
    settings: tuple[str, ...],
    batch: int,
    dtype: str,
    strict: bool,
    count_in_place: bool,
    running_statistics: bool,
) -> int:
    """Compare a hand calculation with a network: what is right, what is wrong, and why.

    ANSWERS is a table (CSV, YAML, JSON, Markdown, XLSX; - is stdin) with a column for the layer and any of: output
    shape, params, multiplications, activations, memory, receptive field. A cell may be a calculation. What follows
    from an earlier mistake is marked so. Exit code 1 where something is wrong.
    """
    check_target(output)
    options = zip(_COUNTS, (params, multiplications, activations, memory), strict=True)
    totals = {quantity: text for quantity, text in options if text is not None}
    if (file is None) == (not totals):
        raise UsageError("give a file of ANSWERS, or a total as --params, --multiplications, --activations or --memory")
    form = form or ENDINGS.get(Path(output).suffix.lower() if output else "", "text")
    conventions = Conventions(running_statistics=running_statistics, in_place=not count_in_place, strict=strict)
    graph = load(network, parse_settings(settings), parse_input(input_size))
    analysis = analyse(graph, batch, dtype, conventions)
    if file is not None:
        answers = read_answers(file, kind)
        check, notes = check_answers(analysis, answers.answers), answers.notes
        refuse_strangers(check, answers)
    else:
        options_of = {"activation_bytes": "--memory"}
        checks = [
            read_total(analysis, quantity, text, options_of.get(quantity, f"--{quantity}"))
            for quantity, text in totals.items()
        ]
        cells = [cell for each in checks for cell in each.cells]
        check, notes = Check(graph.name, tuple(cells)), ()
    to_terminal = output is None
    text = render(check, analysis, form, notes, to_terminal and colour(), width() if to_terminal else None)
    write(text, output)
    return 0 if check.is_right else 1
