"""`archcalc deck`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from archcalc.cli.options import NetworkChoice, lang_option, network_options, networks_argument, parse_input
from archcalc.cli.output import ending, note, note_fonts, write_bytes
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target, read_bytes
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.decks.deck import FORMATS, render, usual_plan
from archcalc.render.decks.lecture import is_lecture, load_lecture
from archcalc.render.decks.template import LARGEST
from archcalc.render.diagrams.theme import THEMES


@click.command("deck")
@networks_argument
@click.option("-o", "--output", metavar="FILE", required=True, help="The deck; - is stdout (with -f).")
@click.option("-f", "--format", "form", metavar="FORMAT", help=f"{', '.join(FORMATS)}; default: the ending of -o.")
@network_options
@click.option("--template", metavar="FILE", help="A presentation whose layouts, fonts and colours a .pptx takes.")
@click.option("--steps", is_flag=True, help="Pictures appear part by part, derivations and points line by line.")
@click.option("--theme", default="light", metavar="NAME", show_default=True, help=f"{', '.join(THEMES)}.")
@click.option("--title", help="The title of a deck of networks.")
@lang_option
def command(
    networks: list[NetworkChoice],
    output: str,
    form: str | None,
    template: str | None,
    steps: bool,
    theme: str,
    title: str | None,
) -> None:
    """The slides of a lecture: pictures, blocks, tables, derivations, charts, a comparison, a timeline, a quiz.

    Give a lecture (lecture.yaml), which lists its slides, or networks, which get the usual ones. Sources and the
    answers of the quiz stand in the speaker's notes.
    """
    check_target(output)
    form = form or ending(output, FORMATS)
    if form not in FORMATS:
        raise UsageError(f"there is no format {form[:60]!r}; there are {', '.join(FORMATS)}")
    first = networks[0].name if networks else ""
    if len(networks) == 1 and is_lecture(first):
        if title is not None or networks[0].settings or networks[0].shape:
            raise UsageError(f"{first} says its title, settings and inputs itself")
        plan = load_lecture(Path(first), load)
    else:
        plan = usual_plan([analyse(network.load()) for network in networks], title or "")
    data = None if template is None else read_bytes(template, LARGEST, "template")
    made, remarks = render(plan, form, theme, steps, data, template or "")
    write_bytes(made, output)
    note_fonts(form)
    for remark in remarks:
        note(f"note: {remark}")


def load(name: str, settings: Mapping[str, Any], size: str | None) -> Analysis:
    """A network of a lecture."""
    return analyse(NetworkChoice(name, settings, parse_input(size)).load())
