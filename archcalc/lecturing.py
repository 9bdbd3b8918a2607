"""What lecturers show, as functions: decks. Everything is imported where it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc import api
from archcalc.api import AnyNetwork, analysis_of
from archcalc.core.errors import UsageError
from archcalc.core.files import read_bytes, write_bytes
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
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
