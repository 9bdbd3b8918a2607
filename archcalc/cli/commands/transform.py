"""`archcalc transform`."""

from __future__ import annotations

from typing import Any

import click

from archcalc.cli.options import Command, NetworkChoice, network_argument, network_options
from archcalc.cli.output import Target, colour, note, output_options, write
from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.design.transform.transform import REWRITES, Transformed, transform
from archcalc.graph.layer_graph import LayerGraph
from archcalc.render.tables.transform import FORMATS, render


def _rewrite_options(command: Command) -> Command:
    """An option for each rewrite, named and explained as there; a bottleneck has its number in an option of its own."""
    for name, kind in reversed(REWRITES.items()):
        words = kind.arguments[:1] if name == "bottleneck" else kind.arguments
        choices: dict[str, Any] = {"metavar": " ".join(words), "multiple": True, "nargs": len(words)}
        if not words:
            choices = {"is_flag": True}
        command = click.option(f"--{name}", name.replace("-", "_"), help=kind.text, **choices)(command)
    return command


@click.command("transform")
@network_argument
@_rewrite_options
@click.option("--reduce", metavar="N", help="The channels that --bottleneck leaves.")
@click.option("--check", is_flag=True, help="Run both networks on random weights; exit 1 where the outputs differ.")
@output_options(FORMATS, what="Write the new network as a spec; - is stdout, with the comparison on stderr.")
@network_options
def command(network: NetworkChoice, reduce: str | None, check: bool, target: Target, **given: Any) -> int:
    """A network rewritten: before and after, and with -o the new spec.

    LAYER may be a block: then all of its convolutions that can be are rewritten. Rewrites are done in a fixed order:
    --cut first, --fc-to-conv and --grow-input last. It says whether the function stays the same.
    """
    transformed = transform(network.analyse(), _wanted(given, reduce))
    proof = _prove(transformed) if check else None
    text = render(transformed, target.form, colour() and target.path != "-", proof)
    if target.path is not None:
        target.write(_spec(transformed.after.graph))
    if target.path == "-":
        note(text.rstrip("\n"))
    else:
        write(text, None)
    return 1 if proof is not None and not _is_rounding(proof) else 0


def _wanted(given: dict[str, Any], reduce: str | None) -> list[tuple[str, tuple[str, ...]]]:
    """The rewrites that are asked for, with their arguments."""
    wanted: list[tuple[str, tuple[str, ...]]] = []
    for name, kind in REWRITES.items():
        value = given[name.replace("-", "_")]
        if not kind.arguments:
            wanted += [(name, ())] if value else []
            continue
        wanted += [(name, one if isinstance(one, tuple) else (one,)) for one in value]
    if (reduce is not None) != bool(given["bottleneck"]):
        raise UsageError("--bottleneck LAYER and --reduce N go together")
    if reduce is not None:
        wanted = [(name, (*own, reduce) if name == "bottleneck" else own) for name, own in wanted]
    return wanted


def _spec(graph: LayerGraph) -> str:
    """The spec with blocks and repeats where they give the same network, else layer by layer."""
    from archcalc.interop.structured import write_structured
    from archcalc.spec.write import write_graph

    try:
        return write_structured(graph)
    except ArchcalcError:
        return write_graph(graph)


def _prove(transformed: Transformed) -> float:
    """Run the network before and after, in float64. Raises `UsageError` where the function changes anyway."""
    if not transformed.same:
        raise UsageError(f"--check compares networks of the same function: {transformed.not_compared}")
    from archcalc.execute.runner.equivalent import Change, difference
    from archcalc.execute.runner.memory import check_memory
    from archcalc.passes.analysis import analyse

    first = analyse(transformed.before.graph, dtype="float64")
    check_memory(first, keep_weights=False)
    changes, now = [], transformed.before
    for step in transformed.same:
        changes.append(Change(now, step.rewritten.folded, step.rewritten.reshaped))
        now = step.after
    return difference(first, now.graph, changes)


def _is_rounding(proof: float) -> bool:
    from archcalc.execute.runner.equivalent import TOLERANCE

    return proof <= TOLERANCE
