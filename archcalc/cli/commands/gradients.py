"""`archcalc gradients`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archcalc.cli.networks import choose_kernels, precision_option, seed_option, weights_of, weights_option
from archcalc.cli.options import NetworkChoice, complete_network, data_in_english, lang_option, network_options
from archcalc.cli.output import Target, output_options, write_bytes
from archcalc.cli.progress import Progress
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target
from archcalc.core.language import say

if TYPE_CHECKING:
    from archcalc.execute.runner.gradients import Measured
    from archcalc.passes.analysis import Analysis

_PICTURES = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".html": "html"}
_FORMATS = ("table", "markdown", "csv", "json")
_ENDINGS = {".txt": "table", ".md": "markdown", ".csv": "csv", ".json": "json"}


@click.command("gradients")
@click.argument("networks", metavar="NET...", nargs=-1, required=True, shell_complete=complete_network)
@network_options
@click.option(
    "--batch", type=click.IntRange(1, 1 << 16), default=4, show_default=True, help="Number of images in a batch."
)
@precision_option
@seed_option
@click.option(
    "--init",
    metavar="RULE",
    help="Initial weights: auto (he before rectifiers, else glorot), he, glorot, or a standard deviation like 0.01.",
)
@weights_option
@click.option("--batch-norm", type=click.Choice(["batch", "running"]), default="batch", show_default=True,
              help="The statistics of batch normalisation: those of the batch, as in training, or the running ones."
              )  # fmt: skip
@click.option("--all", "every", is_flag=True, help="A row for each layer, not only for convolution and dense ones.")
@click.option("--plot", metavar="FILE", help="Draw the norms layer by layer: .svg, .png, .pdf or .html.")
@output_options(_FORMATS, _ENDINGS, "table")
@lang_option
def command(
    networks: list[NetworkChoice],
    batch: int,
    dtype: str,
    seed: int,
    init: str | None,
    weights: str | None,
    batch_norm: str,
    every: bool,
    plot: str | None,
    target: Target,
) -> None:
    """The size of the gradients of one or several networks, layer by layer.

    A batch of random images with random labels runs forward and backward in numpy, with untrained weights.
    """
    choose_kernels()
    from archcalc.execute.show.gradient_tables import render, subtitle

    picture = _picture(plot)
    if weights is not None and (init is not None or len(networks) > 1):
        raise UsageError("--weights are those of one network, and take the place of --init")
    analyses = [network.analyse(batch, dtype) for network in networks]
    results = [_measure(each, seed, init or "auto", weights, batch_norm == "batch") for each in analyses]
    if plot is not None:
        from archcalc.render.charts.gradients import Series, gradients
        from archcalc.render.charts.render import render as draw

        series = [
            Series(
                result.analysis.graph.title or result.analysis.graph.name,
                tuple((layer.name, layer.weights) for layer in result.multiplying if layer.weights is not None),
            )
            for result in results
        ]
        said = f"{subtitle(results)} · {_how(seed, init, weights)}"
        write_bytes(draw(gradients(series, said), picture), plot)
    data_in_english(target.form)
    target.write(render(results, target.form, _how(seed, init, weights), every, target.colour))


def _picture(plot: str | None) -> str:
    """The format of the plot. Raises `UsageError` before any work is done."""
    if plot is None:
        return ""
    check_target(plot, "--plot")
    ending = Path(plot).suffix.lower()
    if ending not in _PICTURES:
        raise UsageError(f"{plot}: the name of a plot ends in {', '.join(_PICTURES)}")
    return _PICTURES[ending]


def _how(seed: int, init: str | None, weights: str | None) -> str:
    """What the numbers come from, for the notes."""
    if weights:
        begin = say("weights from {file}", file=Path(weights).name)
    else:
        begin = say("weights before training ({how})", how=init or "auto")
    return say("{weights}, random images and labels, seed {seed}", weights=begin, seed=seed)


def _measure(analysis: Analysis, seed: int, init: str, weights: str | None, training: bool) -> Measured:
    from archcalc.execute.runner.gradients import measure
    from archcalc.execute.runner.initial import InitialWeights
    from archcalc.execute.runner.inputs import random_inputs
    from archcalc.execute.runner.memory import check_gradient_memory
    from archcalc.execute.weights import Weights

    check_gradient_memory(analysis)
    made: Weights = InitialWeights(analysis.graph, seed, analysis.dtype, init)
    if weights is not None:
        made = weights_of(weights, analysis)
    x = random_inputs(analysis.graph, analysis.batch, seed, analysis.dtype)
    count = len(analysis.rows)
    with Progress(2 * count) as progress:

        def observe(done: int) -> None:
            back = done >= count
            name = analysis.rows[2 * count - 1 - done if back else done].name
            progress(done + 1, f"{analysis.graph.name}: {'back to ' if back else ''}{name}")

        return measure(analysis, x, made, seed, training, observe)
