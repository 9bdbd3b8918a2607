"""The table of a report in a page: rows that can be linked to, values to sort by, bars for shares."""

from __future__ import annotations

from archcalc.core.language import direction, say
from archcalc.passes.analysis import Row
from archcalc.render.pages.markup import Html, element, fragment, join
from archcalc.render.tables.columns import Column, Context
from archcalc.render.tables.report import Report


def table(report: Report, prefix: str) -> Html:
    """The rows have the `id`s `prefix` + name of the layer."""
    heads = join(*(_head(column) for column in report.columns))
    context = report.context
    rows = join(*(_row(row, report, context, prefix) for row in report.rows), between="\n")
    total = join(
        *(
            element("th" if index == 0 else "td", cell, class_=_class(column), scope="row" if index == 0 else None)
            for index, (column, cell) in enumerate(zip(report.columns, report.total_line(), strict=True))
        )
    )
    return element(
        "table",
        element(
            "caption",
            say("The layers of {network} in the order in which they run", network=report.title),
            class_="hidden",
        ),
        element("thead", element("tr", heads)),
        Html("\n"),
        element("tbody", Html("\n"), rows, Html("\n")),
        element("tfoot", element("tr", total, class_="total")),
        class_="layers",
    )


def _head(column: Column) -> Html:
    summed = "count" if column.total is not None and column.total_text is not None else None
    if column.key == "stored":
        summed = "size"
    return element("th", column.title, scope="col", class_=_class(column), data_key=column.key, data_sum=summed)


def _class(column: Column) -> str | None:
    return "number" if column.right else None


def _kind(column: Column) -> str | None:
    """The class of a cell in the body: most hold numbers, which need none."""
    return None if column.right else "word"


def _row(row: Row, report: Report, context: Context, prefix: str) -> Html:
    place = prefix + fragment(row.name)
    cells = [_cell(column, row, context, first=not index) for index, column in enumerate(report.columns)]
    return element("tr", *cells, id=place, data_kind=row.op.family)


def _cell(column: Column, row: Row, context: Context, first: bool) -> Html:
    text = column.text(row, context)
    content = element("a", text) if column.key == "layer" else join(text)
    value = None
    if column.key.endswith("_share"):
        share = column.value(row, context)  # None where the whole is not known
        value = f"{share:.4g}" if share else None
    elif column.key == "stored":
        value = str(row.activation_bytes)
    tag = "th" if first else "td"
    # In a language from right to left a size would be read from its end: 1×32×32.
    turned = direction() == "rtl" and not column.right and text and not any(map(str.isalpha, text))
    return element(
        tag,
        content,
        class_=_kind(column),
        scope="row" if first else None,
        data_value=value,
        dir="ltr" if turned else None,
    )
