"""The plots of one network: their values are those of its analysis."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from archcalc.core.conventions import BYTES
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.bars import most_bars
from archcalc.render.charts.figure import Look
from archcalc.render.charts.groups import group
from archcalc.render.charts.memory import memory
from archcalc.render.charts.profile import profile
from archcalc.render.charts.receptive_field import receptive_field
from archcalc.spec.catalogue import load
from tests.networks import numbers, one_of_each
from tests.render.charts.charts import analysis_of, data_of, words_of
from tests.tiers import slow_but

SOME = (
    "lenet5@1998",
    "alexnet",
    "vgg16",
    "googlenet@aux",
    "resnet152",
    "nasnet_mobile",
    "unet",
    "mobilenet",
    "deconvnet",
)
FIELDS = ("params", "multiplications", "activation_bytes")


@pytest.mark.parametrize("name", slow_but(["lenet5", "resnet50", "googlenet@aux"], one_of_each()))
@pytest.mark.parametrize("most", [4, 15, 61, 5000])
def test_grouping_loses_nothing(name: str, most: int) -> None:
    analysis = analysis_of(name)
    bars, _ = group(analysis.rows, most)
    assert 0 < len(bars) <= most
    for field in FIELDS:
        assert sum(getattr(bar, field) for bar in bars) == getattr(analysis.totals, field)


def test_groups_are_layers_blocks_or_runs() -> None:
    vgg = group(analysis_of("vgg16").rows, 60)
    assert [bar.name for bar in vgg.rows][:3] == ["input", "conv1_1", "conv1_2"]
    assert vgg.how == "a bar for each layer that has parameters, multiplies or stores"
    resnet = group(analysis_of("resnet50").rows, 60)
    # Table 1 of He et al. 2015: 3 + 4 + 6 + 3 units.
    assert sum("unit" in bar.name for bar in resnet.rows) == 16
    assert resnet.how.startswith("175 layers, a bar for each block")
    runs = group(analysis_of("vgg16").rows, 4)
    assert runs.how == "39 layers, a bar for each 6 neighbours"


@pytest.mark.parametrize("chart", [profile, memory, receptive_field])
def test_the_input_is_no_layer(chart: Callable[[Analysis], dict[str, Any]]) -> None:
    analysis = analysis_of("resnet50")
    assert analysis.layer_count == 175
    assert re.findall(r"(\d+) layers", json.dumps(chart(analysis))) == ["175"]


@pytest.mark.parametrize("name", SOME)
def test_panels_of_a_profile_add_up_to_the_totals(name: str) -> None:
    analysis = analysis_of(name)
    spec = profile(analysis)
    for field in FIELDS:
        rows = data_of(spec, field)
        assert len(rows) <= most_bars(Look())
        assert sum(row[field] for row in rows) == getattr(analysis.totals, field)
    table = spec["usermeta"]["archcalc"]["table"]
    assert [sum(row[1 + at] for row in table["rows"]) for at in range(3)] == [
        getattr(analysis.totals, field) for field in FIELDS
    ]
    assert f"{analysis.totals.params:,} in all" in words_of(spec)


def test_alexnet_as_the_notes_say() -> None:
    rows = {row["name"]: row["params"] for row in data_of(profile(analysis_of("alexnet")), "params")}
    # (6·6·256 + 1)·4096, and (11·11·3 + 1)·96.
    assert (rows["fc6"], rows["conv1"], rows["pool1"]) == (37_752_832, 34_944, 0)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize(("batch", "dtype"), [(1, "float32"), (16, "float16")])
def test_memory_shows_what_is_live_and_names_the_peak(name: str, batch: int, dtype: str) -> None:
    analysis = analyse(load(name), batch, dtype)
    spec = memory(analysis)
    live = [row[2] for row in spec["usermeta"]["archcalc"]["table"]["rows"]]
    assert live == [values * batch * BYTES[dtype] for values in analysis.memory.live]
    drawn = data_of(spec, "live_bytes")
    assert max(row["live_bytes"] for row in drawn) == analysis.totals.peak_activation_bytes
    assert f"{analysis.totals.peak_activation_bytes:,} bytes, at {analysis.totals.peak_layer}" in spec["description"]
    assert "peak " in words_of(spec)


def test_memory_of_vgg_peaks_where_two_large_maps_meet() -> None:
    spec = memory(analysis_of("vgg16"))
    # conv1_2 reads and writes 224×224×64 values of 4 bytes.
    assert "peak 24.5 MiB at conv1_2" in words_of(spec)
    assert max(row["live_bytes"] for row in data_of(spec, "live_bytes")) == 2 * 224 * 224 * 64 * 4


@pytest.mark.parametrize("name", SOME)
def test_receptive_fields_are_those_of_the_rows(name: str) -> None:
    analysis = analysis_of(name)
    spec = receptive_field(analysis)
    table = {row[1]: (row[2], row[3]) for row in spec["usermeta"]["archcalc"]["table"]["rows"]}
    assert table == {row.name: row.receptive_field.size for row in analysis.rows if row.receptive_field is not None}
    line = [row["pixels"] for row in data_of(spec, "pixels")]
    assert line == sorted(line)
    assert line[-1] == max(height for height, _ in table.values())


def test_layers_without_a_receptive_field_are_left_out_with_the_reason() -> None:
    text = "  - conv2d: {out_channels: 2, kernel_size: 3}\n  - opaque: {name: box, of: Box, shape: 6x6x2}\n  - relu\n"
    spec = receptive_field(numbers(text, "8x8x1"))
    note = "2 layers: no receptive field: only the shape of the output is known (box)."
    assert note in json.dumps(spec)


def test_receptive_field_of_vgg() -> None:
    # Araujo et al. 2019: 212 before the dense layers of VGG-16.
    table = {row[1]: row[2] for row in receptive_field(analysis_of("vgg16"))["usermeta"]["archcalc"]["table"]["rows"]}
    assert (table["pool5"], table["conv1_2"], table["input"]) == (212, 5, 1)


def test_height_and_width_that_differ_are_both_drawn() -> None:
    # A layer that sees 1×7 pixels.
    spec = receptive_field(analysis_of("blocks/conv_nx1_1xn"))
    dashes = [layer["mark"]["strokeDash"] for layer in spec["layer"] if layer["mark"]["type"] == "line"]
    assert dashes
    assert len(dashes) == len({str(dash) for dash in dashes})
