"""How the receptive field grows: the pixels that an output of each layer can see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import mark, say
from archcalc.core.quantities import quantity
from archcalc.core.shapes import AXES, format_shape
from archcalc.core.words import several
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.no_field import in_words
from archcalc.render.charts.axes import Scale, linear, logarithmic
from archcalc.render.charts.figure import EDGE, Figure, Look
from archcalc.render.charts.schedule import along, draw_names, layer_spans, names_height, upwards
from archcalc.render.charts.theme import LABEL, SMALL
from archcalc.render.charts.titles import short_name, title_of
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import family_name

LEFT = 84.0
#: Where the largest field has more pixels than this, the axis is logarithmic.
LINEAR = 40
#: Texts whose base lines are nearer than this touch, in pixels.
LINE = 16
#: More marks than this would be one thick line.
MOST_MARKS = 400
#: The kinds of layers that can see further, each with a shape of its own.
KINDS = {
    "input": "circle",
    "convolution": "square",
    "pooling": "triangle-up",
    "dense": "diamond",
    "attention": "wedge",
    "recurrent": "triangle-left",
    "merge": "cross",
    "parameter": "triangle",
    "shape": "triangle-right",
    "normalisation": "triangle-down",
    "activation": "stroke",
    "regularisation": "arrow",
    "opaque": "circle",
}


def has_fields(analysis: Analysis) -> bool:
    """Whether layers have receptive fields, all along the same axes: whether there is something to draw."""
    return len({len(_sizes(row)) for _, row in _known(analysis)}) == 1


def _known(analysis: Analysis) -> list[tuple[int, Row]]:
    """The layers whose receptive field is known, with their indices."""
    return [(index, row) for index, row in enumerate(analysis.rows) if row.receptive_field and row.receptive_field.axes]


def receptive_field(analysis: Analysis, look: Look | None = None) -> dict[str, Any]:
    """The size of the receptive field over the layers in order, height and width where they differ.

    Raises `UsageError` where no layer has one.
    """
    look = look or Look()
    rows = analysis.rows
    known = _known(analysis)
    ranks = {len(_sizes(row)) for _, row in known}
    if len(ranks) > 1:
        raise UsageError(f"the layers of {analysis.graph.name} see inputs of several ranks, which have no common axis")
    if not known:
        raise UsageError(f"no layer of {analysis.graph.name} has a receptive field that is known")
    both = any(len(set(_sizes(row))) > 1 for _, row in known)
    axes = AXES[min(ranks)]
    largest = max(max(_sizes(row)) for _, row in known)
    image = analysis.rows[0].output_shape[1:] or analysis.rows[0].output_shape  # a flat input is a row of numbers
    left_out = analysis.fields_not_known
    why = say("no receptive field: {reasons}", reasons=in_words(left_out.values()))
    notes = [f"{several(len(left_out), 'layer')}: {why}."] if left_out else []
    found = layer_spans(rows, look.width - LEFT - EDGE)
    last = known[-1][1]
    figure = Figure(
        "receptive-field", look,
        title=say("{network}: receptive field", network=title_of(analysis)),
        subtitle=_subtitle(format_shape(rows[0].output_shape), axes, both),
        description=say(
            "Receptive field of {network} over its {layers}: {size} at {layer}, the last layer; at most {most:,} "
            "pixels. The input has {image} pixels.",
            network=title_of(analysis), layers=several(analysis.layer_count, "layer"), size=_words(last),
            layer=last.name, most=largest, image="×".join(str(size) for size in image),
        ),
        left=LEFT, right=EDGE, bottom=names_height(found, (look.width - LEFT - EDGE) / len(rows)) + 54,
        footnote=notes,
        heads=["step", "layer", f"receptive field, {axes[0]}", *axes[1:]],
        rows=[[index, row.name, *_sizes(row)] for index, row in known],
    )  # fmt: skip
    high = max(largest, *image)
    y = (
        logarithmic(1, high * 1.3, figure.inner_height, 0)
        if high > LINEAR
        else linear(high * 1.1, figure.inner_height, 0)
    )
    _curves(figure, known, len(rows), y, both)
    _image(figure, y, image, _growth(figure, known, len(rows), y, [y(pixels) for pixels in image]))
    draw_names(figure, found, len(rows), below=28)
    return figure.spec()


def _sizes(row: Row) -> tuple[int, ...]:
    assert row.receptive_field is not None
    return row.receptive_field.size


#: The dashes of the curves of several axes.
DASHES = ([1, 0], [5, 3], [2, 2])


def _subtitle(size: str, axes: Sequence[str], both: bool) -> str:
    if both:
        names = [say(axis) for axis in axes]
        drawn = [say("{axis} dashed", axis=names[1]), *(say("{axis} dotted", axis=name) for name in names[2:])]
        return say(
            "Input {size}; pixels of the input that one output position can see ({curves}). The line is the largest so "
            "far.", size=size, curves="; ".join([names[0], *drawn]),
        )  # fmt: skip
    if len(axes) > 1:
        return say(
            "Input {size}; pixels of the input that one output position can see along each side. The line is the "
            "largest so far.", size=size,
        )  # fmt: skip
    return say(
        "Input {size}; pixels of the input that one output position can see. The line is the largest so far.", size=size
    )


def _words(row: Row) -> str:
    return "×".join(f"{size:,}" for size in _sizes(row))


def _curves(figure: Figure, known: Sequence[tuple[int, Row]], count: int, y: Scale, both: bool) -> None:
    """The largest field so far, as steps: of the height, and dashed of the width where it is another."""
    for side in range(len(_sizes(known[0][1]))) if both else (0,):
        data, so_far = [], 0
        for index, row in known:
            so_far = max(so_far, _sizes(row)[side])
            data.append({"step": index, "pixels": so_far})
        data.append({"step": count, "pixels": so_far})
        figure.add(
            {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6, "color": figure.theme.edge,
             "strokeDash": DASHES[side]}, data,
            x=along(figure, count),
            y=upwards(figure, "pixels", y, _axis_title(y)) | ({"axis": None} if side else {}),
        )  # fmt: skip


def _axis_title(y: Scale) -> str:
    shown = quantity("receptive_field")
    title = say("{title} in {unit}", title=shown.title, unit=say(shown.unit))
    return say("{title} (log scale)", title=title) if y.log else title


class Label(NamedTuple):
    """The text at the largest field: its left end and base line in pixels, and the field."""

    left: float
    base: float
    field: int


def _growth(
    figure: Figure, known: Sequence[tuple[int, Row]], count: int, y: Scale, lines: Sequence[float]
) -> Label | None:
    """A mark at each layer that sees further than what it reads; shape and colour say what kind of layer it is.

    The largest has a text, above it or, where one of the `lines` would cross it, below.
    """
    size_of = {row.name: _sizes(row) for _, row in known}
    grown = [
        (index, row) for index, row in known
        if all(_sizes(row) != size_of.get(source) for source in row.inputs)
    ]  # fmt: skip
    kinds = [kind for kind in KINDS if len(grown) <= MOST_MARKS and any(row.op.family == kind for _, row in grown)]
    marks = 90 if len(grown) < 80 else 34
    legend = {}
    for kind in kinds:
        paint = figure.theme.families[kind]
        mark = {"type": "point", "shape": KINDS[kind], "filled": True, "fill": paint.fill, "stroke": paint.line,
                "strokeWidth": 1.3, "opacity": 1}  # fmt: skip
        figure.add(
            {**mark, "size": marks},
            [{"step": index + 0.5, "layer": short_name(row.name), "what": row.summary, "pixels": _sizes(row)[0],
              "field": _words(row)} for index, row in grown if row.op.family == kind],
            x=along(figure, count), y=upwards(figure, "pixels", y, "") | {"axis": None},
            tooltip=[{"field": "layer", "title": say("layer")}, {"field": "what", "title": say("operation")},
                     {"field": "field", "title": say("receptive field")}],
        )  # fmt: skip
        legend[family_name(kind)] = {**mark, "size": 90}
    figure.legend(legend, figure.inner_height + figure.bottom - 4)
    if grown:
        index, row = max(grown, key=lambda pair: (max(_sizes(pair[1])), -pair[0]))
        text = say("{size} at {layer}", size=_words(row), layer=short_name(row.name))
        half = text_width(text, LABEL, True) / 2
        middle = min(max((index + 0.5) / count * figure.inner_width, half + 8), figure.inner_width - half)
        size = _sizes(row)[0]
        base = y(size) - 12
        if any(base - LABEL < line < base + 3 for line in lines):
            base = y(size) + 12 + LABEL
        figure.text(middle, base, text, fontWeight="bold", align="center")
        return Label(middle - half, base, size)
    return None


#: The name of a size of the input, by its axis.
HIGH, WIDE, DEEP = mark("{count:,} pixels high"), mark("{count:,} pixels wide"), mark("{count:,} pixels deep")
ALONG = mark("{count:,} pixels")
SIDES = ((), (ALONG,), (HIGH, WIDE), (DEEP, HIGH, WIDE))


def _image(figure: Figure, y: Scale, image: Sequence[int], largest: Label | None) -> None:
    """The size of the input as a line across, with its text where the text of the largest field leaves space."""
    places: dict[float, list[str]] = {}
    for pixels in sorted(set(image), reverse=True):
        side = ALONG if len(set(image)) == 1 else SIDES[len(image)][image.index(pixels)]
        place = round(y(pixels), 2)
        figure.rules([(0, place, figure.inner_width, place)], strokeDash=[3, 3], color=figure.theme.accent)
        # Lines that are next to each other have one text, above the highest.
        near = next((other for other in places if abs(other - place) < LINE), place)
        places.setdefault(near, []).append(say(side, count=pixels))
    for place, sizes in places.items():
        text = say("the input: {sizes}", sizes=", ".join(sizes))
        look = {"fontSize": SMALL, "color": figure.theme.accent}
        if largest and largest.left < 12 + text_width(text, SMALL, False) and abs(largest.base - place + 5) < LINE:
            # The curve has its largest value here at the left, so that it is flat at the right.
            base = place - 5 if largest.field < min(image) else place + SMALL + 2
            figure.text(figure.inner_width - 4, base, text, align="right", **look)
        else:
            figure.text(4, place - 5, text, **look)
