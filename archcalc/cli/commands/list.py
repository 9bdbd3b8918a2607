"""`archcalc list`."""

from __future__ import annotations

import click

from archcalc.cli.output import colour, write
from archcalc.core.files import check_target
from archcalc.passes.analysis import analyse
from archcalc.render.tables.catalogue import FORMATS, render
from archcalc.render.tables.formats import format_of
from archcalc.spec.catalogue import key_of, load, names


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
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of -o, else table.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
def command(words: tuple[str, ...], form: str | None, output: str | None) -> None:
    """Every network and variant: year, input, params, multiplications.

    With WORDs only those whose name holds one of them.
    """
    check_target(output)
    if form is None:
        by_ending = format_of(output)
        form = by_ending if by_ending in FORMATS else "table"
    keys = [key_of(word) for word in words]
    wanted = [name for name in names() if not keys or any(key in key_of(name) for key in keys)]
    analyses = [analyse(load(name)) for name in wanted]
    write(render(analyses, form, colour() and output in (None, "-")), output)
