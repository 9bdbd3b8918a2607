"""The table of a report in a page: rows that can be linked to, values to sort by, bars for shares."""

from __future__ import annotations

from archcalc.analysis import Row
from archcalc.pages.markup import Html, element, fragment, join
from archcalc.reports.columns import Column, Context
from archcalc.reports.report import Report


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
        element("caption", f"The layers of {report.title} in the order in which they run", class_="hidden"),
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


def _row(row: Row, report: Report, context: Context, prefix: str) -> Html:
    place = prefix + fragment(row.name)
    cells = [_cell(column, row, context, place, first=not index) for index, column in enumerate(report.columns)]
    return element("tr", *cells, id=place, data_kind=row.op.family)


def _cell(column: Column, row: Row, context: Context, place: str, first: bool) -> Html:
    text = column.text(row, context)
    content = element("a", text, href=f"#{place}") if column.key == "layer" else join(text)
    drawn, value = None, None
    if column.key.endswith("_share"):
        share = column.value(row, context)
        assert isinstance(share, float)
        if share:
            drawn, value = bar(share), f"{share:.6g}"
    elif column.key == "stored":
        value = str(row.activation_bytes)
    tag = "th" if first else "td"
    kind = "number share" if drawn else _class(column)
    return element(tag, drawn, content, class_=kind, scope="row" if first else None, data_value=value)


def bar(share: float) -> Html:
    """A bar for a share of 1, as a picture, which needs no style and is printed too."""
    inner = element("rect", width=f"{share * 100:.3g}", height="1")
    return element("svg", inner, class_="bar", viewBox="0 0 100 1", preserveAspectRatio="none", aria_hidden="true")
