"""What is alive when, as a table for a terminal, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from archcalc.core.cells import harmless
from archcalc.core.language import apart, mark, say
from archcalc.core.shapes import LARGEST_BATCH, format_shape
from archcalc.core.text import align, bold
from archcalc.core.words import distinct_sizes, several, share, size
from archcalc.design.fit import Fit
from archcalc.design.memory import BACKWARD, FORWARD, RECOMPUTE, Buffer, Policy, Timeline

FORMATS = ("table", "csv", "json")
ENDINGS = {".txt": "table", ".csv": "csv", ".json": "json"}
#: So many buffers at the peak are listed.
SHOWN = 12
WHAT = {"map": mark("maps"), "saved": mark("kept besides maps"), "gradient": mark("gradients of maps"),
        "workspace": "im2col"}  # fmt: skip
FIXED = {"parameters": mark("parameters"), "gradients": mark("their gradients"),
         "optimiser": mark("values of the optimiser"), "buffers": mark("running statistics")}  # fmt: skip
#: By phase: where the peak is.
_PEAK = {
    FORWARD: mark("The peak is in the forward pass, at {layer}."),
    BACKWARD: mark("The peak is in the backward pass, at {layer}."),
    RECOMPUTE: mark("The peak is where {layer} runs again."),
}
#: What one buffer is.
KINDS = {"map": mark("map"), "saved": mark("kept"), "gradient": mark("gradient"), "workspace": "im2col"}


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
    parts = [(say(FIXED[name]), value) for name, value in timeline.fixed._asdict().items() if value]
    parts += [(say(WHAT[name]), value) for name, value in timeline.at(peak).items() if value]
    lines = [[what, f"{value:,}", size(value), share(value, timeline.peak)] for what, value in parts]
    total = [say("at the peak"), f"{timeline.peak:,}", size(timeline.peak), ""]
    yield from align([["", say("bytes"), "", ""], *lines, total], [False, True, True, True], colour)
    yield ""
    where = say(_PEAK[step.phase], layer=analysis.rows[step.layer].name)
    yield f"{where} {say('Alive there, the largest first:')}"
    yield ""
    found = timeline.alive(peak)
    lines = [_line(timeline, buffer) for buffer in found[:SHOWN]]
    heads = [say("layer"), say("what"), say("shape"), say("bytes"), ""]
    yield from align([heads, *lines], [False, False, True, True, True], colour)
    if len(found) > SHOWN:
        rest = sum(timeline.size_of(buffer) for buffer in found[SHOWN:])
        yield say("and {count:,} more, {size}", count=len(found) - SHOWN, size=size(rest))
    if timeline.policy.training:
        yield ""
        yield say(
            "The forward pass keeps {count:,} bytes ({size}) for the backward pass.",
            count=timeline.kept, size=size(timeline.kept),
        )  # fmt: skip
    yield ""
    yield _conventions(timeline.policy)


def _about(timeline: Timeline) -> str:
    analysis = timeline.analysis
    what = say("training") if timeline.policy.training else say("inference")
    images = several(analysis.batch, "image")
    precision = say("mixed precision") if timeline.policy.mixed else analysis.dtype
    size_ = analysis.graph.inputs_in_words()
    return f"{what}, {say('{images} of {size}', images=images, size=size_)}, {precision}"


def _line(timeline: Timeline, buffer: Buffer) -> list[str]:
    row = timeline.analysis.rows[buffer.layer]
    bytes_ = timeline.size_of(buffer)
    shape = format_shape(row.output_shape) if buffer.what in ("map", "gradient") else ""
    return [row.name, say(KINDS[buffer.what]), shape, f"{bytes_:,}", size(bytes_)]


def _conventions(policy: Policy) -> str:
    """The policy in sentences."""
    over = ", ".join(say(one) for one in policy.in_place) or say("nothing")
    parts = [say("In place: {layers}.", layers=over)]
    if policy.training:
        parts.append(say("Kept is what PyTorch's autograd saves; a mask of dropout takes one byte for each value."))
        if policy.checkpoint:
            groups = several(policy.checkpoint, "block")
            parts.append(say("Checkpoints: groups of {blocks} are run again, but for the last.", blocks=groups))
    else:
        parts.append(say("Nothing is freed.") if policy.keep_all else say("A map is freed after its last reader."))
    if policy.workspace != "none":
        one = policy.workspace == "image"
        parts.append(say("im2col: the matrix of one image.") if one else say("im2col: the matrix of the batch."))
    return " ".join(parts)


def render_fit(fit: Fit, form: str) -> str:
    """The largest batch in words, with what is missing for one image more and what would give it."""
    timeline, memory = fit.timeline, fit.memory
    if form == "json":
        data = {
            "schema": "archcalc.fit/1", "network": timeline.analysis.graph.name, "dtype": timeline.analysis.dtype,
            "policy": asdict(timeline.policy), "memory_bytes": memory, "batch": fit.batch, "used_bytes": fit.used,
            "needed_for_one_more_bytes": fit.needed, "is_at_limit": fit.is_at_limit,
            "training_batch": fit.training_batch, "alternatives": dict(fit.alternatives),
        }  # fmt: skip
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    if not fit.batch:
        return f"{too_little(fit)}.\n"
    if fit.is_at_limit:
        given, used = distinct_sizes(memory, fit.used)
        more = say("More would fit: {batch:,} is the largest batch that archcalc calculates.", batch=LARGEST_BATCH)
    else:
        given, used, needed = distinct_sizes(memory, fit.used, fit.needed)
        missing = fit.needed - memory
        more = say(
            "One image more needs {needed}, which is {missing} ({bytes:,} bytes) too much.",
            needed=needed,
            missing=size(missing),
            bytes=missing,
        )
    largest = say(
        "{what}: the largest batch in {memory} is {batch:,}, which takes {used}.",
        what=_what(fit),
        memory=f"{_in_thousands(memory)}{given}",
        batch=fit.batch,
        used=used,
    )
    lines = [largest, more]
    if not timeline.policy.training:
        batch = say("not known") if fit.training_batch is None else _batch(fit.training_batch)
        lines.append(say("The largest batch of training is {batch} (--training).", batch=batch))
    if fit.alternatives:
        lines.append("")
        lines += align(
            [[say("change"), say("batch")], *([say(what), _batch(batch)] for what, batch in fit.alternatives.items())],
            [False, True],
            False,
        )
    return "\n".join(lines) + "\n"


def _batch(images: int) -> str:
    return say("{batch:,}, the limit", batch=images) if images == LARGEST_BATCH else f"{images:,}"


def _in_thousands(memory: int) -> str:
    """3 GB = for what is whole in thousands and not in 1024s, before the same in GiB; else nothing."""
    if memory % 10**6 or memory % 2**20 == 0:
        return ""
    return f"{memory // 10**6 / 1000:,g} GB = " if memory >= 10**9 else f"{memory // 10**6} MB = "


def too_little(fit: Fit) -> str:
    """That not even one image fits, and with what it would."""
    given, needed = distinct_sizes(fit.memory, fit.needed)
    others = [f"{say(what)} {batch:,}" for what, batch in fit.alternatives.items()]
    return say(
        "{what}: not even one image fits into {memory}; it takes {needed}{more}",
        what=_what(fit),
        memory=f"{_in_thousands(fit.memory)}{given}",
        needed=needed,
        more=say("; the batch with {others}", others=say(" or ").join(map(apart, others))) if others else "",
    )


def _what(fit: Fit) -> str:
    """VGG-16, training."""
    mode = say("training") if fit.timeline.policy.training else say("inference")
    return f"{apart(fit.timeline.analysis.graph.title)}, {mode}"
