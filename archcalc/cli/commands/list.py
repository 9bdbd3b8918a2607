"""`archcalc list`."""

from __future__ import annotations

import click

from archcalc.analysis import analyse
from archcalc.catalogue import load, names
from archcalc.cli.output import check_target, colour, write
from archcalc.reports.catalogue import FORMATS, render


@click.command(
    name="list",
    epilog="""\b
Examples:
  archcalc list
  archcalc list resnet
  archcalc list -f json -o catalogue.json
""",
)
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
def command(words: tuple[str, ...], form: str, output: str | None) -> None:
    """Every network and variant: year, input, params, multiplications.

    With WORDs only those whose name holds one of them.
    """
    check_target(output)
    wanted = [name for name in names() if not words or any(word.lower() in name.lower() for word in words)]
    analyses = [analyse(load(name)) for name in wanted]
    write(render(analyses, form, colour() and output is None), output)
