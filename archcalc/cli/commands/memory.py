"""`archcalc memory`."""

from __future__ import annotations

import click

from archcalc.cli.options import (
    NetworkChoice,
    batch_option,
    data_in_english,
    dtype_option,
    lang_option,
    network_argument,
    network_options,
)
from archcalc.cli.output import Target, output_options, write_bytes
from archcalc.cli.policies import policy_options
from archcalc.design.memory import Policy, memory_timeline
from archcalc.render.tables.memory import ENDINGS, FORMATS, render

_PICTURES = ("svg", "png", "pdf", "html")


@click.command("memory")
@network_argument
@policy_options
@output_options((*FORMATS, *_PICTURES), {**ENDINGS, **{f".{form}": form for form in _PICTURES}}, "table")
@network_options
@batch_option
@dtype_option
@lang_option
def command(network: NetworkChoice, policy: Policy, target: Target, batch: int, dtype: str) -> None:
    """What is alive when NET runs: the peak, the layer where it is reached, and all that is alive there.

    Without options it is inference, and a map is freed after its last reader; --training adds the backward pass.
    With -o FILE.svg, .png, .pdf or .html it is a picture: everything that is alive, step by step.
    """
    data_in_english(target.form, *_PICTURES)
    timeline = memory_timeline(network.analyse(batch, dtype), policy)
    if target.form in _PICTURES:
        from archcalc.render.charts.alive import alive
        from archcalc.render.charts.render import render as draw

        if target.path is None:
            raise click.UsageError(f"-f {target.form} needs -o FILE")
        write_bytes(draw(alive(timeline), target.form, 2.0), target.path)
        return
    target.write(render(timeline, target.form, target.colour))
