"""An opaque layer: its shape and parameters are known, its cost is not, and nothing takes that for zero."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from archcalc.core.conventions import Conventions
from archcalc.core.errors import SpecError, UsageError
from archcalc.explain.derive.layer import explain_layer
from archcalc.explain.derive.network import sum_up
from archcalc.explain.symbolic.closed import closed_form
from archcalc.explain.symbolic.expand import COUNTS
from archcalc.graph.layer_graph import LayerGraph
from archcalc.objects import Network
from archcalc.passes.analysis import Analysis, analyse
from archcalc.passes.blocks import fold
from archcalc.render.tables import formats
from archcalc.render.tables.report import make_report
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_graph
from archcalc.teach.check.model import Verdict
from archcalc.teach.exercise.worksheet import make_worksheet
from archcalc.teaching import checked

LAYERS = """
  - conv2d: {name: stem/conv, out_channels: 8, kernel_size: 3, padding: 1}
  - relu: {name: stem/relu}
  - opaque: {name: body/grid, of: grid_sample, shape: 16x16x8, params: 12, reads: 32x32x8}
  - conv2d: {name: body/conv, out_channels: 8, kernel_size: 3}
  - opaque: {name: head/max, of: max, shape: 10}
  - linear: {name: head/fc, out_features: 10}
"""
#: 32·32 positions of 8 filters of 3·3·3, 14·14 of 8 filters of 3·3·8, and 10·10.
COUNTED = 1024 * 8 * 27 + 196 * 8 * 72 + 100


def graph(layers: str = LAYERS, size: str = "32x32x3") -> LayerGraph:
    text = f"name: op\ntitle: Op\ninput: {size}\nlayers:{layers}"
    return build(spec_of(parse_source(text, "op.yaml")))


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(graph())


def test_shape_and_parameters_are_those_that_are_given(analysis: Analysis) -> None:
    grid = analysis["body/grid"]
    assert (grid.output_shape, grid.params, grid.buffers, grid.activations) == ((8, 16, 16), 12, 0, 16 * 16 * 8)
    assert analysis.totals.params == 8 * 28 + 12 + 8 * 73 + 110


def test_the_cost_is_not_zero_but_unknown(analysis: Analysis) -> None:
    grid, totals = analysis["body/grid"], analysis.totals
    assert (grid.multiplications, grid.operations, grid.not_counted) == (None, None, ("grid_sample",))
    assert (totals.multiplications, dict(totals.not_counted)) == (COUNTED, {"grid_sample": 1, "max": 1})
    assert totals.operations.multiplications == COUNTED


def test_multiplications_that_are_given_make_totals_exact() -> None:
    given = analyse(
        graph("""
  - opaque: {name: t, of: topk, shape: 8x8x1, multiplications: 0}
  - opaque: {name: d, of: deformed, shape: 8x8x1, multiplications: 9}
""")
    )
    plain = analyse(graph(LAYERS[: LAYERS.index("  - opaque")]))
    assert given.totals.multiplications == 9
    assert plain.totals.not_counted == given.totals.not_counted == {}
    assert given.rows[-1].operations is None
    notes = make_report(given).conventions()
    assert "Only the multiplications are counted of: 1 × opaque topk, 1 × opaque deformed." in notes


def test_what_follows_has_no_receptive_field(analysis: Analysis) -> None:
    fields = [row.receptive_field for row in analysis.rows]
    assert [field.size if field else None for field in fields[:4]] == [(1, 1), (3, 3), (3, 3), None]
    assert fields[4:] == [None] * 3


def test_a_folded_block_says_what_it_leaves_out(analysis: Analysis) -> None:
    folded = {row.name: row for row in fold(analysis.rows, 1)}
    assert (folded["stem"].multiplications, folded["stem"].not_counted) == (1024 * 8 * 27, ())
    assert (folded["body"].multiplications, folded["body"].not_counted) == (196 * 8 * 72, ("grid_sample",))


@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
def test_tables_print_at_least(analysis: Analysis, form: str) -> None:
    text = formats.render([make_report(analysis, "layer,params,multiplications,multiplications_share,additions")], form)
    assert text.count("not counted") == 4 + 1  # two layers, two columns, and the note on multiplications
    assert f"≥ {COUNTED:,}" in text.replace(r"$\ge$", "≥")
    assert "Not counted: 1 × grid" in text.replace(r"$\times$", "×")
    assert not re.search(r"\d \\?%", text), "shares of a whole that is not known"


def test_csv_and_json_hold_nothing_in_its_place(analysis: Analysis) -> None:
    lines = list(csv.DictReader(io.StringIO(formats.render([make_report(analysis, "layer,multiplications")], "csv"))))
    assert {line["layer"]: line["multiplications"] for line in lines}["body/grid"] == ""
    data = json.loads(formats.render([make_report(analysis)], "json"))
    assert data["totals"]["not_counted"] == {"grid_sample": 1, "max": 1}
    layers = {layer["name"]: layer for layer in data["layers"]}
    assert layers["body/grid"]["multiplications"] is None
    assert layers["body/grid"]["operations"] is None
    assert layers["body/grid"]["receptive_field"] is None
    counted = json.loads(formats.render([make_report(analyse(graph("\n  - relu")))], "json"))
    assert "not_counted" not in counted["totals"]


def test_a_specification_of_it_is_read_back_equal() -> None:
    made = graph()
    assert build(spec_of(parse_source(write_graph(made), "op.yaml"))) == made


@pytest.mark.parametrize("kind", ["height", "max", "aten::grid_sampler", "3", "a b", "x-y"])
def test_its_kind_is_a_text_and_no_expression(kind: str) -> None:
    made = graph(f'\n  - opaque: {{of: "{kind}", shape: 7}}')
    assert made.layers[1].op.not_counted == kind
    assert build(spec_of(parse_source(write_graph(made), "op.yaml"))) == made


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("{shape: 7}", "opaque needs of"),
        ("{of: x}", "opaque needs shape"),
        ("{of: x, shape: 7, params: -1}", "params: should be at least 0, not -1"),
        ("{of: x, shape: [7, 7]}", "shape: should be written positions×channels"),
        ("{of: x, shape: 7, reads: q}", "reads: 'q' is not known here"),
        ('{of: "", shape: 7}', "of: "),
    ],
)
def test_faulty_settings_are_told(fields: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        graph(f"\n  - opaque: {fields}")
    assert message in str(caught.value)


def test_it_takes_only_the_inputs_that_it_was_made_for() -> None:
    with pytest.raises(SpecError, match="known only for the inputs that it was made for"):
        analyse(graph(size="64x64x3"))
    several = """
  - conv2d: {name: a, out_channels: 8, kernel_size: 1}
  - opaque: {of: roi_align, shape: 7x7x8, reads: [32x32x8, 32x32x3], from: [a, input]}
