"""What lecturers show, as functions: decks and demonstrations. Everything is imported where it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc import api
from archcalc.api import AnyNetwork, analysis_of
from archcalc.core.errors import ArrayError, UsageError
from archcalc.core.files import read_bytes, write_bytes
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    import numpy

    from archcalc.core.demonstration import Demonstration
    from archcalc.render.decks.lecture import Plan


class Deck:
    """The slides of a lecture; `save` writes them in the format of the file's ending.

    >>> import archcalc as ac
    >>> deck = ac.deck("lenet5")
    >>> deck
    <Deck of 9 slides: LeNet-5>
    >>> [slide.title for slide in deck.slides][:3]
    ['LeNet-5', 'LeNet-5', 'LeNet-5: the layers']
    """

    def __init__(self, plan: Plan, theme: str, steps: bool) -> None:
        from archcalc.render.decks.deck import make_deck

        self._plan, self._theme, self._steps = plan, theme, steps
        made = make_deck(plan, theme, steps)
        #: Each with `title`, `points`, `table` and `notes`.
        self.slides = made.slides
        #: What there is to say about them, such as texts that are too small.
        self.notes = made.remarks
        self.title = made.title

    def __repr__(self) -> str:
        return f"<Deck of {len(self.slides)} slides: {self.title}>"

    def save(self, path: str | Path, template: str | Path | None = None) -> None:
        """Write a file: .pptx, .pdf or .html. A `template` is a presentation whose layouts and fonts a .pptx takes.

        Raises `UsageError` for another ending, a template that cannot be read, or a file that cannot be written.
        """
        from archcalc.render.decks.deck import FORMATS, render
        from archcalc.render.decks.template import LARGEST

        form = Path(path).suffix.lower().lstrip(".")
        if form not in FORMATS:
            raise UsageError(f"{path}: the ending of a file is its format; there are .{', .'.join(FORMATS)}")
        data = None if template is None else read_bytes(template, LARGEST, "template")
        made, _ = render(self._plan, form, self._theme, self._steps, data, str(template or ""))
        write_bytes(made, path)


def deck(
    *networks: AnyNetwork, lecture: str | Path | None = None, title: str = "", theme: str = "light", steps: bool = False
) -> Deck:
    """The slides of a lecture: pictures, blocks, tables, derivations, charts, a comparison, a timeline and a quiz.

    Args:
        networks: Networks, which get the usual slides.
        lecture: In their place a file (lecture.yaml) that lists the slides.
        title: The title of a deck of networks.
        theme: `light`, `dark` or `print`.
        steps: Pictures appear part by part, derivations and points line by line.

    Raises:
        UsageError: without networks, or for a choice that does not exist.
        SpecError: with everything that is wrong in the lecture, each with file, line and column.

    >>> import archcalc as ac
    >>> ac.deck("lenet5", "alexnet", title="Two networks")
    <Deck of 20 slides: Two networks>

    """
    from archcalc.render.decks.deck import usual_plan
    from archcalc.render.decks.lecture import load_lecture

    if (lecture is None) == (not networks):
        raise UsageError("a deck is of networks, or of a lecture")
    if lecture is not None:
        return Deck(load_lecture(Path(lecture), _load), theme, steps)
    return Deck(usual_plan([analysis_of(network) for network in networks], title), theme, steps)


def _load(name: str, settings: Mapping[str, Any], size: str | None) -> Analysis:
    return api.load(name, settings, input=size).analyse()


class Demo:
    """A layer at work, step by step; `save` writes it in the format of the file's ending, a notebook shows it.

    >>> import archcalc as ac
    >>> demo = ac.demo("pool", "4x4x1 -> pool2")
    >>> demo
    <Demo of 4 steps: 4x4x1 -> pool2, pool1: a window of a pool moves over each channel>
    >>> demo.steps[0].lines
    ('the largest of 0, 0, 0, 2: 2',)
    """

    def __init__(self, shown: Demonstration, theme: str) -> None:
        self._shown, self._theme = shown, theme
        #: Each with the cells that it reads, what it writes, and its calculation in `lines`.
        self.steps = shown.steps
        #: What its settings do, and what is not as in the network.
        self.notes = shown.notes
        self.title = shown.title

    def __repr__(self) -> str:
        return f"<Demo of {len(self.steps)} steps: {self.title}>"

    def _repr_svg_(self) -> str:
        from archcalc.render.demos.demo import render

        text = render(self._shown, "svg", self._theme).decode()
        return text[text.index("<svg") :]

    def save(self, path: str | Path) -> None:
        """Write a file: .html, .svg, .gif or .pptx. Raises `UsageError` for another ending."""
        from archcalc.render.demos.demo import FORMATS, render

        form = Path(path).suffix.lower().lstrip(".")
        if form not in FORMATS:
            raise UsageError(f"{path}: the ending of a file is its format; there are .{', .'.join(FORMATS)}")
        write_bytes(render(self._shown, form, self._theme), path)


def demo(
    what: str,
    network: AnyNetwork,
    layer: str | None = None,
    *,
    numbers: Mapping[str, Any] | None = None,
    seed: int = 0,
    theme: str = "light",
) -> Demo:
    """A layer at work on small numbers, step by step, as the executor computes it.

    Args:
        what: `conv`, `pool`, `im2col`, `matrix`, `dilated`, `transposed`, `receptive-field` or `backward`.
        network: The network.
        layer: The layer; by default the first that can be shown, of a receptive field the last.
        numbers: `input` (channels, *positions), `weight` and `bias` in place of made numbers, as lists or arrays.
        seed: Other made numbers.
        theme: `light`, `dark` or `print`.

    Raises:
        UsageError: for a demonstration or a layer that does not exist or does not suit, and numbers of another shape.

    >>> import archcalc as ac
    >>> notes = ac.demo("conv", "5x1 -> conv3-1p1", numbers={
    ...     "input": [[1, 2, -1, 1, -3]], "weight": [[[1, 0, -1]]], "bias": [0]})
    >>> [step.written[0].value for step in notes.steps]
    [-2.0, 2.0, 1.0, 2.0, 1.0]

    """
    from archcalc.execute.demonstrate.demonstrate import demonstrate

    given = None if numbers is None else arrays_of(numbers)
    return Demo(demonstrate(what, analysis_of(network), layer, seed, given), theme)


def arrays_of(numbers: Mapping[str, Any]) -> Mapping[str, numpy.ndarray[Any, Any]]:
    """The arrays of nested lists. Raises `ArrayError` for what is none."""
    import numpy as np

    found = {}
    for key, value in numbers.items():
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            wrong = next((leaf for leaf in _leaves(value) if not isinstance(leaf, (int, float))), None)
            reason = "its rows must be of one length" if wrong is None else f"{str(wrong)[:40]!r} is no finite number"
            raise ArrayError(key, f"{str(key)[:40]} is no array of numbers: {reason}") from None
        if not np.isfinite(array).all() or not (np.abs(array) < 1e6).all():
            raise ArrayError(key, f"{str(key)[:40]} must hold finite numbers below 1,000,000")
        found[str(key)] = array
    return found


def _leaves(value: Any) -> Iterator[Any]:
    """What stands in nested lists."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    else:
        yield value
