"""Networks of a command line on their way into the executor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.cli.blas import choose_core_type
from archcalc.cli.options import parse_input
from archcalc.cli.output import note
from archcalc.core import words
from archcalc.core.errors import SpecError
from archcalc.design.inputs import add_input_hints
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load

if TYPE_CHECKING:
    from archcalc.execute.weights import Weights

_SIZE = re.compile(r"\d+([x×*]\d+)*", re.IGNORECASE)


def choose_kernels(verbose: bool = False) -> None:
    """Choose the BLAS kernels that suit this CPU, before numpy is imported; `verbose` prints the choice."""
    chosen = choose_core_type()
    if verbose:
        from archcalc.execute.quick.kernels import blas_kernels

        note(f"note: {chosen}; its kernels are those for {blas_kernels()}")


def file_or_size(source: str | None, size: str | None) -> tuple[str | None, str | None]:
    """`--input` and `--input-size`: `--input 384x384x3` is a size, as elsewhere, but not where a file has that name."""
    if source is not None and _SIZE.fullmatch(source) and not Path(source).exists():
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


def analysis_of(network: str, size: str | None, settings: Mapping[str, Any], batch: int, dtype: str) -> Analysis:
    """The analysis of a whole network. Raises `SpecError` that names inputs which would fit."""
    graph = load(network, settings, parse_input(size))
    analysis = analyse(graph, batch, dtype, partial=True)
    if analysis.problems:
        raise SpecError(add_input_hints(graph, analysis.problems))
    return analysis
