"""An op from outside the package: a spec, a report, derivations, a closed form, a check and a run of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from archcalc import analyse, load, ops
from archcalc.core.errors import ShapeError, SpecError
from archcalc.core.shapes import Shape, format_shape
from archcalc.execute.kernels.registry import KERNELS, Array, kernel
from archcalc.ops import OPS, Op, Operations, Param, called, register
from archcalc.ops.base import Count, Letter, Pointwise, elements
from archcalc.ops.ranks import Ranks
from archcalc.spec.schema import json_schema
from tests.cli.runner import Run
from tests.networks import HEAD, graph

SPEC = """\
input: 8x8x3
layers:
  - conv2d: {name: conv1, out_channels: 6, kernel_size: 3, padding: 1}
  - clique_norm2d: {name: cn1, groups: 2}
  - linear: {name: fc1, out_features: 10}
"""


class CliqueNorm2d(Pointwise):
    """(x − mean)/√(variance + ε)·γ + β over groups of channels. Source: Wu & He 2018, equation 7."""

    kind = "clique_norm2d"
    stem = "cn"
    family = "normalisation"
    unit = "channel"
    words = ("cn", "clique normalization")

    groups: Annotated[Count, Letter("G", "groups")]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if inputs[0][0] % self.groups:
            raise ShapeError("groups does not divide the channels", f"input {format_shape(inputs[0])}")

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        channels = inputs[0][:1]
        return Param("weight", channels), Param("bias", channels)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        # A mean and a variance for each group, then x − mean, a square, a scale and a shift for each value.
        sums = 2 * (values - self.groups)
        each = self.groups
        return Operations(sums + 2 * values + each, 2 * values, 0, 3 * each, each)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"clique norm, {self.groups} groups"


@pytest.fixture
def clique_norm() -> Iterator[type[Op]]:
    try:
        yield register(CliqueNorm2d)
    finally:
        OPS.pop("clique_norm2d", None)
        ops._by_word.cache_clear()


@pytest.fixture
def spec(clique_norm: type[Op], tmp_path: Path) -> str:
    path = tmp_path / "net.yaml"
    path.write_text(HEAD + SPEC, encoding="utf-8")
    return str(path)


def test_it_stands_in_a_spec_and_in_the_report(spec: str, archcalc: Run) -> None:
    analysis = analyse(load(spec))
    row = analysis["cn1"]
    assert (row.output_shape, row.params, row.multiplications) == ((6, 8, 8), 12, 0)
    assert row.operations == Operations(2 * (384 - 2) + 2 * 384 + 2, 2 * 384, 0, 3 * 2, 2)
    assert analysis.totals.params == 6 * (27 + 1) + 12 + (384 + 1) * 10
    assert "clique norm, 2 groups" in archcalc("report", spec).out
    assert "clique_norm2d" in str(json_schema())


@pytest.mark.parametrize(
    ("wrong", "message"), [("groups: 4", "groups does not divide"), ("group: 2", "did you mean groups")]
)
def test_its_errors_name_the_place(clique_norm: type[Op], wrong: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        analyse(graph(SPEC.replace("groups: 2", wrong)))
    assert "net.yaml:" in str(caught.value)


def test_its_numbers_are_derived(spec: str, archcalc: Run) -> None:
    text = archcalc("explain", spec, "cn1").out
    assert "cn1: clique norm, 2 groups; input 8×8×6" in text
    assert "2D₁ = 2·6 = 12" in text
    assert "1 weight and 1 bias for each channel" in text
    assert "2·(H₁·W₁·D₁ − G) + 2·H₁·W₁·D₁ + G = 2·(8·8·6 − 2) + 2·8·8·6 + 2" in text


def test_it_has_a_closed_form(spec: str, archcalc: Run) -> None:
    # Every map is stored, the norm's too: 3 + 6 + 6 channels, and 10 neurons.
    assert archcalc("formula", spec, "--activations").out.startswith("values stored = 15*s**2 + 10")


def test_it_is_known_by_its_words(clique_norm: type[Op]) -> None:
    assert clique_norm.noun == "clique norm"
    assert [op.kind for op in called("CN")] == ["clique_norm2d"]
    assert [op.kind for op in called("Clique-Normalization")] == ["clique_norm2d"]


def test_a_table_with_it_is_checked(spec: str, tmp_path: Path, archcalc: Run) -> None:
    table = tmp_path / "answers.csv"
    table.write_text("layer,output,params\nconv1,8x8x6,168\ncn1,8x8x6,6\n", encoding="utf-8")
    cells = json.loads(archcalc("check", spec, str(table), "-f", "json").out)["cells"]
    verdicts = {(cell["layer"], cell["quantity"]): cell["verdict"] for cell in cells}
    assert verdicts["cn1", "output_shape"] == "right"
    assert verdicts["cn1", "params"] == "wrong"


def clique_norm2d(x: Array, weight: Array, bias: Array, *, groups: int) -> Array:
    parts = x.reshape(x.shape[0], groups, -1)
    centred = parts - parts.mean(axis=2, keepdims=True)
    spread = (1, -1, 1, 1)
    normal = (centred / np.sqrt(centred.var(axis=2, keepdims=True) + 1e-5)).reshape(x.shape)
    shifted: Array = normal * weight.reshape(spread) + bias.reshape(spread)
    return shifted


def test_with_a_kernel_it_runs(spec: str, archcalc: Run) -> None:
    kernel("clique_norm2d", arrays=lambda x: {"weight": x.shape[1:2], "bias": x.shape[1:2]})(clique_norm2d)
    try:
        result = archcalc("run", spec, "--algorithm", "im2col")
        assert result.code == 0, result.err
        assert "all shapes and counts agree" in result.out
    finally:
        del KERNELS["clique_norm2d"]


@pytest.mark.parametrize("module", [path.stem for path in Path(ops.__file__).parent.glob("*.py")])
def test_the_registry_names_the_ops_of_each_module(module: str) -> None:
    # The table of names stands in for the modules until they are imported, so it has to say what they say.
    found = import_module(f"archcalc.ops.{module}")
    values = [value for value in vars(found).values() if getattr(value, "__module__", "") == found.__name__]
    single = [value.__dict__["kind"] for value in values if isinstance(value, type) and "kind" in value.__dict__]
    families = [value for value in vars(found).values() if isinstance(value, Ranks)]
    ranked = [op.kind for family in families if family.base.__module__ == found.__name__ for op in family.values()]
    own = [kind for kind, op in OPS.items() if op.__module__ == found.__name__]
    assert sorted(own) == sorted({*single, *ranked})
    assert all(OPS[kind].kind == kind for kind in own)


def test_a_class_of_a_family_is_found_by_its_name_and_has_its_rank() -> None:
    conv = import_module("archcalc.ops.conv")
    assert [(op.kind, op.rank, op.__name__) for op in conv.CONV_OF_RANK.values()] == [
        ("conv2d", 2, "Conv2d"), ("conv1d", 1, "Conv1d"), ("conv3d", 3, "Conv3d"),
    ]  # fmt: skip
    assert conv.Conv3d is conv.CONV_OF_RANK[3] is OPS["conv3d"]
    assert 4 not in conv.CONV_OF_RANK
    with pytest.raises(KeyError):
        conv.CONV_OF_RANK[4]
    with pytest.raises(AttributeError, match="has no attribute 'Conv4d'"):
        _ = conv.Conv4d


def test_a_kind_is_registered_once() -> None:
    class Twice(Pointwise):
        """The same kind as a known op."""

        kind = "relu"
        stem = "relu"
        family = "activation"

    with pytest.raises(ValueError, match="there is an op 'relu' already"):
        register(Twice)
    Twice.kind = "Two words"
    with pytest.raises(ValueError, match="lower case"):
        register(Twice)
    assert OPS["relu"] is not Twice
