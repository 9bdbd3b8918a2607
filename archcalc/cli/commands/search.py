"""`archcalc search`."""

from __future__ import annotations

import click

from archcalc.cli.output import Target, note, output_options
from archcalc.cli.progress import Progress
from archcalc.core.errors import UsageError
from archcalc.design.search.parquet import is_parquet
from archcalc.render.tables.search import ENDINGS, FORMATS, render, summary
from archcalc.searching import find

#: So many configurations are counted aloud before the first is evaluated.
MANY = 100_000


@click.command("search")
@click.argument("space", metavar="SPACE")
@click.option("--where", metavar="CONDITION", help="As in 'multiplications <= 300M and params*4 <= 16MiB'.")
@click.option("--pareto", metavar="WHAT,…",
              help="Only those that no other one beats: less is better, or more of WHAT:max.")  # fmt: skip
@click.option("--columns", metavar="WHAT,…", help="Quantities that are shown. Default: params,multiplications.")
@click.option("--sample", type=click.IntRange(0, 10_000), default=10, show_default=True,
              help="Configurations, chosen at random, that are compared with a report of each.")  # fmt: skip
@click.option("--dask", metavar="ADDRESS", help="Let the workers of this Dask scheduler do it: tcp://10.0.0.1:8786.")
@click.option("--restart", is_flag=True, help="Do not continue a search that was stopped.")
@click.option("--large", is_flag=True, help="Search a space of more than 1,000,000,000 configurations.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=40, show_default=True, help="Rows of the text.")
@output_options(FORMATS, ENDINGS)
def command(
    space: str,
    where: str | None,
    pareto: str | None,
    columns: str | None,
    sample: int,
    dask: str | None,
    restart: bool,
    large: bool,
    limit: int,
    target: Target,
) -> None:
    """Every configuration of a design space, and which of them keep to a condition.

    SPACE has networks, separated by semicolons, each with the values of its parameters: a list (18,34,50), a range
    (12..28), a range with a step (0.25..1.5 step 0.05). resolution is the side of the input; height and width are
    its sides. Each network is a name of the catalogue, a spec file, or a pattern in quotes.

    A .csv or .parquet file is written as the search goes; one that is stopped continues when the same command is
    given again. `archcalc plot pareto FILE` draws it.
    """
    is_file = target.form in ("csv", "parquet") and not target.is_stdout
    named = not target.is_stdout and is_parquet(str(target.path))
    if (target.form == "parquet" and not named) or (target.form == "csv" and named):
        raise UsageError("Parquet is written to a file whose name ends so: -o FILE.parquet")
    if restart and not is_file:
        raise UsageError("--restart is for a search that writes its rows to a file: -o FILE.csv")
    with _ProgressLine() as shown:
        found = find(
            space, where, pareto, columns, target.path if is_file else None, sample, dask, restart,
            limit if target.form == "text" else None, large, shown,
        )  # fmt: skip
    if is_file:
        if found.outcome.continued:
            note(f"note: continued after {found.outcome.continued:,} configurations that were done")
        for line in summary(found):
            note(line)
        return
    target.write(render(found, target.form, target.colour, limit))


class _ProgressLine:
    """Shows how far a search is, once it has taken a while."""

    def __enter__(self) -> _ProgressLine:
        self._shown: Progress | None = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown is not None:
            self._shown.__exit__()

    def __call__(self, done: int, count: int, found: int) -> None:
        if self._shown is None:
            if count >= MANY:
                note(f"note: {count:,} configurations")
            self._shown = Progress(count).__enter__()
        self._shown(done, f"{found} found")
