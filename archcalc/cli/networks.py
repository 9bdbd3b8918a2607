"""What the commands that execute networks share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archcalc.cli.blas import choose_core_type
from archcalc.cli.output import note
from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.execute.kernels import Array
    from archcalc.execute.weights import Weights

_SIZE = re.compile(r"\d+([x×*]\d+)*", re.IGNORECASE)

preset_option = click.option("--preset", type=click.Choice(["imagenet", "caffe", "unit"]),
                             help="How pixels become inputs. Default: imagenet in colour, unit in grey.")  # fmt: skip
precision_option = click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True, help="Type of a value."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random numbers.")
weights_option = click.option(
    "--weights", metavar="FILE", help="Weights from an .npz or .safetensors file. Default: random ones."
)


def choose_kernels(verbose: bool = False) -> None:
    """Choose the BLAS kernels that suit this CPU, before numpy is imported; `verbose` prints the choice."""
    chosen = choose_core_type()
    if verbose:
        from archcalc.execute.quick.kernels import blas_kernels

        note(f"note: {chosen}; its kernels are those for {blas_kernels()}")


def file_or_size(source: str | None, size: str | None) -> tuple[str | None, str | None]:
    """`--input` and `--input-size`: `--input 384x384x3` is a size, as elsewhere, but not where a file has that name."""
    if source is not None and (_SIZE.fullmatch(source) or "=" in source) and not Path(source).exists():
        return None, size or source
    return source, size


def weights_of(path: str, analysis: Analysis) -> Weights:
    """The weights in a file; on stderr, which layers were taken by order and shape."""
    from archcalc.execute.runner.files import load_weights

    weights = load_weights(Path(path), analysis)
    if weights.matched:
        pairs = [f"{layer} from {module}" for layer, module in weights.matched.items()]
        more = f", … {pairs[-1]}" if len(pairs) > 3 else ""
        count = f"{len(pairs)} {'layer' if len(pairs) == 1 else 'layers'}"
        note(words.line(f"note: {path}: {count} by shape and order: {', '.join(pairs[:3])}{more}"))
    return weights


def check_preset(preset: str | None) -> None:
    """Raise `UsageError` where a preset says how to read an image and none is given."""
    if preset is not None:
        raise UsageError("--preset says how to read an image; give one with --input")


def random_inputs(shape: Shape, batch: int, dtype: str, seed: int, preset: str | None) -> Array:
    """Inputs where no image is given. Raises `UsageError` where a preset says how to read one."""
    from archcalc.execute.runner.inputs import random_input

    check_preset(preset)
    return random_input(shape, batch, seed, dtype)
