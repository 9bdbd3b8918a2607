"""The plots of a page: charts in the colours of the page, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.errors import UsageError
from archcalc.pages.colours import merge
from archcalc.pages.markup import Html, element
from archcalc.pages.pictures import Picture, Pictures
from archcalc.plots.figure import Look

Make = Callable[[Look], Mapping[str, Any]]


def accuracy_chart(analyses: Sequence[Analysis], ids: str) -> Pictures:
    """Reported accuracy over multiplications; nothing where no two of the networks can be compared so."""
    from archcalc.plots.accuracy import comparable
    from archcalc.plots.compare import compare

    if len(comparable(analyses).points) < 2:
        return Pictures((), ())
    return _drawn("compare", "Accuracy and work", lambda look: compare(analyses, look), ids, 1120, 630)


def _drawn(key: str, label: str, make: Make, ids: str, width: int, height: int) -> Pictures:
    from archcalc.plots.render import svg

    try:
        light, dark = (svg(make(Look(theme, width, height, title="")), f"{ids}{key}-") for theme in ("light", "dark"))
    except UsageError as error:
        return Pictures((), (str(error),))
    return Pictures((Picture(key, label, Html(merge(light, dark))),), ())


def figure(picture: Picture) -> Html:
    """A plot that keeps its texts readable: a narrow window shows a part of it."""
    return element("div", picture.svg, class_="plot", tabindex=0, role="group", aria_label=picture.label)
