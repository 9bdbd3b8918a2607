"""What notebooks show and files hold: pictures, charts and derivations of an analysis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.core.files import write_bytes, write_files, write_text
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.render.diagrams.choices import Choices


class Drawing:
    """A picture of a network. A notebook shows it; `save` writes it in the format of the file's ending.

    >>> import archcalc as ac
    >>> drawing = ac.load("lenet5").draw(style="graph")
    >>> drawing.svg[:4], drawing.notes
    ('<svg', ())
    """

    def __init__(self, analysis: Analysis, choices: Choices) -> None:
        from archcalc.render.diagrams.draw import draw

        self._analysis, self._choices = analysis, choices
        picture = draw(analysis, "svg", choices)
        text = picture.data.decode()
        #: The picture as an SVG element.
        self.svg = text[text.index("<svg") :]
        #: What there is to say about it, such as what was left out.
        self.notes = picture.notes

    def __repr__(self) -> str:
        return f"<Drawing of {self._analysis.graph.title or self._analysis.graph.name}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write a file: .svg, .png, .pdf, .pptx, .tex, .dot, .mmd or .drawio.

        A drawing in steps becomes slides or pages, or a series of files, `NAME-01.svg` and so on. Raises `UsageError`
        for another ending, or where the file cannot be written.
        """
        from archcalc.render.diagrams.choices import FORMATS
        from archcalc.render.diagrams.draw import draw_steps

        pictures = draw_steps(self._analysis, _ending(path, FORMATS), self._choices)
        if len(pictures) == 1:
            write_bytes(pictures[0].data, path)
        else:
            write_files({numbered(path, n, len(pictures)): each.data for n, each in enumerate(pictures, 1)})


class Derivations:
    """How numbers are calculated, step by step: as text when printed, as mathematics in a notebook.

    >>> import archcalc as ac
    >>> print(ac.analyse("alexnet").explain("conv1", "params"))
    conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3
    <BLANKLINE>
      params  (F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944   (363 weights and 1 bias for each filter)
    <BLANKLINE>
    """

    def __init__(self, analysis: Analysis, layer: str | None = None, quantity: str | None = None) -> None:
        from archcalc.explain.derive import network

        title = analysis.graph.title or analysis.graph.name
        quantity = None if quantity is None else network.find_quantity(quantity)
        names = network.find_layers(analysis, layer)
        self._sum = self._layers = None
        self._title = title
        if quantity is not None and quantity in network.SUMS and (layer is None or len(names) > 1):
            self._title = f"{title}, {layer}" if layer else title
            self._sum = network.sum_up(analysis, quantity, names)
            return
        self._layers = network.explain_layers(analysis, names, quantity)
        if not self._layers:
            raise UsageError(f"{layer or title} has no {quantity} to explain")

    def render(self, form: str, width: int | None = None) -> str:
        """As `text` (of a `width`), `markdown`, `latex`, `html` (a page) or `json`."""
        from archcalc.explain.derive import formats

        if self._sum is not None:
            return formats.render_sum(self._sum, form, self._title, width)
        return formats.render(self._layers or (), form, self._title, width)

    def __str__(self) -> str:
        return self.render("text")

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.render("markdown")

    def _repr_html_(self) -> str:
        from archcalc.explain.derive import formats

        if self._sum is not None:
            return formats.sum_section(self._sum, "html", self._title)
        return formats.sections(self._layers or (), "html")

    def to_latex(self) -> str:
        """For a LaTeX document with `amsmath`."""
        return self.render("latex")

    def to_dict(self) -> dict[str, Any]:
        """As plain data, `archcalc.explanation/1` or `archcalc.sum/1`."""
        data: dict[str, Any] = json.loads(self.render("json"))
        return data

    def save(self, path: str | Path) -> None:
        """Write a file: .txt, .md, .tex, .html or .json. Raises `UsageError` for another ending."""
        from archcalc.explain.derive.formats import ENDINGS

        form = ENDINGS[f".{_ending(path, {ending[1:]: form for ending, form in ENDINGS.items()})}"]
        write_text(self.render(form), path)


def numbered(path: str | Path, number: int, count: int) -> str:
    """The name of one file of a series: lenet5-03.svg."""
    whole = Path(path)
    return str(whole.with_name(f"{whole.stem}-{number:0{max(len(str(count)), 2)}}{whole.suffix}"))


def _ending(path: str | Path, known: Mapping[str, str]) -> str:
    ending = Path(path).suffix.lower().lstrip(".")
    if ending not in known:
        raise UsageError(
            f"{path}: the ending of a file is its format; there are {', '.join(f'.{one}' for one in known)}"
        )
    return ending
