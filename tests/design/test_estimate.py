"""The roofline by hand: bounds, ridge, what is not counted, and devices."""

from __future__ import annotations

import json
import math
import re

import pytest

import archcalc as ac
from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.design.devices import bandwidth_of, chosen, device, devices, flops_of, given
from archcalc.design.estimate import COMPUTE, MEMORY, estimate
from archcalc.render.charts.roofline import _footnote

#: 1,000 operations and 100 bytes a second: the ridge is at 10.
SLOW = given("1000", "100 bytes/s")


def test_each_layer_by_hand() -> None:
    found = estimate(ac.analyse("4x4x2 -> conv3-64p1 -> relu -> fc5"), SLOW)
    conv, relu, dense = found.bounds[1:]
    # 16·64 results of 18 products and 18 additions; 32 values in, 1,024 out, 1,152 weights and 64 biases.
    assert (conv.operations, conv.bytes) == (1024 * 36, 4 * (32 + 1024 + 1216))
    assert (conv.by, conv.seconds) == (MEMORY, 4 * 2272 / 100)
    assert (relu.operations, relu.bytes, relu.seconds) == (1024, 8192, 81.92)
    assert (dense.operations, dense.bytes) == (5 * 2048, 4 * (1024 + 5 * 1024 + 5 + 5))
    assert found.bounds[0].by == ""
    assert found.ridge == 10
    assert found.seconds == pytest.approx(90.88 + 81.92 + 246.16)
    # On the chip: 32 values in, 5 out and 1,216 + 5,125 parameters are moved; 48,128 operations take 48.128 s.
    assert found.on_chip_seconds == pytest.approx(max(48.128, 4 * 6378 / 100))


def test_a_batch_shares_the_parameters_and_turns_the_bound() -> None:
    alone, many = (
        estimate(ac.analyse("8x1x1 -> fc64 -> fc64", batch), given("200", "100 bytes/s")) for batch in (1, 32)
    )
    assert [bound.by for bound in alone.bounds[1:]] == [MEMORY, MEMORY]
    assert [bound.by for bound in many.bounds[1:]] == [COMPUTE, COMPUTE]
    # 64·64·2 operations for each image; 64 + 64 values for each, 64·64 + 64 parameters once.
    assert many.bounds[2].intensity == 32 * 8192 / (4 * (32 * 128 + 4160))
    assert many.bounds[2].seconds == 32 * 8192 / 200


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "googlenet@aux", "mobilenet"])
def test_sums_and_limits(name: str) -> None:
    found = estimate(ac.analyse(name, 4), device("t4"))
    assert found.seconds == pytest.approx(sum(bound.seconds for bound in found.bounds))
    assert found.on_chip_seconds <= found.seconds
    assert found.seconds >= max(found.operations / found.rate, found.bytes / found.device.bandwidth) * (1 - 1e-12)
    for bound in found.bounds:
        assert bound.intensity is None or (bound.by == COMPUTE) == (bound.intensity > found.ridge)


OPAQUE = """
name: n
title: N
input: 4x4x3
layers:
  - conv2d: {out_channels: 3, kernel_size: 1}
  - opaque: {name: mystery, of: Mystery, shape: 4x4x3}
"""


def test_what_is_not_counted_is_named() -> None:
    found = estimate(ac.from_yaml(OPAQUE).analyse(), SLOW)
    assert found.not_counted == ["mystery"]
    text = ac.estimate(ac.from_yaml(OPAQUE), flops="1000", bandwidth="100 bytes/s").render("text")
    assert "takes at least 4.32 s" in text  # 48 values in, 48 out, 12 parameters
    assert "the time is more: mystery" in text
    data = json.loads(ac.estimate(ac.from_yaml(OPAQUE), "t4").render("json"))
    assert data["layers"][2]["seconds_at_least"] is None
    assert data["totals"]["not_counted"] == ["mystery"]


def test_every_device_has_rates_and_a_source() -> None:
    for name, one in devices().items():
        assert name == one.name == device(name.upper().replace("-", " ")).name
        assert one.flops
        assert set(one.flops) <= set(BYTES)
        assert len(one.source) > 20
        assert one.memory
        assert 1e9 <= one.bandwidth <= 1e13
        assert all(1e9 <= rate <= 1e16 for rate in one.flops.values())
    assert {"phone", "board", "laptop", "consumer GPU", "data-centre GPU"} <= {one.kind for one in devices().values()}


