"""`archcalc deconv`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archcalc.cli.networks import Execution, choose_kernels, execution_options, file_or_size
from archcalc.cli.output import write
from archcalc.cli.progress import Progress
from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target
from archcalc.core.shapes import format_shape

if TYPE_CHECKING:
    from archcalc.execute.kernels import Array
    from archcalc.execute.runner.deconv import Projection, Rule
    from archcalc.passes.analysis import Analysis


@click.command("deconv")
@execution_options
@click.option("--layer", metavar="LAYER", required=True, help="The layer whose activations are projected.")
@click.option("--input", "sources", metavar="FILE", multiple=True,
              help="An image or an .npy array (C, H, W); repeatable. Default: random numbers.")  # fmt: skip
@click.option("--input-size", metavar="HxWxC", help="Input size: height×width×channels, as in 160x160x3.")
@click.option("--top", type=click.IntRange(1, 400), default=9, show_default=True,
              help="Number of activations: each of another channel, or all of --channel.")  # fmt: skip
@click.option("--channel", type=click.IntRange(min=0), help="Only activations of this channel.")
@click.option("--rule", type=click.Choice(["deconvnet", "gradient", "guided"]), default="deconvnet", show_default=True,
              help="Rule for rectifiers in the backward pass.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="A picture, or all pixels as .npy (activations, C, H, W).")
@click.option("-f", "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    execution: Execution,
    layer: str,
    sources: tuple[str, ...],
    input_size: str | None,
    top: int,
    channel: int | None,
    rule: Rule,
    output: str | None,
    form: str,
) -> None:
    """Project the strongest activations of a layer back to the pixels of an image, with a deconvnet.

    The picture shows the projections, strongest first, and next to them the same patches of the image.
    """
    choose_kernels()
    from archcalc.execute.runner.deconv import check_layer, passed_unchanged, project
    from archcalc.execute.runner.memory import check_gradient_memory

    target = _target(output)
    if len(sources) == 1:
        source, input_size = file_or_size(sources[0], input_size)
        sources = (source,) if source is not None else ()
    network = execution.network(input_size)
    analysis = network.analyse(max(len(sources), 1))
    check_layer(analysis, layer, rule)
    check_gradient_memory(analysis)
    x, images = _inputs(analysis, sources, execution)
    if len(x) != analysis.batch:
        analysis = network.analyse(len(x))
        check_gradient_memory(analysis)
    weights = execution.arrays(analysis)
    with Progress(analysis.graph.index[layer] + 1 + top) as progress:

        def report(done: int) -> None:
            progress(done + 1, _step(analysis, layer, done))

        found = project(analysis, x, weights, layer, top, channel, rule, report)
    if target is not None:
        _save(target, found, images)
    how = execution.weights_text(analysis)
    unchanged = passed_unchanged(analysis, layer, rule)
    write(
        _json(analysis, layer, rule, found) if form == "json" else _text(analysis, layer, rule, how, found, unchanged),
        None,
    )


def _step(analysis: Analysis, layer: str, done: int) -> str:
    place = analysis.graph.index[layer]
    return analysis.rows[done].name if done <= place else f"activation {done - place}"


def _target(output: str | None) -> Path | None:
    """Where the picture or the array goes. Raises `UsageError` before any work is done."""
    if output is None:
        return None
    if output == "-":
        raise UsageError("-o needs the name of a file; the list of activations goes to stdout")
    check_target(output)
    path = Path(output)
    if path.suffix.lower() != ".npy":
        from archcalc.execute.show.feature_maps import check_picture

        check_picture(path)
    return path


def _inputs(analysis: Analysis, sources: Sequence[str], execution: Execution) -> tuple[Array, Array]:
    """The inputs, and how they look."""
    import numpy as np

    from archcalc.execute.runner.inputs import as_pixels, is_array

    shape = analysis.graph.input_shape
    if not sources:
        x = execution.inputs(None, shape, 1, analysis.dtype)
        return x, as_pixels(x, image=False)
    if len(shape) != 3:
        raise UsageError(f"a deconvnet leads back to an image; the input is {format_shape(shape)}")
    batches = [execution.inputs(source, shape, 1, analysis.dtype) for source in sources]
    pixels = [
        as_pixels(batch, execution.preset, image=not is_array(Path(source)))
        for batch, source in zip(batches, sources, strict=True)
    ]
    if len({each.shape[3] for each in pixels}) > 1:
        pixels = [each.mean(axis=3, keepdims=True) for each in pixels]
    return np.concatenate(batches), np.concatenate(pixels)


def _save(path: Path, found: Sequence[Projection], images: Array) -> None:
    import numpy as np

    from archcalc.core.files import whole_file
    from archcalc.execute.show.feature_maps import save_picture
    from archcalc.execute.show.projections import picture

    if path.suffix.lower() == ".npy":
        with whole_file(path) as temporary:
            np.save(temporary, np.stack([each.pixels for each in found]), allow_pickle=False)
        return
    save_picture(path, picture(found, images))


def _text(
    analysis: Analysis, layer: str, rule: Rule, how: str, found: Sequence[Projection], unchanged: Sequence[str]
) -> str:
    from archcalc.core.text import align, wrap

    rows = [["", "image", "channel", "row, column", "activation", "rows of the image", "columns"]]
    for number, each in enumerate(found, start=1):
        region = each.region
        rows.append(
            [
                str(number),
                str(each.image + 1),
                str(each.channel),
                f"{each.row}, {each.column}",
                f"{each.activation:#.4g}".rstrip("."),
                f"{region.top} … {region.bottom}",
                f"{region.left} … {region.right}",
            ]
        )
    graph = analysis.graph
    shape = format_shape(analysis[layer].output_shape)
    head = f"{words.line(graph.title or graph.name)}: {words.line(layer)}, {shape}; {rule}, {how}"
    notes = [f"The signal passes {', '.join(map(words.line, unchanged))} unchanged."] if unchanged else []
    lines = [line for note in notes for line in wrap(note, 110)]
    return "\n".join([head, "", *align(rows, [True] * 7, False), *([""] if lines else []), *lines, ""])


def _json(analysis: Analysis, layer: str, rule: Rule, found: Sequence[Projection]) -> str:
    document = {
        "schema": "archcalc.deconv/1",
        "network": analysis.graph.name,
        "layer": layer,
        "rule": rule,
        "activations": [
            {
                "image": each.image,
                "channel": each.channel,
                "position": [each.row, each.column],
                "activation": each.activation,
                "region": each.region._asdict(),
            }
            for each in found
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
