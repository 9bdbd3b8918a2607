"""Measured gradients as tables and data: one network in full, several next to each other."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Sequence
from typing import Any

from archcalc.core import words
from archcalc.core.cells import harmless
from archcalc.core.language import mark, say
from archcalc.core.markup import escape_markdown
from archcalc.core.shapes import format_shape
from archcalc.core.text import align, bold, wrap
from archcalc.execute.runner.gradients import LayerGradient, Measured, has_batch_statistics

SCHEMA = "archcalc.gradients/1"
FORMATS = ("table", "markdown", "csv", "json")
ENDINGS = {".txt": "table", ".md": "markdown", ".csv": "csv", ".json": "json"}
HEADS = (mark("layer"), mark("operation"), mark("output"), mark("params"), "‖∂L/∂W‖", "‖∂L/∂W‖/‖W‖", "‖∂L/∂y‖")
KEYS = ("layer", "op", "output", "params", "weight_gradient", "relative_weight_gradient", "map_gradient")
_WIDTH = 110


def render(results: Sequence[Measured], form: str, how: str, every: bool = False, colour: bool = False) -> str:
    """The results in a format of `FORMATS`; `how`: what the weights and labels are. `every`: a row for each layer."""
    if form == "json":
        return _json(results, how)
    if form == "csv":
        return _csv(results, every)
    if form == "markdown":
        return _markdown(results, how, every)
    return _text(results, how, every, colour)


def chosen(result: Measured, every: bool) -> Sequence[LayerGradient]:
    """The layers that get a row: those of which the multiplications are counted, or all."""
    return result.layers if every else result.multiplying


def shown(value: float | None) -> str:
    """Four digits: 0.01230, 1.234e-12; a dash where there is none."""
    return words.NONE if value is None else f"{value:#.4g}".rstrip(".")


def title(result: Measured) -> str:
    """The network's title on one line."""
    graph = result.analysis.graph
    return words.line(graph.title or graph.name)


def _labels(results: Sequence[Measured]) -> list[str]:
    """The names of the networks; numbered where several have the same, as patterns do."""
    names = [words.line(result.analysis.graph.name) for result in results]
    return [f"{name} {names[:place].count(name) + 1}" if names.count(name) > 1 else name
            for place, name in enumerate(names)]  # fmt: skip


def _lines(result: Measured, every: bool) -> list[list[str]]:
    return [
        [
            words.line(layer.name),
            words.line(layer.op.summary()),
            format_shape(layer.output_shape),
            words.count(layer.params),
            shown(layer.weights),
            shown(layer.relative),
            shown(layer.map),
        ]
        for layer in chosen(result, every)
    ]


def _heads() -> list[str]:
    return [say(head) if head.isalpha() else head for head in HEADS]


def _side_by_side(results: Sequence[Measured], every: bool) -> list[list[str]]:
    """A row for each name of a layer, in the order of the first network that has it; ‖∂L/∂W‖ in each network."""
    columns = [{layer.name: layer.weights for layer in chosen(result, every)} for result in results]
    rows = [
        [words.line(name), *(shown(column[name]) if name in column else "" for column in columns)]
        for name in words.merged([list(column) for column in columns])
    ]
    return [[say("‖∂L/∂W‖ of"), *_labels(results)], *rows]


def _summary(results: Sequence[Measured]) -> list[list[str]]:
    """A row for each network: its loss, and ‖∂L/∂W‖ of its first and last layer and of those between."""
    rows = [[
        say("network"), say("loss"), say("layers"), say("first"), say("last"), say("first/last"), say("smallest"),
        say("median"), say("largest"),
    ]]  # fmt: skip
    for label, result in zip(_labels(results), results, strict=True):
        values = [layer.weights for layer in result.multiplying if layer.weights is not None]
        name = label if label == words.line(result.analysis.graph.name) else f"{label}: {title(result)}"
        cells = [name, shown(result.loss), f"{len(values)}"]
        numbers: tuple[float | None, ...] = (None,) * 6
        if values:
            first, last = values[0], values[-1]
            ratio = first / last if last else None
            numbers = (first, last, ratio, min(values), statistics.median(values), max(values))
        rows.append([*cells, *map(shown, numbers)])
    return rows


