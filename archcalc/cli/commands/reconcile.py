"""`archcalc reconcile`."""

from __future__ import annotations

import click

from archcalc.cli.options import NetworkChoice, complete_network, network_options
from archcalc.cli.output import Target, output_options
from archcalc.design.conventions import TOOLS
from archcalc.design.printed import PAPER, read_number
from archcalc.design.reconcile import QUANTITIES, bridges, explain_number
from archcalc.render.tables.reconcile import ENDINGS, FORMATS, render_bridges, render_search

_NAMES = ", ".join((*TOOLS, PAPER))


@click.command("reconcile")
@click.argument("network", metavar="NET", shell_complete=complete_network)
@click.argument("number", metavar="[NUMBER]", required=False)
@click.option(
    "--from", "start", metavar="CONVENTION", help=f"How the first total is counted: {', '.join((*TOOLS, PAPER))}."
)
@click.option("--to", "end", metavar="CONVENTION", help="How the second is counted. Default: archcalc.")
@click.option("--quantity", type=click.Choice(QUANTITIES), help="Default: what both count.")
@output_options(FORMATS, ENDINGS)
@network_options
def command(
    network: NetworkChoice, number: str | None, start: str | None, end: str | None, quantity: str | None, target: Target
) -> int:
    """Why another tool prints another number for NET.

    With --from and --to it is the bridge between two conventions, item by item, which adds up exactly. With a NUMBER
    it is which convention, variant, input size or batch gives it; exit 1 when none does.
    """
    if (number is None) == (start is None and end is None):
        raise click.UsageError(
            "reconcile takes a NUMBER, or --from and --to; for example: archcalc reconcile resnet50 4.13G"
        )
    if number is not None:
        if quantity is not None:
            raise click.UsageError("--quantity is for --from and --to")
        wanted = read_number(number)
        graph = network.load()
        search = explain_number(graph, wanted)
        target.write(render_search(graph, number, search, target.form, target.colour))
        return 0 if search.matches else 1
    sides, found = bridges(network.load(), start or "archcalc", end or "archcalc", quantity)
    target.write(render_bridges(*sides, found, target.form, target.colour))
    return 0
