"""The report of one network: what every format shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from archcalc.core import words
from archcalc.core.language import say
from archcalc.core.words import several
from archcalc.passes.analysis import Analysis, Row, Totals
from archcalc.passes.no_field import in_words
from archcalc.render.tables.columns import Column, Context, choose
from archcalc.render.tables.figures import compare_figures


@dataclass(frozen=True)
class Report:
    """An analysis with the choices of how to show it."""

    analysis: Analysis
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    layout: str
    #: The levels of names that are shown, where deeper blocks are folded into one row each.
    depth: int | None = None

    @property
    def context(self) -> Context:
        return Context(self.analysis.totals, self.layout)

    @property
    def title(self) -> str:
        return words.line(self.analysis.graph.title or self.analysis.graph.name)

    @property
    def subtitle(self) -> str:
        """The input, the parameters that were set, who and when."""
        graph = self.analysis.graph
        made = " ".join(part for part in (words.line(words.people(graph.authors)), str(graph.year or "")) if part)
        batch = say("batch {size}", size=self.analysis.batch) if self.analysis.batch > 1 else ""
        given = say("input {size}", size=graph.inputs_in_words(self.layout))
        return " · ".join(part for part in (given, batch, made) if part)

    def heads(self) -> list[str]:
        return [column.title for column in self.columns]

    def lines(self) -> list[list[str]]:
        """The cells for people, row by row."""
        context = self.context
        return [[column.text(row, context) for column in self.columns] for row in self.rows]

    def total_line(self) -> list[str]:
        totals = self.analysis.totals
        cells = [column.total_text(totals) if column.total_text else "" for column in self.columns]
        if not cells[0]:
            cells[0] = say("total")
        return cells

    def notes(self) -> list[str]:
        """What stands under the table: totals that are no column sums, conventions, reported figures."""
        return self.conventions() + compare_figures(self.analysis)

    def conventions(self) -> list[str]:
        """Totals that are no column sums, and how things are counted."""
        analysis = self.analysis
        totals = analysis.totals
        described = analysis.describe_conventions()
        keys = {column.key for column in self.columns}
        notes = []
        if len(self.rows) < len(analysis.rows):
            notes.append(
                say(
                    "{layers} in {rows}: blocks are shown to level {depth} of their names. Without a depth each layer "
                    "has a row.",
                    layers=several(analysis.layer_count, "layer"),
                    rows=several(len(self.rows), "row"),
                    depth=self.depth,
                )
            )
        alive: dict[str, str] = {
            "peak": words.size(totals.peak_activation_bytes), "layer": totals.peak_layer, "meaning": described["peak"],
        }  # fmt: skip
        if totals.param_bytes:
            taken = words.size(totals.param_bytes)
            notes.append(
                say(
                    "Parameters take {params}; at most {peak} of activations live at one time, at {layer}: {meaning}.",
                    params=taken,
                    **alive,
                )
            )
        else:
            notes.append(
                say(
                    "There are no parameters; at most {peak} of activations live at one time, at {layer}: {meaning}.",
                    **alive,
                )
            )
        if analysis.stored_params not in (None, totals.params):
            notes.append(
                say(
                    "Their memory is that of all parameters ({count:,}), whichever are counted here.",
                    count=analysis.stored_params,
                )
            )
        if keys & {"multiplications", "multiplications_share"}:
            notes.append(say("Multiplications: {meaning}.", meaning=described["multiplications"]))
        if totals.not_counted:
            notes.append(f"{not_counted_in_words(totals)}.")
        partly = Counter(row.op.summary() for row in analysis.rows if row.operations is None and not row.not_counted)
        if partly:
            kinds = ", ".join(f"{number} × {words.line(kind)}" for kind, number in partly.items())
            notes.append(say("Only the multiplications are counted of: {kinds}.", kinds=kinds))
        if totals.buffers or analysis.conventions.running_statistics or analysis.conventions.params_rule:
            notes.append(
                say(
                    "Params: {meaning} ({buffers}).",
                    meaning=described["params"],
                    buffers=several(totals.buffers, "buffer value"),
                )
                if totals.buffers
                else say("Params: {meaning}.", meaning=described["params"])
            )
        if keys & {"stored", "activations"}:
            notes.append(say("Stored: {meaning}.", meaning=described["stored"]))
        if keys & {"receptive_field", "field_stride", "field_start"}:
            notes.append(say("Receptive field: {meaning}.", meaning=described["receptive_field"]))
            if any(row.receptive_field is None for row in self.rows):
                reasons = in_words(analysis.fields_not_known.values())
                notes.append(say("Receptive field “?”: {reasons}.", reasons=reasons))
        return [*notes, *map(words.line, analysis.graph.notes)]


def not_counted_in_words(totals: Totals) -> str:
    """What the sums of costs leave out: Not counted: 2 × grid_sample, 1 × nms. What is computed is at least …"""
    kinds = ", ".join(f"{count} × {words.line(kind)}" for kind, count in totals.not_counted.items())
    return say(
        "Not counted: {kinds}; so multiplications and other operations are at least (≥) the sums of the others",
        kinds=kinds,
    )


def make_report(
    analysis: Analysis, columns: str | None = None, layout: str = "hwc", depth: int | None = None
) -> Report:
    """Choose columns (comma-separated keys) and fold blocks below `depth` levels of names."""
    rows = analysis.rows
    if depth is not None:
        from archcalc.passes.blocks import fold

        rows = tuple(fold(rows, depth))
    return Report(analysis, choose(columns), rows, layout, depth)


def short_report(analysis: Analysis, most: int) -> Report:
    """The report of every layer, or of as many levels of blocks as `most` rows allow, but at least the first."""
    report, depth = make_report(analysis), max(row.name.count("/") for row in analysis.rows)
    while len(report.rows) > most and depth > 0:
        report, depth = make_report(analysis, depth=depth), depth - 1
    return report
