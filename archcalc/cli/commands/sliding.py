"""`archcalc sliding`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from archcalc.cli.networks import Execution, choose_kernels, execution_options, file_or_size, precision_option
from archcalc.cli.output import Target, output_options
from archcalc.cli.progress import Progress
from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.shapes import format_shape, parse_image_shape

if TYPE_CHECKING:
    from archcalc.execute.runner.sliding import Slid
    from archcalc.passes.analysis import Analysis

#: Sums are made in another order, and by other kernels.
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


@click.command("sliding")
@execution_options
@click.option("--input", "source", metavar="SIZE|FILE",
              help="A size, height×width×channels, for random numbers; or an image or .npy array.")  # fmt: skip
@click.option("--input-size", metavar="HxWxC", help="The size that an image is fitted to.")
@click.option("--without-padding", "bare", is_flag=True, help="The same network without padding: then both are equal.")
@precision_option
@output_options(("text", "json"), {".json": "json"})
def command(
    execution: Execution,
    source: str | None,
    input_size: str | None,
    bare: bool,
    dtype: str,
    target: Target,
) -> int:
    """Run a network over a larger image in one pass, and compare the result with a run for each crop.

    Dense layers become convolutions. Without padding both results are equal, and the exit code is 1 where they differ.
    With padding a crop has zeros where the image continues, and the difference is shown.
    """
    choose_kernels()
    from archcalc.execute.calls import only_image
    from archcalc.execute.runner.memory import check_memory
    from archcalc.execute.runner.sliding import crop_origins, slide
    from archcalc.passes.sliding import convert

    analysis: Analysis = execution.network().analyse(1, dtype)
    if bare:
        analysis = _unpadded(analysis)
    source, size = file_or_size(source, input_size)
    if size is None:
        raise UsageError("how large is the image? --input-size 384x384x3")
    own = only_image(analysis.graph, "sliding")
    shape = parse_image_shape(size)
    if shape[:1] != own[:1]:
        raise UsageError(f"the image has {shape[0]} channels, the network reads {format_shape(own)}")
    converted = convert(analysis)
    rows, columns = crop_origins(own, (shape[1], shape[2]), converted.stride)
    large = replace(analysis, graph=converted.analysis.graph.with_input(shape))
    check_memory(_analysed(large), keep_weights=True)
    x = execution.inputs(source, shape, 1, dtype)
    if len(x) != 1:
        raise UsageError(f"{source} holds {len(x)} images; one is slid over")
    weights = execution.arrays(analysis, keep=True)
    with Progress(len(rows) * len(columns)) as progress:
        result = slide(analysis, x, weights, progress)
    how = execution.weights_text(analysis)
    target.write(_json(analysis, shape, result) if target.form == "json" else _text(analysis, shape, result, how))
    return 0 if result.converted.padded or result.difference <= TOLERANCE[dtype] else 1


def _unpadded(analysis: Analysis) -> Analysis:
    from archcalc.passes.sliding import without_padding

    return _analysed(replace(analysis, graph=without_padding(analysis.graph)))


def _analysed(analysis: Analysis) -> Analysis:
    """The analysis of its graph, which was changed."""
    from archcalc.passes.analysis import analyse

    return analyse(analysis.graph, analysis.batch, analysis.dtype)


def _text(analysis: Analysis, shape: tuple[int, ...], slid: Slid, how: str) -> str:
    from archcalc.core.text import wrap

    graph = analysis.graph
    _, rows, columns = slid.scores.shape
    count = rows * columns
    once, each = slid.multiplications
    filters = [f"{name} {shape[2]}×{shape[3]}" for name, shape in slid.converted.filters.items()]
    own = format_shape(graph.input_shape)
    lines = [
        f"{words.line(graph.title or graph.name)}: {format_shape(shape)}, {analysis.dtype}, {how}",
        f"  scores                 {rows}×{columns}×{len(slid.scores)}, every {_by(slid.stride)} pixels",
        f"  as convolutions        {words.line(', '.join(filters)) or 'none'}",
        f"  multiplications        {once:,} in one pass",
        f"                         {each:,} for {count:,} crops of {own}: {each / once:.1f} times as many",
        f"  largest difference     {slid.difference:.1e} of the largest score",
        f"  same class             {slid.same_class:,} of {count:,}",
    ]
    if slid.converted.padded:
        names = [words.line(name) for name in slid.converted.padded]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        note = (
            f"Not equal: {', '.join(names[:3])}{more} read zeros around their map. A crop has them at its edges, where "
            f"the image continues. --without-padding runs the same network without padding."
        )
        lines += wrap(note, 110)
    else:
        lines.append(
            "one pass and the crops are equal" if slid.difference <= TOLERANCE[analysis.dtype] else "they differ"
        )
    return "\n".join([*lines, ""])


def _by(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}×{pair[1]}"


def _json(analysis: Analysis, shape: tuple[int, ...], slid: Slid) -> str:
    document: dict[str, Any] = {
        "schema": "archcalc.sliding/1",
        "network": analysis.graph.name,
        "input": {"shape": list(shape), "dtype": analysis.dtype},
        "crop": list(analysis.graph.input_shape),
        "stride": list(slid.stride),
        "scores": list(slid.scores.shape),
        "multiplications": {"one_pass": slid.multiplications[0], "crops": slid.multiplications[1]},
        "converted": {name: list(shape) for name, shape in slid.converted.filters.items()},
        "padded": list(slid.converted.padded),
        "difference": slid.difference,
        "same_class": slid.same_class,
        "equal": slid.difference <= TOLERANCE[analysis.dtype],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
