"""`archcalc spec`."""

from __future__ import annotations

import click

from archcalc.cli.options import complete_network, network_options, parse_input, parse_settings
from archcalc.cli.output import write
from archcalc.core.files import check_target
from archcalc.spec.catalogue import load
from archcalc.spec.patterns import is_pattern, parse_pattern
from archcalc.spec.write import write_document, write_graph


@click.command(
    name="spec",
    epilog="""\b
Examples:
  archcalc spec "32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10"
  archcalc spec "32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10" -o mynet.yaml
  archcalc spec mobilenet --set alpha=0.5
""",
)
@click.argument("network", metavar="NET", shell_complete=complete_network)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@network_options
def command(network: str, input_size: str | None, settings: tuple[str, ...], output: str | None) -> None:
    """A network as a spec in YAML that can be loaded again.

    A pattern keeps its repeats; of any other network every layer is written out, its parameters put in.
    """
    check_target(output)
    graph = load(network, parse_settings(settings), parse_input(input_size))
    if is_pattern(network) and input_size is None:
        write(write_document(parse_pattern(network).value), output)
    else:
        write(write_graph(graph), output)
