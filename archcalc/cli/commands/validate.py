"""`archcalc validate`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.output import write
from archcalc.cli.problems import problems_in
from archcalc.core.errors import Problem, SpecError, UsageError
from archcalc.spec.build import network_names
from archcalc.spec.load import load_spec
from archcalc.spec.spec import Spec

#: Layers that the networks of one file may have together.
MOST_LAYERS = 200_000


@click.command("validate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def command(files: tuple[str, ...]) -> None:
    """Check spec files: their syntax, and that the layers of every network and variant fit together.

    Every problem is shown with file, line and column; exit code 2 if there is any.
    """
    problems: list[Problem] = []
    good = []
    for file in files:
        try:
            spec = load_spec(Path(file))
        except SpecError as error:
            problems += error.problems
            continue
        except UsageError as error:
            problems.append(Problem(str(error)))
            continue
        found = problems_in(spec, file, MOST_LAYERS)
        problems += found
        if not found:
            names = usable_names(spec, Path(file).name)
            good.append(f"{file}: good ({', '.join(names) if len(names) <= 6 else f'{len(names)} networks'})")
    for line in good:
        write(line + "\n", None)
    if problems:
        raise SpecError(problems)


def usable_names(spec: Spec, file: str) -> list[str]:
    """The networks of a file as other commands take them: net.yaml, net.yaml@member, net.yaml@variant."""
    own = spec.document.name
    names = network_names(spec)
    if len(names) == 1:
        return names
    return [file if name == own else f"{file}@{name.removeprefix(f'{own}@')}" for name in names]
