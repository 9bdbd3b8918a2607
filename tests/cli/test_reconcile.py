"""`archcalc reconcile`, and `archcalc report --convention`."""

from __future__ import annotations

import json

import pytest

import archcalc as ac
from tests.cli.runner import Run


def test_the_bridge_between_two_libraries(archcalc: Run) -> None:
    result = archcalc("reconcile", "resnet50", "--from", "torchvision", "--to", "keras")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[-3:] for line in result.out.splitlines()[2:4]] == [
        ["53,120", "53", "layers"],
        ["26,560", "53", "layers"],
    ]
    assert result.out.splitlines()[-1].split() == ["keras,", "resnet50@keras", "25,636,712"]


def test_json_adds_up(archcalc: Run) -> None:
    found = json.loads(archcalc("reconcile", "lenet5", "--from", "ptflops", "--to", "thop", "-f", "json").out)
    assert found["schema"] == "archcalc.reconcile/1"
    assert [one["quantity"] for one in found["bridges"]] == ["params", "multiplications"]
    for one in found["bridges"]:
        assert one["from"]["total"] + sum(item["change"] for item in one["items"]) == one["to"]["total"]
    assert (found["bridges"][1]["from"]["total"], found["bridges"][1]["to"]["total"]) == (435_646, 418_096)


def test_what_is_not_counted_is_named(archcalc: Run) -> None:
    net = "16x16x3 -> conv3-4 -> l2norm -> gap -> fc10"
    result = archcalc("reconcile", net, "--to", "ptflops", "--quantity", "multiplications")
    assert "how ptflops counts it is not known: 1 × L2 norm" in result.out
    assert "≥ " in result.out
    found = json.loads(archcalc("reconcile", net, "--to", "ptflops", "-f", "json").out)
    assert found["bridges"][1]["to"]["not_counted"] == {"L2 norm": 1}
    assert "not_counted" not in found["bridges"][1]["from"]


def test_where_a_number_comes_from(archcalc: Run) -> None:
    result = archcalc("reconcile", "lenet5", "435,646")
    assert result.code == 0
    assert "435,646  multiplications as ptflops counts  exactly" in result.out
    found = json.loads(archcalc("reconcile", "lenet5", "833.04k", "-f", "json").out)
    assert found["schema"] == "archcalc.reconcile/1"
    assert found["matches"][0]["value"] == 833_040
    assert found["matches"][0]["conventions"] == ["flop-counter"]


def test_none_gives_the_number(archcalc: Run) -> None:
    result = archcalc("reconcile", "lenet5", "123,456,789")
    assert result.code == 1
    assert result.out.startswith("None gives 123,456,789 for lenet5: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet5"], "takes a NUMBER, or --from and --to"),
        (["lenet5", "4M", "--to", "keras"], "takes a NUMBER, or --from and --to"),
        (["lenet5", "4M", "--quantity", "params"], "--quantity is for --from and --to"),
        (["lenet5", "many"], "NUMBER takes a number"),
        (["lenet5", "--to", "fvcor"], "did you mean fvcore"),
        (["lenet5", "--from", "caffe", "--to", "thop", "--quantity", "multiplications"], "caffe counts no"),
        (["lenet6", "--to", "thop"], "did you mean"),
    ],
)
def test_refused(refuses: Run, arguments: list[str], message: str) -> None:
    assert message in refuses("reconcile", *arguments).err


def test_a_report_as_another_tool_counts(archcalc: Run) -> None:
    result = archcalc("report", "resnet18", "--convention", "fvcore", "--depth", "1")
    assert result.code == 0
    assert "1,819,065,856" in result.out
    assert "as fvcore counts" in result.out
    assert "computed" not in result.out
    found = json.loads(archcalc("report", "resnet50@keras", "--convention", "keras", "-f", "json").out)
    assert (found["totals"]["params"], found["totals"]["buffers"]) == (25_636_712, 0)
    assert found["totals"]["params"] == sum(layer["params"] for layer in found["layers"])
    assert found["conventions"]["multiplications"].startswith("keras counts none")


def test_conventions_of_a_report_exist(refuses: Run) -> None:
    assert "did you mean thop" in refuses("report", "lenet5", "--convention", "tho").err


def test_in_python() -> None:
    bridges = ac.reconcile("lenet5", start="archcalc", end="thop", quantity="multiplications")
    assert [bridge.second.total for bridge in bridges.value] == [418_096]
    assert "avg pool: 1 for each value  + 1,576  2 layers" in str(bridges)
    assert ac.reconcile("lenet5", 435_646).value.matches[0].tools == ("ptflops",)
    with pytest.raises(ac.UsageError, match="params or multiplications"):
        ac.reconcile("lenet5", end="thop", quantity="size")
