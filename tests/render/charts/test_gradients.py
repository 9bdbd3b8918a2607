"""The plot of gradient norms: where lines and marks stand, and what the table below it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.charts.gradients import Series, gradients

PLAIN = Series("Plain", (("a", 1e-3), ("b", 1e-2), ("c", 1.0)))
SHORTCUT = Series("With shortcut", (("a", 0.5), ("b", 0.25), ("side", 0.125), ("c", 2.0)))


def values(spec: dict[str, Any], kind: str) -> list[list[dict[str, Any]]]:
    """The data of the layers with this mark that show norms."""
    return [
        layer["data"]["values"]
        for layer in spec["layer"]
        if layer["mark"]["type"] == kind and layer["data"]["values"] and "norm" in layer["data"]["values"][0]
    ]


def ticks(spec: dict[str, Any], channel: str) -> list[Any]:
    axis: list[Any] = spec["layer"][0]["encoding"][channel]["axis"]["values"]
    return axis


def test_layers_of_one_name_stand_at_one_place() -> None:
    spec = gradients([PLAIN, SHORTCUT], "how")
    first, second = values(spec, "point")
    assert [(each["layer"], each["place"]) for each in first] == [("a", 1), ("b", 2), ("c", 4)]
    assert [(each["layer"], each["place"]) for each in second] == [("a", 1), ("b", 2), ("side", 3), ("c", 4)]
    # The lines run through what both have.
    assert [[each["layer"] for each in line] for line in values(spec, "line")] == [["a", "b", "c"]] * 2
    assert [each["norm"] for each in second] == [0.5, 0.25, 0.125, 2.0]


def test_networks_without_common_names_stand_by_number() -> None:
    other = Series("Other", (("x", 1.0), ("y", 2.0)))
    first, second = values(gradients([PLAIN, other], "how"), "point")
    assert [each["place"] for each in first] == [1, 2, 3]
    assert [each["place"] for each in second] == [1, 2]
    assert len(values(gradients([PLAIN, other], "how"), "line")[1]) == 2


def test_the_scale_holds_every_norm() -> None:
    spec = gradients([PLAIN, SHORTCUT], "how")
    decades = ticks(spec, "y")
    assert decades[0] <= 1e-3
    assert decades[-1] >= 2.0
    wide = ticks(gradients([Series("deep", (("a", 1e-38), ("b", 1e3)))], "how"), "y")
    assert len(wide) <= 12


def test_zeros_are_left_out_and_said() -> None:
    spec = gradients([Series("deep", (("a", 0.0), ("b", 1.0), ("c", 2.0)))], "how")
    (line,) = values(spec, "line")
    assert [each["layer"] for each in line] == ["b", "c"]
    texts = [layer["mark"].get("text") for layer in spec["layer"]]
    assert "Layers whose gradient is 0 are not shown: 1." in texts
    # The table of the plot has them.
    assert spec["usermeta"]["archcalc"]["table"]["rows"][0] == ["deep", "a", 0.0]


def test_hostile_names_stay_text() -> None:
    name = "a' + alert(1) + '\\"
    spec = gradients([Series(name, ((name, 1.0), ("b", 2.0)))], "how")
    expression = spec["layer"][0]["encoding"]["x"]["axis"]["labelExpr"]
    # A string of JSON, and nothing after it.
    assert json.loads(expression.split(" ? ")[1].rpartition(" : ")[0]) == name


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([PLAIN] * 8, "7 networks at most"),
        ([Series("none", ())], "no layer"),
        ([Series("no", (("a", 0.0),))], "no layer"),
    ],
)
def test_what_cannot_be_drawn(series: list[Series], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        gradients(series, "how")
