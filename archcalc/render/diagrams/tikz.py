"""A drawing as a LaTeX document with TikZ, which compiles by itself or goes into a lecture."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from archcalc.render.diagrams.drawing import Curve, Drawing, Ramp, Rect, Shape, Text
from archcalc.render.diagrams.svg import number, with_arrow
from archcalc.render.diagrams.text import shorten

#: Pixels of 96 to the inch as points of PostScript.
POINT = 0.75
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "×": r"\ensuremath{\times}", "·": r"\textperiodcentered{}", "−": r"\ensuremath{-}", "–": "--", "…": r"\ldots{}",
    "→": r"\ensuremath{\rightarrow}", "γ": r"\ensuremath{\gamma}", "β": r"\ensuremath{\beta}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}  # fmt: skip
#: pdfTeX's fonts have the letters of Latin-1 and Latin Extended-A, but for these.
END, ABSENT = 0x180, "ĦħĸĿŀŉŦŧſ"
_HEAD = r"""\documentclass[tikz,border=0pt]{standalone}
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
    """The drawing as a document of class standalone."""
    return _HEAD + "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    colours = dict.fromkeys([drawing.background])
    for shape in drawing.shapes():
        found = shape.colours if isinstance(shape, Ramp) else (
            (shape.colour,) if isinstance(shape, Text) else (shape.fill, shape.line)
        )  # fmt: skip
        colours.update(dict.fromkeys(colour for colour in found if colour))
    for colour in colours:
        yield rf"\definecolor{{{_name(colour)}}}{{HTML}}{{{colour[1:].upper()}}}"
    title = escape(shorten(drawing.title, 600, 10))
    yield r"\begin{document}"
    yield f"% {title}"
    yield r"\begin{tikzpicture}[x=0.75bp, y=-0.75bp, line join=round]"
    width, height = number(drawing.width), number(drawing.height)
    yield rf"\useasboundingbox (0,0) rectangle ({width},{height});"
    yield rf"\fill[{_name(drawing.background)}] (0,0) rectangle ({width},{height});"
    for shape in drawing.shapes():
        yield from _shape(shape)
    yield r"\end{tikzpicture}"
    yield r"\end{document}"


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


def _shape(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Rect):
        options = _options(shape.fill, shape.line, shape.thickness, shape.dash)
        if shape.radius:
            options.append(f"rounded corners={_length(min(shape.radius, shape.height / 2, shape.width / 2))}")
        corner = f"({number(shape.x + shape.width)},{number(shape.y + shape.height)})"
        yield rf"\path[{', '.join(options)}] ({number(shape.x)},{number(shape.y)}) rectangle {corner};"
    elif isinstance(shape, Ramp):
        yield from _ramp(shape)
    elif isinstance(shape, Text):
        anchor = {"start": "base west", "middle": "base", "end": "base east"}[shape.anchor]
        size = number(shape.size * POINT)
        bold = r"\bfseries" if shape.bold else ""
        font = rf"\fontsize{{{size}bp}}{{{size}bp}}\selectfont{bold}"
        turn = "rotate=90, " if shape.turned else ""
        yield (
            rf"\node[anchor={anchor}, {turn}inner sep=0pt, text={_name(shape.colour)}, font={font}] "
            f"at ({number(shape.x)},{number(shape.y)}) {{{escape(shape.text)}}};"
        )
    else:
        yield from _curve(shape)


def _curve(shape: Curve) -> Iterator[str]:
    points, head = (shape.points, None)
    if shape.arrow:
        points, head = with_arrow(shape)
    at = [f"({number(x)},{number(y)})" for x, y in points]
    path = at[0]
    if shape.bezier:
        for index in range(1, len(at), 3):
            path += f" .. controls {at[index]} and {at[index + 1]} .. {at[index + 2]}"
    else:
        path += "".join(f" -- {point}" for point in at[1:])
    options = _options(shape.fill, shape.line, shape.thickness, shape.dash)
    if shape.opacity != 1:
        options.append(f"opacity={number(shape.opacity)}")
    yield rf"\path[{', '.join(options)}] {path}{' -- cycle' if shape.closed else ''};"
    if head and shape.line:
        triangle = " -- ".join(f"({number(x)},{number(y)})" for x, y in head)
        yield rf"\fill[{_name(shape.line)}] {triangle} -- cycle;"


def _ramp(shape: Ramp) -> Iterator[str]:
    """Between two colours each, as TikZ shades."""
    step = shape.width / (len(shape.colours) - 1)
    for index, (left, right) in enumerate(zip(shape.colours, shape.colours[1:], strict=False)):
        x = shape.x + index * step
        yield (
            rf"\shade[left color={_name(left)}, right color={_name(right)}] ({number(x)},{number(shape.y)}) "
            f"rectangle ({number(x + step)},{number(shape.y + shape.height)});"
        )
