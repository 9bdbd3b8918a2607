"""Pages as the library makes them, once for all tests that read them."""

from __future__ import annotations

from functools import cache

from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.pages.report import Page, render
from archcalc.render.tables.report import make_report
from archcalc.spec.catalogue import load


@cache
def analysis_of(network: str) -> Analysis:
    return analyse(load(network))


@cache
def made(*networks: str) -> Page:
    return render([make_report(analysis_of(network)) for network in networks])


def page_of(*networks: str) -> str:
    """The text of the page of one or several networks."""
    return made(*networks).text
