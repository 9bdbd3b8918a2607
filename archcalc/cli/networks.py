"""What the commands that execute networks share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from archcalc.cli.blas import choose_core_type
from archcalc.cli.options import (
    Command,
    NetworkChoice,
    call_option,
    network_argument,
    parse_input,
    parse_settings,
    settings_option,
)
from archcalc.cli.output import note
from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.core.words import listed
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.execute.calls import Inputs
    from archcalc.execute.kernels import Array
    from archcalc.execute.weights import Weights

_SIZE = re.compile(r"\d+([x×*]\d+)*", re.IGNORECASE)

precision_option = click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True, help="Type of a value."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random numbers.")
weights_option = click.option(
    "--weights", metavar="FILE",
    help="Weights from an .npz or .safetensors file. Default: those of a model file, else random ones; "
         "`random`: always random ones.",
)  # fmt: skip
#: The word for random weights in place of a file.
RANDOM = "random"


class Execution(NamedTuple):
    """What a command executes: a network, its weights, random ones without a file, and how it reads images."""

    name: str
    settings: Mapping[str, Any]
    preset: str | None
    weights: str | None
    seed: int
    call: Mapping[str, Any] = MappingProxyType({})

    def network(self, size: str | None = None) -> NetworkChoice:
        """The network, on an input of this size where one is given."""
        return NetworkChoice(self.name, self.settings, parse_input(size), self.call)

    def inputs(self, source: str | None, shape: Shape, batch: int, dtype: str) -> Array:
        """The images of a file; without one a batch of random inputs. Raises `UsageError` for a preset without one."""
        from archcalc.execute.runner.inputs import random_input, read_input

        if source is not None:
            return read_input(Path(source), shape, dtype, self.preset)
        self.check_preset()
        return random_input(shape, batch, self.seed, dtype)

    def inputs_of(self, analysis: Analysis, source: str) -> Inputs:
        """What a file holds, or of several inputs a file for each by name. Raises `UsageError` where one is missing."""
        known, named = analysis.graph.inputs, named_files(source)
        if len(known) == 1 and not named:
            return self.inputs(source, analysis.graph.input_shape, analysis.batch, analysis.dtype)
        if set(named) != set(known):
            wanted = ",".join(f"{name}={name}.png" for name in known)
            given = f"here {'are' if len(named) > 1 else 'is'} {listed(list(named))}" if named else "here is one file"
            has = f"{analysis.graph.name} has the {'inputs' if len(known) > 1 else 'input'} {listed(list(known))}"
            raise UsageError(f"{has}, {given}; files are given as --input {wanted}")
        read = {name: self.inputs(named[name], known[name], analysis.batch, analysis.dtype) for name in known}
        counts = {name: len(batch) for name, batch in read.items()}
        if len(set(counts.values())) > 1:
            held = listed([f"{count:,} in {named[name]}" for name, count in counts.items()])
            raise UsageError(f"--input: each input needs as many images, here are {held}")
        return read if len(known) > 1 else read[next(iter(known))]

    def check_preset(self) -> None:
        """Raise `UsageError` where a preset says how to read an image and none is given."""
        if self.preset is not None:
            raise UsageError("--preset says how to read an image; give one with --input")

    def arrays(self, analysis: Analysis, keep: bool = False) -> Weights:
        """The weights; `keep`: random ones are made once and stay in memory."""
        return weights_for(analysis, self.name, self.weights, self.seed, keep)

    @property
    def is_random(self) -> bool:
        """Whether random weights are asked for."""
        return self.weights == RANDOM

    def weights_text(self, analysis: Analysis, random: str = "random weights, ") -> str:
        """Where the weights come from, in words; `random` stands before the seed of random ones."""
        from archcalc.execute.model_weights import has_weights, without_weights

        if self.weights is not None and not self.is_random:
            return self.weights
        seeded = f"{random}seed {self.seed}"
        if not self.is_random and without_weights(analysis):
            return f"{self.name}; where it has none, {seeded}"
        return self.name if not self.is_random and has_weights(analysis) else seeded


def execution_options(command: Command) -> Command:
    """The argument NET, `--set`, `--call`, `--preset`, `--weights` and `--seed`, which become `execution`."""

    @network_argument
    @settings_option
    @call_option
    @click.option("--preset", type=click.Choice(["imagenet", "caffe", "unit"]),
                  help="How pixels become inputs. Default: imagenet in colour, unit in grey.")  # fmt: skip
    @weights_option
    @seed_option
    @wraps(command)
    def run(
        network: str,
        settings: tuple[str, ...],
        call: tuple[str, ...],
        preset: str | None,
        weights: str | None,
        seed: int,
        **rest: Any,
    ) -> Any:
        arguments = parse_settings(call, "--call")
        chosen = Execution(network, parse_settings(settings), preset, weights, seed, arguments)
        return command(execution=chosen, **rest)

    return run


def choose_kernels(verbose: bool = False) -> None:
    """Choose the BLAS kernels that suit this CPU, before numpy is imported; `verbose` prints the choice."""
    chosen = choose_core_type()
    if verbose:
        from archcalc.execute.quick.kernels import blas_kernels

        note(f"note: {chosen}; its kernels are those for {blas_kernels()}")


def file_or_size(source: str | None, size: str | None) -> tuple[str | None, str | None]:
    """`--input` and `--input-size`: `--input 384x384x3` is a size, as elsewhere, but not where a file has that name.

    So are sizes by name, a=64x64x3,b=64x64x1.
    """
    named = named_files(source).values() if source else ()
    if source is not None and all(map(_SIZE.fullmatch, named or (source,))) and not Path(source).exists():
        return None, size or source
    return source, size


def named_files(source: str) -> Mapping[str, str]:
    """The files of several inputs by name, of left=a.png,right=b.png; none where a file has that name."""
    if "=" not in source or Path(source).exists():
        return {}
    parts = [part.partition("=") for part in re.split(r",(?=[^,=]+=)", source)]
    found = {name.strip(): file.strip() for name, _, file in parts}
    if len(found) < len(parts):
        raise UsageError(f"--input names an input twice: {source[:80]!r}")
    return found


def weights_for(analysis: Analysis, name: str, weights: str | None, seed: int, keep: bool = False) -> Weights:
    """The weights of --weights for a network; by default those of its file, else random ones.

    `keep`: random ones are made once and stay in memory.
    """
    from archcalc.execute.model_weights import own_weights, random_in, without_weights
    from archcalc.execute.weights import SeededWeights

    if weights == RANDOM:
        return SeededWeights(analysis.graph, seed, analysis.dtype, keep)
    if weights is not None:
        return weights_of(weights, analysis)
    if missing := without_weights(analysis):
        note(f"note: {name} does not hold all weights: {random_in(missing)}")
    return own_weights(analysis, seed, keep)


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
