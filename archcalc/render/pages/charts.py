"""The plots of a page: charts in the colours of the page, light and dark, with the place of each layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.figure import Look
from archcalc.render.pages.colours import merge
from archcalc.render.pages.markup import Drawn, Html, element

WIDTH = 1120


class Area(NamedTuple):
    """The plotting area within a chart, in pixels of its SVG."""

    left: float
    top: float
    width: float
    height: float


class Chart(NamedTuple):
    """A chart as an element `svg`.

    Along its area stand, from left to right and each on as much of it, all layers, or `bars`: layers and blocks.
    """

    title: str
    svg: Html
    area: Area
    along: str = ""
    bars: tuple[str, ...] = ()


def network_charts(analysis: Analysis, ids: str) -> Drawn[Chart]:
    """Where a network spends, what is alive while it runs, and how its receptive field grows."""
    from archcalc.render.charts.memory import memory
    from archcalc.render.charts.profile import profile
    from archcalc.render.charts.receptive_field import has_fields, receptive_field

    wanted: list[tuple[str, str, Callable[[Analysis, Look], Mapping[str, Any]], int]] = [
        ("profile", say("Parameters, multiplications and memory along the depth"), profile, 640),
        ("memory", say("Live activations, layer by layer"), memory, 400),
    ]
    if has_fields(analysis):
        wanted.append(("field", say("Receptive field, layer by layer"), receptive_field, 400))
    drawn, missing = [], []
    for key, title, plot, height in wanted:
        try:
            specs = [plot(analysis, look) for look in _looks(height)]
            chart = _chart(f"{ids}{key}", title, specs)
        except UsageError as error:
            missing.append(str(error))
            continue
        if key == "profile":
            drawn.append(chart._replace(along="bars", bars=_first_column(specs[0])))
        else:
            drawn.append(chart._replace(along="layers"))
    return Drawn(tuple(drawn), tuple(dict.fromkeys(missing)))


def accuracy_chart(analyses: Sequence[Analysis], ids: str) -> Drawn[Chart]:
    """Reported accuracy over multiplications; nothing where no two of the networks can be compared so."""
    from archcalc.render.charts.accuracy import comparable
    from archcalc.render.charts.compare import compare

    if len(comparable(analyses).points) < 2:
        return Drawn((), ())
    try:
        chart = _chart(f"{ids}compare", say("Accuracy and work"), [compare(analyses, look) for look in _looks(630)])
    except UsageError as error:
        return Drawn((), (str(error),))
    return Drawn((chart,), ())


def _looks(height: int) -> list[Look]:
    return [Look(theme, WIDTH, height, title="") for theme in ("light", "dark")]


def _chart(ids: str, title: str, specs: Sequence[Mapping[str, Any]]) -> Chart:
    """A chart from its specifications for the light and the dark theme."""
    from archcalc.render.charts.render import svg

    light, dark = specs
    drawing = merge(svg(light, f"{ids}-"), svg(dark, f"{ids}-"))
    area = Area(light["padding"]["left"], light["padding"]["top"], light["width"], light["height"])
    return Chart(title, Html(drawing), area)


def _first_column(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """What the bars of a chart are called."""
    return tuple(str(row[0]) for row in spec["usermeta"]["archcalc"]["table"]["rows"])


def figure(chart: Chart, level: int) -> Html:
    """A chart that keeps its texts readable: a narrow window shows a part of it."""
    inner = element("div", chart.svg, class_="plot", tabindex=0, role="group", aria_label=chart.title)
    area = " ".join(f"{number:g}" for number in chart.area)
    heading = element(f"h{level}", chart.title)
    if not chart.along:
        return element("figure", inner, class_="chart")
    return element("figure", heading, inner, class_="chart", data_area=area, data_along=chart.along)
