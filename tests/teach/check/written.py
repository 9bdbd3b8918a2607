"""Right tables in the ways that people write them: names, columns, headings, numbers and shapes of many kinds.

The values are those of an analysis; nothing here asks the code under test how it reads a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import prod
from random import Random
from typing import NamedTuple

from archcalc.core.shapes import Shape
from archcalc.passes.analysis import Analysis, Row
from tests.teach.check.layouts import LAYOUTS

MAIN = ("convolution", "pooling", "dense")
#: Words for kinds in several languages: convolution, pooling, dense.
WORDS = {
    "en": ("conv", "pool", "fc"),
    "en caps": ("CONV", "POOL", "FC"),
    "en long": ("Convolution", "Pooling", "Fully connected"),
    "keras": ("Conv2D", "Pooling", "Dense"),
    "ru": ("свёрточный слой", "подвыборка", "полносвязный слой"),
    "de": ("Faltungsschicht", "Pooling", "Dense"),
    "es": ("convolucional", "pooling", "densa"),
    "zh": ("卷积层", "池化层", "全连接层"),
    "hy": ("փաթույթ", "pooling", "dense"),
}
HEADINGS = {
    "en": ("layer", "output", "params", "MACs", "memory"),
    "en other": ("Name", "Output size", "No. of parameters", "mult-adds", "Memory"),
    "keras": ("Layer (type)", "Output Shape", "Param #", "FLOPs", "memory"),
    "ru": ("слой", "выход", "число параметров", "умножения", "память"),
    "fr": ("Couche", "Taille de sortie", "Nombre de paramètres", "opérations", "mémoire"),
    "de": ("Schicht", "Ausgabe", "Anzahl Parameter", "Operationen", "Speicher"),
    "es": ("Capa", "Salida", "Parámetros", "operaciones", "memoria"),
    "pt": ("camada", "saída", "parâmetros", "operações", "memória"),
    "he": ("שכבה", "פלט", "פרמטרים", "פעולות", "זיכרון"),
    "hy": ("շերտ", "ելք", "պարամետրեր", "MACs", "հիշողություն"),
    "zh": ("层", "输出尺寸", "参数量", "计算量", "内存"),
    "ja": ("層", "出力", "パラメータ数", "演算量", "メモリ"),
}
#: Two operations for a multiply-add are what these words may mean.
TWICE = ("FLOPs", "opérations", "Operationen", "operaciones", "operações", "פעולות", "计算量", "演算量")


class Table(NamedTuple):
    """A table as text, and how it was made, to find it again."""

    text: str
    how: tuple[object, ...]


# --- rows and their names


def rows_of(rng: Random, analysis: Analysis) -> list[Row]:
    """The rows that a table has: all layers, those that people count, or the first of them."""
    kinds: list[Callable[[Row], bool]] = [
        lambda row: row.op.family in MAIN,
        lambda row: row.op.family in MAIN or not row.inputs,
        lambda row: bool(row.inputs),
        lambda row: bool(row.multiplications),
    ]
    keep = rng.choice(kinds)
    rows = [row for row in analysis.rows if keep(row)] or list(analysis.rows)
    return rows[: rng.randint(1, len(rows))] if rng.random() < 0.3 else rows


def own_names(rng: Random, rows: Sequence[Row]) -> list[str]:
    """The network's own, with other case and marks."""
    change = rng.choice((str, str.upper, str.title, lambda name: name.replace("_", "-"), lambda name: f"**{name}**"))
    return [change(row.name) if "/" not in row.name else row.name for row in rows]


def by_kind(rng: Random, rows: Sequence[Row]) -> list[str]:
    """Conv 1, conv 2, pool 1: the words of a language, numbered for each kind."""
    words = dict(zip(MAIN, WORDS[rng.choice(sorted(WORDS))], strict=True))
    between, counts = rng.choice((" ", "", "_", "-")), Counter[str]()
    suffix = rng.choice(("", "", "+ReLU"))
    names = []
    for row in rows:
        family = row.op.family
        counts[family] += 1
        word = words.get(family, row.op.noun)
        names.append(f"{word}{between}{counts[family]}{suffix if family == 'convolution' else ''}")
    return names


def through(rng: Random, rows: Sequence[Row]) -> list[str]:
    """Convolutions and dense layers numbered on: CONV1, POOL1, CONV2, POOL2, FC3."""
    names, weighted, pools = [], 0, 0
    for row in rows:
        weighted += bool(row.multiplications)
        pools += row.op.family == "pooling"
        word = {"convolution": "CONV", "dense": "FC", "pooling": "POOL"}.get(row.op.family, row.op.noun)
        names.append(f"{word}{weighted if row.multiplications else pools}")
    return names


