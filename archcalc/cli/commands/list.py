"""`archcalc list`."""

from __future__ import annotations

import click

from archcalc.cli.output import colour, write
from archcalc.core.files import check_target
from archcalc.passes.analysis import analyse
from archcalc.render.tables.catalogue import FORMATS, render
from archcalc.render.tables.formats import format_of
from archcalc.spec.catalogue import aliases_of, key_of, load, names


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

    With WORDs, only those whose name contains one of them.
    """
    check_target(output)
    if form is None:
        by_ending = format_of(output)
        form = by_ending if by_ending in FORMATS else "table"
    keys = [key_of(word) for word in words]
    wanted = [name for name in names() if not keys or any(key in other for key in keys for other in known_as(name))]
    analyses = [analyse(load(name)) for name in wanted]
    write(render(analyses, form, colour() and output in (None, "-")), output)


def known_as(name: str) -> list[str]:
    """The name of a network and its other names, as they are compared."""
    return [key_of(name), *aliases_of(name)]
