"""One network of a spec: members of a family, variants, settings of the user, and another input."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.core.errors import SpecError, UsageError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build, network_names, variants_of
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source

FAMILY = """\
name: net
title: Nets
description: A family.
authors: [A. Author]
year: 2015
paper: {title: Nets}
input: 32x32x3
parameters: {depth: {type: int, default: 10, choices: [10, 20]}, width: 8, alpha: 1.0}
let: {units: depth // 10}
networks:
  net10: {set: {depth: 10}}
  net20: {title: Net-20, set: {depth: 20}, year: 2016, reported: [{quantity: params, value: 1, source: table 2}]}
  net20_large: {set: {depth: 20}, input: 64x64x3}
variants:
  wide: {set: {width: 16}, title: "{title}, wide"}
  small: {input: 16x16x1}
  deep_only: {networks: [net20], set: {alpha: 0.5}, authors: [B. Author]}
  plain: {layers: [flatten, linear: {name: only, out_features: width}]}
layers:
  - conv2d: {out_channels: int(alpha * width), kernel_size: 3, padding: 1, repeat: units}
"""


def family() -> Any:
    return spec_of(parse_source(FAMILY, "nets.yaml"))


def rows(member: str | None = None, variant: str | None = None, **choices: Any) -> list[tuple[int, ...]]:
    """Output shapes of a network of the family."""
    return [row.output_shape for row in analyse(build(family(), member, variant, **choices)).rows]


def test_the_networks_of_a_family_are_its_members_and_their_variants() -> None:
    assert network_names(family()) == [
        *("net10", "net10@wide", "net10@small", "net10@plain"),
        *("net20", "net20@wide", "net20@small", "net20@deep_only", "net20@plain"),
        *("net20_large", "net20_large@wide", "net20_large@small", "net20_large@plain"),
    ]
    assert variants_of(family(), "net20") == ["wide", "small", "deep_only", "plain"]


def test_a_file_of_one_network_has_its_name() -> None:
    text = "name: one\ntitle: One\ninput: 8x8x3\nvariants: {v: {}}\nlayers: [relu]\n"
    assert network_names(spec_of(parse_source(text, "one.yaml"))) == ["one", "one@v"]


@pytest.mark.parametrize(
    ("member", "variant", "choices", "shapes"),
    [
        (None, None, {}, [(3, 32, 32), (8, 32, 32)]),
        ("net10", None, {}, [(3, 32, 32), (8, 32, 32)]),
        ("net20", None, {}, [(3, 32, 32), (8, 32, 32), (8, 32, 32)]),
        ("net20", "wide", {}, [(3, 32, 32), (16, 32, 32), (16, 32, 32)]),
        ("net20", "deep_only", {}, [(3, 32, 32), (4, 32, 32), (4, 32, 32)]),
        ("net20_large", None, {}, [(3, 64, 64), (8, 64, 64), (8, 64, 64)]),
        # The variant's input stands over the network's.
        ("net20_large", "small", {}, [(1, 16, 16), (8, 16, 16), (8, 16, 16)]),
        ("net10", "plain", {}, [(3, 32, 32), (3072,), (8,)]),
        # What the user sets stands over all.
        ("net20", "wide", {"settings": {"width": 2}}, [(3, 32, 32), (2, 32, 32), (2, 32, 32)]),
        ("net10", None, {"settings": {"depth": 20}}, [(3, 32, 32), (8, 32, 32), (8, 32, 32)]),
        ("net10", None, {"settings": {"alpha": 0.25}}, [(3, 32, 32), (2, 32, 32)]),
        ("net10", "small", {"input_shape": (4, 7, 9)}, [(4, 7, 9), (8, 7, 9)]),
        # The family's own name: its defaults.
        ("net", None, {}, [(3, 32, 32), (8, 32, 32)]),
    ],
)
def test_a_network_is_chosen(
    member: str | None, variant: str | None, choices: dict[str, Any], shapes: list[tuple[int, ...]]
) -> None:
    assert rows(member, variant, **choices) == shapes


def test_a_network_has_its_own_name_and_facts() -> None:
    plain, other = build(family(), "net10"), build(family(), "net20", "deep_only")
    assert (plain.name, plain.title, plain.year, plain.authors) == ("net10", "Nets", 2015, ("A. Author",))
    assert (other.name, other.title, other.year, other.authors) == ("net20@deep_only", "Net-20", 2016, ("B. Author",))
    assert plain.paper is not None
    assert plain.paper.title == "Nets"
    assert build(family(), "net20", "wide").title == "Net-20, wide"
    assert build(family(), "net10", "wide").title == "Nets, wide"


def test_reported_figures_belong_to_exactly_the_network_they_were_reported_for() -> None:
    assert [figure.source for figure in build(family(), "net20").reported] == ["table 2"]
    assert build(family(), "net10").reported == ()
    assert build(family(), "net20", "wide").reported == ()
    assert build(family(), "net20", settings={"width": 2}).reported == ()
    assert build(family(), "net20", input_shape=(3, 40, 40)).reported == ()


def test_a_reported_figure_may_say_for_which_settings_it_holds() -> None:
    text = """\
name: n
title: N
input: "{side}x{side}x3"
parameters: {side: 32, alpha: 1.0}
reported:
  - {quantity: params, value: 1, source: small, when: alpha == 0.5}
  - {quantity: params, value: 2, source: large, when: height > 32 and channels == 3}
layers: [relu]
"""
    spec = spec_of(parse_source(text, "n.yaml"))

    def sources(**choices: Any) -> list[str]:
        return [figure.source for figure in build(spec, **choices).reported]

    assert sources() == []
    assert sources(settings={"alpha": 0.5}) == ["small"]
    assert sources(settings={"alpha": 0.5, "side": 64}) == ["small", "large"]
    assert sources(input_shape=(3, 40, 40)) == ["large"]


@pytest.mark.parametrize(
    ("member", "variant", "settings", "message"),
    [
        (
            "net10",
            "wdie",
            {},
            "net10 has no variant 'wdie'; did you mean wide?; there are wide, small, plain",
        ),
        ("net10", "deep_only", {}, "net10 has no variant 'deep_only'"),
        ("net10", None, {"dpeth": 20}, "net10: there is no parameter 'dpeth'; did you mean depth"),
        ("net10", None, {"depth": 15}, "net10: depth can be 10, 20, not 15"),
        ("net10", None, {"width": 1.5}, "net10: width must be a whole number, not 1.5"),
        ("net10", None, {"width": "wide"}, "net10: width must be a whole number, not 'wide'"),
    ],
)
def test_a_wrong_choice_is_a_wrong_argument(
    member: str, variant: str | None, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        build(family(), member, variant, settings)
    assert message in str(caught.value)


def test_a_network_and_a_variant_may_have_one_name() -> None:
    text = """\
name: n
title: N
input: 8x8x3
networks: {a: {}, wide: {layers: [relu: {name: network}]}}
variants: {wide: {layers: [relu: {name: variant}]}, a: {}}
layers: [relu: {name: file}]
"""
    spec = spec_of(parse_source(text, "n.yaml"))
    found = {
        (member, variant): build(spec, member, variant).layers[1].name
        for member in ("a", "wide")
        for variant in (None, "wide", "a")
    }
    assert found == {
        ("a", None): "file",
        ("a", "wide"): "variant",
        ("a", "a"): "file",
        ("wide", None): "network",
        ("wide", "wide"): "variant",
        ("wide", "a"): "network",
    }


def fault(old: str, new: str, **choices: Any) -> tuple[str, tuple[int, int], tuple[int, int]]:
    """The only problem of the family with a part replaced: its message, its place, and the place of `^` in the part."""
    assert FAMILY.count(old) == 1
    text = FAMILY.replace(old, new)
    before = text[: text.index("^")]
    mark = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    with pytest.raises(SpecError) as caught:
        build(spec_of(parse_source(text.replace("^", ""), "nets.yaml")), **choices)
    (problem,) = caught.value.problems
    assert problem.location is not None
    return problem.message, problem.location[1:], mark


@pytest.mark.parametrize(
    ("old", "new", "choices", "words"),
    [
        # The value that is wrong, wherever it was set.
        ("{set: {width: 16}", "{set: {width: ^1.6}", {"variant": "wide"}, "width must be a whole number, not 1.6"),
        (
            "large: {set: {depth: 20}",
            "large: {set: {depth: ^30}",
            {"member": "net20_large"},
            "depth can be 10, 20, not 30",
        ),
        ("width: 8", "width: ^{type: int, default: 2.5}", {}, "width must be a whole number, not 2.5"),
        ("units: depth", "units: ^depht", {}, "units: 'depht' is not known here; did you mean depth"),
        ("units: depth //", "units: depth ^// 0 //", {}, "units: division by zero"),
        ("input: 64x64x3", "input: ^64xx64", {"member": "net20_large"}, "cannot read"),
        ("input: 16x16x1", "input: '{^s}x16x1'", {"variant": "small"}, "'s' is not known here"),
        (
            "networks: [net20]",
            "networks: ^[net30]",
            {},
            "there is no network 'net30' in this file; did you mean net10 or net20",
        ),
        ("{alpha: 0.5}", "{^alhpa: 0.5}", {}, "there is no parameter 'alhpa' to set; did you mean alpha?"),
        (
            "source: table 2}",
            "source: table 2, when: ^alhpa > 1}",
            {"member": "net20"},
            "'alhpa' is not known here",
        ),
    ],
)
def test_a_fault_of_a_member_is_reported_where_it_is(old: str, new: str, choices: dict[str, Any], words: str) -> None:
    message, place, mark = fault(old, new, **choices)
    assert words in message
    assert place == mark


@pytest.mark.parametrize(
    ("member", "version", "title"),
    [
        ("old", 1.0, "Net 1.0"),
        ("old", 1.1, "Net 1.1"),
        ("new", 1.0, "Net 1.0"),
        ("new", 1.2, "Nets"),
        (None, 1.1, "Nets"),
    ],
)
def test_a_member_that_has_the_defaults_is_described_by_them(member: str | None, version: float, title: str) -> None:
    text = """\
name: net
title: Nets
input: 8x8x3
parameters: {version: 1.0}
networks:
  old: {title: Net 1.0}
  new: {title: Net 1.1, set: {version: 1.1}}
layers: [relu]
"""
    assert build(spec_of(parse_source(text, "nets.yaml")), member, None, {"version": version}).title == title
