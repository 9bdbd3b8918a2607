"""Tables of answers as students hand them in: right values in many notations, and files of many forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import yaml
from hypothesis import strategies as st

import archcalc
from archcalc.core.shapes import Shape
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Answer, Check, Place

QUANTITIES = ("output_shape", "params", "multiplications", "activations", "activation_bytes", "receptive_field")
HEADS = {
    "output_shape": ("output", "Output Shape", "output size (HxWxC)", "size", "shape"),
    "params": ("params", "Parameters", "# params", "number of parameters", "weights"),
    "multiplications": ("multiplications", "MACs", "mult-adds", "Mults"),
    "activations": ("activations", "stored values", "values"),
    "activation_bytes": ("activation_bytes", "Memory (bytes)", "activation_bytes"),
    "receptive_field": ("receptive field", "RF", "receptive_field"),
}
#: Every kind of layer is in one of these, and none takes long.
NETWORKS = (
    "lenet5", "lenet5@1998", "alexnet", "alexnet@grouped", "alexnet@torchvision", "zfnet", "nin", "nin@cifar10",
    "vgg11", "vgg16", "vgg16@bn", "googlenet", "resnet18", "resnet20_cifar", "resnet50", "mobilenet", "unet",
    "xception",
)  # fmt: skip


@lru_cache(maxsize=64)
def analysis_of(name: str) -> Analysis:
    return analyse(archcalc.load(name))


def values_of(row: Row) -> dict[str, Any]:
    """The right values of a row by quantity; a receptive field is missing where the analysis has none."""
    field = row.receptive_field
    return {
        "output_shape": row.output_shape,
        "params": row.params,
        "multiplications": row.multiplications,
        "activations": row.activations,
        "activation_bytes": row.activation_bytes,
    } | ({"receptive_field": field.size} if field else {})


def totals_of(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts = ("params", "multiplications", "activations", "activation_bytes")
    return {quantity: sum(row[quantity] for row in rows) for quantity in counts}


def check(name: str, cells: Sequence[tuple[str, str, str]]) -> Check:
    """The verdicts on layer, quantity, text."""
    places: dict[str, int] = {}
    answers = [
        Answer(layer, quantity, text, Place("table.csv", places.setdefault(layer, len(places) + 2), 1))
        for layer, quantity, text in cells
    ]
    return check_answers(analysis_of(name), answers)


# --- notations


def plain(value: Any) -> str:
    """55x55x96, 34944, 11x11."""
    if isinstance(value, tuple):
        return "x".join(map(str, (*value[1:], value[0]) if len(value) == 3 else value))
    return str(value)


def _rounded(value: int, digits: int, letter: str, factor: int) -> str:
    """Rounded half up, without floats."""
    scaled = (2 * value * 10**digits + factor) // (2 * factor)
    if value and not scaled:  # 0.0M is no answer
        return str(value)
    whole, part = divmod(scaled, 10**digits)
    return f"{whole}.{part:0{digits}d}{letter}" if digits else f"{whole}{letter}"


def _product(value: int) -> str:
    """A calculation that gives the value."""
    for factor in (11, 7, 5, 3, 2):
        if value and value % factor == 0:
            return f"{value // factor}·{factor}"
    return f"({value} − 1) + 1" if value else "0 × 5"


NUMBERS: dict[str, Callable[[int], str]] = {
    "plain": str,
    "commas": lambda value: f"{value:,}",
    "spaces": lambda value: f"{value:,}".replace(",", "\u00a0"),
    "thin spaces": lambda value: f"{value:,}".replace(",", "\u2009"),
    "points": lambda value: f"{value:,}".replace(",", "."),
    "apostrophes": lambda value: f"{value:,}".replace(",", "'"),
    "thousands": lambda value: _rounded(value, 1, "K", 1000),
    "millions": lambda value: _rounded(value, 2, " million", 10**6),
    "calculation": _product,
    "result": lambda value: f"{_product(value)} = {value:,}",
}
BYTES: dict[str, Callable[[int], str]] = {
    "plain": str,
    "bytes": lambda value: f"{value:,} bytes",
    "KB": lambda value: _rounded(value, 1, " KB", 1000),
    "MB": lambda value: _rounded(value, 2, "MB", 10**6),
    "KiB": lambda value: _rounded(value, 0, " KiB", 1024),
    "MiB": lambda value: _rounded(value, 3, " MiB", 1024**2),
}
SHAPES: dict[str, Callable[[Shape], str]] = {
    "x": plain,
    "×": lambda shape: plain(shape).replace("x", "×"),
    "spaced": lambda shape: plain(shape).replace("x", " x "),
    "*": lambda shape: plain(shape).replace("x", "*"),
    "tuple": lambda shape: f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})",
    "batch": lambda shape: f"[1, {', '.join(map(str, shape))}]" if len(shape) == 3 else f"[{shape[0]}]",
    "maps": lambda shape: f"{shape[0]}@{shape[1]}x{shape[2]}" if len(shape) == 3 else str(shape[0]),
}
FIELDS: dict[str, Callable[[Any], str]] = {
    "x": lambda field: f"{field[0]}x{field[1]}",
    "×": lambda field: f"{field[0]} × {field[1]}",
    "tuple": lambda field: f"({field[0]}, {field[1]})",
    "number": lambda field: str(field[0]) if field[0] == field[1] else f"{field[0]}x{field[1]}",
    "pixels": lambda field: f"{field[0]} px" if field[0] == field[1] else f"{field[0]}x{field[1]}",
}
#: A table is written with channels first or last throughout, so the notations of shapes are of two kinds.
CHANNELS_FIRST = ("tuple", "batch")


def notations(quantity: str) -> dict[str, Any]:
    special: dict[str, dict[str, Any]] = {"output_shape": SHAPES, "activation_bytes": BYTES, "receptive_field": FIELDS}
    return special.get(quantity, NUMBERS)


@st.composite
def written(draw: st.DrawFn, quantity: str, value: Any) -> str:
    """The value in some notation."""
    forms = notations(quantity)
    return str(forms[draw(st.sampled_from(sorted(forms)))](value))


# --- files


def as_csv(rows: Sequence[dict[str, str]], delimiter: str = ",") -> str:
    """Every cell in quotes, as a careful program writes it."""
    lines = [list(rows[0]), *([row[key] for key in rows[0]] for row in rows)]
    quoted = (delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    return "\n".join(quoted) + "\n"


def as_markdown(rows: Sequence[dict[str, str]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([row[key] for key in rows[0]] for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


FILES: dict[str, tuple[str, Callable[[Sequence[dict[str, str]]], str]]] = {
    "comma": (".csv", as_csv),
    "semicolon": (".csv", lambda rows: as_csv(rows, ";")),
    "tab": (".tsv", lambda rows: as_csv(rows, "\t")),
    "bar": (".txt", lambda rows: as_csv(rows, "|")),
    "bom": (".csv", lambda rows: "\ufeff" + as_csv(rows)),
    "yaml": (".yaml", lambda rows: yaml.safe_dump(list(rows), allow_unicode=True, sort_keys=False)),
    "json": (".json", lambda rows: json.dumps(rows, ensure_ascii=False, indent="\t")),
    "markdown": (".md", as_markdown),
}
