"""`archcalc export`."""

from __future__ import annotations

import click
from click.core import ParameterSource

from archcalc.cli.networks import seed_option, weights_for, weights_option
from archcalc.cli.options import NetworkChoice, network_argument, network_options
from archcalc.cli.output import ending, note, write, write_bytes
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target
from archcalc.core.suggest import did_you_mean
from archcalc.objects import Network
from archcalc.tools import EXPORTS, exported

TARGETS = tuple(dict.fromkeys(target for targets in EXPORTS.values() for target in targets))


@click.command("export")
@network_argument
@click.option("-o", "--output", metavar="FILE", required=True, help="The file; - is stdout (with --to).")
@click.option("--to", "target", metavar="FORMAT", help=f"{', '.join(TARGETS)}; default: by the ending of -o.")
@network_options
@weights_option
@seed_option
def command(network: NetworkChoice, output: str, target: str | None, weights: str | None, seed: int) -> None:
    """A network as code or as a file of another program.

    .py is PyTorch code, or with --to keras Keras code: blocks are classes or functions, equal blocks in a row a loop,
    and the names of layers stay. .onnx holds weights too: those of --weights, those of a model file, or those that
    `archcalc run` makes of --seed.
    """
    check_target(output)
    chosen = _target(output, target)
    if weights is not None and chosen != "onnx":
        raise UsageError("--weights is for files that hold weights; .onnx does")
    loaded = Network.of(network.load())
    given = weights_for(loaded.analyse(), network.name, weights, seed) if chosen == "onnx" else None
    data = exported(loaded, chosen, given, seed)
    is_chosen = click.get_current_context().get_parameter_source("seed") is not ParameterSource.DEFAULT
    if chosen == "onnx" and weights is None and not loaded.arrays and not is_chosen:
        note(f"note: {network.name} has no weights of its own: {output} gets random ones of seed {seed}")
    if chosen == "onnx":
        write_bytes(data, output)
    else:
        write(data.decode(), output)


def _target(output: str, target: str | None) -> str:
    """What to write for. Raises `UsageError` where nothing says it, or where the ending says something else."""
    if target is not None and target not in TARGETS:
        raise UsageError(f"--to takes {', '.join(TARGETS)}, not {target[:40]!r}{did_you_mean(target, TARGETS)}")
    if output == "-":
        if target is None:
            raise UsageError(f"which format? -o - needs --to; there are {', '.join(TARGETS)}")
        return target
    fits = EXPORTS[ending(output, EXPORTS)]
    if target is not None and target not in fits:
        raise UsageError(f"--to {target} does not end in {output[output.rindex('.') :]}")
    return target or fits[0]
