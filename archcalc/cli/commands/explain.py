"""`archcalc explain`."""

from __future__ import annotations

import click

from archcalc.cli.layers import parse_fields
from archcalc.cli.options import (
    Counting,
    NetworkChoice,
    call_option,
    complete_network,
    counting_options,
    data_in_english,
    lang_option,
    parse_input,
    parse_settings,
    settings_option,
)
from archcalc.cli.output import Target, output_options
from archcalc.core.errors import UsageError
from archcalc.core.shapes import parse_shape
from archcalc.displays import Derivations
from archcalc.explain.derive import formats
from archcalc.explain.derive.network import find_quantity
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import OPS
from archcalc.passes.analysis import analyse


@click.command(
    name="explain",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("network", metavar="NET|OP", shell_complete=complete_network)
@click.argument("words", metavar="[LAYER]", nargs=-1, type=click.UNPROCESSED)
@output_options(formats.FORMATS, formats.ENDINGS)
@click.option(
    "--quantity", metavar="NAME", help="Only this: params, multiplications, height, …; without LAYER the network's sum."
)
@click.option("--input", "inputs", metavar="HxWxC", multiple=True, help="Input size; for an op, one for each input.")
@lang_option
@settings_option
@call_option
@counting_options
def command(
    network: str,
    words: tuple[str, ...],
    target: Target,
    quantity: str | None,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    call: tuple[str, ...],
    counting: Counting,
) -> None:
    """How each number of a layer is calculated: the formula, the substitution, the result.

    Without LAYER every layer is explained; for a block, all layers in it.
    To explain a layer without a network, give an op instead of NET, with its settings as options.
    """
    data_in_english(target.form)
    quantity = None if quantity is None else find_quantity(quantity)
    if network in OPS:
        if settings or call:
            raise UsageError(f"--set and --call are for networks; {network} takes its settings as options")
        graph = _single(network, words, inputs)
        layer: str | None = graph.layers[-1].name
        analysis = analyse(graph, *counting)
    else:
        layer = _layer(words)
        if len(inputs) > 1:
            raise UsageError("a network has one --input")
        shape = parse_input(inputs[0] if inputs else None)
        choice = NetworkChoice(network, parse_settings(settings), shape, parse_settings(call, "--call"))
        analysis = choice.analyse(*counting)
    target.write(Derivations(analysis, layer, quantity).render(target.form, target.width))


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
