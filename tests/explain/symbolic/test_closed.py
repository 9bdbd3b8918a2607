"""Closed forms: known ones, and that every one gives the analysis's number at every point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.conventions import Conventions
from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.explain.symbolic.closed import ClosedForm, closed_form
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.steps import at_most_calls
from tests.tiers import examples, slow_but

QUANTITIES = ("params", "multiplications", "activations")


def total(network: str, quantity: str, side: int | None = None, **values: Any) -> int:
    """The number that the analysis gives."""
    graph = load(network, values)
    if side is not None:
        graph = graph.with_input((graph.input_shape[0], side, side))
    return int(getattr(analyse(graph).totals, quantity))


def test_resnet50_in_its_classes() -> None:
    # 2048 weights and a bias a class; the rest is 25,557,032 − 2049·1000.
    form = closed_form("resnet50", "params")
    assert str(form.expression) == "2049*classes + 23508032"
    assert form.where == ()
    assert form.symbols == ("classes",)


def test_alexnet_in_its_input() -> None:
    # Only fc6 depends on the image: h²·256·4096.
    form = closed_form("alexnet", "params", names=["input"])
    assert str(form.expression).startswith("1048576*h4**2")
    assert form.at(s=227) == 62_378_344


@pytest.mark.parametrize(
    ("network", "side", "params"),
    # timm counts 86,859,496 for vit_base_patch16_384.
    [("vit_b_16", 384, 86_859_496), ("alexnet", 227, 62_378_344), ("mixer_s_16", 224, 18_528_264)],
)
def test_params_that_depend_on_the_input_have_its_side(network: str, side: int, params: int) -> None:
    form = closed_form(network, "params")
    assert "s" in form.symbols
    graph = load(network)
    own = {name: graph.settings[name] for name in form.symbols if name in graph.settings}
    assert form.at(s=side, **own) == total(network, "params", side) == params


def test_vgg16_halves_the_side_five_times() -> None:
    form = closed_form("vgg16", "multiplications", names=["input"])
    assert [str(definition) for _, definition in form.where] == [
        "floor(s/2)", "floor(h1/2)", "floor(h2/2)", "floor(h3/2)", "floor(h4/2)",
    ]  # fmt: skip


def test_a_pattern_has_a_closed_form_too() -> None:
    form = closed_form("32x32x3 -> conv3-64 -> fc10", "activations")
    assert str(form.expression) == "67*s**2 + 10"


@pytest.mark.slow
def test_steps_grow_with_the_layers() -> None:
    with at_most_calls(5_000_000):
        form = closed_form("32x32x3 -> [conv3-3]*400", "multiplications")
    assert str(form.expression) == "32400*s**2"


def test_what_steers_stays_a_number_and_is_named() -> None:
    form = closed_form("nasnet_mobile", "params")
    assert dict(form.fixed) == {"cells": "decides which layers there are"}
    with pytest.raises(UsageError, match="cells cannot be a symbol"):
        closed_form("nasnet_mobile", "params", names=["cells"])


@pytest.mark.parametrize(
    ("names", "message"),
    [(["alfa"], "did you mean alpha"), (["padding"], "no number"), (["activation"], "no number")],
)
def test_what_cannot_be_a_symbol(names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        closed_form("mobilenet", "params", names=names)


def test_what_is_set_is_a_number() -> None:
    form = closed_form("mobilenet", "params", {"alpha": 0.5})
    assert form.symbols == ("classes",)
    assert form.at(classes=1000) == 1_331_592


forms: dict[tuple[str, str], ClosedForm] = {}


def form_of(network: str, quantity: str) -> ClosedForm:
    if (network, quantity) not in forms:
        forms[network, quantity] = closed_form(network, quantity)
    return forms[network, quantity]


@pytest.mark.slow
@pytest.mark.parametrize("quantity", QUANTITIES)
@given(alpha=st.integers(10, 3000).map(lambda n: n / 1000), classes=st.integers(1, 3000), side=st.integers(1, 400))
@examples(25)
def test_mobilenet_at_every_point(quantity: str, alpha: float, classes: int, side: int) -> None:
    expected = total("mobilenet", quantity, side, alpha=alpha, classes=classes)
    assert form_of("mobilenet", quantity).at(alpha=alpha, classes=classes, s=side) == expected


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(
    "network",
    slow_but(
        ["alexnet@grouped", "resnet18", "mobilenet@keras", "32x32x3 -> [conv3-8/2 -> bn -> pool3/2]*2 -> fc10"],
        ["alexnet", "alexnet@grouped", "vgg16", "googlenet", "resnet18", "resnet20_cifar", "unet", "lenet5@1998",
         "zfnet", "mobilenet@keras", "inception_v3", "deconvnet",
         "32x32x3 -> [conv3-8/2 -> bn -> pool3/2]*2 -> fc10"],
    ),
)  # fmt: skip
@given(data=st.data())
@examples(6, quick=1)
def test_any_network_at_every_point(network: str, quantity: str, data: st.DataObject) -> None:
    form = form_of(network, quantity)
    side = data.draw(st.integers(1, 700)) if "s" in form.symbols else None
    if network == "unet" and side is not None:
        side = 188 + 16 * (side % 30)
    values = {"classes": data.draw(st.integers(1, 2000))} if "classes" in form.symbols else {}
    try:
        expected = total(network, quantity, side, **values)
    except ArchcalcError:
        return  # the network does not take this input
    others = {name: load(network).settings[name] for name in form.symbols if name not in ("s", "classes")}
    assert form.at(**{"s": side or 0, **values, **others}) == expected


@pytest.mark.slow
@pytest.mark.parametrize("network", ["nasnet_mobile", "xception", "inception_resnet_v2", "resnet152", "nin@cifar10"])
def test_larger_networks_at_their_own_point(network: str) -> None:
    form = closed_form(network, "params")
    own = {name: value for name, value in load(network).settings.items() if name in form.symbols}
    assert form.at(**own) == total(network, "params")


@pytest.mark.slow
@pytest.mark.parametrize("network", ["vgg16@bn", "mobilenet", "lenet5@1998"])
@pytest.mark.parametrize("quantity", ["params", "activations"])
def test_a_closed_form_keeps_to_the_conventions(network: str, quantity: str) -> None:
    conventions = Conventions(running_statistics=True, in_place=False)
    form = closed_form(network, quantity, names=["input"], conventions=conventions)
    side = load(network).input_shape[1]
    expected = getattr(analyse(load(network), conventions=conventions).totals, quantity)
    assert form.at(s=side) == expected
    assert closed_form(network, quantity, names=["input"]).at(s=side) == total(network, quantity)


@pytest.mark.parametrize(
    ("text", "quantity", "names", "expression", "symbols"),
    [
        # 7·7 weights for each pair of channels, and the channels of the input are C too.
        ("parameters: {C: 64}\ninput: '56x56x{C}'\n"
         "layers:\n  - conv2d: {out_channels: C, kernel_size: 7, bias: false}\n",
         "params", None, "49*C**2", ("C",)),
        # The side of the input depends on r.
        ("parameters: {r: {type: number, default: 1, above: 0}}\ninput: '{round(8*r)}x{round(8*r)}x3'\n"
         "layers:\n  - conv2d: {out_channels: 2, kernel_size: 1}\n", "multiplications", ["r"], "6*h1**2", ("r",)),
        # Names of parameters are not those of sizes.
        ("parameters: {s: 3}\ninput: 6x6x3\nlayers:\n  - conv2d: {out_channels: s, kernel_size: 3, padding: same}\n",
         "multiplications", None, "27*s*s1**2", ("s", "s1")),
        ("parameters: {h1: 3}\ninput: 6x6x3\nlayers:\n  - conv2d: {out_channels: h1, kernel_size: 3, stride: 2}\n",
         "multiplications", None, "27*h1*h2**2", ("h1", "s")),
        # A padding of at least 1 is not p.
        ("parameters: {p: 1}\ninput: 6x6x1\n"
         "layers:\n  - conv2d: {out_channels: 1, kernel_size: 1, padding: 'max(p, 1)'}\n",
         "multiplications", ["p"], "4*c1**2 + 24*c1 + 36", ("p",)),
        # The stride of a pool is its window.
        ("parameters: {k: 2}\ninput: 6x6x1\nlayers:\n  - max_pool2d: {kernel_size: k}\n",
         "activations", ["k"], "h1**2 + 36", ("k",)),
        # Lists keep their symbols on the way into a block.
        ("parameters: {n: 2}\ninput: 6x6x1\nblocks:\n  two:\n    parameters: {widths: list}\n    layers:\n"
         "      - conv2d: {out_channels: 'widths[0]', kernel_size: 1, bias: false}\n"
         "      - conv2d: {out_channels: 'widths[1]', kernel_size: 1, bias: false}\n"
         "layers:\n  - two: {widths: [n, 2*n]}\n", "params", None, "2*n**2 + n", ("n",)),
        # Weights that layers share count once, and their multiplications every time.
        ("parameters: {n: 2}\ninput: 2x2x1\nlayers:\n"
         "  - conv2d: {name: a, out_channels: n, kernel_size: 1}\n"
         "  - conv2d: {name: b, out_channels: n, kernel_size: 3, padding: 1}\n"
         "  - repeat: 2\n    layers: [conv2d: {out_channels: n, kernel_size: 3, padding: 1, weights: b}]\n",
         "params", ["n"], "9*n**2 + 3*n", ("n",)),
        ("parameters: {n: 2}\ninput: 2x2x1\nlayers:\n"
         "  - conv2d: {name: a, out_channels: n, kernel_size: 1}\n"
         "  - conv2d: {name: b, out_channels: n, kernel_size: 1}\n"
         "  - repeat: 2\n    layers: [conv2d: {out_channels: n, kernel_size: 1, weights: b}]\n",
         "multiplications", ["n"], "12*n**2 + 4*n", ("n",)),
    ],
)  # fmt: skip
def test_nothing_is_frozen(
    text: str, quantity: str, names: list[str] | None, expression: str, symbols: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(f"name: net\ntitle: net\n{text}", encoding="utf-8")
    form = closed_form(str(path), quantity, names=names)
    assert str(form.expression) == expression
    assert form.symbols == symbols


def test_the_resolution_multiplier_of_mobilenet() -> None:
    form = closed_form("mobilenet", "multiplications", names=["rho"])
    assert form.at(rho=0.5) == 148_903_168
    assert form.at(rho=1) == total("mobilenet", "multiplications")
    assert dict(closed_form("mobilenet", "multiplications").fixed) == {"rho": "only sets the side of the input"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        # A sum of 1,500 terms, and one that is doubled 40 times.
        "layers:\n  - conv2d: {out_channels: n, kernel_size: 1}\n"
        "  - repeat: 1500\n    layers: [pad_channels: {after: n}]\n",
        "let: {b0: n + n, " + ", ".join(f"b{i}: b{i - 1} + b{i - 1}" for i in range(1, 40)) + "}\n"
        "layers:\n  - conv2d: {out_channels: n, kernel_size: 1}\n",
    ],
)
def test_long_numbers_are_refused_in_few_steps(text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(f"name: net\ntitle: net\nparameters: {{n: 1}}\ninput: 8x8x1\n{text}", encoding="utf-8")
    with at_most_calls(4_000_000), pytest.raises(UsageError, match="more than 500 operations"):
        closed_form(str(path), "params")


# --- sizes of maps in the spec

SIZES = """\
name: sizes
title: Widths that follow from the maps
input: 32x32x3
parameters:
  alpha: {type: number, default: 1, above: 0}
  width: {default: 8, minimum: 1}
  classes: {default: 10, minimum: 1}
