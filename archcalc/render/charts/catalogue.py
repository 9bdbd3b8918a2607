"""The plots of the catalogue: which networks they show, and their files."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.design.search.found import found_in
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.accuracy import measured_elsewhere
from archcalc.render.charts.compare import compare
from archcalc.render.charts.figure import Look
from archcalc.render.charts.memory import memory
from archcalc.render.charts.pareto import pareto
from archcalc.render.charts.profile import profile
from archcalc.render.charts.receptive_field import receptive_field
from archcalc.render.charts.render import svg
from archcalc.render.charts.sweep import sweep
from archcalc.render.charts.timeline import timeline
from archcalc.spec.catalogue import landmarks, load, names

#: Width and height of the timeline of the landmarks, and of that of all networks.
TIMELINE, WHOLE_TIMELINE = (1600, 900), (2560, 1440)
ALPHAS = ("0.25", "0.5", "0.75", "1")
#: The design space whose front is drawn, and the budget.
SPACE = "mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32; resnet depth=18,34,50"
WHERE = "multiplications <= 300M and params*4 <= 16MiB"


def compared(everything: bool = False) -> list[Analysis]:
    """The landmarks without variants, or the whole catalogue, and the variants on which accuracies were measured."""
    analyses = [one for one in families(everything) if "@" not in one.graph.name]
    return analyses + [analyse(load(name)) for name in measured_elsewhere(analyses)]


def families(everything: bool = False) -> list[Analysis]:
    """The landmarks of the catalogue, or all of it; building blocks are no networks."""
    return [analyse(load(name)) for name in (names() if everything else landmarks()) if "/" not in name]


def timeline_size(everything: bool) -> tuple[int, int]:
    """Width and height that the families of the catalogue need."""
    return WHOLE_TIMELINE if everything else TIMELINE


def comparison_plot() -> tuple[str, str]:
    """Name and SVG of the comparison of the landmarks."""
    return "comparison.svg", svg(compare(compared()))


def catalogue_plots() -> Iterator[tuple[str, str]]:
    """Name and SVG of each plot of the catalogue. Raises `UsageError` where the extra is not installed."""
    yield comparison_plot()
    yield "timeline.svg", svg(timeline(families(), Look(width=TIMELINE[0], height=TIMELINE[1])))
    yield "alexnet-profile.svg", svg(profile(analyse(load("alexnet"))))
    yield "vgg16-memory.svg", svg(memory(analyse(load("vgg16"))))
    yield "vgg16-receptive-field.svg", svg(receptive_field(analyse(load("vgg16"))))
    thin = [analyse(load("mobilenet", {"alpha": float(alpha)})) for alpha in ALPHAS]
    yield "mobilenet-sweep.svg", svg(sweep(thin, "alpha", ALPHAS))
    yield "search-front.svg", svg(pareto(found_in(SPACE), "multiplications,params:max", WHERE))
