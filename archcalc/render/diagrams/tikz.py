"""A drawing as a LaTeX document with TikZ, which compiles by itself or goes into a lecture."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from archcalc.render.diagrams.drawing import (
    CORNER,
    Cluster,
    Curve,
    Drawing,
    Link,
    Point,
    Ramp,
    Rect,
    Shape,
    Text,
    shifted,
)
from archcalc.render.diagrams.places import POINT, Place, Places, front_of
from archcalc.render.diagrams.svg import number
from archcalc.render.diagrams.text import LEADING, shorten
from archcalc.render.diagrams.theme import FAMILIES, THEMES, family_name

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "×": r"\ensuremath{\times}", "·": r"\textperiodcentered{}", "−": r"\ensuremath{-}", "–": "--", "…": r"\ldots{}",
    "→": r"\ensuremath{\rightarrow}", "←": r"\ensuremath{\leftarrow}", "|": r"\textbar{}",
    "γ": r"\ensuremath{\gamma}", "β": r"\ensuremath{\beta}", '"': r"\textquotedbl{}",
}  # fmt: skip
#: pdfTeX's fonts have the letters of Latin-1 and Latin Extended-A, but for these.
END, ABSENT = 0x180, "ĦħĸĿŀŉŦŧſ"
_HEAD = r"""\documentclass[tikz,border=0pt]{standalone}
\usetikzlibrary{arrows.meta}
\usepackage{iftex}
\newcommand{\nothere}{{\fboxsep0pt\fbox{\rule{0pt}{1.3ex}\rule{1ex}{0pt}}}}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage{textcomp}
  \usepackage[scaled=0.98]{helvet}
  % pdfTeX has no letters of most scripts; LuaLaTeX and XeLaTeX take them from the font, where it has them.
  \newcommand{\other}[1]{\nothere}
