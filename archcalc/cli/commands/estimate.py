"""`archcalc estimate`."""

from __future__ import annotations

import click

from archcalc.cli.networks import choose_kernels
from archcalc.cli.options import (
    NetworkChoice,
    batch_option,
    complete_network,
    data_in_english,
    dtype_option,
    lang_option,
    network_options,
)
from archcalc.cli.output import Target, note, output_options, write_bytes
from archcalc.design.devices import chosen, devices
from archcalc.design.estimate import estimate
from archcalc.render.tables.estimate import ENDINGS, FORMATS, render, render_devices

_PICTURES = ("svg", "png", "pdf", "html")


@click.command("estimate")
@click.argument("network", metavar="NET", required=False, default="", shell_complete=complete_network)
@click.option("--device", "name", metavar="NAME", help="A device by name; `this` measures the machine it runs on.")
@click.option("--flops", metavar="RATE", help="Operations per second of a device that is not listed, as in 500G.")
@click.option("--bandwidth", metavar="RATE", help="Its bytes per second from and to memory, as in 40GB/s.")
@click.option("--devices", "listed", is_flag=True, help="The devices, with the source of every rate.")
@output_options((*FORMATS, *_PICTURES), {**ENDINGS, **{f".{form}": form for form in _PICTURES}}, "table")
@network_options
@batch_option
@dtype_option
@lang_option
def command(
    network: NetworkChoice,
    name: str | None,
    flops: str | None,
    bandwidth: str | None,
    listed: bool,
    target: Target,
    batch: int,
    dtype: str,
) -> None:
    """The least time that NET takes on a device: bytes, operations and the bound of each layer (roofline).

    With -o FILE.svg, .png, .pdf or .html it is the roofline as a picture. With `--device this` the network is run in
    numpy too, and its times stand next to the bounds.
    """
    data_in_english(target.form)
    if listed:
        if target.form not in FORMATS:
            raise click.UsageError(f"--devices has the formats {', '.join(FORMATS)}, not {target.form}")
        target.write(render_devices(devices().values(), target.form, target.colour))
        return
    if not network.name:
        raise click.UsageError("which network? For example: archcalc estimate resnet50 --device a100-40gb")
    if target.form in _PICTURES and target.path is None:
        raise click.UsageError(f"-f {target.form} needs -o FILE")
    known = chosen(name, flops, bandwidth)
    analysis = network.analyse(batch, dtype)
    if known is None:
        choose_kernels()
        from archcalc.designing import measured

        result, why = measured(analysis)
        if why:
            note(f"note: {why}")
    else:
        result = estimate(analysis, known)
    if target.form in _PICTURES:
        from archcalc.render.charts.render import render as draw
        from archcalc.render.charts.roofline import roofline

        write_bytes(draw(roofline(result), target.form, 2.0), str(target.path))
        return
    target.write(render(result, target.form, target.colour))
