"""The slides on one network: its picture, a block, the table, derivations, and where it spends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.language import all_of, apart, mark, say
from archcalc.core.quantities import quantity
from archcalc.explain.derive.formats import Line, lines
from archcalc.explain.derive.network import explain_layers, find_layers, find_quantity, only
from archcalc.explain.derive.notation import TEXT
from archcalc.explain.derive.trace import Symbol
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.blocks import block_of
from archcalc.render.charts.figure import Look
from archcalc.render.charts.groups import A_ROW, group
from archcalc.render.charts.shapes import chart_shapes
from archcalc.render.charts.titles import title_of
from archcalc.render.decks.layout import MOST_ROWS, Fitted, lines_of, picture, placed_for_reading, text_lines
from archcalc.render.decks.slides import BELOW, BODY, Slide, Table
from archcalc.render.diagrams.arrange import READABLE_U
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.drawing import Cluster
from archcalc.render.diagrams.text import clean, text_width
from archcalc.render.diagrams.theme import Theme
from archcalc.render.diagrams.volumes import is_u, suits_volumes
from archcalc.render.tables.columns import DEFAULT, Context, choose
from archcalc.render.tables.figures import compare_figures

#: Blocks of a network are looked at by themselves from this many layers on, and up to that many.
LEAST_LAYERS, MOST_LAYERS = 3, 24
#: The columns of a table that nobody chose; shares stand in the pictures.
COLUMNS = tuple(key for key in DEFAULT if not key.endswith("_share"))
#: What is derived unless something is asked for.
DERIVED = ("output", "params", "multiplications", "activation_bytes", "receptive_field")
SIZES = (24.0, 22.0, 20.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0)
#: The width of what lines are called, and what it may grow to for long words.
LABELS, WIDEST_LABELS = 150.0, 270.0
#: Texts below this many points cannot be read from the last row: 9, rounded.
READABLE = 8.95


class SlideLook(NamedTuple):
    """How slides look: their colours, and whether parts appear step by step."""

    theme: Theme
    steps: bool = False


def sources(analysis: Analysis) -> tuple[str, ...]:
    """Who published a network and where, what papers report, and how the numbers here are counted."""
    return (*published(analysis), *conventions(analysis))


def published(analysis: Analysis) -> tuple[str, ...]:
    """The paper in a line, and each reported figure next to the computed one."""
    graph = analysis.graph
    found = [say("Source: {reference}", reference=reference(analysis))] if graph.paper else []
    return (*found, *map(words.line, compare_figures(analysis)))


def reference(analysis: Analysis) -> str:
    """The paper of a network in one line; of one without a paper its title."""
    graph = analysis.graph
    if graph.paper is None:
        return title_of(analysis)
    made = f"{words.people(graph.authors)}: " if graph.authors else ""
    parts = (f"{made}{graph.paper.title}", graph.paper.venue, graph.paper.url)
    return words.line(". ".join(part for part in parts if part))


def conventions(analysis: Analysis) -> tuple[str, ...]:
    """How the numbers are counted, a sentence."""
    counted = "; ".join(
        f"{say(name.replace('_', ' '))}: {what}" for name, what in analysis.describe_conventions().items()
    )
    return (words.line(say("Numbers: calculated by archcalc. {conventions}.", conventions=counted)),)


def settings_in_words(analysis: Analysis) -> str:
    """What a slide says below its title: the input and the totals."""
    totals = analysis.totals
    parts = (
        say("input {size}", size=analysis.graph.inputs_in_words()),
        words.several(totals.params, "parameter"),
        say("{count} multiplications", count=quantity("multiplications").total_text(totals)),
    )
    return " · ".join(parts)


def part_of(title: str, number: int, count: int) -> str:
    """The title of one of several slides on the same."""
    return say("{title} ({number} of {count})", title=title, number=number, count=count) if count > 1 else title


# --- pictures


def architecture(
    analysis: Analysis, look: SlideLook, style: str | None, depth: int | None, highlight: str | None
) -> Slide:
    """The network as a whole."""
    choices = Choices(style=style, depth=depth, highlight=highlight, theme=look.theme.name, steps=look.steps)
    free = style is None and depth is None
    styles = _styles(analysis, look) if free else [style]
    enough = READABLE_U if free and is_u(analysis) else READABLE
    fitted = _readable(analysis, [replace(choices, style=one) for one in styles], enough)
    about = analysis.graph.description
    notes = (*([words.line(say(about))] if about else []), *sources(analysis))
    return Slide("picture", title_of(analysis), settings_in_words(analysis), fitted.items, fitted.links, notes=notes,
                 about=fitted.about)  # fmt: skip


def _readable(analysis: Analysis, ways: Iterable[Choices], enough: float = READABLE) -> Fitted:
    """The picture in the first way in which texts are large enough, or else in the one with the largest texts."""
    tried: list[Fitted] = []
    for choices in ways:
        tried.append(picture(analysis, choices, BELOW))
        if tried[-1].smallest >= enough:
            break
    return max(tried, key=lambda one: min(one.smallest, enough))


def _styles(analysis: Analysis, look: SlideLook) -> list[str | None]:
    """The styles that are tried, the one that shows most first; in a row volumes have no steps, in a U they do."""
    if not suits_volumes(analysis):
        return [None, "blocks", "graph"]
    return [None, "blocks", "volumes"] if look.steps and not is_u(analysis) else ["volumes", None, "blocks"]


def block(analysis: Analysis, name: str, look: SlideLook) -> Slide:
    """One block, every layer of it where they can be read."""
    name = name.strip("/")
    choices = Choices(style="graph", only=name, theme=look.theme.name, steps=look.steps)
    folded_more = [replace(choices, style="blocks", depth=depth) for depth in (0, 2, 1)]
    fitted = _readable(analysis, [choices, *folded_more])
    folded = block_of(analysis.rows, name)
    assert folded is not None, "the reader of lectures has looked for it"
    cost = quantity("multiplications")
    share = words.share(folded.params, analysis.totals.params)
    counts = " · ".join(
        (
            say(
                "{parameters}, {share} of the network",
                parameters=words.several(folded.params, "parameter"),
                share=share,
            ),
            say("{count} multiplications", count=cost.text(folded)),
        )
    )
    inside = [row for row in analysis.rows if row.name.startswith(f"{name}/")]
    kinds = all_of([row.op.kind for row in inside])
    has = say("{block} has {layers}: {kinds}.", block=name, layers=words.several(len(inside), "layer"), kinds=kinds)
    notes = (has, *published(analysis))
    return Slide("picture", f"{title_of(analysis)}: {words.line(name)}", counts, fitted.items, fitted.links,
                 notes=notes, about=fitted.about)  # fmt: skip


def usual_blocks(analysis: Analysis, most: int = 1) -> list[str]:
    """The blocks that are worth a slide: of each kind the first, the best kinds first.

    In the best ones branches come together, and inside one of their blocks at most; others are whole stages. Then come
    those with several layers of weights, then those that come most often.
    """
    kinds: dict[tuple[str, ...], list[str]] = {}
    inside: dict[str, list[Row]] = {}
    for row in analysis.rows:
        parts = row.name.split("/")
        for level in range(1, len(parts)):
            inside.setdefault("/".join(parts[:level]), []).append(row)
    merging = {name for name, rows in inside.items() if any(row.op.family == "merge" for row in rows)}
    within = Counter(name.rpartition("/")[0] for name in merging)
    for name, rows in inside.items():
        if LEAST_LAYERS <= len(rows) <= MOST_LAYERS:
            kinds.setdefault(tuple(row.op.kind for row in rows), []).append(name)

    def rank(kind: tuple[str, ...]) -> tuple[bool, bool, int, str]:
        name, *others = kinds[kind]
        alone = sum(bool(row.multiplications) for row in inside[name]) < 2
        is_one = name in merging and within[name] < 2
        return not is_one, alone, -(1 + len(others)) * len(kind), inside[name][0].name

    return [kinds[kind][0] for kind in sorted(kinds, key=rank)[:most]]


# --- table


def table(analysis: Analysis, columns: Sequence[str] | None) -> list[Slide]:
    """The layers with their totals, on as many slides as they need; those of a deep network folded."""
    chosen = choose(",".join(COLUMNS if columns is None else columns))
    context = Context(analysis.totals, "hwc")
    rows, how = _rows(analysis)
    texts = [tuple(column.text(row, context) for column in chosen) for row in rows]
    totals = [column.total_text(analysis.totals) if column.total_text else "" for column in chosen]
    texts.append((say("total"), *totals[1:]))
    heads, right = tuple(column.title for column in chosen), tuple(column.right for column in chosen)
    pages = -(-len(texts) // MOST_ROWS)
    size = -(-len(texts) // pages)
    found = []
    for number in range(pages):
        part = tuple(texts[number * size : (number + 1) * size])
        title = part_of(say("{network}: the layers", network=title_of(analysis)), number + 1, pages)
        shown = Table(heads, part, right, total=number == pages - 1)
        found.append(Slide("table", title, how, table=shown, notes=sources(analysis)))
    return found


def _rows(analysis: Analysis) -> tuple[Sequence[Row], str]:
    if len(analysis.rows) <= 2 * MOST_ROWS - 1:
        return analysis.rows, settings_in_words(analysis)
    return group(analysis.rows, 2 * MOST_ROWS - 1, A_ROW)


# --- derivations


def interesting_layers(analysis: Analysis, most: int = 2) -> list[str]:
    """The first convolution, then the layers with the most multiplications and the most parameters."""
    counted = [row for row in analysis.rows if row.params and row.multiplications]
    if not counted:
        return []
    found = [
        max(counted, key=lambda row: row.multiplications or 0).name,
        max(counted, key=lambda row: row.params).name,
        counted[0].name,
    ]
    order = {row.name: place for place, row in enumerate(counted)}
    return sorted(list(dict.fromkeys(found))[:most], key=lambda name: order[name])


def derivation(analysis: Analysis, layer: str, quantities: Sequence[str] | None, look: SlideLook) -> list[Slide]:
    """How the numbers of a layer are computed, line by line."""
    name = find_layers(analysis, layer)[0]
    explained = explain_layers(analysis, [name])[0]
    keys = [find_quantity(one) for one in quantities or DERIVED]
    shown = [line for key in keys for line in lines(only(explained, key), TEXT)]
    letters = "; ".join(
        f"{apart(f'{letter.text} = {value:,}')}: {_meaning(letter)}" for letter, value in explained.symbols().items()
    )
    notes = (say("Letters: {letters}.", letters=letters) if letters else "", *published(analysis))
    title = say("{network}: {layer}, derived", network=title_of(analysis), layer=words.line(name))
    found = []
    for number, part in enumerate(_pages(shown)):
        clusters = tuple(_derived(part, look))
        more = say(", continued") if number else ""
        about = "; ".join(f"{line.label} {' = '.join(line.parts)}" for line in part)
        found.append(
            Slide("picture", title + more, explained.what, clusters, notes=tuple(filter(None, notes)), about=about)
        )
    return found


def _meaning(letter: Symbol) -> str:
    """What a letter means, its axis and the number of its input after it."""
    found = []
    for part in letter.meaning.split(", "):
        whose = part.rstrip(" 0123456789")
        found.append(say(whose) + part.removeprefix(whose))
    return ", ".join(found)


def _pages(shown: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """As many lines on a slide as have space in the smallest font."""
    start = 0
    for end in range(1, len(shown) + 1):
        if end - start > 1 and not _Derivation(shown[start:end], SIZES[-1]).fits:
            yield shown[start : end - 1]
            start = end - 1
    if shown[start:]:
        yield shown[start:]


class _Derivation:
    """Lines of a derivation at a size of their font: what they are called, and beside it the chains of equations."""

    def __init__(self, shown: Sequence[Line], size: float) -> None:
        self.size = size
        words = [word for line in shown for word in clean(line.label).split()]
        widest = max((text_width(word, size * 0.85, True) for word in words), default=0.0)
        self.label = min(max(LABELS, widest), WIDEST_LABELS)
        self.width = BELOW.width - self.label - 12
        self.labels = [lines_of(line.label, self.label, size * 0.85, True) for line in shown]
        self.chains = [self._chain(line) for line in shown]
        self.notes = [lines_of(f"({line.note})", self.width, size * 0.8) if line.note else [] for line in shown]
        self.height = sum(map(self._height, self.labels, self.chains, self.notes))
        self.fits = self.height <= BELOW.height and widest <= WIDEST_LABELS

    def _chain(self, line: Line) -> list[str]:
        """The chain of equations in lines, broken before an = where it is too long."""
        unit = f" {line.unit}" if line.unit else ""
        *parts, last = line.parts
        rows: list[str] = []
        for part in map(clean, (*parts, last + unit)):
            joined = f"{rows[-1]} = {part}" if rows else part
            if rows and text_width(joined, self.size) > self.width:
                rows += lines_of(f"= {part}", self.width, self.size)
            elif rows:
                rows[-1] = joined
            else:
                rows += lines_of(part, self.width, self.size)
        return rows

    def _height(self, label: Sequence[str], chain: Sequence[str], note: Sequence[str]) -> float:
        right = len(chain) + len(note) * 0.8
        return self.size * (max(right, len(label) * 0.85) * 1.3 + 0.75)


def _derived(shown: Sequence[Line], look: SlideLook) -> Iterator[Cluster]:
    ways = (_Derivation(shown, size) for size in SIZES)
    way = next((way for way in ways if way.fits), _Derivation(shown, SIZES[-1]))
    size, left = way.size, way.label + 12
    # What is left of the slide stands between the lines.
    gap = size * 0.75 + min((BELOW.height - way.height) / len(shown), size * 1.5)
    y = BELOW.y + 8
    for number, (line, label, chain, note) in enumerate(zip(shown, way.labels, way.chains, way.notes, strict=True), 1):
        called, below = text_lines(label, 0, y, size * 0.85, look.theme.quiet, True)
        derived, y = text_lines(chain, left, y, size, look.theme.ink)
        noted, y = text_lines(note, left, y, size * 0.8, look.theme.quiet)
        y = max(y, below) + gap
        step = number if look.steps else 0
        cluster = Cluster(line.label, (*called, *derived, *noted), "derivation", step=step)
        yield placed_for_reading(cluster, BELOW.width)


# --- charts


def chart(analysis: Analysis, kind: str, look: SlideLook) -> Slide:
    """A chart of one network along its depth: `cost`, `memory` or `receptive_field`."""
    from archcalc.render.charts.memory import memory
    from archcalc.render.charts.profile import profile
    from archcalc.render.charts.receptive_field import receptive_field

    plots: Mapping[str, tuple[str, Callable[[Analysis, Look], Mapping[str, Any]]]] = {
        "cost": (mark("{network}: where it spends"), profile),
        "memory": (mark("{network}: what is alive while it runs"), memory),
        "receptive_field": (mark("{network}: how far it sees"), receptive_field),
    }
    title, plot = plots[kind]
    spec = plot(analysis, chart_look(look))
    return chart_slide(say(title, network=title_of(analysis)), spec, sources(analysis))


def chart_look(look: SlideLook) -> Look:
    """A chart that fills the contents of a slide."""
    return Look(look.theme.name, int(BODY.width), int(BODY.height), "")


def chart_slide(title: str, spec: Mapping[str, Any], notes: tuple[str, ...]) -> Slide:
    """A chart as shapes."""
    return Slide("picture", title, items=(chart_shapes(spec),), notes=notes, about=str(spec["description"]))
