"""`archcalc import`."""  # noqa: N999  # the module is named as the command is

from __future__ import annotations

import click

from archcalc.cli.options import NetworkChoice, network_argument, network_options
from archcalc.cli.output import Target, note, output_options


@click.command("import")
@network_argument
@output_options()
@network_options
def command(network: NetworkChoice, target: Target) -> None:
    """A model file as a spec in YAML as a person would write it: blocks, repeats and tables of parameters.

    NET is an .onnx, .pt2, .keras, Keras .json or .h5, .prototxt or .cfg file, or py:package.module:callable, which runs
    that code; any other network is taken as well. What is written is loaded again, and every layer and total compared.
    """
    from archcalc.interop.regrouped import write_regrouped
    from archcalc.interop.structured import write_noted

    graph = network.load()
    text, notes = write_regrouped(graph) if network.is_model else write_noted(graph)
    target.write(text)
    for line in (*graph.notes, *notes):
        note(f"note: {line}")
