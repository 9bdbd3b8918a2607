"""`archcalc compare`."""

from __future__ import annotations

import click

from archcalc.cli.options import (
    Counting,
    NetworkChoice,
    counting_options,
    data_in_english,
    lang_option,
    network_options,
    networks_argument,
)
from archcalc.cli.output import Target, output_options
from archcalc.render.tables.comparison import ENDINGS, FORMATS, render

_MOST = 20


@click.command("compare")
@networks_argument
@click.option("--diff", is_flag=True, help="Two networks layer by layer: only what differs.")
@output_options(FORMATS, ENDINGS, "table")
@network_options
@counting_options
@lang_option
def command(networks: list[NetworkChoice], diff: bool, target: Target, counting: Counting) -> None:
    """Networks side by side: totals with ratios to the first, and what each kind of layer has of them.

    --set applies to the networks that have the parameter.
    """
    if len(networks) < 2 or (diff and len(networks) != 2):
        wanted = "two networks" if diff else "two networks or more"
        raise click.UsageError(f"compare takes {wanted}; for example: archcalc compare resnet18 resnet34")
    if len(networks) > _MOST:
        raise click.UsageError(f"compare takes at most {_MOST} networks; `archcalc list` shows more")
    data_in_english(target.form)
    analyses = [network.analyse(*counting) for network in networks]
    # With a parameter set a network is not the one that its name alone says.
    names = [
        " ".join([one.graph.name, *(f"{key}={value}" for key, value in network.settings.items())])
        for network, one in zip(networks, analyses, strict=True)
    ]
    target.write(render(analyses, target.form, diff, target.colour, names))
