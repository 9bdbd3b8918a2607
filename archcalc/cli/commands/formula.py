"""`archcalc formula`."""

from __future__ import annotations

import click

from archcalc.cli.options import (
    NetworkChoice,
    comma_separated,
    in_place_option,
    network_argument,
    network_options,
    statistics_option,
)
from archcalc.cli.output import Target, output_options
from archcalc.core.conventions import Conventions
from archcalc.core.errors import UsageError


@click.command("formula")
@network_argument
@click.option("--params", "quantity", flag_value="params", help="The parameters (default).")
@click.option("--multiplications", "quantity", flag_value="multiplications", help="The multiplications.")
@click.option("--activations", "quantity", flag_value="activations", help="The values that are stored.")
@click.option("--in", "names", metavar="NAME", multiple=True,
              help="Keep this parameter, input, or a side of it such as height as a symbol; comma-separated, "
                   "repeatable. Default: all.")  # fmt: skip
@output_options(("text", "latex", "json"), {".tex": "latex", ".json": "json"})
@network_options
@in_place_option
@statistics_option
def command(
    network: NetworkChoice,
    quantity: str | None,
    names: tuple[str, ...],
    target: Target,
    count_in_place: bool,
    running_statistics: bool,
) -> None:
    """A total of a network as a closed form in its parameters and its input size (s, the side of a square image).

    Parameters that change which layers there are stay numbers, and so do the values of --set and --input. What is no
    number, such as true or a word, keeps its value.
    """
    from archcalc.explain.symbolic.closed import closed_form
    from archcalc.explain.symbolic.formats import render

    kept = comma_separated(",".join(names))
    if names and not kept:
        raise UsageError("--in takes names of parameters, or input")
    conventions = Conventions(running_statistics, in_place=not count_in_place)
    form = closed_form(network.spec(), quantity or "params", network.settings, network.shape, kept or None, conventions)
    target.write(render(form, target.form))