def _notes(results: Sequence[Measured], how: str) -> list[str]:
    """The notes below: the convention of every number."""
    losses = next((result.losses for result in results if len(result.losses) > 1), None)
    if losses:
        weights = ", ".join(f"{words.line(name)} {weight:g}" for name, weight, _ in losses)
        loss = say("Loss: cross-entropy at every output, weighted {weights}, the mean over the batch; {how}.",
                   weights=weights, how=how)  # fmt: skip
    else:
        loss = say("Loss: cross-entropy at every output, the mean over the batch; {how}.", how=how)
    notes = [
        loss,
        say(
            "‖∂L/∂W‖: Euclidean norm over all trained arrays of a layer, ‖W‖ of those themselves; ‖∂L/∂y‖ of its "
            "result, for the whole batch."
        ),
    ]
    if any(has_batch_statistics(layer.op) for result in results for layer in result.layers):
        if results[0].training:
            notes.append(
                say("Batch normalisation takes the statistics of the batch, and the gradient runs through them.")
            )
        else:
            notes.append(say("Batch normalisation takes the statistics that are kept."))
    if any(layer.weights == 0 for result in results for layer in result.layers):
        dtype = results[0].analysis.dtype
        notes.append(say("0: smaller than {dtype} can hold.", dtype=dtype))
        if dtype != "float64":
            notes[-1] += " " + say("--dtype float64 holds it.")
    return notes


def _title(results: Sequence[Measured]) -> str:
    """The titles, or the names where those are patterns: the summary then says what they are."""
    labels = _labels(results)
    plain = [words.line(result.analysis.graph.name) for result in results]
    return " · ".join(labels if labels != plain else map(title, results))


def subtitle(results: Sequence[Measured]) -> str:
    """Input, batch and type."""
    sizes = sorted({result.analysis.graph.inputs_in_words() for result in results})
    first = results[0].analysis
    given, batch = say("input {size}", size=", ".join(sizes)), say("batch {size}", size=first.batch)
    return f"{given} · {batch} · {first.dtype}"


def _text(results: Sequence[Measured], how: str, every: bool, colour: bool) -> str:
    heads = [bold(_title(results), colour) + f" · {subtitle(results)}", ""]
    if len(results) == 1:
        table = [_heads(), *_lines(results[0], every)]
        heads += align(table, [False, False, True, True, True, True, True], colour)
    else:
        table = _side_by_side(results, every)
        heads += align(table, [False, *[True] * len(results)], colour)
    summary = _summary(results)
    heads += ["", *align(summary, [False, *[True] * (len(summary[0]) - 1)], colour), ""]
    return "\n".join([*heads, *(line for note in _notes(results, how) for line in wrap(note, _WIDTH)), ""])


def _markdown(results: Sequence[Measured], how: str, every: bool) -> str:
    table = [_heads(), *_lines(results[0], every)] if len(results) == 1 else _side_by_side(results, every)
    left = 2 if len(results) == 1 else 1
    return "\n".join(
        [
            f"## {escape_markdown(_title(results))}",
            "",
            escape_markdown(subtitle(results)),
            "",
            *_markdown_table(table, left),
            "",
            *_markdown_table(_summary(results), 1),
            "",
            *(f"- {escape_markdown(note)}" for note in _notes(results, how)),
            "",
        ]
    )


def _markdown_table(table: Sequence[Sequence[str]], left: int) -> list[str]:
    rules = [":---" if column < left else "---:" for column in range(len(table[0]))]
    heads, *rows = ([escape_markdown(cell) for cell in row] for row in table)
    return ["| " + " | ".join(row) + " |" for row in (heads, rules, *rows)]


def _csv(results: Sequence[Measured], every: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["network", *KEYS])
    for label, result in zip(_labels(results), results, strict=True):
        for layer in chosen(result, every):
            values = (layer.weights, layer.relative, layer.map)
            numbers = ["" if value is None else f"{value:.6g}" for value in values]
            shape = format_shape(layer.output_shape).replace("×", "x")
            writer.writerow([harmless(label), harmless(layer.name), layer.op.kind, shape, layer.params, *numbers])
    return out.getvalue()


def _json(results: Sequence[Measured], how: str) -> str:
    document = {"schema": SCHEMA, "how": how, "networks": [_as_dict(result) for result in results]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _as_dict(result: Measured) -> dict[str, Any]:
    analysis = result.analysis
    return {
        "network": analysis.graph.name,
        "title": analysis.graph.title,
        "input": {"shape": list(analysis.graph.input_shape), "batch": analysis.batch, "dtype": analysis.dtype},
        "batch_statistics": result.training,
        "loss": result.loss,
        "losses": [{"output": name, "weight": weight, "value": value} for name, weight, value in result.losses],
        "layers": [
            {
                "name": layer.name,
                "op": layer.op.kind,
                "output_shape": list(layer.output_shape),
                "trainable_params": layer.params,
                "weight_gradient": layer.weights,
                "relative_weight_gradient": layer.relative,
                "map_gradient": layer.map,
            }
            for layer in result.layers
        ],
    }
