"""Every configuration of a space has the numbers of its own report, however many are evaluated at once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.design.search.evaluate import BOX, FamilySearch, Wanted
from archcalc.design.search.query import TOTALS
from archcalc.design.search.space import Family
from tests.design.search.spaces import evaluate, family, rows
from tests.steps import at_most_calls
from tests.tiers import examples, slow_but

ALL = ",".join(TOTALS)


def check(text: str, where: str | None = None, keys: str = ALL, most: int = 30) -> tuple[int, int]:
    """Compare the configurations of a space with their reports, at most so many; found and not fitting."""
    one, found = evaluate(text, where, keys)
    mine = rows(found)
    assert list(mine) == sorted(mine)
    unfit = 0
    search = FamilySearch(one, Wanted(None, tuple(keys.split(","))))
    for index in sorted(random.Random(text).sample(range(one.count), min(most, one.count))):
        report = search.single(one.values(index))
        unfit += isinstance(report, str)
        if index in mine or where is None:
            assert mine.get(index) == (None if isinstance(report, str) else report), one.values(index)
    if one.count <= most:
        assert found.unfit == unfit
    assert found.count == one.count
    return len(mine), found.unfit


SPACES = [
    "mobilenet alpha=0.25..1.5 step 0.15, resolution=32..320 step 37, classes=10,1000",
    "resnet depth=18,34,50,101,152, resolution=1..64 step 9",
    "regnet depth=2..9, w_0=8..64 step 24, w_a=8.5..40 step 10.25, w_m=1.5,2,2.75, group_width=1,8,12",
    "regnet se=false,true, depth=2,5, w_a=10..30 step 10",
    "unet resolution=100..600 step 20",
    "swin window=3..9, resolution=224,252",
    "shufflenet groups=1,2,3,5, scale=1,1.5",
    "efficientnet width=0.5..2 step 0.3, depth=0.5..2 step 0.3, resolution=64,224",
    "densenet depth=121,169, resolution=32,33,224",
    "fcn32s stride=8,16,32, resolution=64,500",
    "googlenet classes=10,1000, resolution=15..300 step 57",
    "srcnn f2=1,3,5, resolution=5..20 step 5",
    "edsr scale=2,3,4, blocks=1..4, resolution=24,48",
    "mobilenet_v2 alpha=0.35..1.4 step 0.35, resolution=96",
]


@pytest.mark.parametrize(
    "text", slow_but([SPACES[0], SPACES[2], SPACES[4], SPACES[5], SPACES[11]], SPACES)
)  # fmt: skip
def test_spaces_have_the_numbers_of_reports(text: str) -> None:
    check(text, most=12)


def test_what_does_not_fit_is_counted_and_not_found() -> None:
    assert check("unet resolution=100..600 step 20") == (5, 21)
    assert check("alexnet resolution=1..80 step 10") == (4, 4)


@pytest.mark.parametrize("text", ["resnet depth=18,50, resolution=32,224", "mobilenet alpha=0.5,1, resolution=96,100"])
def test_what_depends_on_connections(text: str) -> None:
    assert check(text, keys="depth,peak_activation_bytes")[0] == 4


#: Layers without padding, of which small maps take few, and groups that divide some widths.
SHRINKING = """
name: mine
title: Mine
input: 32x32x3
parameters: {n: 4, k: OWN, w: 8, g: 1}
layers:
  - repeat: n
    layers:
      - conv2d: {out_channels: w, kernel_size: k}
  - group_norm: {num_groups: g}
  - channel_shuffle: {groups: g}
  - conv2d: {out_channels: 12, kernel_size: 1, groups: g}
  - global_avg_pool2d
  - linear: {out_features: 10}
