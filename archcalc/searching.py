"""Design spaces searched: `search`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from archcalc.core.errors import UsageError
from archcalc.displays import Result

if TYPE_CHECKING:
    from archcalc.render.tables.search import Found


def search(
    space: str,
    where: str | None = None,
    *,
    pareto: str | None = None,
    columns: str | None = None,
    output: str | None = None,
    sample: int = 10,
    dask: str | None = None,
    restart: bool = False,
    large: bool = False,
) -> Result:
    """Every configuration of a design space evaluated, and those that keep to a condition.

    Args:
        space: Networks with the values of their parameters and of the size of their input:
            `"mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32; resnet depth=18,34,50"`.
        where: A condition on quantities and parameters: `"multiplications <= 300M and params*4 <= 16MiB"`.
        pareto: Only those that no other one beats, by these quantities or parameters; less is better, or more with
            `:max`: `"multiplications,alpha:max"`.
        columns: The quantities of a row; by default params and multiplications. Those of the other arguments are
            added.
        output: A `.csv` or `.parquet` file for the rows. A search that is stopped continues when it is called again.
        sample: Configurations, chosen at random, that are compared with their reports.
        dask: The address of a Dask scheduler, whose workers do the work.
        restart: Do not continue an earlier search.
        large: Search a space of more than 10⁹ configurations.

    Returns:
        A result whose `value` has `rows` (none with `output`), `heading`, `to_dicts()` and the counts in `outcome`.

    Raises:
        SpecError: for a fault in the space or the condition, with its column.
        UsageError: for a space that is empty or too large; where more is found than fits into memory.

    >>> import archcalc as ac
    >>> found = ac.search("mobilenet alpha=0.25..1 step 0.25, resolution=128..224 step 32",
    ...                   "multiplications <= 100M", pareto="multiplications,alpha:max,resolution:max")
    >>> found.value.to_dicts()[-1]["params"], found.value.outcome.count
    (1331592, 16)

    """
    from archcalc.render.tables.search import ENDINGS, render

    found = find(space, where, pareto, columns, output, sample, dask, restart, large=large)
    return Result(found, partial(render, found), {key: form for key, form in ENDINGS.items() if form != "parquet"})


def find(
    space: str,
    where: str | None = None,
    pareto: str | None = None,
    columns: str | None = None,
    output: str | None = None,
    sample: int = 10,
    dask: str | None = None,
    restart: bool = False,
    most: int | None = None,
    large: bool = False,
    tell: Callable[[int, int, int], None] | None = None,
) -> Found:
    """The same as data. `most`: keep so many rows; `tell` hears of configurations done, of all, and found."""
    from archcalc.design.search.run import Parts, parts_here, run
    from archcalc.design.search.search import Search, request_of
    from archcalc.design.search.sink import RowFile, Rows
    from archcalc.design.search.space import MOST_UNASKED, count_configurations
    from archcalc.render.tables.search import Found

    parts: Parts = parts_here
    if dask is not None:
        from archcalc.design.search.cluster import parts_on

        parts = parts_on(dask)
    count = count_configurations(space)
    if count > MOST_UNASKED and not large:
        raise UsageError(
            f"the space has {count:,} configurations, more than {MOST_UNASKED:,}; --large searches it, or give "
            "fewer values"
        )
    made = Search(request_of(space, where, pareto, columns, sample))
    if tell is not None:
        tell(0, made.count, 0)
    sink = Rows(made, most) if output is None else RowFile(made, output, restart)
    heard = None if tell is None else lambda done, count: tell(done, made.count, count)
    outcome = run(made, sink, parts, heard)
    return Found(made, outcome, sink.rows if isinstance(sink, Rows) else [])
