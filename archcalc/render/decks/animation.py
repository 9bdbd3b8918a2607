"""Shapes that appear one after the other when the speaker goes on (ECMA-376, part 1, section 19.5: timing)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.render.diagrams.ooxml import NAMESPACES

#: More clicks than this are put together.
MOST = 60


class Target(NamedTuple):
    """What appears: a shape, or one paragraph of it."""

    shape: int
    paragraph: int | None = None


def clicks(steps: Sequence[tuple[int, Target]]) -> list[list[Target]]:
    """What appears with each click; the first step, and what has none, is there from the start."""
    numbers = sorted({step for step, _ in steps if step > 0})[1:]
    each = -(-len(numbers) // MOST) if numbers else 1
    place = {step: index // each for index, step in enumerate(numbers)}
    found: list[list[Target]] = [[] for _ in range(-(-len(numbers) // each))]
    for step, target in steps:
        if step in place:
            found[place[step]].append(target)
    return found


def timing(groups: Sequence[Sequence[Target]]) -> str:
    """The element `p:timing` of a slide on which a group appears with each click."""
    last = 2

    def number() -> int:
        nonlocal last
        last += 1
        return last

    parts = []
    for group in groups:
        outer, inner = number(), number()
        effects = []
        for place, target in enumerate(group):
            kind = "withEffect" if place else "clickEffect"
            inside = ""
            if target.paragraph is not None:
                inside = f'<p:txEl><p:pRg st="{target.paragraph}" end="{target.paragraph}"/></p:txEl>'
            shape = (
                f'<p:spTgt spid="{target.shape}">{inside}</p:spTgt>' if inside else f'<p:spTgt spid="{target.shape}"/>'
            )
            grouped = ' grpId="0"' if inside else ""
            effects.append(
                f'<p:par><p:cTn id="{number()}" presetID="1" presetClass="entr" presetSubtype="0" fill="hold"{grouped} '
                f'nodeType="{kind}">{_start("0")}<p:childTnLst><p:set><p:cBhvr><p:cTn id="{number()}" dur="1" '
                f'fill="hold">'
                f"{_start('0')}</p:cTn><p:tgtEl>{shape}</p:tgtEl><p:attrNameLst><p:attrName>style.visibility</p:attrName>"
                '</p:attrNameLst></p:cBhvr><p:to><p:strVal val="visible"/></p:to></p:set></p:childTnLst></p:cTn>'
                "</p:par>"
            )
        parts.append(
            f'<p:par><p:cTn id="{outer}" fill="hold">{_start("indefinite")}<p:childTnLst><p:par><p:cTn id="{inner}" '
            f'fill="hold">{_start("0")}<p:childTnLst>{"".join(effects)}</p:childTnLst></p:cTn></p:par></p:childTnLst>'
            "</p:cTn></p:par>"
        )
    built = sorted({target.shape for group in groups for target in group if target.paragraph is not None})
    paragraphs = "".join(f'<p:bldP spid="{shape}" grpId="0" build="p"/>' for shape in built)
    return (
        f'<p:timing {NAMESPACES}><p:tnLst><p:par><p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot">'
        '<p:childTnLst><p:seq concurrent="1" nextAc="seek"><p:cTn id="2" dur="indefinite" nodeType="mainSeq">'
        f"<p:childTnLst>{''.join(parts)}</p:childTnLst></p:cTn>"
        '<p:prevCondLst><p:cond evt="onPrev" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:prevCondLst>'
        '<p:nextCondLst><p:cond evt="onNext" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:nextCondLst>'
        "</p:seq></p:childTnLst></p:cTn></p:par></p:tnLst>"
        + (f"<p:bldLst>{paragraphs}</p:bldLst>" if paragraphs else "")
        + "</p:timing>"
    )


def _start(delay: str) -> str:
    return f'<p:stCondLst><p:cond delay="{delay}"/></p:stCondLst>'