"""


@pytest.mark.parametrize("own", ["3", "33"], ids=["its own fits", "its own does not"])
@pytest.mark.parametrize(
    ("ranges", "structures"),
    [
        ("n=100..101, k=5,7, w=8..64, resolution=32,48", 3),
        ("n=90..99, k=1,3,5,7, w=8..64, resolution=32,48", 6),
        ("n=2,3, k=3, w=4..40, g=1..6", 3),
    ],
)
def test_networks_that_do_not_fit_for_one_reason_are_one_structure(
    tmp_path: Path, own: str, ranges: str, structures: int
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SHRINKING.replace("OWN", own))
    found, unfit = check(f"{path} {ranges}")
    one = family(f"{path} {ranges}")
    assert found + unfit == one.count
    assert unfit
    search = FamilySearch(one, Wanted(None, ("params",)))
    # A structure is worked out once; an analysis of each configuration calls 12,000 functions.
    with at_most_calls(structures * 150_000):
        search.run(0, one.count)
    assert sum(map(len, search._cases.values())) == structures
    assert not any(known.by_itself or known.is_unknown for cases in search._cases.values() for known in cases)


@pytest.mark.parametrize(
    ("layer", "fitting"),
    [
        ("max_pool2d: {kernel_size: p}", 133),
        ("conv2d: {out_channels: 4, kernel_size: 3, dilation: p}", 57),
        ("conv_transpose2d: {out_channels: 4, kernel_size: 2, padding: p}", 57),
        ("locally_connected2d: {out_channels: 3, kernel_size: p}", 133),
        ("group_norm: {num_groups: p}", 62),
        ("channel_shuffle: {groups: p}", 62),
        ("pixel_shuffle: {upscale_factor: p}", 27),
        ("chunk: {chunks: p, index: 1}", 209),
        ("split: {sizes: [p, 6], index: 0}", 12),
        ("concat: {from: [first, input]}", 0),
    ],
)
def test_what_does_not_fit_is_evaluated_together(tmp_path: Path, layer: str, fitting: int) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"""
name: mine
title: Mine
input: 9x9x8
parameters: {{p: 1, w: 8}}
layers:
  - conv2d: {{name: first, out_channels: w, kernel_size: 3}}
  - {layer}
  - conv2d: {{out_channels: p, kernel_size: 1}}
  - linear: {{out_features: 2}}
""")
    text = f"{path} p=1..12, w=6..24"
    assert check(text, most=228) == (fitting, 228 - fitting)
    search = FamilySearch(family(text), Wanted(None, ("params",)))
    search.run(0, 228)
    (known,) = search._cases.values()
    assert len(known) <= 4
    assert not any(one.by_itself or one.is_unknown for one in known)


#: The map of `early` is overwritten in place, kept for `late`, or read through parts that may not be there.
READ_LATE = """
name: mine
title: Mine
input: 8x8x4
parameters: {first: true, second: true, third: true, extra: 1, out: 6}
layers:
  - conv2d: {name: early, out_channels: out, kernel_size: 3, padding: 1}
  - relu: {name: relu, when: extra > 1}
  - conv2d: {name: one, when: extra > 2, out_channels: out, kernel_size: 1}
  - branches:
      a:
        - relu
        - conv2d: {out_channels: out, kernel_size: 3, padding: 1, when: out > 5}
        - conv2d: {out_channels: out, kernel_size: 1, when: extra > 3}
      b: [sigmoid: {when: extra != 4}]
    merge: add
  - conv2d: {name: late, out_channels: out, kernel_size: 1}
  - relu
  - conv2d: {name: wide, out_channels: 9*extra, kernel_size: 1}
  - add: {from: [SOURCE, SOURCE]}
  - max_pool2d: {kernel_size: 2, when: extra == 5}
  - flatten
  - linear: {out_features: 3}
