"""The plots of the catalogue: which networks they show, and their files."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.accuracy import measured_elsewhere
from archcalc.render.charts.compare import compare
from archcalc.render.charts.memory import memory
from archcalc.render.charts.profile import profile
from archcalc.render.charts.receptive_field import receptive_field
from archcalc.render.charts.render import svg
from archcalc.render.charts.sweep import sweep
from archcalc.render.charts.timeline import timeline
from archcalc.spec.catalogue import load, names

ALPHAS = ("0.25", "0.5", "0.75", "1")


def compared() -> list[Analysis]:
    """The networks of the catalogue without variants, and the variants on which their accuracies were measured."""
    analyses = [analyse(load(name)) for name in names() if "/" not in name and "@" not in name]
    return analyses + [analyse(load(name)) for name in measured_elsewhere(analyses)]


def families() -> list[Analysis]:
    """Every network of the catalogue; building blocks are none."""
    return [analyse(load(name)) for name in names() if "/" not in name]


def comparison_plot() -> tuple[str, str]:
    """Name and SVG of the comparison of all networks."""
    return "comparison.svg", svg(compare(compared()))


def catalogue_plots() -> Iterator[tuple[str, str]]:
    """Name and SVG of each plot of the catalogue. Raises `UsageError` where the extra is not installed."""
    yield comparison_plot()
    yield "timeline.svg", svg(timeline(families()))
    yield "alexnet-profile.svg", svg(profile(analyse(load("alexnet"))))
    yield "vgg16-memory.svg", svg(memory(analyse(load("vgg16"))))
    yield "vgg16-receptive-field.svg", svg(receptive_field(analyse(load("vgg16"))))
    thin = [analyse(load("mobilenet", {"alpha": float(alpha)})) for alpha in ALPHAS]
    yield "mobilenet-sweep.svg", svg(sweep(thin, "alpha", ALPHAS))
