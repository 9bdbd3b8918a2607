"""A deck as pages: each slide as one drawing, for PDF and for HTML."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from archcalc.core.language import direction, language, say
from archcalc.render.convert import to_pdf
from archcalc.render.decks.animation import MOST
from archcalc.render.decks.layout import grid, lines_of, placed_for_reading, table_shapes, text_lines
from archcalc.render.decks.slides import BELOW, BODY, HEIGHT, WIDTH, Area, Deck, Slide
from archcalc.render.diagrams.drawing import Cluster, Drawing, Rect, Shape, Text
from archcalc.render.diagrams.pages import colours
from archcalc.render.diagrams.svg import svg, svg_element
from archcalc.render.diagrams.text import clean, shorten, text_width, wrap
from archcalc.render.diagrams.theme import DARK, Theme
from archcalc.render.pages import shell
from archcalc.render.pages.colours import merge
from archcalc.render.pages.markup import Html, element, join

TITLE, SUBTITLE, FOOT, NOTE = 28.0, 14.0, 11.0, 13.0
#: Sizes of points on a slide, the largest that fits.
POINTS = (24.0, 22.0, 20.0, 18.0, 16.0, 14.0, 12.0)
#: Pages of notes: the width of their lines.
NOTES_WIDTH = WIDTH - 2 * BODY.x


def drawn(slide: Slide, number: int, count: int, theme: Theme) -> Drawing:
    """A whole slide as a drawing: title, contents, number."""
    items: list[Cluster] = []
    if slide.kind in ("title", "section"):
        items.append(placed_for_reading(_cover(slide, theme), WIDTH))
    else:
        title = shorten(clean(slide.title), BODY.width, TITLE, True)
        head = Cluster(title, (Text(BODY.x, 56, title, TITLE, theme.ink, True),), "title")
        items.append(placed_for_reading(head, WIDTH))
        if slide.subtitle:
            line = shorten(clean(slide.subtitle), BODY.width, SUBTITLE)
            shapes, _ = text_lines([line], BODY.x, BODY.y, SUBTITLE, theme.quiet)
            items.append(placed_for_reading(Cluster(line, tuple(shapes), "plain"), WIDTH))
        items += (placed_for_reading(item, WIDTH) for item in _points(slide, theme))
        if slide.table is not None:
            place = BELOW if slide.subtitle else Area(0, 0, BODY.width, BODY.height)
            at = Area(BODY.x + place.x, BODY.y + place.y, place.width, place.height)
            items.append(table_shapes(grid(slide.table, place), at, theme))
        items += [item.moved(BODY.x, BODY.y) for item in slide.items]
    foot = Text(WIDTH - BODY.x, HEIGHT - 14, f"{number} / {count}", FOOT, theme.quiet, False, "end")
    items.append(placed_for_reading(Cluster("", (foot,), "plain"), WIDTH))
    return Drawing(WIDTH, HEIGHT, theme.background, slide.title, slide.about, tuple(items))


def _cover(slide: Slide, theme: Theme) -> Cluster:
    """A title in the middle of the slide, with lines below it."""
    size = 40.0 if slide.kind == "title" else 34.0
    lines = lines_of(slide.title, BODY.width, size, True)[:3]
    y = HEIGHT * 0.42 - len(lines) * size * 0.65
    paint = theme.families["convolution"]
    shapes: list[Shape] = [Rect(BODY.x, y - 18, 90, 5, paint.line)]
    found, y = text_lines(lines, BODY.x, y, size, theme.ink, True)
    shapes += found
    y += 10
    for index, text in enumerate(slide.subtitle.split("\n")):
        found, y = text_lines(
            lines_of(text, BODY.width, 20 if index == 0 else 16), BODY.x, y, 20 if index == 0 else 16, theme.quiet
        )
        shapes += found
        y += 4
    return Cluster(slide.title, tuple(shapes), "title")


def _points(slide: Slide, theme: Theme) -> Iterator[Cluster]:
    """The points below each other, each a step."""
    if not slide.points:
        return
    inset = 34.0

    def height(size: float) -> float:
        return sum(len(lines_of(point, BODY.width - inset, size)) * size * 1.28 + size * 0.6 for point in slide.points)

    def fits(size: float) -> bool:
        words = [word for point in slide.points for word in clean(point).split()]
        widest = max((text_width(word, size) for word in words), default=0.0)
        return height(size) <= BODY.height and widest <= BODY.width - inset

    size = next((size for size in POINTS if fits(size)), POINTS[-1])
    y = BODY.y + 6
    for number, point in enumerate(slide.points, 1):
        mark = f"{slide.first + number - 1}." if slide.kind == "quiz" else "•"
        shapes, below = text_lines(lines_of(point, BODY.width - inset, size), BODY.x + inset, y, size, theme.ink)
        yield Cluster(
            point, (Text(BODY.x + 4, y + size * 0.92, mark, size, theme.quiet, True), *shapes), "plain", step=number
        )
        y = below + size * 0.6


# --- PDF


def pdf(deck: Deck, theme: Theme, steps: bool = False) -> bytes:
    """A page for each slide, with `steps` for each step of it; then the notes."""
    pages: list[str] = []
    count = len(deck.slides)
    for number, slide in enumerate(deck.slides, 1):
        drawing = drawn(slide, number, count, theme)
        for last in _stops(slide) if steps else [None]:
            shown = drawing.items if last is None else tuple(item for item in drawing.items if item.step <= last)
            pages.append(svg(drawing._replace(items=shown)))
    pages += [svg(page) for page in _notes_pages(deck, theme)]
    return to_pdf(pages, clean(deck.title), "Made by archcalc", 1.0)


def _stops(slide: Slide) -> list[int | None]:
    """The last step of each page of a slide; very many are put together."""
    found = slide.steps()
    if len(found) < 2:
        return [None]
    each = -(-len(found) // MOST)
    return [*found[each - 1 : -1 : each], None]


def _notes_pages(deck: Deck, theme: Theme) -> Iterator[Drawing]:
    """The notes of all slides as running text; a deck is read on paper too."""
    lines: list[tuple[str, bool]] = []
    for number, slide in enumerate(deck.slides, 1):
        if not slide.notes:
            continue
        lines += [("", False), (shorten(f"{number}  {clean(slide.title)}", NOTES_WIDTH, NOTE, True), True)]
        for note in slide.notes:
            lines += [(line, False) for line in wrap(clean(note), NOTES_WIDTH, NOTE)]
    size = int((HEIGHT - 100) / (NOTE * 1.3))
    for start in range(0, len(lines), size):
        y = 84.0
        shapes: list[Shape] = [Text(BODY.x, 50, say("Notes"), 22, theme.ink, True)]
        for text, bold in lines[start : start + size]:
            if text:
                shapes.append(Text(BODY.x, y, text, NOTE, theme.ink, bold))
            y += NOTE * 1.3
        page = placed_for_reading(Cluster(say("Notes"), tuple(shapes), "plain"), WIDTH)
        yield Drawing(WIDTH, HEIGHT, theme.background, say("Notes"), "", (page,))


# --- HTML


def html(deck: Deck, dark: Deck, theme: Theme, steps: bool = False) -> bytes:
    """A page that is the whole deck; `dark` is the same deck in the colours of a dark page, or itself."""
    sections = []
    pairs = list(zip(deck.slides, dark.slides, strict=True))
    for number, (slide, other) in enumerate(pairs, 1):
        sections.append(_section(slide, other, number, len(pairs), theme, dark is not deck, steps))
    body = join(*sections, between="\n")
    light_colours, dark_colours = colours([body])
    night = theme if dark is deck else DARK
    style = (
        f":root{{{_variables(theme)}{light_colours}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(night)}{dark_colours}}}}}\n"
        + _asset("deck.css")
    )
    title = clean(deck.title)
    inside = Template(_asset("deck.html")).substitute(
        title=join(title), slides=body, back=say("Back"), next=say("Next"), notes=say("Notes"), all=say("Slides"),
        place=escape(say("{number} of {count}", number="#", count=len(pairs))),
    )  # fmt: skip
    text = shell.page(title, style, _asset("deck.js"), Html(inside), language(), direction())
    return text.encode("utf-8", "backslashreplace")


def _section(slide: Slide, other: Slide, number: int, count: int, theme: Theme, both: bool, steps: bool) -> Html:
    ids = f"s{number}-"
    picture = svg_element(drawn(slide, number, count, theme), ids, "img", steps)
    second = svg_element(drawn(other, number, count, DARK), ids, "img", steps) if both else picture
    image = Html(merge(picture, second)) if both else Html(picture)
    # What the drawing shows, for those who hear it.
    heard: list[Html] = [element("h2", clean(slide.title), class_="hidden")]
    if slide.points:
        heard.append(
            element(
                "ol" if slide.kind == "quiz" else "ul",
                *(element("li", clean(point)) for point in slide.points),
                class_="hidden",
                start=str(slide.first) if slide.first > 1 else None,
            )
        )
    if slide.table is not None:
        heard.append(_table(slide))
    notes = element(
        "div", element("h3", say("Notes")), *(element("p", clean(note)) for note in slide.notes), class_="notes"
    )
    return element(
        "section", *heard, Html(image), notes if slide.notes else None, class_="slide", id=f"slide-{number}",
        aria_label=say("Slide {number} of {count}", number=number, count=count),
    )  # fmt: skip


def _table(slide: Slide) -> Html:
    assert slide.table is not None
    heads = element("tr", *(element("th", clean(head), scope="col") for head in slide.table.heads))
    rows = [element("tr", *(element("td", clean(cell)) for cell in row)) for row in slide.table.rows]
    return element("table", element("caption", clean(slide.title)), heads, *rows, class_="hidden")


def _variables(theme: Theme) -> str:
    named = {
        "background": theme.background, "ink": theme.ink, "quiet": theme.quiet, "surface": theme.frame.fill,
        "line": theme.frame.line,
    }  # fmt: skip
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


@cache
def _asset(name: str) -> str:
    return files("archcalc.render.decks").joinpath("assets", name).read_text(encoding="utf-8")
