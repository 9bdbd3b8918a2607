"""The slides on several networks: comparison, timeline, quiz and sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, apart, mark, say
from archcalc.core.quantities import quantity
from archcalc.explain.derive.formats import lines
from archcalc.explain.derive.layer import explain_row
from archcalc.explain.derive.network import only
from archcalc.explain.derive.notation import TEXT
from archcalc.passes.analysis import Analysis, Row
from archcalc.render.charts.accuracy import comparable
from archcalc.render.charts.bars import Bar, Panel, bar_panels
from archcalc.render.charts.compare import compare
from archcalc.render.charts.families import line_of_development
from archcalc.render.charts.timeline import timeline as timeline_chart
from archcalc.render.charts.titles import short_titles, title_of
from archcalc.render.decks.layout import MOST_ROWS, lines_of, placed_for_reading, text_lines
from archcalc.render.decks.network import (
    SlideLook,
    chart_look,
    chart_slide,
    conventions,
    interesting_layers,
    part_of,
    published,
    reference,
)
from archcalc.render.decks.slides import BODY, Slide, Table
from archcalc.render.diagrams.drawing import Cluster, Curve, Rect, Shape, Text
from archcalc.render.tables.networks import network_column

#: What networks are compared by; the last two are printed figures.
COMPARED = ("depth", "params", "multiplications", "activation_bytes", "peak_activation_bytes", "top1_accuracy",
            "top5_accuracy")  # fmt: skip
#: The questions on a slide of a quiz.
MOST_ASKED = 4
#: As many papers stand on a slide.
MOST_PAPERS = 8
#: What a quiz asks, in turn, and how.
ASKED = (
    ("params", mark("How many parameters does it have?")),
    ("output", mark("What size is its output?")),
    ("multiplications", mark("How many multiplications does it take for one image?")),
    ("receptive_field", mark("How many pixels of the input does one of its outputs see, along an axis?")),
    ("activation_bytes", mark("How many bytes does its output take, at 4 bytes a value?")),
)
#: What nobody asks of a vector.
_OF_MAPS = ("output", "receptive_field")
YEAR, REASON = 64.0, 14.0


# --- comparison


def comparison(analyses: Sequence[Analysis], look: SlideLook) -> list[Slide]:
    """The totals as a table, as bars, and accuracy over work where accuracies are reported."""
    notes = tuple(dict.fromkeys(sentence for one in analyses for sentence in (*published(one), *conventions(one))))
    found = []
    for start in range(0, len(analyses), MOST_ROWS - 1):
        part = analyses[start : start + MOST_ROWS - 1]
        found.append(Slide("table", say("Side by side"), table=_totals(part), notes=notes))
    found.append(_bars(analyses, look))
    known = comparable(analyses)
    if len(known.points) > 1:
        left = tuple(say("{network} is left out: {why}.", network=name, why=why) for name, why in known.missing)
        found.append(chart_slide(say("Accuracy and work"), compare(analyses, chart_look(look)), left + notes))
    return found


def _totals(analyses: Sequence[Analysis]) -> Table:
    columns = [network_column(key) for key in COMPARED]
    kept = [column for column in columns if any(column.value(one) is not None for one in analyses)]
    rows = tuple(
        (
            title_of(one),
            str(one.graph.year or words.NONE),
            one.graph.inputs_in_words(),
            *(column.text(one) for column in kept),
        )
        for one in analyses
    )
    heads = (say("network"), say("year"), say("input"), *(column.title for column in kept))
    return Table(heads, rows, (False, True, False, *(True for _ in kept)))


def _bars(analyses: Sequence[Analysis], look: SlideLook) -> Slide:
    shown = [quantity(key) for key in ("params", "multiplications", "activation_bytes")]
    names = short_titles([one.graph for one in analyses])
    bars = [
        Bar(name, "block", tuple(each.of(one.totals) for each in shown))
        for name, one in zip(names, analyses, strict=True)
    ]
    described = "; ".join(
        f"{title_of(one)}: " + ", ".join(f"{each.total_text(one.totals)} {each.name}" for each in shown)
        for one in analyses
    )
    spec = bar_panels(
        "comparison", chart_look(look), "", say("Totals for one image; each panel has its own scale."), described, bars,
        [Panel(each.name, each) for each in shown],
    )  # fmt: skip
    return chart_slide(
        say("What they cost"), spec, tuple(dict.fromkeys(text for one in analyses for text in conventions(one)))
    )


# --- timeline


class _Entry(NamedTuple):
    year: int
    title: str
    follows: str
    reason: str


def timeline(analyses: Sequence[Analysis], look: SlideLook) -> list[Slide]:
    """The line of development, and then each step of it with its reason."""
    families, remarks = line_of_development(analyses)
    if not families:
        raise UsageError("a timeline needs networks with a year in their specs")
    notes = tuple(f"{title_of(one)}: {reference(one)}" for one in analyses if one.graph.paper)
    spec = timeline_chart(analyses, chart_look(look))
    found = [chart_slide(say("The line of development"), spec, (*notes, *remarks))]
    titles = {one.graph.name: title_of(one) for one in analyses}
    dated = sorted((one for one in analyses if one.graph.year is not None), key=lambda one: one.graph.year or 0)
    entries = [
        _Entry(
            one.graph.year or 0,
            title_of(one),
            all_of([titles[name] for name in one.graph.follows if name in titles]),
            words.line(say(one.graph.description)) if one.graph.description else "",
        )
        for one in dated
    ]
    pages = _paged(entries)
    for number, part in enumerate(pages, 1):
        title = part_of(say("What each step brought"), number, len(pages))
        about = "; ".join(f"{entry.year} {entry.title}: {entry.reason}" for entry in part)
        found.append(Slide("picture", title, items=tuple(_steps(part, look)), notes=notes, about=about))
    return found


def _reason(entry: _Entry) -> list[str]:
    follows = say("Follows {networks}.", networks=entry.follows) if entry.follows else ""
    return lines_of(f"{follows} {entry.reason}", BODY.width - YEAR - 30, REASON)


def _entry_height(entry: _Entry) -> float:
    return 22.0 + len(_reason(entry)) * REASON * 1.3 + 14


def _paged(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """The entries on as few slides as hold them, each about as full as the others."""
    heights = [_entry_height(entry) for entry in entries]
    count = len(_filled(entries, heights, BODY.height))
    # No slide needs to be fuller than an even share and one entry.
    limits = sorted({min(sum(heights) / count + height, BODY.height) for height in (0.0, *heights)})
    return next(pages for limit in (*limits, BODY.height) if len(pages := _filled(entries, heights, limit)) == count)


def _filled(entries: Sequence[_Entry], heights: Sequence[float], limit: float) -> list[list[_Entry]]:
    pages: list[list[_Entry]] = [[]]
    y = 0.0
    for entry, height in zip(entries, heights, strict=True):
        y += height
        if y > limit and pages[-1]:
            pages.append([])
            y = height
        pages[-1].append(entry)
    return pages


def _steps(entries: Sequence[_Entry], look: SlideLook) -> list[Cluster]:
    """Years along a line down the slide, each with its network and why it came."""
    theme, paint = look.theme, look.theme.families["block"]
    heights = [_entry_height(entry) for entry in entries]
    spare = min((BODY.height - sum(heights)) / len(entries), 16.0)
    y, found = 2.0, []
    line = Curve(((YEAR + 6, 10.0), (YEAR + 6, sum(heights) + spare * (len(entries) - 1) - 14)), paint.line, 2.0)
    found.append(Cluster(say("Time"), (line,), "plain"))
    for number, (entry, height) in enumerate(zip(entries, heights, strict=True), 1):
        shapes: list[Shape] = [
            Text(YEAR - 12, y + 14, str(entry.year), 16, theme.quiet, True, "end"),
            Rect(YEAR, y + 2, 12, 12, paint.fill, paint.line, 2.0, 6),
        ]
        head, below = text_lines(
            lines_of(entry.title, BODY.width - YEAR - 30, 17, True), YEAR + 28, y - 1, 17, theme.ink, True
        )
        body, _ = text_lines(_reason(entry), YEAR + 28, below, REASON, theme.ink)
        found.append(
            Cluster(f"{entry.year} {entry.title}", (*shapes, *head, *body), "plain", step=number if look.steps else 0)
        )
        y += height + spare
    return [placed_for_reading(item, BODY.width) for item in found]


# --- quiz


class Asked(NamedTuple):
    """A question of a quiz, and its answer."""

    question: str
    answer: str


def questions(analyses: Sequence[Analysis], count: int) -> list[Asked]:
    """Questions on layers that no slide derives, network by network; the answers are the derivations."""
    found: list[Asked] = []
    waiting = [_candidates(one) for one in analyses]
    turn = 0
    while len(found) < count and any(waiting):
        rows = waiting[turn % len(waiting)]
        analysis = analyses[turn % len(waiting)]
        turn += 1
        for _ in range(len(rows)):
            asked = _ask(analysis, rows.pop(0), len(found))
            if asked is not None:
                found.append(asked)
                break
    return found


def _candidates(analysis: Analysis) -> list[Row]:
    """Layers with parameters, spread over the depth; those that a deck derives come last."""
    derived = interesting_layers(analysis)
    rows = [row for row in analysis.rows if row.params and row.multiplications]
    others = [row for row in rows if row.name not in derived]
    spread = sorted(range(len(others)), key=lambda place: (_reversed_bits(place, len(others)), place))
    return [others[place] for place in spread] + [row for row in rows if row.name in derived]


def _reversed_bits(place: int, count: int) -> int:
    """An order that takes the whole depth first in large steps, then in smaller ones (van der Corput)."""
    digits = max(count - 1, 1).bit_length()
    return int(f"{place:0{digits}b}"[::-1], 2)


def _ask(analysis: Analysis, row: Row, number: int) -> Asked | None:
    explained = explain_row(analysis, row)
    key, question = ASKED[number % len(ASKED)]
    if key in _OF_MAPS and len(row.output_shape) == 1:
        key, question = ASKED[0]
    answers = [f"{line.label}: {' = '.join(line.parts)}" for line in lines(only(explained, key), TEXT)]
    if not answers:
        return None
    layer = f"{apart(title_of(analysis))}, {words.line(explained.heading)}"
    return Asked(f"{layer}. {say(question)}", "; ".join(answers))


def quiz(title: str, asked: Sequence[Asked]) -> Iterator[Slide]:
    """Questions on slides, about as many on each, numbered through; answers in the speaker's notes."""
    count = ceil(len(asked) / MOST_ASKED)
    for part in range(count):
        start, end = (len(asked) * place // count for place in (part, part + 1))
        answers = [
            say("Answer {number}: {answer}", number=number, answer=one.answer)
            for number, one in enumerate(asked[start:end], start + 1)
        ]
        questions = tuple(one.question for one in asked[start:end])
        yield Slide("quiz", title or say("Quiz"), points=questions, first=start + 1, notes=tuple(answers))


def sources_slides(title: str, analyses: Sequence[Analysis]) -> list[Slide]:
    """The papers of all networks, about as many on each slide."""
    papers = list(dict.fromkeys(reference(one) for one in analyses if one.graph.paper))
    if not papers:
        return []
    pages = -(-len(papers) // MOST_PAPERS)
    ends = [len(papers) * number // pages for number in range(pages + 1)]
    return [
        Slide(
            "points",
            part_of(title or say("Sources"), number + 1, pages),
            points=tuple(papers[ends[number] : ends[number + 1]]),
            notes=(say("The figures that these papers print stand in the notes of each network's slides."),),
        )
        for number in range(pages)
    ]
