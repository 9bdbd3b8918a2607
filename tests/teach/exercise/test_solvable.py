"""What a worksheet prints of a layer is enough to calculate it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin

import pytest

import archcalc
from archcalc.core.errors import ShapeError
from archcalc.ops.base import Op
from archcalc.passes.analysis import Row as AnalysisRow
from archcalc.passes.analysis import analyse
from archcalc.passes.axis_field import AxisField
from archcalc.passes.operations import count_operations
from archcalc.passes.params import count_params
from archcalc.passes.receptive_field import ReceptiveField, output_field
from archcalc.passes.shapes import ShapedLayer
from archcalc.spec.catalogue import load
from archcalc.teach.exercise.contents import instructions
from archcalc.teach.exercise.worksheet import make_worksheet, operation
from tests.networks import numbers, one_of_each, op, shape
from tests.ops.rows import ROWS, Row, label
from tests.tiers import slow_but

#: The shapes of these are filled in; an opaque layer cannot be calculated.
GIVEN = ("input", "parameter", "opaque")


def other_values(value: Any, annotation: Any) -> Iterator[Any]:
    """Values that a field could have instead."""
    for part in (annotation, *get_args(annotation)):
        if get_origin(part) is Literal:
            yield from get_args(part)
    if value is None:
        yield from (1, 2, (2, 2))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2, value - 1, value // 2)
    elif isinstance(value, tuple) and all(isinstance(each, int) for each in value):
        for at in range(len(value)):
            for step in (1, -1):
                yield tuple(each + step * (index == at) for index, each in enumerate(value))
            for to in range(len(value)):  # as many values under another shape
                if to != at and value[at] % 2 == 0:
                    yield tuple(
                        each // 2 if index == at else each * 2 if index == to else each
                        for index, each in enumerate(value)
                    )
    if isinstance(value, tuple):
        yield value[::-1]


def answers(layer: ShapedLayer) -> tuple[object, ...]:
    """What a worksheet may ask for."""
    fields = [ReceptiveField(tuple(AxisField(1, ((0, 0),), size) for size in each[1:])) for each in layer.inputs]
    field = output_field(layer, layer.op.windows(layer.inputs), fields) if layer.inputs else None
    return layer.output, count_params(layer).params, count_operations(layer).macs, field and field.size


def printed(layer: ShapedLayer) -> str:
    row = SimpleNamespace(op=layer.op, input_shapes=layer.inputs, summary=layer.op.summary(layer.inputs))
    return operation(row)  # type: ignore[arg-type]  # all that it reads of a row


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind not in GIVEN], ids=label)
def test_a_setting_that_changes_an_answer_is_printed(row: Row) -> None:
    layer = shape(op(row.kind, **row.fields), *row.inputs)
    kind = type(layer.op)
    settings = {name: getattr(layer.op, name) for name in kind.model_fields}
    for name, value in settings.items():
        for other in other_values(value, kind.model_fields[name].annotation):
            changed = _changed(kind, {**settings, name: other}, row)
            if changed and answers(changed) != answers(layer):
                assert printed(changed) != printed(layer), f"{name} {value} or {other}"


def _changed(kind: type[Op], settings: dict[str, Any], row: Row) -> ShapedLayer | None:
    try:
        return shape(kind.model_validate(settings), *row.inputs)
    except (ValueError, ShapeError):
        return None


@pytest.mark.parametrize("name", slow_but(["vit_b_16", "crnn", "m5", "shufflenet_v2_x0_5"], one_of_each()))
def test_the_rows_of_a_sheet_tell_what_each_layer_reads(name: str) -> None:
    """The shapes that the table gives to a layer's inputs are those that it reads, and decide its numbers."""
    analysis = analyse(load(name))
    sheet = make_worksheet(analysis)
    above: AnalysisRow | None = None
    known: dict[object, object] = {}
    for row, line in zip(sheet.rows, sheet.lines, strict=False):
        if row.inputs:
            assert above is not None
            reads = line.reads.split(", ") if line.reads else [above.name] * len(row.inputs)
            shapes = tuple(analysis[source].output_shape for source in reads)
            assert shapes == row.input_shapes, row.name
            found = row.output_shape, row.params, row.multiplications
            assert known.setdefault((line.operation, shapes), found) == found, row.name
        above = row
    assert sum(row.params for row in sheet.rows) == analysis.totals.params
    assert sum(row.multiplications or 0 for row in sheet.rows) == analysis.totals.multiplications


@pytest.mark.parametrize(
    ("layer", "printed_as"),
    [
        ("reshape: {shape: 2x2x64}", "reshape, to 2×2×64"),
        ("flatten", "flatten"),
        ("tokens", "tokens"),
        ("split: {sizes: [1, 3], index: 1}", "split, part 2, parts of 1, 3"),
        ("chunk: {chunks: 2, index: 1}", "chunk 2 of 2"),
        ("narrow: {axis: height, start: 2, length: 3}", "narrow height, 3 from 2"),
        ("slice2d: {step: 2, start: 1}", "slice, step 2, from 1"),
        ("batch_norm2d: {shift: false}", "batch norm, no β"),
        ("instance_norm", "instance norm, no γ and β"),
        ("rms_norm", "RMS norm, no β"),
        ("prelu: {num_parameters: channels}", "prelu, a slope for each channel"),
    ],
)
def test_layers_that_change_a_shape_are_on_the_sheet(layer: str, printed_as: str) -> None:
    sheet = make_worksheet(numbers(f"  - {layer}\n"))
    assert [line.operation for line in sheet.lines[1:-1]] == [printed_as]


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("alexnet", "Shapes are height×width×channels;"),
        ("vit_b_16", "Shapes are height×width×channels and length×channels;"),
        ("m5", "Shapes are length×channels;"),
        ("64 -> fc10", "Shapes are values;"),
    ],
)
def test_the_axes_of_every_shape_are_said(name: str, axes: str) -> None:
    assert axes in instructions(make_worksheet(archcalc.analyse(name)))[0]