\else
  \usepackage{fontspec}
  \newcommand{\other}[1]{\iffontchar\font`#1 #1\else\nothere\fi}
  \IfFontExistsTF{Arimo}{\setsansfont{Arimo}}{\IfFontExistsTF{Arial}{\setsansfont{Arial}}{%
    \IfFontExistsTF{Liberation Sans}{\setsansfont{Liberation Sans}}{%
      \IfFontExistsTF{TeX Gyre Heros}{\setsansfont{TeX Gyre Heros}}{}}}}
\fi
\renewcommand{\familydefault}{\sfdefault}
% Frames lie below lines, and lines below boxes.
\pgfdeclarelayer{frames}
\pgfdeclarelayer{lines}
\pgfsetlayers{frames,lines,main}
"""


def escape(text: str) -> str:
    """A text in LaTeX."""
    return "".join(_letter(c) for c in text)


def _letter(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if unicodedata.category(character) == "Cf":  # says how others are joined; pdfTeX would stop at it
        return ""
    return character if ord(character) < END and character not in ABSENT else rf"\other{{{character}}}"


def tikz(drawing: Drawing) -> str:
    """The drawing as a document of class standalone: boxes as named nodes, colours and lines as styles at the top.

    What ends at a box is drawn from its anchors, and what belongs to it lies in one scope with it.
    """
    return _HEAD + "\n".join(_Writer(drawing).lines()) + "\n"


class _Writer:
    """Writes a drawing; what looks the same has one style, named by what the theme calls its colours."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.styles: dict[str, str] = {}
        self.fonts: dict[float, str] = {}
        self.places = Places(drawing)
        self.words, self.boxes = _colours(drawing)

    def lines(self) -> Iterator[str]:
        drawing = self.drawing
        colours = dict.fromkeys([drawing.background])
        for shape in drawing.shapes():
            found = shape.colours if isinstance(shape, Ramp) else (
                (shape.colour,) if isinstance(shape, Text) else (shape.fill, shape.line)
            )  # fmt: skip
            colours.update(dict.fromkeys(colour for colour in found if colour))
        colours.update(dict.fromkeys(link.line for link in drawing.links))
        body = list(self._body())
        for colour in colours:
            yield rf"\definecolor{{{_name(colour)}}}{{HTML}}{{{colour[1:].upper()}}}"
        for size, command in self.fonts.items():
            length, skip = number(size * POINT), number(size * POINT * LEADING)
            yield rf"\newcommand{{{command}}}{{\fontsize{{{length}bp}}{{{skip}bp}}\selectfont}}"
        yield r"\tikzset{"
        yield r"  net box/.style={align=center, inner sep=0pt, outer sep=0pt}, net words/.style={inner sep=0pt},"
        yield r"  net arrow/.style={-{Triangle[length=4.9bp, width=4.1bp]}},"
        yield from (f"  {name}/.style={{{options}}}," for options, name in self.styles.items())
        yield "}"
        yield r"\begin{document}"
        yield f"% {escape(shorten(drawing.title, 600, 10))}"
        yield r"\begin{tikzpicture}[x=0.75bp, y=-0.75bp, line join=round]"
        width, height = number(drawing.width), number(drawing.height)
        yield rf"\useasboundingbox (0,0) rectangle ({width},{height});"
        yield from body
        yield r"\end{tikzpicture}"
        yield r"\end{document}"

    def _body(self) -> Iterator[str]:
        """Frames, then boxes with the lines above them, then the lines below boxes, once all boxes have their names."""
        size = f"({number(self.drawing.width)},{number(self.drawing.height)})"
        frames = [rf"\fill[{_name(self.drawing.background)}] (0,0) rectangle {size};"]
        main: list[str] = []
        below: list[str] = []
        made: set[str] = set()
        waiting: list[tuple[list[str], set[str]]] = []
        glued: set[int] = set()
        for index, item in enumerate(self.drawing.items):
            self.places.used.clear()
            place = self.places.of_item.get(index)
            linked = item.linked and self.drawing.links
            lines = list(self._links(item, glued) if linked else self._cluster(item, place))
            used = set(self.places.used)
            if item.role == "block":
                frames += lines
            elif place or used <= made:
                main += lines
            elif used & made:
                waiting.append((lines, used))
            else:  # what is drawn before all that it joins lies below
                below += lines
            if place:
                made.add(place.name)
                ready = [one for one in waiting if one[1] <= made]
                waiting = [one for one in waiting if one not in ready]
                main += [line for one, _ in ready for line in one]
        for layer, lines in (("frames", frames), ("", main), ("lines", below)):
            if lines:
                yield from [rf"\begin{{pgfonlayer}}{{{layer}}}", *lines, r"\end{pgfonlayer}"] if layer else lines

    def _links(self, item: Cluster, glued: set[int]) -> Iterator[str]:
        """The edges of a layer in one piece, where its first line is; of others the texts, and ends in the open."""
        if item.linked not in glued:
            glued.add(item.linked)
            yield from (self._link(link) for link in self.drawing.links if link.layer == item.linked)
        if any(isinstance(shape, Text) for shape in item.shapes):
            for shape in item.shapes:
                if isinstance(shape, Text) or (isinstance(shape, Curve) and shape.arrow):
                    yield from self._shape(shape, True)

    def _link(self, link: Link) -> str:
        options = [self._style(None, link.line, link.thickness, link.dash), "net arrow"]
        options += [f"rounded corners={_length(CORNER)}"] if len(link.points) > 2 else []
        return rf"\path[{', '.join(options)}] {self.places.way(link.points)};"

    def _cluster(self, cluster: Cluster, place: Place | None) -> Iterator[str]:
        """A box with its texts as one node, and what else is drawn of it in a scope; anything else shape by shape."""
        front = front_of(cluster) if place or (cluster.role == "block" and cluster.block) else None
        if front is None:
            for shape in cluster.shapes:
                yield from self._shape(shape, cluster.role == "edge")
            return
        box = front[1]
        name = place.name if place else self.places.unique(f"frame-{cluster.block}")
        inside = _inside(cluster, box)
        others = [shape for shape in cluster.shapes if shape is not front[0] and not any(shape is t for t in inside)]
        if not others:
            yield self._node(box, inside, name)
            return
        yield rf"\begin{{scope}}[shift={{({number(box.x)},{number(box.y)})}}]"
        for shape in cluster.shapes:
            if shape is front[0]:
                yield self._node(box._replace(x=0.0, y=0.0), inside, name)
            elif any(shape is other for other in others):
                yield from self._shape(shifted(shape, -box.x, -box.y))
        yield r"\end{scope}"

    def _node(self, box: Rect, texts: Sequence[Text], name: str) -> str:
        options = ["net box", self._style(box.fill, box.line, box.thickness, box.dash)]
        options += [f"minimum width={_length(box.width)}", f"minimum height={_length(box.height)}"]
        if box.radius:
            options.append(f"rounded corners={_length(min(box.radius, box.height / 2, box.width / 2))}")
        x, y = number(box.x + box.width / 2), number(box.y + box.height / 2)
        lines = r" \\ ".join(self._words(text, coloured=True) for text in texts)
        return rf"\node[{', '.join(options)}] ({name}) at ({x},{y}) {{{lines}}};"

    def _words(self, text: Text, coloured: bool = False) -> str:
        """A line of text with its font."""
        font = self._font(text.size) + (r"\bfseries" if text.bold else "")
        return font + (rf"\color{{{_name(text.colour)}}}" if coloured else "") + f" {escape(text.text)}"

    def _font(self, size: float) -> str:
        """A command for a size; TeX takes letters alone in its name."""
        if size not in self.fonts:
            self.fonts[size] = r"\size" + "".join("abcdefghij"[int(digit)] for digit in str(len(self.fonts)))
        return self.fonts[size]

    def _style(self, fill: str | None, line: str | None, thickness: float, dash: tuple[float, ...]) -> str:
        options = ", ".join(_options(fill, line, thickness, dash))
        if options not in self.styles:
            # The prefix keeps styles apart from keys of TikZ, such as shape.
            found = self.boxes.get(str(line), "colour") if fill and line else self.words.get(str(line), "line")
            word = "net " + (found if line else "area")
            taken = set(self.styles.values())
            numbered = chain([word], (f"{word} {count}" for count in range(2, len(taken) + 3)))
            self.styles[options] = next(name for name in numbered if name not in taken)
        return self.styles[options]

    def _shape(self, shape: Shape, joins: bool = False) -> Iterator[str]:
        """One shape; what `joins` boxes is drawn from their anchors."""
        if isinstance(shape, Rect):
            options = [self._style(shape.fill, shape.line, shape.thickness, shape.dash)]
            if shape.radius:
                options.append(f"rounded corners={_length(min(shape.radius, shape.height / 2, shape.width / 2))}")
            corner = f"({number(shape.x + shape.width)},{number(shape.y + shape.height)})"
            yield rf"\path[{', '.join(options)}] ({number(shape.x)},{number(shape.y)}) rectangle {corner};"
        elif isinstance(shape, Ramp):
            yield from _ramp(shape)
        elif isinstance(shape, Text):
            anchor = {"start": "base west", "middle": "base", "end": "base east"}[shape.anchor]
            turn = ", rotate=90" if shape.turned else ""
            yield (
                rf"\node[net words, anchor={anchor}{turn}, text={_name(shape.colour)}] "
                f"at ({number(shape.x)},{number(shape.y)}) {{{self._words(shape)}}};"
            )
        else:
            yield self._curve(shape, joins)

    def _curve(self, shape: Curve, joins: bool) -> str:
        options = [self._style(shape.fill, shape.line, shape.thickness, shape.dash)] if shape.fill or shape.line else []
        if shape.arrow:
            options.append("net arrow")
        if shape.opacity != 1:
            options.append(f"opacity={number(shape.opacity)}")
        places = self.places if joins else _NOWHERE
        points, radius = unrounded(shape.points) if shape.bezier else (shape.points, 0.0)
        if points is not None:
            if radius:
                options.append(f"rounded corners={_length(radius)}")
            path = places.way(points, shape.closed)
        else:
            path = places.bent(shape.points)
        return rf"\path[{', '.join(options)}] {path}{' -- cycle' if shape.closed else ''};"


#: No boxes: every point is said by its coordinates.
_NOWHERE = Places(Drawing(0, 0, "", "", "", ()))


def _colours(drawing: Drawing) -> tuple[dict[str, str], dict[str, str]]:
    """What lines are called, and boxes by the colour of their line: as the legend calls them, in English or not at all.

    A figure may give the colours of kinds of layers another meaning.
    """
    lines: dict[str, str] = {}
    boxes: dict[str, str] = {}
    families = {family_name(family): family for family in FAMILIES}
    for item in drawing.items:
        for sample, text in pairwise(item.shapes if item.role in ("legend", "key") else ()):
            if isinstance(sample, Rect) and sample.fill and sample.line and isinstance(text, Text):
                word = families.get(text.text, text.text)
                if re.fullmatch(r"[A-Za-z ]{1,40}", word):
                    boxes.setdefault(sample.line, word)
    for theme in [theme for theme in THEMES.values() if theme.background == drawing.background][:1]:
        lines |= {str(getattr(theme, word)): word for word in ("ink", "quiet", "edge", "accent")}
        for frame in (theme.frame, theme.inner_frame):
            boxes.setdefault(frame.line, "frame")
    return lines, boxes


def _name(colour: str) -> str:
    return "c" + colour[1:]


def _length(value: float) -> str:
    return f"{number(value * POINT)}bp"


def _options(fill: str | None, line: str | None, thickness: float, dash: tuple[float, ...]) -> list[str]:
    options = []
    if fill:
        options.append(f"fill={_name(fill)}")
    if line:
        options += [f"draw={_name(line)}", f"line width={_length(thickness)}"]
        if dash:
            options.append("dash pattern=" + " ".join(
                f"{'off' if index % 2 else 'on'} {_length(part)}" for index, part in enumerate(dash)
            ))  # fmt: skip
    return options


def _inside(cluster: Cluster, box: Rect) -> list[Text]:
    """The texts that stand one below the other in the middle of a box; none where another stands beside them."""
    texts = [shape for shape in cluster.shapes if isinstance(shape, Text) and box.y < shape.y < box.y + box.height]
    texts = [text for text in texts if box.x < text.x < box.x + box.width]
    middle = [text for text in texts if text.anchor == "middle" and not text.turned]
    middle = [text for text in middle if abs(text.x - box.x - box.width / 2) < 1]
    return middle if len(middle) == len(texts) else []


def unrounded(points: Sequence[Point]) -> tuple[tuple[Point, ...] | None, float]:
    """The corners of a line that `rounded` made, and the radius of its corners; None for a line that is bent."""
    found: list[Point] = [points[0]]
    here, radius = points[0], 0.0
    for index in range(1, len(points), 3):
        first, second, end = points[index : index + 3]
        if first == here and second == end:
            found.append(end)
        elif first == second:
            radius = max(radius, abs(end[0] - first[0]) + abs(end[1] - first[1]))
            found[-1:] = [first] if len(found) > 1 else [found[0], first]
        else:
            return None, 0.0
        here = end
    if found[-1] != points[-1]:
        found.append(points[-1])
    return tuple(found), radius


def _ramp(shape: Ramp) -> Iterator[str]:
    """Between two colours each, as TikZ shades."""
    step = shape.width / (len(shape.colours) - 1)
    for index, (left, right) in enumerate(zip(shape.colours, shape.colours[1:], strict=False)):
        x = shape.x + index * step
        yield (
            rf"\shade[left color={_name(left)}, right color={_name(right)}] ({number(x)},{number(shape.y)}) "
            f"rectangle ({number(x + step)},{number(shape.y + shape.height)});"
        )