"""


@pytest.mark.parametrize(("source", "structures"), [("late", 1), ("early", 12), ("one", 12)])
def test_maps_that_are_read_after_parts_which_may_be_missing(tmp_path: Path, source: str, structures: int) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(READ_LATE.replace("SOURCE", source))
    text = f"{path} extra=1..6, out=4..7"
    found, unfit = check(text, keys="depth,peak_activation_bytes,params")
    assert found + unfit == 24
    assert found
    search = FamilySearch(family(text), Wanted(None, ("peak_activation_bytes",)))
    search.run(0, 24)
    assert [len(known) for known in search._cases.values()] == [structures]


#: A parameter that an activation function, a view and a merge read, with and without parts between.
PARAMETER = """
name: mine
title: Mine
input: 8x4
parameters: {wide: 4, cut: true, way: 0}
layers:
  - conv1d: {name: first, out_channels: wide, kernel_size: 1}
  - parameter: {name: table, shape: "8x{wide}"}
  - identity: {when: cut}
  - relu: {when: way > 0}
  - tanh: {when: way > 1}
  - add: {from: [first, tanh1], when: way > 1}
  - conv1d: {out_channels: 2, kernel_size: 1}
"""


def test_parameters_as_maps_are_counted_as_in_reports(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PARAMETER)
    assert check(f"{path} wide=3..6, cut=false,true, way=0..2", keys="peak_activation_bytes,params") == (24, 0)


def test_one_expansion_is_enough_for_one_structure() -> None:
    search = FamilySearch(
        family("mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 1"), Wanted(None, ("params",))
    )
    assert len(search.run(0, search.family.count).indices) == 26 * 225
    assert [len(known) for known in search._cases.values()] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("key", ["params", "peak_activation_bytes"])
def test_regnets_of_every_depth_and_width_are_one_structure(key: str) -> None:
    space = "regnet depth=10..28, w_0=24..96 step 8, w_a=20..80 step 4, w_m=2..3 step 0.25"
    search = FamilySearch(family(space), Wanted(None, (key,)))
    assert len(search.run(0, 2000).indices) == 2000
    assert [len(known) for known in search._cases.values()] == [1]


def test_published_regnets() -> None:
    # RegNetX-400MF and -800MF by their numbers; the parameters are torchvision's.
    one, found = evaluate("regnet depth=16,22, w_0=24,56, w_a=24.48,35.73, w_m=2.28,2.54, group_width=16")
    params = {tuple(map(float, one.values(index).values())): row[0] for index, row in rows(found).items()}
    assert params[22, 24, 24.48, 2.54, 16] == 5_495_976
    assert params[16, 56, 35.73, 2.28, 16] == 7_259_656


def test_a_condition_chooses() -> None:
    text = "mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32"
    where = "multiplications <= 300M and params*4 <= 16MiB"
    one, everything = evaluate(text)
    _, found = evaluate(text, where)
    expected = {i: row for i, row in rows(everything).items() if row[1] <= 300_000_000 and row[0] * 4 <= 16 << 20}
    assert rows(found) == expected
    assert 0 < len(expected) < one.count


def test_a_condition_that_divides_by_0() -> None:
    with pytest.raises(UsageError, match="divides by 0 at classes=1"):
        evaluate("lenet5 classes=1,2", "params / (classes - 1) < 5")


def test_parameters_are_columns_too() -> None:
    _, found = evaluate("mobilenet alpha=0.5,0.75", "alpha > 0.5", "alpha,params")
    assert [column.tolist() for column in found.columns] == [
        [family("mobilenet alpha=0.75").axes[0].values[0]],
        [2_585_560],
    ]


SPEC = """
name: mine
title: Mine
input: "{side}x{side}x{colours}"
parameters: {side: 16, colours: 3, width: 8, repeats: 2, wide: {type: number, default: 1, above: 0}, list: [1, 2]}
blocks:
  unit:
    parameters: {out: int, last: false}
    layers:
      - conv2d: {out_channels: out, kernel_size: 3, padding: 1, stride: "2 if last and height > 4 else 1"}
      - batch_norm2d: {when: not last}
      - relu
layers:
  - conv2d: {name: stem, out_channels: int(wide*width), kernel_size: 3}
  - unit: {repeat: repeats, out: 'max(2, in_channels // 2)'}
  - unit: {when: repeats > 2 or wide > 1, out: width % 5 + 1, last: true}
  - conv2d: {when: in_channels == 4, out_channels: 5, kernel_size: "height // 2"}
  - for_each: {rows: list, columns: [extra]}
    body: []
  - linear: {out_features: "ceil(wide*10) + (3 if width in [7, 9] else min(width, 4))"}
