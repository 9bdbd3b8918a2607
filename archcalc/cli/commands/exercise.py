"""`archcalc exercise`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from archcalc.cli.options import NetworkChoice, comma_separated, lang_option, network_argument, network_options
from archcalc.cli.output import Target, note, note_fonts, output_options, write, write_bytes
from archcalc.cli.progress import Progress
from archcalc.core.files import check_empty, check_target, make_folder, whole_folder
from archcalc.graph.layer_graph import LayerGraph
from archcalc.objects import Network
from archcalc.spec.write import write_graph
from archcalc.teach.check.answers.read import ENDINGS as READABLE
from archcalc.teach.exercise.formats import ENDINGS, FORMATS, SUFFIX, TEXTS, sheet_bytes
from archcalc.teach.exercise.handout import Handout
from archcalc.teach.exercise.people import file_names
from archcalc.teach.exercise.roster import MOST_STUDENTS, Roster, read_roster
from archcalc.teach.exercise.variants import is_varied, vary
from archcalc.teach.exercise.worksheet import ASKED, DEFAULT, Worksheet, make_worksheet


@click.command("exercise")
@network_argument
@click.option("--blank", type=float, default=1.0, show_default=True, metavar="SHARE",
              help="The share of cells that are left blank.")  # fmt: skip
@click.option("--quantities", metavar="NAMES", default=",".join(DEFAULT), show_default=True,
              help=f"The columns, comma-separated; of {', '.join(ASKED)}.")  # fmt: skip
@click.option("--layer", metavar="LAYER", help="Only this layer or block.")
@click.option("--every-layer", is_flag=True, help="Layers that work in place too: activations, dropout, flatten.")
@click.option("--seed", default="0", show_default=True, metavar="TEXT",
              help="Seed for the choice of blanks and variants.")  # fmt: skip
@click.option(
    "--vary",
    "varied",
    is_flag=True,
    help="A variant of the network: other input, kernels and channels. With -o also a spec of it.",
)
@click.option("--variants", type=click.IntRange(1, MOST_STUDENTS), metavar="N",
              help="N variants, student-1 to student-N, into the folder -o.")  # fmt: skip
@click.option("--students", metavar="FILE", help="A variant for each name in a file, one per line, into the folder -o.")
@output_options(FORMATS, ENDINGS, "markdown", "The worksheet; with --variants or --students a folder.", checked=False)
@click.option("--key", metavar="FILE", help="The answer key. Default: next to -o, with -key in its name.")
@lang_option
@network_options
def command(
    network: NetworkChoice,
    blank: float,
    quantities: str,
    layer: str | None,
    every_layer: bool,
    seed: str,
    varied: bool,
    variants: int | None,
    students: str | None,
    target: Target,
    key: str | None,
) -> None:
    """A worksheet: the table of a network with blanks, and its answer key with every calculation in a second file.

    The ending of -o chooses the form: .md, .tex, .html, .csv, .docx, .pdf (with fields to fill in), .ipynb (a notebook
    whose cells check themselves), .xml (a quiz for Moodle).

    With --variants or --students each student gets other numbers. The folder then holds worksheets, keys, and the
    networks that `archcalc grade --homework` reads.
    """
    graph = network.load()
    names = comma_separated(quantities)

    def sheet_of(one: LayerGraph, own_seed: str) -> Worksheet:
        return make_worksheet(Network.of(one).analyse(), names, blank, own_seed, layer, every_layer)

    if variants is not None or students is not None:
        if variants is not None and students is not None:
            raise click.UsageError("--variants or --students, not both")
        if target.is_stdout or key is not None:
            raise click.UsageError("--variants and --students write many files: name a folder with -o, and no --key")
        made = [f"student-{number}" for number in range(1, (variants or 0) + 1)]
        roster = read_roster(students) if students else Roster(made)
        check_empty(str(target.path))
        for text in roster.notes:
            note(text)
        _write_all(graph, roster.names, seed, sheet_of, target.form, Path(str(target.path)))
        return
    target.check()
    if target.is_stdout and target.form not in TEXTS:
        raise click.UsageError(f"-f {target.form} is no text: name a file with -o")
    if key is None and not target.is_stdout:
        path = Path(str(target.path))
        key = str(path.with_name(f"{path.stem}-key{path.suffix}"))
    check_target(key, "--key")
    spec = None
    if varied:
        own, graph = graph, vary(graph, seed)
        if not is_varied(own, graph):
            note(f"nothing in {own.name} can change: the variant is the network itself")
        if not target.is_stdout:
            spec = str(Path(str(target.path)).with_name(f"{Path(str(target.path)).stem}-network.yaml"))
            check_target(spec)
    sheet = sheet_of(graph, seed)
    data = sheet_bytes(sheet, target.form)
    if key is not None:
        write_bytes(sheet_bytes(sheet, target.form, key=True), key)
    if spec is not None:
        write(write_graph(graph), spec)
    if target.is_stdout:
        target.write(data.decode())
    else:
        write_bytes(data, str(target.path))
    note_fonts(target.form)
    if spec is not None:
        note(f"{spec} is the network; check answers with: archcalc check {spec} {target.path}")


def _write_all(
    graph: LayerGraph,
    roster: Sequence[str],
    seed: str,
    sheet_of: Callable[[LayerGraph, str], Worksheet],
    form: str,
    folder: Path,
) -> None:
    """All files of a class, or none where one cannot be written. Raises `UsageError` for a folder that is not empty."""
    suffix = SUFFIX[form]
    handout = Handout(graph, sheet_of)
    with whole_folder(folder) as whole, Progress(len(roster)) as progress:
        for name in ("worksheets", "keys", "networks"):
            make_folder(whole / name)
        for index, (student, stem) in enumerate(zip(roster, file_names(roster), strict=True)):
            progress(index, student)
            variant, sheet, *_ = handout.give(f"{seed}/{student}")
            files = {
                f"worksheets/{stem}{suffix}": sheet_bytes(sheet, form, student),
                f"keys/{stem}{suffix}": sheet_bytes(sheet, form, student, key=True),
                f"networks/{stem}.yaml": write_graph(variant).encode("utf-8", "backslashreplace"),
            }
            if suffix not in READABLE:  # `archcalc grade --homework` reads here which cells are blank
                files[f"worksheets/{stem}.csv"] = sheet_bytes(sheet, "csv", student)
            for name, data in files.items():
                (whole / name).write_bytes(data)
    note_fonts(form)
    for line in handout.notes:
        note(line)
