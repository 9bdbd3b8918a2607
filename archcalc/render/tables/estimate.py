"""The least time of a network as a table, CSV or JSON, and the devices."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from archcalc.core.cells import harmless
from archcalc.core.language import say, say_many
from archcalc.core.text import align, bold, wrap
from archcalc.core.words import AT_LEAST, NONE, NOT_COUNTED, duration, several, size
from archcalc.design.devices import Device
from archcalc.design.estimate import COMPUTE, MEMORY, Bound, Estimate, Timed

FORMATS = ("table", "csv", "json")
ENDINGS = {".txt": "table", ".csv": "csv", ".json": "json"}
#: So many layers that are not counted are named.
_NAMED = 5
_WIDTH = 100


def render(estimate: Estimate, form: str, colour: bool = False) -> str:
    """The bounds of all layers that do something, and of the whole; CSV and JSON have every layer."""
    if form == "json":
        return json.dumps(as_dict(estimate), ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        return _csv(estimate)
    return "\n".join(_table(estimate, colour)) + "\n"


def as_dict(estimate: Estimate) -> dict[str, Any]:
    """The estimate as data, for the whole batch; `null` is what is not known."""
    analysis, device = estimate.analysis, estimate.device
    return {
        "schema": "archcalc.estimate/1",
        "network": analysis.graph.name,
        "batch": analysis.batch,
        "dtype": analysis.dtype,
        "device": {"name": device.name, "title": device.title, "flops_per_second": estimate.rate,
                   "bytes_per_second": device.bandwidth, "memory_bytes": device.memory, "source": estimate.source},
        "ridge": estimate.ridge,
        "layers": [_layer(estimate, bound) for bound in estimate.bounds],
        "totals": {
            "operations": estimate.operations, "bytes": estimate.bytes, "seconds_at_least": estimate.seconds,
            "seconds_at_least_on_chip": estimate.on_chip_seconds, "not_counted": estimate.not_counted,
            **({} if estimate.run_seconds is None else {"run_seconds": estimate.run_seconds}),
        },
        **({"run": [
            {"layers": [analysis.rows[layer].name for layer in part.layers], "seconds": part.seconds,
             "winograd": part.transformed}
            for part in estimate.run
        ]} if estimate.run else {}),
    }  # fmt: skip


def _layer(estimate: Estimate, bound: Bound) -> dict[str, Any]:
    row = estimate.analysis.rows[bound.layer]
    known = bound.operations is not None and bound.bytes is not None
    return {
        "name": row.name, "op": row.op.kind, "operations": bound.operations, "bytes": bound.bytes,
        "intensity": bound.intensity, "bound": bound.by or None, "seconds_at_least": bound.seconds if known else None,
    }  # fmt: skip


def _csv(estimate: Estimate) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = ("name", "op", "operations", "bytes", "intensity", "bound", "seconds_at_least")
    writer.writerow(["layer", *heads[1:]])
    for bound in estimate.bounds:
        layer = _layer(estimate, bound)
        writer.writerow([harmless(layer["name"]), *(layer[head] for head in heads[1:])])
    return out.getvalue()


def _table(estimate: Estimate, colour: bool) -> Iterator[str]:
    analysis, device, run = (
        estimate.analysis,
        estimate.device,
        {layer: part for part in estimate.run for layer in part.layers},
    )
    images = say("{images} of {size}", images=several(analysis.batch, "image"), size=_inputs(estimate))
    yield f"{bold(analysis.graph.title, colour)} · {images}"
    yield say(
        "{device}: {rate} in {dtype}, {bandwidth}; the ridge is at {ridge} operations for each byte",
        device=device.title, rate=rate(estimate.rate, "FLOP/s"), dtype=analysis.dtype,
        bandwidth=rate(device.bandwidth, "B/s"), ridge=_ratio(estimate.ridge),
    )  # fmt: skip
    yield ""
    heads = [say("layer"), say("operations"), say("bytes"), say("op/byte"), say("bound"), say("at least")]
    head = [*heads, *([say("run")] if run else [])]
    lines = [
        [*_line(estimate, bound), *([_run(estimate, run.get(bound.layer), bound.layer)] if run else [])]
        for bound in estimate.bounds
        if bound.operations != 0 or bound.bytes != 0
    ]
    more = AT_LEAST if estimate.not_counted else ""
    intensity = estimate.operations / estimate.bytes if estimate.bytes else None
    total = [say("total"), more + _operations(estimate.operations), more + size(estimate.bytes), _ratio(intensity), "",
             more + duration(estimate.seconds), *([duration(estimate.run_seconds or 0)] if run else [])]  # fmt: skip
    right = [False, True, True, True, False, True, *([True] if run else [])]
    yield from align([head, *lines, total], right, colour)
    yield ""
    for note in notes(estimate):
        yield from wrap(note, _WIDTH)


def _inputs(estimate: Estimate) -> str:
    return f"{estimate.analysis.graph.inputs_in_words()}, {estimate.analysis.dtype}"


def _line(estimate: Estimate, bound: Bound) -> list[str]:
    name = estimate.analysis.rows[bound.layer].name
    if bound.operations is None or bound.bytes is None:
        return [name, say(NOT_COUNTED), say(NOT_COUNTED), NONE, "", AT_LEAST + "0 s"]
    return [name, _operations(bound.operations), size(bound.bytes), _ratio(bound.intensity),
            say(bound.by), duration(bound.seconds)]  # fmt: skip


def _run(estimate: Estimate, part: Timed | None, layer: int) -> str:
    """The time of a run next to the first of the layers that ran as one."""
    if part is None:
        return ""
    first, *others = part.layers
    if layer == first:
        return duration(part.seconds)
    return (
        "↑"
        if [first, *others].index(layer) == layer - first
        else say("with {layer}", layer=estimate.analysis.rows[first].name)
    )


def notes(estimate: Estimate) -> Iterator[str]:
    """What the numbers mean and what is not in them, in sentences."""
    compute, memory = len(estimate.waiting(COMPUTE)), len(estimate.waiting(MEMORY))
    yield say(
        "{compute} bound by compute, {memory:,} by memory. Bytes: what a layer reads of its inputs, its parameters and "
        "its output, once each.",
        compute=several(compute, "layer"), memory=memory,
    )  # fmt: skip
    more = AT_LEAST if estimate.not_counted else ""
    yield say(
        "Layer after layer it takes at least {time}. Where layers are fused or maps stay in a cache, only this bound "
        "holds: {fused}, with parameters, inputs and outputs moved once.",
        time=duration(estimate.seconds), fused=more + duration(estimate.on_chip_seconds),
    )  # fmt: skip
    if estimate.not_counted:
        named = estimate.not_counted[:_NAMED]
        rest = len(estimate.not_counted) - len(named)
        others = [say_many("{count:,} other", "{count:,} others", rest)] if rest else []
        yield say("Not counted, so the time is more: {layers}.", layers=", ".join([*named, *others]))
    if estimate.device.tf32 and estimate.analysis.dtype == "float32":
        yield say(
            "Products rounded to TF32, as PyTorch makes those of convolutions, run at {rate}: give --flops and "
            "--bandwidth for that bound.",
            rate=rate(estimate.device.tf32, "FLOP/s"),
        )
    if estimate.run_seconds is not None and estimate.seconds:
        yield say(
            "The run in numpy took {time}, {ratio:.3g} times the bound layer after layer.",
            time=duration(estimate.run_seconds), ratio=estimate.run_seconds / estimate.seconds,
        )  # fmt: skip
    if estimate.transformed:
        yield say_many(
            "It computed {count:,} convolution by Winograd's algorithm, with up to 4 times fewer multiplications than "
            "the definition has: that can be quicker than the bound.",
            "It computed {count:,} convolutions by Winograd's algorithm, with up to 4 times fewer multiplications than "
            "the definition has: that can be quicker than their bounds.",
            estimate.transformed,
        )
    yield say("Source of the rates: {source}.", source=estimate.source)


def rate(value: float, unit: str) -> str:
    """19.5 TFLOP/s, 1.56 TB/s."""
    amount, prefix = float(value), ""
    for larger in ("k", "M", "G", "T", "P", "E"):
        if amount < 999.5:
            break
        amount, prefix = amount / 1000, larger
    return f"{amount:.3g} {prefix}{unit}"


def _operations(number: int) -> str:
    """Three digits and k, M, G or T: 7.53 G, 604."""
    return rate(number, "").strip() if number else NONE


def _ratio(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def render_devices(devices: Iterable[Device], form: str, colour: bool = False) -> str:
    """The devices with their rates, each with its source."""
    every = list(devices)
    if form == "json":
        data = {"schema": "archcalc.devices/1", "devices": [
            {"name": one.name, "title": one.title, "kind": one.kind, "flops_per_second": dict(one.flops),
             "bytes_per_second": one.bandwidth, "memory_bytes": one.memory, "source": one.whole_source} for one in every
        ]}  # fmt: skip
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    dtypes = ("float32", "float16", "bfloat16", "int8")
    rows = [
        [one.name, one.kind, *(rate(one.flops[dtype], "") if dtype in one.flops else NONE for dtype in dtypes),
         rate(one.bandwidth, "B/s"), rate(one.memory or 0, "B")]
        for one in every
    ]  # fmt: skip
    if form == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["name", "title", "kind", *dtypes, "bytes_per_second", "memory_bytes", "source"])
        for one in every:
            rates = [one.flops.get(dtype) for dtype in dtypes]
            writer.writerow([one.name, one.title, one.kind, *rates, one.bandwidth, one.memory, one.whole_source])
        return out.getvalue()
    head = [say("device"), say("kind"), *dtypes, say("bandwidth"), say("memory")]
    lines = align([head, *rows], [False, False, *[True] * 6], colour)
    sources = [line for one in every for line in wrap(f"{one.name}: {one.whole_source}", _WIDTH)]
    return "\n".join([*lines, "", say("Operations per second by dtype. Sources:"), "", *sources]) + "\n"
