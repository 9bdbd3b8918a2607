"""`archcalc formula`."""

from __future__ import annotations

import click

from archcalc.cli.options import complete_network, network_options, parse_input, parse_settings
from archcalc.cli.output import write
from archcalc.core.conventions import Conventions
from archcalc.core.files import check_target


@click.command(
    name="formula",
    epilog="""\b
Examples:
  archcalc formula resnet50 --params
  archcalc formula mobilenet --multiplications
  archcalc formula alexnet --params --in input --in classes -f latex
""",
)
@click.argument("network", metavar="NET", shell_complete=complete_network)
@click.option("--params", "quantity", flag_value="params", help="The parameters (default).")
@click.option("--multiplications", "quantity", flag_value="multiplications", help="The multiplications.")
@click.option("--activations", "quantity", flag_value="activations", help="The values that are stored.")
@click.option(
    "--in",
    "names",
    metavar="NAME",
    multiple=True,
    help="A parameter, or input, to be a symbol; repeatable. Default: all.",
)
@click.option("-f", "--format", "form", type=click.Choice(["text", "latex", "json"]), default="text", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@network_options
@click.option("--count-in-place", is_flag=True, help="Activation functions store their output too.")
@click.option("--running-statistics", is_flag=True, help="Count batch normalisation's running statistics too.")
def command(
    network: str,
    quantity: str | None,
    names: tuple[str, ...],
    form: str,
    output: str | None,
    input_size: str | None,
    settings: tuple[str, ...],
    count_in_place: bool,
    running_statistics: bool,
) -> None:
    """A total of a network as a closed form in its parameters and its input size (s, the side of a square image).

    Parameters that decide which layers there are stay numbers, and so does what --set and --input give.
    """
    check_target(output)
    from archcalc.explain.symbolic.closed import closed_form
    from archcalc.explain.symbolic.formats import render

    conventions = Conventions(running_statistics=running_statistics, in_place=not count_in_place)
    shape = parse_input(input_size)
    form_ = closed_form(network, quantity or "params", parse_settings(settings), shape, names or None, conventions)
    write(render(form_, form), output)
