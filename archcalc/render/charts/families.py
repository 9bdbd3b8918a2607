"""Families of networks and what they follow, according to the specs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.titles import LONGEST_TITLE, short_name


class Family(NamedTuple):
    """A card of the picture; the first network of a family stands for it. `params` are the least and the most."""

    key: str
    title: str
    year: int
    analysis: Analysis
    params: tuple[int, int]
    follows: tuple[str, ...]


class Development(NamedTuple):
    """The families, and what cannot be shown of them, in words."""

    families: tuple[Family, ...]
    notes: tuple[str, ...]


def line_of_development(analyses: Sequence[Analysis]) -> Development:
    """One entry a family, in order of years; what a network follows is its family's business."""
    family_of = {analysis.graph.name: _key(analysis) for analysis in analyses}
    first: dict[str, Analysis] = {}
    members: dict[str, list[Analysis]] = {}
    for analysis in analyses:
        members.setdefault(_key(analysis), []).append(analysis)
        first.setdefault(_key(analysis), analysis)
    notes, families = [], []
    for key, analysis in first.items():
        graph = analysis.graph
        if graph.year is None:
            notes.append(say("{network}: its spec has no year", network=graph.name))
            continue
        sources = dict.fromkeys(family_of[name] for name in graph.follows if name in family_of)
        title = short_name(graph.family_title or graph.title or graph.name, LONGEST_TITLE)
        sizes = _sizes(members[key])
        follows = tuple(name for name in sources if name != key)
        families.append(Family(key, title, graph.year, analysis, (min(sizes), max(sizes)), follows))
    years = {family.key: family.year for family in families}
    kept = []
    for family in sorted(families, key=lambda family: (family.year, family.key)):
        later = [name for name in family.follows if name in years and years[name] > family.year]
        notes += [
            say("{network} follows {other}, which is later: no line is drawn", network=family.key, other=name)
            for name in later
        ]
        sources_known = tuple(name for name in family.follows if name in years and name not in later)
        kept.append(family._replace(follows=sources_known))
    return Development(tuple(_without_cycles(kept)), tuple(notes))


def _sizes(members: Sequence[Analysis]) -> list[int]:
    """Parameters of the networks that carry the family's name: no variants, no ResNet without its shortcuts."""
    networks = [one for one in members if "@" not in one.graph.name]
    own = [one for one in networks if one.graph.title.startswith(one.graph.family_title)]
    return [one.totals.params for one in own or networks or members]


def _key(analysis: Analysis) -> str:
    return analysis.graph.family or analysis.graph.name


def _without_cycles(families: Sequence[Family]) -> list[Family]:
    """Within a year a family may follow another one, but not in a circle."""
    ranks = ranks_of(families)
    return [
        family._replace(follows=tuple(name for name in family.follows if ranks[name] < ranks[family.key]))
        for family in families
    ]


def ranks_of(families: Sequence[Family]) -> dict[str, tuple[int, int]]:
    """Year, and how many families of the same year come before it."""
    by_key = {family.key: family for family in families}
    ranks = {family.key: (family.year, 0) for family in families}
    for _ in families:
        for family in families:
            same = [ranks[name][1] + 1 for name in family.follows if by_key[name].year == family.year]
            # More steps than there are families: a circle.
            ranks[family.key] = (family.year, min(max(same, default=0), len(families)))
    return ranks