KERAS = {"conv2d": "conv2d", "max_pool2d": "max_pooling2d", "avg_pool2d": "average_pooling2d", "linear": "dense",
         "relu": "activation", "batch_norm2d": "batch_normalization", "global_avg_pool2d": "global_average_pooling2d",
         "dropout": "dropout", "flatten": "flatten", "depthwise_conv2d": "depthwise_conv2d", "concat": "concatenate",
         "add": "add", "input": "input", "softmax": "softmax"}  # fmt: skip
TORCH = {"conv2d": "Conv2d", "max_pool2d": "MaxPool2d", "avg_pool2d": "AvgPool2d", "linear": "Linear", "relu": "ReLU",
         "batch_norm2d": "BatchNorm2d", "dropout": "Dropout", "flatten": "Flatten",
         "global_avg_pool2d": "AdaptiveAvgPool2d", "depthwise_conv2d": "Conv2d", "softmax": "Softmax"}  # fmt: skip


def keras(rng: Random, rows: Sequence[Row]) -> list[str]:
    """conv2d_14, max_pooling2d_6: numbered on from the model before."""
    start, counts = rng.choice((0, 0, 1, 14)), Counter[str]()
    names = []
    for row in rows:
        word = KERAS.get(row.op.kind, row.op.kind)
        number = start + counts[word]
        names.append(f"{word}_{number}" if number else word)
        counts[word] += 1
    return names


def torch(rng: Random, rows: Sequence[Row]) -> list[str]:
    """Conv2d-1, ReLU-2: numbered through all rows."""
    return [f"{TORCH.get(row.op.kind, row.op.kind)}-{number}" for number, row in enumerate(rows, 1)]


def of_notes(rng: Random, rows: Sequence[Row]) -> list[str]:
    """CONV3-64, POOL2, FC-4096: kinds in order, with their sizes."""
    names = []
    for row in rows:
        kernel = getattr(row.op, "kernel_size", (0, 0))
        if row.op.kind == "conv2d" and kernel[0] == kernel[1]:
            names.append(f"CONV{kernel[0]}-{row.output_shape[0]}")
        elif row.op.family == "dense":
            names.append(f"FC-{row.output_shape[0]}")
        elif row.op.family == "pooling":
            names.append(rng.choice(("POOL2", "MAXPOOL")) if row.op.kind == "max_pool2d" else "POOL")
        else:
            names.append(row.op.noun)
    return names


NAMES = (own_names, by_kind, through, keras, torch, of_notes)


# --- numbers and shapes


def _digits(value: int) -> Iterator[str]:
    yield str(value)
    yield f"{value:,}"
    yield f"{value:,}".replace(",", " ")
    yield f"{value:,}".replace(",", " ")
    yield f"{value:,}".replace(",", "'")
    yield indian(value)
    yield f"= {value:,}"
    yield f"**{value}**"
    yield f"`{value:,}`"


def indian(value: int) -> str:
    """8,85,120"""
    text = str(value)
    head, tail = text[:-3], text[-3:]
    parts: list[str] = []
    while head:
        parts.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*parts, tail])


