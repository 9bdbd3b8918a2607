"""`archcalc spec`."""

from __future__ import annotations

import click

from archcalc.cli.options import NetworkChoice, network_argument, network_options
from archcalc.cli.output import Target, output_options
from archcalc.spec.catalogue import is_pattern
from archcalc.spec.patterns import parse_pattern
from archcalc.spec.write import write_document, write_graph


@click.command("spec")
@network_argument
@output_options()
@network_options
def command(network: NetworkChoice, target: Target) -> None:
    """A network as a spec in YAML that can be loaded again.

    A pattern keeps its repeats; any other network is written out layer by layer, with the values of its parameters.
    """
    graph = network.load()
    if is_pattern(network.name) and network.shape is None:
        target.write(write_document(parse_pattern(network.name).value))
    else:
        target.write(write_graph(graph))
