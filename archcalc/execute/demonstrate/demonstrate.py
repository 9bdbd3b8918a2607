"""`demonstrate`: a layer of a network and a kind of demonstration in, its matrices and steps out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.core import words
from archcalc.core.demonstration import Demonstration
from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, mark, say
from archcalc.core.shapes import format_shape
from archcalc.core.suggest import did_you_mean
from archcalc.execute.demonstrate import scatter, slide
from archcalc.execute.demonstrate.fields import receptive_field
from archcalc.execute.demonstrate.small import MOST_STEPS, Small, base, shrink, suitable
from archcalc.execute.kernels import Array
from archcalc.ops.windowed import plain
from archcalc.passes.analysis import Analysis

_CONV = ("conv", "depthwise_conv")
_POOLS = ("max_pool", "avg_pool", "lp_pool")
#: The kinds of demonstrations, what they show, and the ops they are shown on.
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "conv": (mark("a filter moves over a map: numbers multiply and add"), _CONV),
    "pool": (mark("a window of a pool moves over each channel"), _POOLS),
    "im2col": (mark("windows as columns of a matrix, and the product that is the convolution"), _CONV),
    "matrix": (mark("a convolution as a dense layer: its blocks and zeros"), _CONV),
    "dilated": (mark("a convolution whose window has gaps"), _CONV),
    "transposed": (mark("each pixel times a filter is added to a larger map"), ("conv_transpose",)),
    "receptive-field": (
        mark("the pixels that a position of each layer depends on"),
        (*_CONV, *_POOLS, "conv_transpose"),
    ),
    "backward": (mark("gradients that go back to the pixels and the weights"), (*_CONV, *_POOLS[:2])),
}


def demonstrate(
    kind: str, analysis: Analysis, layer: str | None = None, seed: int = 0, given: Mapping[str, Array] | None = None
) -> Demonstration:
    """One of `KINDS` on a layer, by default the first that can be shown; of a receptive field the last.

    `given`: numbers in place of made ones, `input` (channels, *positions), `weight` and `bias`. Raises `UsageError`
    for a kind or a layer that does not exist or does not suit, and for numbers of another shape.
    """
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"; there are {', '.join(KINDS)}"
        raise UsageError(f"there is no demonstration {kind[:60]!r}{hint}")
    what, kinds = KINDS[kind]
    title = analysis.graph.title or analysis.graph.name
    if kind == "receptive-field":
        if given:
            raise UsageError("a receptive field does not depend on numbers: give none")
        index = _last_of_maps(analysis, kinds) if layer is None else suitable(analysis, layer, kinds, kind)[0]
        shown, one_channel = receptive_field(analysis, index, seed)
        name = analysis.rows[index].name
        return _made(kind, _heading(title, name, what), "", shown, one_channel)
    layers = suitable(analysis, layer, kinds, kind)
    if kind == "dilated":  # a window of one pixel has no gaps
        layers.sort(key=lambda index: max(getattr(analysis.rows[index].op, "kernel_size", (1,))) == 1)
    small, shown, remarks = _first(kind, analysis, layers, seed, given)
    taken, result = (tuple(array.shape[1:]) for array in (small.x, small.out))
    subtitle = say(
        "{operation}: {sizes}",
        operation=small.op.summary([taken]),
        sizes=f"{format_shape(taken)} → {format_shape(result)}",
    )
    return _made(
        kind, _heading(title, small.layer.name, what), subtitle, shown, (*remarks, *small.smaller), _settings(small)
    )


def _first(
    kind: str, analysis: Analysis, layers: Sequence[int], seed: int, given: Mapping[str, Array] | None
) -> tuple[Small, slide.Shown, tuple[str, ...]]:
    """The first of these layers that is small enough to be shown. Raises `UsageError` of the first where none is."""
    refused: list[UsageError] = []
    for index in layers:
        try:
            return _small(kind, analysis, index, seed, given)
        except UsageError as error:
            refused.append(error)
    raise refused[0]


def _small(
    kind: str, analysis: Analysis, index: int, seed: int, given: Mapping[str, Array] | None
) -> tuple[Small, slide.Shown, tuple[str, ...]]:
    op: Any = analysis.rows[index].op
    change: dict[str, Any] = {}
    remarks: tuple[str, ...] = ()
    if kind == "dilated" and set(op.dilation) == {1}:
        change["dilation"] = (2,) * len(op.dilation)
        remarks = (say("dilation {new} in place of {old}", new=2, old=1),)
    small = shrink(analysis, index, seed, given, change, kind)
    shown = _shown(kind, small, seed)
    if len(shown[1]) > MOST_STEPS:
        raise UsageError(f"this takes {len(shown[1])} steps; at most {MOST_STEPS} are shown: a smaller map")
    return small, shown, remarks


def _heading(network: str, layer: str, what: str) -> str:
    return say("{network}, {layer}: {what}", network=network, layer=layer, what=say(what))


def _made(
    kind: str, title: str, subtitle: str, shown: slide.Shown, remarks: Sequence[str], notes: Sequence[str] = ()
) -> Demonstration:
    said = (say("Not as in the network: {remarks}.", remarks=all_of(list(remarks))),) if remarks else ()
    return Demonstration(
        kind, words.line(title), words.line(subtitle), tuple(shown[0]), tuple(shown[1]), (*notes, *said)
    )


def _shown(kind: str, small: Small, seed: int) -> slide.Shown:
    if kind in ("conv", "dilated"):
        return slide.convolution(small)
    if kind == "backward":
        return scatter.backward(small, seed)
    makers = {"pool": slide.pooling, "im2col": slide.im2col, "matrix": slide.matrix, "transposed": scatter.transposed}
    return makers[kind](small)


def _last_of_maps(analysis: Analysis, kinds: Sequence[str]) -> int:
    """The last layer whose field can be shown."""
    from archcalc.execute.demonstrate.fields import PIXELS

    fitting = [
        index
        for index, row in enumerate(analysis.rows)
        if base(row.op) in kinds and row.receptive_field is not None and max(row.receptive_field.size) <= PIXELS
        and len(row.output_shape) == 3
    ]  # fmt: skip
    if not fitting:
        raise UsageError(f"{analysis.graph.name} has no layer of maps that sees at most {PIXELS} pixels")
    return fitting[-1]


def _settings(small: Small) -> list[str]:
    """What stride, padding and dilation do, on this map."""
    op: Any = small.op
    sizes, made = small.x.shape[2:], small.out.shape[2:]
    found = []
    stride = op.stride[0] if isinstance(op.stride, tuple) else op.stride
    if base(op) == "conv_transpose":
        found.append(
            say("Stride {stride}: filters of neighbouring pixels lie {stride} apart in the result.", stride=stride)
        )
        if set(op.dilation) != {1}:
            found.append(_dilation(plain(op.dilation), op.kernel_size, op.spans()))
        return found
    frame = small.frame()
    step = words.several(stride, "pixel")
    found.append(
        say(
            "Stride {stride}: the window moves by {step}; {sizes} pixels give {made} positions.",
            stride=stride,
            step=step,
            sizes=_by(sizes),
            made=_by(made),
        )
    )
    if any(frame.sides):
        padded = frame.pad(small.x).shape[2:]
        found.append(
            say(
                "Padding {padding}: {sizes} pixels become {padded}; what is added is 0.",
                padding=_by(frame.begins),
                sizes=_by(sizes),
                padded=_by(padded),
            )
        )
    else:
        found.append(say("No padding: the window stays inside the map."))
    dilation = max(frame.dilation)
    if dilation > 1:
        found.append(_dilation(dilation, frame.kernel_size, frame.reach))
    return found


def _dilation(dilation: object, taps: Sequence[int], reach: Sequence[int]) -> str:
    return say(
        "Dilation {dilation}: {taps} taps reach over {reach} pixels.",
        dilation=dilation, taps=_by(taps), reach=_by(reach),
    )  # fmt: skip


def _by(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))
