"""What notebooks show and files hold: pictures, charts and derivations of an analysis."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.core.files import write_bytes, write_files, write_text
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.render.charts.figure import Look
    from archcalc.render.diagrams.choices import Choices


class Drawing:
    """A picture of a network. A notebook shows it; `save` writes it in the format of the file's ending.

    >>> import archcalc as ac
    >>> drawing = ac.load("lenet5").draw(style="graph")
    >>> drawing.svg[:4], drawing.notes
    ('<svg', ())
    """

    def __init__(self, analysis: Analysis, choices: Choices, classes: bool = True) -> None:
        from archcalc.render.diagrams.draw import draw

        self._analysis, self._choices = analysis, choices
        picture = draw(analysis, "svg", choices, classes)
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


class Chart:
    """A chart. A notebook shows it; `save` writes it in the format of the file's ending.

    >>> import archcalc as ac
    >>> chart = ac.plot("profile", "lenet5")
    >>> chart.spec["$schema"].rpartition("/")[2]
    'v6.json'
    """

    def __init__(self, spec: Mapping[str, Any], notes: tuple[str, ...] = ()) -> None:
        #: The Vega-Lite specification, data included.
        self.spec = spec
        #: What there is to say about it, such as which networks were left out.
        self.notes = notes

    def __repr__(self) -> str:
        return f"<Chart: {self.spec['usermeta']['archcalc']['title']}>"

    def _repr_svg_(self) -> str:
        from archcalc.render.charts.render import svg

        return svg(self.spec)

    def save(self, path: str | Path, scale: float = 2.0) -> None:
        """Write a file: .svg, .png (`scale` pixels to each unit of the chart), .pdf, .html or .json.

        Raises `UsageError` for another ending, or where the file cannot be written.
        """
        from archcalc.render.charts.render import FORMATS, render

        write_bytes(render(self.spec, _ending(path, FORMATS), scale), path)


#: Charts of one network along its depth: the name of the function and of its module.
ALONG = ("profile", "memory", "receptive_field")


def chart_of(analysis: Analysis, kind: str = "profile", **look: Any) -> Chart:
    """One of the charts `ALONG` the depth of a network. Raises `UsageError` for another."""
    from importlib import import_module

    if kind not in ALONG:
        raise UsageError(f"there is no chart {kind[:60]!r} of one network; there are {', '.join(ALONG)}")
    draw = getattr(import_module(f"archcalc.render.charts.{kind}"), kind)
    return Chart(draw(analysis, look_of(look)))


def look_of(choices: Mapping[str, Any]) -> Look:
    """Theme, width, height and title of a chart. Raises `UsageError` for a choice that does not exist."""
    from dataclasses import fields

    from archcalc.render.charts.figure import Look
    from archcalc.render.charts.theme import theme_of

    known = [field.name for field in fields(Look)]
    for name in choices:
        if name not in known:
            raise UsageError(f"a chart has no choice {name!r}; it has {', '.join(known)}")
    look = Look(**choices)
    theme_of(look.theme)
    return look


class Text(ABC):
    """Something to read: text where it is printed, Markdown in a notebook, plain data, or a file."""

    #: The forms that it can be saved in, by the ending of the file.
    endings: Mapping[str, str] = {".txt": "text", ".md": "markdown", ".html": "html", ".json": "json"}

    @abstractmethod
    def render(self, form: str, width: int | None = None) -> str:
        """In a form: `text` (of a `width` where that matters), `markdown` and so on."""

    def __str__(self) -> str:
        return self.render("text").rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return self.render("markdown")

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with its schema."""
        data: dict[str, Any] = json.loads(self.render("json"))
        return data

    def save(self, path: str | Path) -> None:
        """Write a file in the form of its ending. Raises `UsageError` for an ending that it does not have."""
        form = _ending(path, {ending[1:]: form for ending, form in self.endings.items()})
        write_text(self.render(self.endings[f".{form}"]), path)


class Result(Text):
    """What a command found: `value` is the object with all of it, the rest shows it.

    >>> import archcalc as ac
    >>> result = ac.solve("(227 - F + 2*0)/4 + 1 = 55")
    >>> result
    F = 11
    >>> result.value.whole
    (11,)
    """

    def __init__(self, value: Any, render: Callable[[str], str], endings: Mapping[str, str] | None = None) -> None:
        #: The object with everything that was found.
        self.value = value
        self._render = render
        self.endings = endings or type(self).endings

    def render(self, form: str, width: int | None = None) -> str:
        """In one of its forms. Raises `UsageError` for another."""
        forms = {"text", *self.endings.values()}
        if form not in forms:
            raise UsageError(f"there is no form {form!r}; there are {', '.join(sorted(forms))}")
        return self._render(form)

    def _repr_markdown_(self) -> str:
        return self.render("markdown") if "markdown" in self.endings.values() else f"```text\n{self}\n```"

    @property
    def is_right(self) -> bool:
        """Whether nothing was wrong, for what can be right or wrong."""
        right: bool = self.value.is_right
        return right


class Document(Result):
    """A result that can also be saved as a file that is no text, such as .docx and .pdf."""

    def __init__(
        self,
        value: Any,
        render: Callable[[str], str],
        endings: Mapping[str, str],
        make: Callable[[str], bytes],
        binary: Mapping[str, str],
    ) -> None:
        super().__init__(value, render, endings)
        self._make, self._binary = make, binary

    def save(self, path: str | Path) -> None:
        """Write a file in the form of its ending. Raises `UsageError` for an ending that it does not have."""
        form = self._binary.get(Path(path).suffix.lower())
        if form is None:
            super().save(path)
        else:
            write_bytes(self._make(form), path)


class Derivations(Text):
    """How numbers are calculated, step by step: as text when printed, as mathematics in a notebook.

    >>> import archcalc as ac
    >>> print(ac.analyse("alexnet").explain("conv1", "params"))
    conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3
    <BLANKLINE>
      params  (F·F·D₁ + 1)·K = (11·11·3 + 1)·96 = 364·96 = 34,944   (363 weights and 1 bias for each filter)
    """

    endings: Mapping[str, str] = {**Text.endings, ".tex": "latex"}

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
            hint = "; a padding is calculated where it is same" if str(quantity).startswith("padding") else ""
            raise UsageError(f"{layer or title} has no {quantity} to explain{hint}")

    def render(self, form: str, width: int | None = None) -> str:
        """As `text` (of a `width`), `markdown`, `latex`, `html` (a page) or `json`."""
        from archcalc.explain.derive import formats

        if self._sum is not None:
            return formats.render_sum(self._sum, form, self._title, width)
        return formats.render(self._layers or (), form, self._title, width)

    def _repr_html_(self) -> str:
        from archcalc.explain.derive import formats

        if self._sum is not None:
            return formats.sum_section(self._sum, "html", self._title)
        return formats.sections(self._layers or (), "html")

    def to_latex(self) -> str:
        """For a LaTeX document with `amsmath`."""
        return self.render("latex")


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