def rounded(value: int, digits: int) -> str:
    """To so many digits that count, with K, M or G."""
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "K")):
        if value >= unit:
            whole = len(str(value // unit))
            places = max(digits - whole, 0)
            scaled = (2 * value * 10**places + unit) // (2 * unit)
            head, tail = divmod(scaled, 10**places)
            return f"{head}.{tail:0{places}d}{letter}" if places else f"{head}{letter}"
    return str(value)


def product(value: int) -> str:
    """A calculation, with or without its result."""
    for factor in (11, 7, 5, 3, 2):
        if value and value % factor == 0:
            return f"{value // factor}*{factor}"
    return f"({value} - 1) + 1" if value else "0"


def number(rng: Random, value: int, style: int) -> str:
    if style < 9:
        return list(_digits(value))[style]
    if style == 9:
        return rounded(value, 3)
    if style == 10:
        return rng.choice((product(value), f"{product(value)} = {value:,}"))
    return rng.choice(REMARKED).format(f"{value:,}", product(value))


#: A number with words: {0} is the number, {1} a calculation of it.
REMARKED = ("{0} (incl. bias)", "{0} ({1})", "{0} in total", "{0}", "{0} ✓", "{1} -> {0}", "N = {1} = {0}",
            "{0} (≈ right)", "= {1} = {0}")  # fmt: skip
#: Notations of numbers.
STYLES = 12


def shape_in(style: str, shape: Shape) -> str:
    """A shape in one notation; flat ones are written as people do there."""
    if len(shape) == 1:
        flat = shape[0]
        return {"none": f"(None, {flat})", "minus": f"[-1, {flat}]", "crossed": f"1x1x{flat}"}.get(style, str(flat))
    depth, height, width = shape
    return {
        "x": f"{height}x{width}x{depth}",
        "×": f"{height} × {width} × {depth}",
        "star": f"{height}*{width}*{depth}",
        "crossed": f"{height}x{width}x{depth}",
        "brackets": f"[{height}x{width}x{depth}]",
        "none": f"(None, {height}, {width}, {depth})",
        "minus": f"[-1, {depth}, {height}, {width}]",
        "batch": f"(128, {depth}, {height}, {width})",
        "tuple": f"({depth}, {height}, {width})",
        "maps": f"{depth}@{height}x{width}",
        "comma": f"{height} x {width}, {depth}",
        "named": f"H={height}, W={width}, C={depth}",
        "values": f"{height}x{width}x{depth} = {prod(shape)}",
        "square": f"{height}²×{depth}" if height == width else f"{height}×{width}×{depth}",
        "side": str(height) if height == width else f"{height}x{width}",
        "plane": f"{height}x{width}",
    }[style]


SHAPES = ("x", "×", "star", "crossed", "brackets", "none", "minus", "batch", "tuple", "maps", "comma", "named",
          "values", "square", "side", "plane")  # fmt: skip


# --- the table


def written_table(rng: Random, analysis: Analysis) -> Table:
    """A right table of a network, as somebody may write it."""
    rows = rows_of(rng, analysis)
    names_of = rng.choice(NAMES)
    names = names_of(rng, rows)
    language = rng.choice(sorted(HEADINGS))
    heads = HEADINGS[language]
    shape_style, style = rng.choice(SHAPES), rng.randrange(STYLES)
    columns: list[tuple[str, Callable[[Row], str]]] = [(heads[1], lambda row: shape_in(shape_style, row.output_shape))]
    if rng.random() < 0.8:
        columns += _parameters(rng, heads, style)
    if rng.random() < 0.4:
        factor = 2 if heads[3] in TWICE and rng.random() < 0.5 else 1
        columns.append((heads[3], lambda row: number(rng, factor * (row.multiplications or 0), style)))
    if rng.random() < 0.4:
        columns.append(_memory(rng, heads[4], style))
    if rng.random() < 0.1:
        columns = columns[1:] or columns
    layout = rng.choice(sorted(LAYOUTS))
    cells = [[heads[0], *(head for head, _ in columns)]]
    cells += [[name, *(write(row) for _, write in columns)] for name, row in zip(names, rows, strict=True)]
    cells = with_marks(rng, cells) if rng.random() < 0.1 else cells
    how = (analysis.graph.name, names_of.__name__, language, shape_style, style, layout, [head for head, _ in columns])
    return Table(LAYOUTS[layout](cells), how)


def with_marks(rng: Random, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The same table with a mark in the place of a cell that is as the one above."""
    mark = rng.choice(("〃", "same", '"'))
    found = [list(rows[0])]
    for above, row in pairwise(rows):
        same = [
            at and above is not rows[0] and one == other for at, (one, other) in enumerate(zip(above, row, strict=True))
        ]
        found.append([mark if is_same else cell for is_same, cell in zip(same, row, strict=True)])
    return found


def _parameters(rng: Random, heads: Sequence[str], style: int) -> Iterator[tuple[str, Callable[[Row], str]]]:
    kind = rng.randrange(4)
    if kind in (1, 2):
        yield "weights", lambda row: number(rng, row.weights, style)
    if kind == 2:
        yield "biases", lambda row: number(rng, row.biases, style)
    if kind != 1:
        yield heads[2], lambda row: number(rng, row.params, style)


def _memory(rng: Random, head: str, style: int) -> tuple[str, Callable[[Row], str]]:
    unit = rng.choice(("", "values", "KB", "MB", "KiB"))
    if unit == "values":
        return head, lambda row: number(rng, row.activations, style)
    if not unit:
        return head, lambda row: number(rng, row.activation_bytes, style)
    size = {"KB": rng.choice((1000, 1024)), "MB": rng.choice((10**6, 1 << 20)), "KiB": 1024}[unit]

    def write(row: Row) -> str:
        hundredths = (200 * row.activation_bytes + size) // (2 * size)
        if row.activation_bytes and not hundredths:
            return f"{row.activation_bytes} bytes"
        return f"{hundredths // 100}.{hundredths % 100:02d}"

    return f"{head} ({unit})", write


def is_in_order(names: Sequence[str]) -> bool:
    """Whether names are numbered upwards."""
    numbers = [int("".join(filter(str.isdigit, name)) or 0) for name in names]
    return all(first <= second for first, second in pairwise(numbers))