@pytest.mark.parametrize(
    ("text", "value"),
    [("500G", 500e9), ("19.5 TFLOP/s", 19.5e12), ("19.5TFLOPS", 19.5e12), ("2,000,000", 2e6), ("1 Gflops", 1e9)],
)
def test_rates_as_people_type_them(text: str, value: float) -> None:
    assert flops_of(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("40GB/s", 40e9), ("40 GBps", 40e9), ("1.5 TB/s", 1.5e12), ("1GiB/s", 2**30), ("9 bytes/s", 9)]
)
def test_bandwidths_as_people_type_them(text: str, value: float) -> None:
    assert bandwidth_of(text) == value


@pytest.mark.parametrize("bad", ["0", "-5", "inf", "nan", "1e400", "", "9" * 300, "500GB", "fast", "0.5"])
def test_absurd_rates(bad: str) -> None:
    with pytest.raises(UsageError, match="--flops"):
        flops_of(bad)


@pytest.mark.parametrize(
    "bad", ["0GB/s", "-5GB/s", "inf", "1e400", "40G", "99999999TB/s", "fast", "/s", "40Gb/s", "40 Gbps"]
)
def test_absurd_bandwidths(bad: str) -> None:
    with pytest.raises(UsageError, match="--bandwidth"):
        bandwidth_of(bad)


@pytest.mark.parametrize(
    ("name", "dtype", "there", "absent"),
    [
        ("t4", "float32", "float32: 8.1 TFLOPS", ["Tensor Cores", "TOPS"]),
        ("t4", "float16", "float16: 65 TFLOPS with Tensor Cores", ["8.1", "TOPS"]),
        ("v100-sxm2", "float32", "NVIDIA Tesla V100 whitepaper", ["Tensor Cores"]),
        ("rtx-3090", "float32", "float32: 35.6 TFLOPS", ["float16", "142"]),
        ("rtx-4090", "float32", "NVIDIA Ada GPU", ["float16", "661"]),
        ("rtx-4090", "float16", "with sums in float16", ["float32"]),
        ("rtx-5090", "float16", "half of the 838 TFLOPS", ["21,760·2.407·2"]),
        ("l4", "int8", "half of the 485 TOPS", ["242", "float16"]),
        ("raspberry-pi-4", "float64", "23.94 GFLOPS", ["47.88"]),
        ("core-i5-8250u", "float64", "4·3.4·16 GFLOP/s", ["4·3.4·32"]),
    ],
)
def test_the_source_is_that_of_the_rate_that_is_used(name: str, dtype: str, there: str, absent: list[str]) -> None:
    analysis = ac.analyse("lenet5", dtype=dtype)
    result = ac.estimate(analysis, name)
    text = " ".join(result.render("text").split())
    sources = [text.partition("Source of the rates: ")[2], json.loads(result.render("json"))["device"]["source"]]
    sources.append(_footnote(result.value)[-1])
    for source in sources:
        assert there in source
        assert [word for word in absent if word in source] == []


@pytest.mark.parametrize("name", devices())
def test_no_source_speaks_of_another_dtype(name: str) -> None:
    one = device(name)
    assert set(one.source_of_rate) <= set(one.flops)
    for dtype in one.flops:
        words = re.findall(r"\w+", one.source_in(dtype))
        assert not set(words) & (set(BYTES) - {dtype})
        assert one.source_of_rate.get(dtype, "") in one.whole_source


def test_a_device_is_one_or_the_other() -> None:
    assert chosen("this", None, None) is None
    with pytest.raises(UsageError, match="not by both"):
        chosen("t4", "5G", None)
    with pytest.raises(UsageError, match="which device"):
        chosen(None, None, None)
    with pytest.raises(UsageError, match="--flops needs --bandwidth too"):
        chosen(None, "5G", None)
    with pytest.raises(UsageError, match="did you mean rtx-4090"):
        chosen("rtx4090", None, None)


def test_a_dtype_without_a_rate() -> None:
    with pytest.raises(UsageError, match="NVIDIA T4 in float64 is known, only in float32, float16 and int8"):
        estimate(ac.analyse("lenet5", dtype="float64"), device("t4"))


def test_large_numbers_stay_finite() -> None:
    found = estimate(ac.analyse("vgg16", 1 << 20), given("1", "1 byte/s"))
    assert math.isfinite(found.seconds)
    assert found.operations > 1 << 53