let: {side: height}
layers:
  - conv2d: {name: stem, out_channels: int(16*alpha), kernel_size: 3, stride: 2, padding: 1}
  - squeeze_excitation: {reduction: 4}
  - dense_layer: {growth: width, repeat: 2}
  - dense_transition
  - conv2d: {name: "c{in_channels}", out_channels: channels(stem) + height, kernel_size: 1}
  - reshape: {shape: "{positions}x1x{in_channels}"}
  - linear: {out_features: classes + side}
"""


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_sizes_of_maps_are_symbols(quantity: str, tmp_path: Path) -> None:
    path = tmp_path / "sizes.yaml"
    path.write_text(SIZES, encoding="utf-8")
    # Where a size of the input is in a setting, the totals depend on the input, whatever is counted.
    form = closed_form(str(path), quantity, names=["input", "alpha", "width", "classes"])
    assert set(form.symbols) == {"s", "alpha", "width", "classes"}
    for side, values in ((32, {}), (17, {"alpha": 0.3}), (40, {"alpha": 1.75, "width": 5}), (33, {"classes": 3})):
        given = {"alpha": 1, "width": 8, "classes": 10, **values}
        assert form.at(s=side, **given) == total(str(path), quantity, side, **given)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("  - repeat: height // 8\n    layers: [relu]\n", "input cannot be a symbol: it decides"),
        ("  - max_pool2d: {kernel_size: 2}\n  - relu: {repeat: height // 8}\n", "input cannot be a symbol: it decides"),
        ("  - conv2d: {out_channels: n, kernel_size: 1}\n  - relu: {when: in_channels > 4}\n", "n cannot be a symbol"),
    ],
)
def test_sizes_that_decide_which_layers_there_are(layers: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "steered.yaml"
    head = "name: steered\ntitle: Steered\ninput: 32x32x3\nparameters: {n: 8}\nlayers:\n"
    path.write_text(head + layers, encoding="utf-8")
    with pytest.raises(UsageError, match=reason):
        closed_form(str(path), "activations", names=["input", "n"])
    form = closed_form(str(path), "activations")
    assert "decides which layers there are" in dict(form.fixed).values()
    known = {"s": 32, "n": 8}
    assert form.at(**{name: known[name] for name in form.symbols}) == total(str(path), "activations")


GRID = """
name: tokens
title: Tokens
input: 32x32x3
parameters: {width: 8}
layers:
  - conv2d: {out_channels: width, kernel_size: 4, stride: 4}
  - tokens
  - multi_head_attention: {num_heads: 4}
  - grid: SIZE
  - conv2d: {out_channels: 10, kernel_size: 3}
