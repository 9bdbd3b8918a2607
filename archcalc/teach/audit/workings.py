"""How a right value is computed: the calculation with its values, layer by layer where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archcalc.explain.derive.notation import TEXT
from archcalc.spec.expressions import Expression
from archcalc.teach.audit.cells import is_cell
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.functions import COUNTS, MEASURED
from archcalc.teach.audit.networks import rows_of
from archcalc.teach.audit.numbers import value_text
from archcalc.teach.audit.trees import calls, layer_of, network_of, written
from archcalc.teach.audit.verdicts import Part, Verdict
from archcalc.teach.check.expected import derivations

_COMPARISONS = {">", "<", ">=", "<=", "==", "!="}
_REPORTED = {"param_bytes": "params"}
#: Layers that are still named one by one.
FEW = 6


def part_text(part: Part) -> str:
    """The right value of a part."""
    if part.tree.kind == "call" and part.tree.value in MEASURED:
        return f"reported {' or '.join(value_text(figure) for figure in part.value)}" if part.value else "not known"
    return value_text(part.value, part.claimed.in_bytes)


def measured(parts: Iterable[Part]) -> str:
    """Why figures that others measured cannot be judged; empty where each is among those reported."""
    unknown = [_known_figures(part) for part in parts if part.verdict is Verdict.NOT_CALCULATED]
    return f"measured, and evaluations differ: {'; '.join(unknown)}" if unknown else ""


def _known_figures(part: Part) -> str:
    name = str(part.tree.value).replace("_", " ").replace("top", "top-")
    if not part.value:
        return f"no {name} is known"
    figures = ", ".join(value_text(one) for one in part.value)
    return f"{name} {part.claimed.text} is not among those reported ({figures})"


def workings(context: ClaimContext, part: Part) -> Iterator[str]:
    """Lines that show how the right value of a part is computed."""
    tree, bytes_wanted = part.tree, part.claimed.in_bytes
    lines = _derivation(context, tree)
    if lines:
        yield from lines
        return
    if tree.kind == "binary" and tree.value in _COMPARISONS:
        sides = [
            f"{written(side, context.variables)} = {value_text(context.value(side))}" if side.parts else ""
            for side in tree.parts
        ]
        yield "; ".join(side for side in sides if side)
    elif tree.parts:
        yield f"{written(tree, context.variables)} = {value_text(part.value, bytes_wanted)}"
        counted = [call for call in calls(tree) if call is not tree and call.value in (*COUNTS, "count", "depth")]
        if 0 < len(dict.fromkeys(counted)) <= FEW:
            yield "; ".join(
                f"{written(call, context.variables)} = {value_text(context.value(call), bytes_wanted)}"
                for call in dict.fromkeys(counted)
            )
    yield from _facts(context, tree)


def _derivation(context: ClaimContext, tree: Expression) -> list[str]:
    """The derivation of a layer's number: (3·3·384 + 1)·384 = 1,327,488."""
    asked = context.asked(tree) if is_cell(tree) else None
    if asked is None:
        return []
    layer = asked.analysis.rows[-1].name if asked.network.op is not None else asked.layer
    rows = rows_of(asked.analysis, layer) if layer is not None else []
    if len(rows) != 1:
        return []
    found = derivations(rows[0], asked.analysis, str(tree.value))
    return [
        f"{one.label} of {layer}: {' = '.join(TEXT.write(node) for node in one.chain())}" for one in found if one.value
    ]


def _facts(context: ClaimContext, tree: Expression) -> Iterator[str]:
    """What else the spec says: the layers that were counted, where a network was published, what was reported."""
    for call in calls(tree):
        network = network_of(call, context.variables)
        if network is None:
            continue
        analysis = context.networks.analysis(network)
        graph = analysis.graph
        if call.value == "count" and (names := _counted(context, call)):
            yield f"counted: {', '.join(names)}"
        elif call.value == "year" and graph.paper is not None:
            venue = f", {graph.paper.venue}" if graph.paper.venue else ""
            yield f"{graph.title}: “{graph.paper.title}”{venue}"
        elif call is tree and layer_of(call) is None:
            for figure in graph.reported:
                if figure.quantity == _REPORTED.get(call.value, call.value) and isinstance(
                    figure.value, (int, float, str)
                ):
                    note = f"; {figure.note}" if figure.note else ""
                    yield f"reported: {figure.value} ({figure.source}){note}"


def _counted(context: ClaimContext, call: Expression) -> list[str]:
    """The names of counted layers, where they are few."""
    arguments = [context.value(part) for part in call.parts]
    rows = context.reader.counted(*arguments)
    return [row.name for row in rows] if len(rows) <= FEW else []
