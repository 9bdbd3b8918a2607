"""The columns of a report: a key, a heading, and what stands in a cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.language import mark, say
from archcalc.core.quantities import quantity
from archcalc.core.shapes import format_shape
from archcalc.core.suggest import did_you_mean
from archcalc.passes.analysis import Row, Totals

#: What programs get: the value itself.
Value = int | float | str | None


class Context(NamedTuple):
    """What a cell may depend on besides its row."""

    totals: Totals
    layout: str


class Column(NamedTuple):
    """A column: `text` for people, `value` for CSV; `total` is the text in the last line."""

    key: str
    #: The heading in English; `title` is in the chosen language.
    term: str
    right: bool
    text: Callable[[Row, Context], str]
    value: Callable[[Row, Context], Value]
    total: Callable[[Totals], Value] | None = None
    total_text: Callable[[Totals], str] | None = None

    @property
    def title(self) -> str:
        """The heading."""
        return say(self.term)


def _label(key: str, title: str, of: Callable[[Row, Context], str]) -> Column:
    return Column(key, title, False, of, of)


def _counted(name: str, title: str = "") -> Column:
    """A quantity that adds up, under its own title unless a shorter one is given."""
    one = quantity(name)
    return Column(name, title or one.term, True, lambda row, _: one.text(row), lambda row, _: one.of(row), one.of,
                  one.total_text)  # fmt: skip


def _share(name: str) -> Column:
    one = quantity(name)

    def value(row: Row, context: Context) -> float | None:
        if one.is_lower_bound(context.totals):
            return None  # shares of a whole that is not known
        whole = one.of(context.totals)
        return one.of(row) / whole if whole else 0.0

    def text(row: Row, context: Context) -> str:
        is_unknown = one.is_lower_bound(context.totals)
        return words.NONE if is_unknown else words.share(one.of(row), one.of(context.totals))

    return Column(f"{name}_share", mark("share"), True, text, value)


def _shapes(row: Row, context: Context) -> str:
    return ", ".join(format_shape(shape, context.layout) for shape in row.input_shapes)


def _field(row: Row, _: Context) -> str:
    field = row.receptive_field
    return "×".join(map(str, field.size)) if field else "?"


def _stride(row: Row, _: Context) -> str:
    field = row.receptive_field
    if field and None in field.stride:
        return say("uneven")
    return "×".join(words.number(step) for step in field.stride if step is not None) if field else "?"


def _start(row: Row, _: Context) -> str:
    field = row.receptive_field
    return ", ".join(map(str, field.start)) if field else "?"


COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        _label("layer", mark("layer"), lambda row, _: row.name),
        _label("op", mark("op"), lambda row, _: row.op.kind),
        _label("operation", mark("operation"), lambda row, _: row.summary),
        _label("inputs", mark("inputs"), lambda row, _: ", ".join(row.inputs)),
        _label("input", mark("input"), _shapes),
        _label("output", quantity("output").term, lambda row, context: format_shape(row.output_shape, context.layout)),
        _counted("params", mark("params")),
        _share("params"),
        _counted("trainable", mark("trainable")),
        _counted("buffers"),
        _counted("multiplications"),
        _share("multiplications"),
        _counted("additions"),
        _counted("all_multiplications"),
        _counted("comparisons"),
        _counted("divisions"),
        _counted("exponentials"),
        _counted("activations"),
        _counted("stored"),
        Column("receptive_field", quantity("receptive_field").term, True, _field, _field),
        Column("field_stride", mark("field stride"), True, _stride, _stride),
        Column("field_start", mark("field start"), True, _start, _start),
    )
}

DEFAULT = (
    "layer", "operation", "output", "params", "params_share", "multiplications", "multiplications_share", "stored",
    "receptive_field",
)  # fmt: skip
#: What goes first where a terminal is too narrow.
LEAST_NEEDED = ("multiplications_share", "params_share", "receptive_field", "stored", "operation")


def choose(keys: str | None) -> tuple[Column, ...]:
    """The columns of a comma-separated list of keys (`all`: every one). Raises `UsageError` for an unknown key."""
    wanted: Sequence[str] = DEFAULT if keys is None else [key.strip() for key in keys.split(",") if key.strip()]
    if wanted == ["all"]:
        wanted = list(COLUMNS)
    for key in wanted:
        if key not in COLUMNS:
            raise UsageError(f"there is no column {key!r}{did_you_mean(key, COLUMNS)}; there are {', '.join(COLUMNS)}")
    if not wanted:
        raise UsageError(f"--columns names none; there are {', '.join(COLUMNS)}")
    return tuple(COLUMNS[key] for key in wanted)
