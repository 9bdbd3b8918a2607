"""`archcalc run`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from archcalc.api import analyse
from archcalc.cli.networks import Execution, choose_kernels, execution_options, file_or_size, precision_option
from archcalc.cli.output import Target, note, output_options, write
from archcalc.cli.progress import Progress
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target, read_bytes
from archcalc.core.shapes import LARGEST_BATCH
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.execute.calls import Inputs
    from archcalc.execute.execution import Observer
    from archcalc.execute.kernels import Array
    from archcalc.execute.runner.execute import Algorithm

#: Bytes of a file of class names.
_LARGEST_NAMES = 1 << 24


class MapFiles(NamedTuple):
    """Files to be made of maps: all of them, or a picture of one."""

    activations: Path | None
    layer: str | None
    picture: Path | None


@click.command("run")
@execution_options
@click.option(
    "--input",
    "source",
    metavar="FILE",
    help="An image or an .npy array (C, H, W); else random numbers. Of several inputs: NAME=FILE,NAME=FILE.",
)
@click.option("--input-size", metavar="HxWxC", help="Input size: height×width×channels, as in 384x384x3.")
@click.option(
    "--batch", type=click.IntRange(1, LARGEST_BATCH), help="Number of images. Default: 1, or those of --input."
)
@precision_option
@click.option("--algorithm", type=click.Choice(["auto", "loops", "im2col", "fast"]), default="auto", show_default=True,
              help="How convolutions and pools are calculated.")  # fmt: skip
@click.option("--save-weights", metavar="FILE", help="Write the weights to an .npz or .safetensors file.")
@click.option("--count", is_flag=True, help="Count the multiplications one by one, and the live bytes.")
@click.option("--layers", is_flag=True, help="A row for each layer; with --algorithm im2col its matrices too.")
@click.option("--top", type=click.IntRange(min=1), help="Number of most likely classes to show. With --classes: 5.")
@click.option("--classes", metavar="FILE", help="Names of the classes, one per line.")
@click.option("--save-activations", metavar="DIR", help="Write the map of every layer to a new folder, as .npy.")
@click.option("--feature-maps", metavar="LAYER", help="Draw the channels of this layer's map into the file -o.")
@output_options(("text", "json"), {".json": "json"}, what="The picture of --feature-maps; else the text.",
                checked=False)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Report on stderr how the matrix products are computed.")
def command(
    execution: Execution,
    source: str | None,
    input_size: str | None,
    batch: int | None,
    dtype: str,
    algorithm: Algorithm,
    save_weights: str | None,
    count: bool,
    layers: bool,
    top: int | None,
    classes: str | None,
    save_activations: str | None,
    feature_maps: str | None,
    target: Target,
    verbose: bool,
) -> int:
    """Run a network in numpy and compare every shape and count with the analysis.

    In a fast run a sample of the values is compared with the reference kernels too. The exit code is 1 where anything
    differs.

    On a CPU with AVX-512, OPENBLAS_CORETYPE is set so that numpy's OpenBLAS uses it, unless the variable is set already
    or ARCHCALC_OPENBLAS is `keep`.
    """
    target.check(picture=feature_maps is not None)
    choose_kernels(verbose)
    import numpy as np

    from archcalc.execute.execution import KernelError
    from archcalc.execute.runner.compare import compare
    from archcalc.execute.runner.execute import execute
    from archcalc.execute.runner.files import save_weights as write_weights
    from archcalc.execute.runner.memory import check_memory
    from archcalc.execute.show.summary import as_document, as_text, top_classes

    source, input_size = file_or_size(source, input_size)
    wanted = MapFiles(_path(save_activations), feature_maps, _path(target.path) if feature_maps else None)
    keep_weights = execution.weights is not None or save_weights is not None
    network = execution.network(input_size)
    analysis = network.analyse(batch or 1, dtype)
    _check_targets(analysis, wanted, save_weights)
    names = _read_names(classes, analysis)
    check_memory(analysis, keep_weights)
    x = _input(analysis, execution, source, batch)
    if _count(x) != analysis.batch:
        analysis = analyse(analysis.graph, _count(x), dtype)
        check_memory(analysis, keep_weights)
    arrays = execution.arrays(analysis, keep=save_weights is not None)
    with _observer(analysis, wanted) as keep, Progress(len(analysis.rows)) as progress:

        def report(index: int) -> None:
            progress(index + 1, analysis.rows[index].name)

        watched = _watched(analysis, wanted)
        try:
            done = execute(
                analysis.graph, x, arrays, algorithm, count, keep, watched=watched, report=report, compare_values=True
            )
        except KernelError as error:
            note(f"the run and the analysis differ: {error}")
            return 1
    if save_weights is not None:
        write_weights(Path(save_weights), analysis, arrays)
    for name, values in done.outputs.items():
        if not np.isfinite(values).all():
            note(f"note: the output {name} holds values that are not finite (NaN or infinite)")
    differences = compare(done, analysis, memory=count)
    result = list(done.outputs.values())[-1]
    shown = top or (5 if classes else 0)
    guesses = [top_classes(image, shown, names) for image in result] if shown else []
    if target.form == "json":
        document = as_document(analysis, done, differences, guesses, count)
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    else:
        how = f"{algorithm}, weights from {execution.weights_text(analysis, random='')}"
        text = as_text(analysis, done, differences, guesses, how, count, layers)
    write(text, None if feature_maps else target.path)
    return 1 if differences else 0


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _check_targets(analysis: Analysis, wanted: MapFiles, weights: str | None) -> None:
    """Everything that can be wrong with the files to be written, before any work is done."""
    from archcalc.core.files import check_empty
    from archcalc.execute.runner.files import check_suffix
    from archcalc.execute.show.feature_maps import check_picture

    if weights is not None:
        check_suffix(Path(weights))
        check_target(weights, "--save-weights")
    if wanted.activations is not None:
        check_empty(wanted.activations, "--save-activations")
    if wanted.layer is None:
        return
    if wanted.picture is None or str(wanted.picture) == "-":
        raise UsageError("--feature-maps needs a picture to write: -o maps.png")
    check_picture(wanted.picture)
    if wanted.layer not in analysis.by_name:
        from archcalc.core.suggest import did_you_mean

        raise UsageError(f"there is no layer {wanted.layer!r}{did_you_mean(wanted.layer, analysis.by_name)}")
    if len(analysis[wanted.layer].output_shape) == 1:
        raise UsageError(f"the map of {wanted.layer} is flat; only one with positions can be drawn")


def _read_names(path: str | None, analysis: Analysis) -> list[str] | None:
    if path is None:
        return None
    try:
        names = read_bytes(path, _LARGEST_NAMES).decode().splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {path}: it is no text in UTF-8") from None
    classes = analysis.rows[analysis.graph.outputs[-1].layer].output_shape[0]
    if len(names) != classes:
        raise UsageError(f"{path} has {len(names):,} lines, the network {classes:,} classes")
    return names


def _input(analysis: Analysis, execution: Execution, source: str | None, batch: int | None) -> Inputs:
    from archcalc.execute.runner.inputs import random_inputs

    if source is None:
        execution.check_preset()
        return random_inputs(analysis.graph, analysis.batch, execution.seed, analysis.dtype)
    x = execution.inputs_of(analysis, source)
    if batch is not None and batch != _count(x):
        raise UsageError(f"--batch {batch}, but {source} holds {_count(x)}")
    return x


def _count(x: Inputs) -> int:
    """The images of a batch."""
    return len(next(iter(x.values()))) if isinstance(x, Mapping) else len(x)


def _watched(analysis: Analysis, wanted: MapFiles) -> Collection[int] | None:
    """The layers whose maps are wanted; None: all of them."""
    if wanted.activations is not None:
        return None
    return () if wanted.layer is None else {analysis.graph.index[wanted.layer]}


@contextmanager
def _observer(analysis: Analysis, wanted: MapFiles) -> Iterator[Observer]:
    """What is called with the maps that are wanted; its files are whole once this is over, or not there."""
    import numpy as np

    from archcalc.core.files import whole_folder
    from archcalc.execute.show.feature_maps import feature_maps, save_picture

    with whole_folder(wanted.activations) if wanted.activations else nullcontext() as folder:

        def keep(index: int, array: Array) -> None:
            name = analysis.rows[index].name
            if folder is not None:
                np.save(folder / f"{index:04d}_{name.replace('/', '.')}.npy", array, allow_pickle=False)
            if name == wanted.layer and wanted.picture is not None:
                save_picture(wanted.picture, feature_maps(array[0]))

        yield keep
