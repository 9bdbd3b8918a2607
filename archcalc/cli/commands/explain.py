"""`archcalc explain`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.layers import parse_fields, parse_shape
from archcalc.cli.options import complete_network, counting_options, parse_input, parse_settings
from archcalc.cli.output import width, write
from archcalc.core.conventions import Conventions
from archcalc.core.errors import SpecError, UsageError
from archcalc.core.files import check_target
from archcalc.design.inputs import add_input_hints
from archcalc.displays import Derivations
from archcalc.explain.derive import formats
from archcalc.explain.derive.network import find_quantity
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import OPS
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load


@click.command(
    name="explain",
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  archcalc explain alexnet conv1
  archcalc explain vgg16 --quantity params
  archcalc explain resnet50 conv2_x/unit1 -f markdown -o unit1.md
  archcalc explain conv2d --input 227x227x3 --out-channels 96 --kernel-size 11 --stride 4
  archcalc explain concat --input 28x28x64 --input 28x28x128
""",
)
@click.argument("network", metavar="NET|OP", shell_complete=complete_network)
@click.argument("words", metavar="[LAYER]", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "-f", "--format", "form", type=click.Choice(formats.FORMATS), help="Default: by the ending of -o, or text."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@click.option(
    "--quantity", metavar="NAME", help="Only this: params, multiplications, height, …; without LAYER the network's sum."
)
@click.option("--input", "inputs", metavar="HxWxC", multiple=True, help="Another input; for an op, one for each input.")
@click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a parameter of the network; repeatable."
)
@counting_options
def command(
    network: str,
    words: tuple[str, ...],
    form: str | None,
    output: str | None,
    quantity: str | None,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    batch: int,
    dtype: str,
    strict: bool,
    count_in_place: bool,
    running_statistics: bool,
) -> None:
    """How each number of a layer is calculated: the formula, the numbers put in, the result.

    Without LAYER every layer is explained; for a block, all layers in it are.
    To explain a layer without a network, give an op instead of NET, with its settings as options.
    """
    check_target(output)
    form = form or formats.ENDINGS.get(Path(output).suffix.lower() if output else "", "text")
    quantity = None if quantity is None else find_quantity(quantity)
    conventions = Conventions(running_statistics=running_statistics, in_place=not count_in_place, strict=strict)
    layer: str | None = None
    if network in OPS:
        if settings:
            raise UsageError(f"--set is for networks; {network} takes its settings as options")
        graph = _single(network, words, inputs)
        layer = graph.layers[-1].name
    else:
        layer = _layer(words)
        if len(inputs) > 1:
            raise UsageError("a network has one --input")
        graph = load(network, parse_settings(settings), parse_input(inputs[0] if inputs else None))
    analysis = analyse(graph, batch, dtype, conventions, partial=True)
    if analysis.problems:
        raise SpecError(add_input_hints(graph, analysis.problems, strict) if network not in OPS else analysis.problems)
    write(Derivations(analysis, layer, quantity).render(form, width() if output is None else None), output)


def _layer(words: tuple[str, ...]) -> str | None:
    for word in words:
        if word.startswith("-"):
            raise click.NoSuchOption(word.partition("=")[0][:60])
    if len(words) > 1:
        raise UsageError(f"one LAYER at a time, here are {len(words)}: {', '.join(words)[:80]}")
    return words[0] if words else None


def _single(kind: str, words: tuple[str, ...], inputs: tuple[str, ...]) -> LayerGraph:
    from archcalc.spec.single import make_op, single_layer

    if not inputs:
        raise UsageError(f"which input? For example: archcalc explain {kind} --input 227x227x3 …")
    return single_layer(make_op(kind, parse_fields(kind, words)), [parse_shape(text) for text in inputs])
