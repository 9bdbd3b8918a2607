"""Rows of a search as Parquet: written from the CSV file, chunk by chunk, and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.core.files import whole_file
from archcalc.design.search.query import NETWORK

if TYPE_CHECKING:
    from archcalc.design.search.search import Search

ENDING = ".parquet"
#: Bytes of CSV that are converted at once.
CHUNK = 1 << 22


def is_parquet(path: str | Path) -> bool:
    """Whether a file is Parquet, by its ending."""
    return str(path).lower().endswith(ENDING)


def _package() -> Any:
    """The package pyarrow. Raises `UsageError` where it is not installed."""
    try:
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs the package pyarrow: pip install 'archcalc[parquet]'") from None
    return pyarrow


def columnar(search: Search) -> Callable[[Path, str], None]:
    """What converts a CSV file of this search to Parquet: whole numbers are int64, decimal ones float64.

    Raises `UsageError` without pyarrow. So does the conversion, for a count that 64 bits cannot hold.
    """
    arrow = _package()
    types = {NETWORK: arrow.string(), **dict.fromkeys(search.columns, arrow.int64())}
    for name, is_number in search.names.parameters.items():
        whole = all(axis.is_whole for family in search.families for axis in family.axes if axis.name == name)
        types[name] = arrow.string() if not is_number else arrow.int64() if whole else arrow.float64()

    def convert(source: Path, path: str) -> None:
        reading = arrow.csv.ReadOptions(block_size=CHUNK)
        converting = arrow.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
        schema = arrow.schema([(name, types[name]) for name in search.heading])
        try:
            with whole_file(path) as pending, arrow.parquet.ParquetWriter(pending, schema) as writer:
                for batch in arrow.csv.open_csv(source, reading, convert_options=converting):
                    writer.write_batch(batch)
        except arrow.ArrowInvalid as error:
            raise UsageError(f"Parquet cannot hold these rows: {str(error)[:200]}; write a .csv file") from None

    return convert


def read(path: str | Path, most: int) -> tuple[list[str], list[list[Any]]]:
    """The names of the columns of a Parquet file, and its rows. Raises `UsageError` for more than `most` rows."""
    arrow = _package()
    try:
        file = arrow.parquet.ParquetFile(path)
        if file.metadata.num_rows > most:
            raise UsageError(f"{path} has {file.metadata.num_rows:,} rows; at most {most:,} are drawn")
        columns = file.read().to_pydict()
    except (OSError, arrow.ArrowException) as error:
        raise UsageError(f"{path} is not a Parquet file that can be read: {str(error)[:200]}") from None
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]
