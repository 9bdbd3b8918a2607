"""`archcalc draw`."""

from __future__ import annotations

from typing import Any

import click

from archcalc.cli.options import Finite, NetworkChoice, data_in_english, lang_option, network_options, networks_argument
from archcalc.cli.output import ending, note, write_bytes
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target, write_files
from archcalc.displays import numbered
from archcalc.passes.analysis import analyse
from archcalc.render.diagrams.choices import FORMATS, PAGED, SIZES, STYLES, Choices, check
from archcalc.render.diagrams.compose import COLOUR_BY
from archcalc.render.diagrams.draw import draw_steps
from archcalc.render.diagrams.papers.labels import LABELS, NAMES
from archcalc.render.diagrams.theme import THEMES

MOST_NETWORKS = 6


@click.command("draw")
@networks_argument
@click.option("-o", "--output", metavar="FILE", required=True, help="The picture; - is stdout (with -f).")
@click.option("-f", "--format", "form", metavar="FORMAT", help=f"{', '.join(FORMATS)}; default: the ending of -o.")
@click.option("--style", metavar="STYLE", help=f"{', '.join(STYLES)}; default: blocks for deep networks, else graph.")
@network_options
@click.option("--depth", metavar="N", help="Levels of blocks to expand, in blocks and volumes; all expands every one.")
@click.option("--labels", metavar="WHAT,…", help=f"In styles of papers, what is written: {', '.join(LABELS)}.")
@click.option("--names", type=click.Choice(NAMES), help="In styles of papers, the names of layers that are written.")
@click.option("--only", metavar="BLOCK", help="Draw one block by itself, as in --only inception_3a.")
@click.option("--expand", metavar="BLOCK", help="Expand one block, next to the folded ones.")
@click.option("--color-by", default="kind", metavar="WHAT", show_default=True,
              help=f"{', '.join(COLOUR_BY)}.")  # fmt: skip
@click.option("--highlight", metavar="LAYER", help="Mark a layer and everything that it sees.")
@click.option("--theme", metavar="NAME",
              help=f"{', '.join(THEMES)}; default: light, and an SVG follows a dark page.")  # fmt: skip
@click.option("--direction", default="fit", metavar="DIR", show_default=True,
              help="TB (down), LR (to the right), fit (in columns or rows).")  # fmt: skip
@click.option("--fit", metavar="W:H", help="Fill a page of this shape, as in 16:9, or A4, with readable text.")
@click.option("--steps", is_flag=True, help="A series that reveals the network part by part: FILE-01.svg …, or slides.")
@click.option("--font-size", type=Finite(4, 200), default=12.0, show_default=True, help="In pixels.")
@click.option("--font", metavar="FILE", multiple=True,
              help="Draw in the font of this file (.ttf, .otf); a second one has its bold letters.")  # fmt: skip
@click.option("--title", help="Another title; an empty one for none.")
@click.option("--sizes", type=click.Choice(SIZES),
              help="How boxes grow with maps; default: linear, sqrt in towers, slabs and branches.")  # fmt: skip
@lang_option
@click.option(
    "--scale",
    type=Finite(0.1, 20),
    default=2.0,
    show_default=True,
    help="Pixels of a PNG to each pixel of the picture.",
)
def command(
    networks: list[NetworkChoice], output: str, form: str | None, depth: str | None, labels: str | None, **look: Any
) -> None:
    """A picture of a network: every layer, its blocks, its volumes, or a figure as papers draw it.

    Several networks stand next to each other in the style bars.

    NET is a name of the catalogue (alexnet), a variant (alexnet@grouped), a spec file (mynet.yaml), a pattern in quotes
    or a model file (net.onnx).
    """
    check_target(output)
    form = form or ending(output, FORMATS)
    data_in_english(form, "tex")
    choices = Choices(depth=parse_depth(depth), labels=tuple(labels.split(",")) if labels else None, **look)
    check(form, choices)
    series = choices.steps and form not in PAGED
    if series and output == "-":
        raise UsageError(
            f"--steps gives several files, which stdout cannot hold; {' and '.join(PAGED)} hold all in one"
        )
    if not 1 <= len(networks) <= MOST_NETWORKS:
        raise click.UsageError(
            f"draw takes a network, or up to {MOST_NETWORKS} with --style bars: archcalc draw alexnet -o alexnet.svg"
        )
    analysis, *others = (analyse(network.load()) for network in networks)
    pictures = draw_steps(analysis, form, choices, others)
    if series:
        write_files(
            {numbered(output, number, len(pictures)): picture.data for number, picture in enumerate(pictures, 1)}
        )
        note(f"{len(pictures)} files: {numbered(output, 1, len(pictures))} …")
    else:
        write_bytes(pictures[0].data, output)
    for remark in dict.fromkeys(remark for picture in pictures for remark in picture.notes):
        note(f"note: {remark}")


def parse_depth(text: str | None) -> int | None:
    """`--depth`: a number of levels, or 0 for `all`."""
    if text is None:
        return None
    if text == "all":
        return 0
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 99:
        raise UsageError(f"--depth takes a number from 1 to 99, or all, not {text[:40]!r}")
    return int(text)