"""
    assert analyse(graph(several)).rows[-1].output_shape == (8, 7, 7)
    with pytest.raises(SpecError, match="made for 32×32×8, 32×32×3, here are 16×16×8, 16×16×3"):
        analyse(graph(several, "16x16x3"))


def test_strict_refuses_it() -> None:
    with pytest.raises(SpecError, match=r'layer "body/grid" \(opaque\): what grid_sample costs cannot be counted'):
        analyse(graph(), conventions=Conventions(strict=True))


def test_derivations_leave_out_what_is_not_known(analysis: Analysis) -> None:
    explained = explain_layer(analysis, "body/grid")
    assert "cost not counted" in explained.heading
    assert {one.quantity: one.value for one in explained.derivations} == {
        "height": 16, "width": 16, "depth": 8, "params": 12, "activations": 2048, "activation_bytes": 8192,
    }  # fmt: skip
    total = sum_up(analysis, "multiplications")
    assert (total.total, dict(total.not_counted)) == (COUNTED, {"grid_sample": 1, "max": 1})
    assert sum_up(analysis, "params").not_counted == {}


def test_a_formula_is_refused_but_that_of_the_parameters(tmp_path: Any) -> None:
    path = tmp_path / "op.yaml"
    path.write_text(write_graph(graph()))
    assert str(closed_form(str(path), "params", {}, None).expression) == "930"
    for quantity in COUNTS.keys() - {"params"}:
        with pytest.raises(UsageError, match="grid_sample of body/grid cannot be counted"):
            closed_form(str(path), quantity, {}, None)


def test_a_worksheet_does_not_ask_for_it(analysis: Analysis) -> None:
    sheet = make_worksheet(analysis, ["params", "multiplications", "receptive_field"])
    asked = {layer for layer, quantity in sheet.blanks if quantity == "multiplications"}
    assert asked == {"stem/conv", "body/conv", "head/fc"}
    assert ("total", "params") in sheet.blanks
    cells = {line.layer: line.cells for line in sheet.lines}
    assert cells["body/grid"][1:] == ("not counted", "?")
    assert sheet.solutions()


def test_an_answer_for_it_is_neither_right_nor_wrong(analysis: Analysis) -> None:
    table = "layer,params,multiplications,receptive field\nbody/grid,12,5000,9\nbody/conv,584,112896,\n"
    found, _ = checked(analysis, [line.split(",") for line in table.splitlines()], {})
    verdicts = {(cell.layer, cell.quantity): (cell.verdict, cell.note) for cell in found.cells}
    assert verdicts["body/grid", "params"][0] is Verdict.RIGHT
    assert verdicts["body/conv", "multiplications"][0] is Verdict.RIGHT
    for quantity, why in (("multiplications", "cannot be counted"), ("receptive_field", "only the shape")):
        verdict, note = verdicts["body/grid", quantity]
        assert verdict is Verdict.EMPTY
        assert why in note


def test_a_total_is_neither_right_nor_wrong(analysis: Analysis) -> None:
    (cell,) = checked(analysis, None, {"multiplications": COUNTED})[0].cells
    assert cell.verdict is Verdict.EMPTY
    assert cell.note == "the right total is not known: archcalc cannot count 1 × grid_sample, 1 × max"
    (cell,) = checked(analysis, None, {"params": 931})[0].cells
    assert (cell.verdict, cell.expected) == (Verdict.WRONG, 930)


def test_pictures_and_charts_say_that_it_is_unknown() -> None:
    made = Network.of(graph()).analyse()
    for style in ("graph", "blocks", "volumes"):
        assert "grid" in made.draw(style=style)._repr_svg_()
    assert f"≥ {COUNTED / 1000:.0f}" in made.draw(style="blocks")._repr_svg_()
    assert f"≥ {COUNTED:,}" in repr(made)
    for kind in ("profile", "memory", "receptive_field"):
        assert made.plot(kind)
    assert "not counted" in made.to_html()
