"""`make_deck`: a lecture in, its slides out; `render`: slides in, the bytes of a file out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from archcalc.core import words
from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.core.language import all_of, say
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.titles import title_of
from archcalc.render.decks import network, several
from archcalc.render.decks.lecture import (
    Architecture,
    Block,
    DerivationOf,
    Plan,
    Points,
    Quiz,
    Section,
    TableOf,
    Titled,
    Wanted,
)
from archcalc.render.decks.network import READABLE, SlideLook, part_of
from archcalc.render.decks.slides import Deck, Slide
from archcalc.render.diagrams.drawing import Text
from archcalc.render.diagrams.theme import THEMES

FORMATS = {
    "pptx": "slides of PowerPoint; shapes and tables that can be edited, notes for the speaker",
    "pdf": "a page for each slide, then the notes",
    "html": "a page that works without a network; arrow keys, notes with n",
}
#: A title of its own names so many networks, else the first and the last.
MOST_IN_TITLE = 4
#: Kinds of slides that are of a single network.
_CHARTS = ("cost", "memory", "receptive_field")


def usual_plan(analyses: Sequence[Analysis], title: str = "") -> Plan:
    """The slides that a lecture on some networks usually has."""
    if not analyses:
        raise UsageError("a deck needs a lecture (lecture.yaml), or networks")
    titles = [title_of(one) for one in analyses]
    wanted = [Wanted("title", Titled())]
    for one in analyses:
        name: dict[str, Any] = {"network": one.graph.name}
        own = (one,)
        wanted.append(Wanted("architecture", Architecture(**name), own))
        blocks = network.usual_blocks(one)
        wanted += [Wanted("block", Block(**name, block=block), own) for block in blocks]
        wanted.append(Wanted("table", TableOf(**name), own))
        layers = network.interesting_layers(one)
        wanted += [Wanted("derivation", DerivationOf(**name, layer=layer), own) for layer in layers]
        wanted += [Wanted(kind, Titled(), own) for kind in ("cost", "memory")]
    everything = tuple(analyses)
    if len(analyses) > 1:
        wanted.append(Wanted("comparison", Titled(), everything))
        if any(one.graph.year is not None for one in analyses):
            wanted.append(Wanted("timeline", Titled(), everything))
    wanted += [Wanted("quiz", Quiz(), everything), Wanted("sources", Titled(), everything)]
    named = (
        say(
            "{first} to {last}: {networks}",
            first=titles[0],
            last=titles[-1],
            networks=words.several(len(titles), "network"),
        )
        if len(titles) > MOST_IN_TITLE
        else all_of(titles)
    )
    shown = title or named
    return Plan(words.line(shown), "", "", "", everything, tuple(wanted))


def make_deck(plan: Plan, theme: str = "light", steps: bool = False) -> Deck:
    """The slides of a lecture. Raises `UsageError` for what cannot be shown, naming the slide."""
    if theme not in THEMES:
        raise UsageError(f"there is no theme {theme[:60]!r}; there are {', '.join(THEMES)}")
    look = SlideLook(THEMES[theme], steps)
    wanted = plan.slides
    if not wanted:
        wanted = usual_plan(plan.networks, plan.title).slides
    shown = _all(wanted, plan)
    slides: list[Slide] = []
    noted: set[str] = set()
    for one in wanted:
        try:
            made = list(_noted_once(_slides(one, plan, look, shown), noted))
        except ArchcalcError as error:
            raise UsageError(f"slide {len(slides) + 1}, {one.kind}: {error}") from None
        slides += [_said(slide, one.fields, number, len(made)) for number, slide in enumerate(made)]
    remarks = tuple(_remarks(slides))
    return Deck(words.line(plan.title), words.line(plan.author), tuple(slides), remarks)


def _noted_once(slides: Iterable[Slide], noted: set[str]) -> Iterator[Slide]:
    """The slides, each note on the first that has it: sources and conventions are the same on all of a network."""
    for slide in slides:
        yield slide._replace(notes=tuple(note for note in slide.notes if note not in noted))
        noted.update(slide.notes)


def _all(wanted: Sequence[Wanted], plan: Plan) -> list[Analysis]:
    """Every network that is shown, once each."""
    found: dict[int, Analysis] = {}
    for one in (*plan.networks, *(analysis for each in wanted for analysis in each.analyses)):
        found.setdefault(id(one), one)
    return list(found.values())


def _slides(wanted: Wanted, plan: Plan, look: SlideLook, shown: Sequence[Analysis]) -> Iterator[Slide]:
    fields, analyses = wanted.fields, wanted.analyses
    if wanted.kind == "title":
        below = [plan.subtitle, plan.author, plan.date]
        about = f"{all_of([title_of(one) for one in shown])}." if shown else ""
        notes = tuple(filter(None, (about, say("Numbers and pictures: made by archcalc."))))
        yield Slide("title", plan.title, "\n".join(filter(None, map(words.line, below))), notes=notes)
    elif isinstance(fields, Section):
        yield Slide("section", fields.title, fields.subtitle)
    elif isinstance(fields, Points):
        yield Slide("points", fields.title, points=tuple(map(words.line, fields.points)))
    elif isinstance(fields, Architecture):
        yield network.architecture(analyses[0], look, fields.style, fields.depth, fields.highlight)
    elif isinstance(fields, Block):
        yield network.block(analyses[0], fields.block, look)
    elif isinstance(fields, TableOf):
        yield from network.table(analyses[0], fields.columns)
    elif isinstance(fields, DerivationOf):
        yield from network.derivation(analyses[0], fields.layer, fields.quantities, look)
    elif wanted.kind in _CHARTS:
        yield network.chart(analyses[0], wanted.kind, look)
    elif wanted.kind == "comparison":
        yield from several.comparison(analyses, look)
    elif wanted.kind == "timeline":
        yield from several.timeline(analyses, look)
    elif isinstance(fields, Quiz):
        own = [several.Asked(words.line(one.question), words.line(one.answer)) for one in fields.questions or ()]
        yield from several.quiz(fields.title, own or several.questions(analyses, fields.count))
    else:
        yield from several.sources_slides(fields.title, shown)


def _said(slide: Slide, fields: Titled, number: int, count: int) -> Slide:
    """The slide with the title and the notes of the lecture; a title goes to the first of several."""
    if fields.notes:
        slide = slide._replace(notes=(words.line(fields.notes), *slide.notes))
    if fields.title and slide.kind != "section":
        title = words.line(fields.title)
        slide = slide._replace(title=title if count == 1 else part_of(title, number + 1, count))
    return slide


def _remarks(slides: Sequence[Slide]) -> Iterator[str]:
    """What there is to say: slides whose texts are too small to be read."""
    for number, slide in enumerate(slides, 1):
        sizes = [shape.size for item in slide.items for shape in item.shapes if isinstance(shape, Text)]
        if min(sizes, default=READABLE) < READABLE - 0.05:
            yield say(
                "slide {number}, {title}: the smallest text is {points:.1f} pt",
                number=number,
                title=slide.title,
                points=min(sizes),
            )


def render(
    plan: Plan, form: str, theme: str = "light", steps: bool = False, template: bytes | None = None, name: str = ""
) -> tuple[bytes, tuple[str, ...]]:
    """A lecture as a file in one of `FORMATS`, and what there is to say about it.

    `template` is the content of a presentation whose layouts and fonts a `.pptx` takes, `name` what it is called in
    errors. Raises `UsageError`.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    if template is not None and form != "pptx":
        raise UsageError(f"a template is for .pptx, not for .{form}")
    if form == "pptx":
        from archcalc.render.decks.powerpoint import powerpoint
        from archcalc.render.decks.template import Template
        from archcalc.render.diagrams.fonts import measured_in

        opened = Template(template, name, theme)
        with measured_in(opened.face):
            deck = make_deck(plan, opened.theme, steps)
            return powerpoint(deck, opened, steps), deck.remarks
    deck = make_deck(plan, theme, steps)
    if form == "pdf":
        from archcalc.render.decks.pages import pdf

        return pdf(deck, THEMES[theme], steps), deck.remarks
    from archcalc.render.decks.pages import html

    # A page has light and dark colours, unless others are asked for.
    dark = make_deck(plan, "dark", steps) if theme == "light" else deck
    return html(deck, dark, THEMES[theme], steps), deck.remarks