"""


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_grid_of_tokens_grows_with_the_input(quantity: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(GRID.replace("SIZE", "{}"), encoding="utf-8")
    form = closed_form(str(path), quantity, names=["input", "width"])
    for side in (20, 32, 35, 64):
        assert form.at(s=side, width=8) == total(str(path), quantity, side)


def test_a_layer_with_a_size_of_its_own_keeps_the_input_a_number(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(GRID.replace("SIZE", "{size: [8, 8]}"), encoding="utf-8")
    form = closed_form(str(path), "multiplications")
    assert dict(form.fixed) == {"input": "feeds a layer that takes one size only"}
    assert form.symbols == ("width",)
    assert form.at(width=16) == total(str(path), "multiplications", width=16)
    with pytest.raises(UsageError, match="takes one size only"):
        closed_form(str(path), "activations", names=["input"])


def test_a_flat_input_is_named_among_what_stays_a_number() -> None:
    form = closed_form("3072 -> fc10", "multiplications")
    assert dict(form.fixed) == {"input": "has no sides"}
    assert form.at() == 30_720


WINDOWS = """
name: windows
title: Windows
input: 15x4x12
parameters:
  h: {type: int, default: 3}
layers:
  - multi_head_attention: {num_heads: h, window_size: [3, 2]}
"""


def test_a_side_that_windows_have_to_divide_is_a_symbol(tmp_path: Path) -> None:
    file = tmp_path / "windows.yaml"
    file.write_text(WINDOWS)
    form = closed_form(str(file), "multiplications", names=["input"])
    assert form.at(H=21, W=8) == analyse(load(file, None, (12, 21, 8))).totals.multiplications


ROWS = """
name: rows
title: Rows
input: 20x5
parameters:
  h: {type: int, default: 8}
  deep: {type: int, default: 2}
layers:
  - lstm: {hidden_size: h, num_layers: deep}
  - linear: {out_features: 5}
"""


@pytest.mark.parametrize("quantity", ["params", "multiplications"])
def test_how_often_an_op_repeats_itself_stays_a_number(quantity: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text(ROWS)
    form = closed_form(str(file), quantity, shape=(5, 20))
    assert dict(form.fixed) == {"deep": "decides which layers there are"}
    assert form.at(h=3) == getattr(analyse(load(file, {"h": 3})).totals, quantity)
    with pytest.raises(UsageError, match="deep cannot be a symbol"):
        closed_form(str(file), quantity, names=["deep"])