""".replace("  - for_each: {rows: list, columns: [extra]}\n    body: []\n", "")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "mine.yaml"
    path.write_text(SPEC)
    return path


@pytest.mark.parametrize(
    "text",
    ["side=3, width=1,8, repeats=0, wide=0.125", "side=3,4, width=4, repeats=0", "side=2..7, width=3,4, repeats=3"],
)
def test_what_the_spec_refuses_at_one_value_it_may_take_at_another(spec: Path, text: str) -> None:
    found, unfit = check(f"{spec} {text}")
    assert found
    assert unfit


def test_the_first_configuration_may_not_fit() -> None:
    # With an even kernel the maps to add differ; the input, which no parameter gives, stays what it is.
    assert check("ecg_resnet kernel_size=8,16,17", keys="params,multiplications") == (1, 2)


def test_conditions_choices_and_sizes_in_expressions(spec: Path) -> None:
    found, unfit = check(f"{spec} side=4..20 step 3, width=3..12, repeats=0..4, wide=0.5,1,1.75, colours=1,3", most=25)
    assert found > 1000
    assert found + unfit == 6 * 10 * 5 * 3 * 2


@pytest.mark.slow
@given(data=st.data())
@examples(40)
def test_any_space_of_a_spec(spec: Path, data: st.DataObject) -> None:
    ranges = {"side": (3, 40), "width": (1, 30), "repeats": (0, 7), "colours": (1, 4)}
    parts = []
    for name, (low, high) in ranges.items():
        values = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=3, unique=True))
        parts.append(f"{name}={','.join(map(str, values))}")
    wide = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=2, unique=True))
    parts.append(f"wide={','.join(str(n / 8) for n in wide)}")
    check(f"{spec} {', '.join(parts)}", most=12)


def test_boxes_go_through_all_configurations_once() -> None:
    search = FamilySearch(
        family("mobilenet alpha=1..3, classes=1..7000, resolution=1..3, activation=relu,relu6"), Wanted(None, ())
    )
    one: Family = search.family
    for start, stop in ((0, one.count), (5, 100_003), (17, 18)):
        seen = start
        for index, ranges in search.boxes(start, stop):
            size = 1
            for part in ranges:
                size *= part.stop - part.start
            assert index == seen
            assert 1 <= size <= BOX
            seen += size
        assert seen == stop


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_every_network_of_the_catalogue(seed: int) -> None:
    from tests.design.search.catalogue import spaces

    for text in spaces(seed):
        check(text, most=6)


def test_weights_that_do_not_fit_are_left_out_together(tmp_path: Path) -> None:
    spec = tmp_path / "lent.yaml"
    spec.write_text(
        "name: lent\ntitle: Lent\ninput: 16x16x3\n"
        "parameters: {c: {default: 8, type: int}, k: {default: 3, type: int}}\n"
        "layers:\n"
        "  - conv2d: {name: a, out_channels: 8, kernel_size: 3}\n"
        "  - conv2d: {from: input, out_channels: c, kernel_size: k, weights: a}\n"
    )
    text = f"{spec} c=1..400, k=1..7"
    with at_most_calls(400_000):
        assert evaluate(text, None, "params")[1].unfit == 2799
    assert check(text) == (1, 2799)


def test_maps_that_do_not_fit_are_left_out_together(tmp_path: Path) -> None:
    spec = tmp_path / "sum.yaml"
    spec.write_text(
        "name: sum\ntitle: Sum\ninput: 16x16x3\n"
        "parameters: {c: {default: 8, type: int}, k: {default: 3, type: int}}\n"
        "layers:\n"
        "  - conv2d: {name: a, out_channels: c, kernel_size: 3}\n"
        "  - flatten\n"
        "  - linear: {name: b, out_features: k}\n"
        "  - add: {from: [a, b]}\n"
    )
    with at_most_calls(400_000):
        assert evaluate(f"{spec} c=10..400, k=1..7", None, "params")[1].unfit == 2737
