"""What is alive when, as a table for a terminal, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from archcalc.core.shapes import format_shape
from archcalc.core.text import align, bold
from archcalc.core.words import distinct_sizes, several, share, size
from archcalc.design.fit import Fit
from archcalc.design.memory import BACKWARD, RECOMPUTE, Buffer, Policy, Timeline
from archcalc.render.tables.csv import harmless

FORMATS = ("table", "csv", "json")
ENDINGS = {".txt": "table", ".csv": "csv", ".json": "json"}
#: So many buffers at the peak are listed.
SHOWN = 12
WHAT = {"map": "maps", "saved": "kept besides maps", "gradient": "gradients of maps", "workspace": "im2col"}
FIXED = {"parameters": "parameters", "gradients": "their gradients", "optimiser": "values of the optimiser",
          "buffers": "running statistics"}  # fmt: skip


def render(timeline: Timeline, form: str, colour: bool = False) -> str:
    """The peak, its parts, and what is alive there; CSV has every step, JSON all of it."""
    if form == "json":
        return json.dumps(as_dict(timeline), ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        return _csv(timeline)
    return "\n".join(_table(timeline, colour)) + "\n"


def as_dict(timeline: Timeline) -> dict[str, Any]:
    """The timeline as data; bytes for the whole batch."""
    peak = timeline.peak_step
    rows = timeline.analysis.rows
    return {
        "schema": "archcalc.memory/1",
        "network": timeline.analysis.graph.name,
        "batch": timeline.analysis.batch,
        "dtype": timeline.analysis.dtype,
        "policy": asdict(timeline.policy),
        "fixed": timeline.fixed._asdict(),
        "peak_bytes": timeline.peak,
        "kept_for_backward_bytes": timeline.kept,
        "peak": {"phase": timeline.steps[peak].phase, "layer": rows[timeline.steps[peak].layer].name,
                 **timeline.at(peak)},
        "alive_at_peak": [
            {"layer": rows[buffer.layer].name, "what": buffer.what, "bytes": timeline.size_of(buffer)}
            for buffer in timeline.alive(peak)
        ],
        "steps": [
            {"phase": step.phase, "layer": rows[step.layer].name, "bytes": timeline.bytes_at(index)}
            for index, step in enumerate(timeline.steps)
        ],
    }  # fmt: skip


def _csv(timeline: Timeline) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", "phase", "layer", "bytes"])
    for index, step in enumerate(timeline.steps):
        name = harmless(timeline.analysis.rows[step.layer].name)
        writer.writerow([index, step.phase, name, timeline.bytes_at(index)])
    return out.getvalue()


def _table(timeline: Timeline, colour: bool) -> Iterator[str]:
    analysis, peak = timeline.analysis, timeline.peak_step
    step = timeline.steps[peak]
    yield f"{bold(analysis.graph.title, colour)} · {_about(timeline)}"
    yield ""
    parts = [(FIXED[name], value) for name, value in timeline.fixed._asdict().items() if value]
    parts += [(WHAT[name], value) for name, value in timeline.at(peak).items() if value]
    lines = [[what, f"{value:,}", size(value), share(value, timeline.peak)] for what, value in parts]
    total = ["at the peak", f"{timeline.peak:,}", size(timeline.peak), ""]
    yield from align([["", "bytes", "", ""], *lines, total], [False, True, True, True], colour)
    yield ""
    yield f"The peak is {_step(step.phase, analysis.rows[step.layer].name)}. Alive there, the largest first:"
    yield ""
    found = timeline.alive(peak)
    lines = [_line(timeline, buffer) for buffer in found[:SHOWN]]
    yield from align([["layer", "what", "shape", "bytes", ""], *lines], [False, False, True, True, True], colour)
    if len(found) > SHOWN:
        rest = sum(timeline.size_of(buffer) for buffer in found[SHOWN:])
        yield f"and {several(len(found) - SHOWN, 'more')}, {size(rest)}".replace("mores", "more")
    if timeline.policy.training:
        yield ""
        yield f"The forward pass keeps {timeline.kept:,} bytes ({size(timeline.kept)}) for the backward pass."
    yield ""
    yield _conventions(timeline.policy)


def _about(timeline: Timeline) -> str:
    analysis = timeline.analysis
    what = "training" if timeline.policy.training else "inference"
    images = several(analysis.batch, "image")
    precision = "mixed precision" if timeline.policy.mixed else analysis.dtype
    return f"{what}, {images} of {analysis.graph.inputs_in_words()}, {precision}"


def _step(phase: str, layer: str) -> str:
    if phase == BACKWARD:
        return f"in the backward pass, at {layer}"
    return f"where {layer} runs again" if phase == RECOMPUTE else f"in the forward pass, at {layer}"


def _line(timeline: Timeline, buffer: Buffer) -> list[str]:
    row = timeline.analysis.rows[buffer.layer]
    bytes_ = timeline.size_of(buffer)
    shape = format_shape(row.output_shape) if buffer.what in ("map", "gradient") else ""
    return [row.name, {"map": "map", "saved": "kept", "gradient": "gradient", "workspace": "im2col"}[buffer.what],
            shape, f"{bytes_:,}", size(bytes_)]  # fmt: skip


def _conventions(policy: Policy) -> str:
    """The policy in sentences."""
    over = ", ".join(policy.in_place) or "nothing"
    parts = [f"In place: {over}."]
    if policy.training:
        parts.append("Kept is what PyTorch's autograd saves; a mask of dropout takes one byte for each value.")
        if policy.checkpoint:
            parts.append(
                f"Checkpoints: groups of {several(policy.checkpoint, 'block')} are run again, but for the last."
            )
    else:
        parts.append("Nothing is freed." if policy.keep_all else "A map is freed after its last reader.")
    if policy.workspace != "none":
        parts.append(f"im2col: the matrix of {'one image' if policy.workspace == 'image' else 'the batch'}.")
    return " ".join(parts)


def render_fit(fit: Fit, form: str) -> str:
    """The largest batch in words, with what is missing for one image more and what would give it."""
    timeline, memory = fit.timeline, fit.memory
    if form == "json":
        data = {
            "schema": "archcalc.fit/1", "network": timeline.analysis.graph.name, "dtype": timeline.analysis.dtype,
            "policy": asdict(timeline.policy), "memory_bytes": memory, "batch": fit.batch, "used_bytes": fit.used,
            "needed_for_one_more_bytes": fit.needed, "training_batch": fit.training_batch,
            "alternatives": dict(fit.alternatives),
        }  # fmt: skip
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    if not fit.batch:
        return f"{too_little(fit)}.\n"
    given, used, needed = distinct_sizes(memory, fit.used, fit.needed)
    lines = [f"{_what(fit)}: the largest batch in {given} is {fit.batch:,}, which takes {used}."]
    missing = fit.needed - memory
    lines.append(f"One image more needs {needed}, which is {size(missing)} ({missing:,} bytes) too much.")
    if not timeline.policy.training:
        batch = "not known" if fit.training_batch is None else f"{fit.training_batch:,}"
        lines.append(f"The largest batch of training is {batch} (--training).")
    if fit.alternatives:
        lines.append("")
        lines += align(
            [["with", "batch"], *([what, f"{batch:,}"] for what, batch in fit.alternatives.items())],
            [False, True],
            False,
        )
    return "\n".join(lines) + "\n"


def too_little(fit: Fit) -> str:
    """That not even one image fits, and with what it would."""
    given, needed = distinct_sizes(fit.memory, fit.needed)
    others = [f"{what} {batch:,}" for what, batch in fit.alternatives.items()]
    more = f"; the batch with {' or '.join(others)}" if others else ""
    return f"{_what(fit)}: not even one image fits into {given}; it takes {needed}{more}"


def _what(fit: Fit) -> str:
    """VGG-16, training."""
    return f"{fit.timeline.analysis.graph.title}, {'training' if fit.timeline.policy.training else 'inference'}"
