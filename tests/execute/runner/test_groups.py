"""Parts of blocks and of modules, matched by what they hold, where the file has its names in alphabetical order."""

from __future__ import annotations

import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.runner.groups import Modules
from archcalc.execute.runner.scopes import by_scope

#: Layers and modules, one for another: a word of what each holds comes after it.
Pairs = dict[str, str]


def modules_of(named: dict[str, str]) -> Modules:
    """Names in alphabetical order, with what each holds: the part of its name in brackets."""
    return {name: frozenset({(held, (4, 4))}) for name, held in sorted(named.items())}


def matched(pairs: Pairs) -> dict[str, str]:
    """The modules that are found for layers; each pair is `layer holds: module`."""
    split = {tuple(one.split()): other for one, other in pairs.items()}
    layers: Modules = {name: frozenset({(held, (4, 4))}) for name, held in split}
    return by_scope(modules_of({other: held for (_, held), other in split.items()}), layers)


STEM = {"stem/conv first": "begin.0"}
CASES: dict[str, Pairs] = {
    "a projection besides numbered layers": {
        "u/main/c1 one": "b.conv1", "u/main/n1 norm": "b.bn1", "u/main/c2 wide": "b.conv2", "u/main/n2 norm": "b.bn2",
        "u/short/c wide": "b.downsample.0", "u/short/n norm": "b.downsample.1",
    },
    "a projection whose norm is in another part": {
        "u/main/c1 one": "b.conv1.0", "u/main/n1 norm": "b.conv1.1", "u/main/c2 wide": "b.conv2.0",
        "u/main/n2 norm": "b.conv2.1", "u/short/c wide": "b.short", "u/short/n norm": "b.short_bn",
    },
    "branches that are numbered": {
        "u/1x1/c wide": "b.branch1.0", "u/3x3/c1 wide": "b.branch2.0", "u/3x3/c2 one": "b.branch2.1",
    },
    "layers of a branch that are numbered": {
        "u/1x1/c wide": "b.branch1x1", "u/5x5/c1 wide": "b.branch5x5_1", "u/5x5/c2 one": "b.branch5x5_2a",
    },
    "branches that hold the same, with their names": {
        "u/1x1/c wide": "b.branch1x1.conv", "u/pool/c wide": "b.branch_pool.conv", "u/3x3/c one": "b.branch3x3.conv",
    },
    "blocks that hold the same, by number, one in another": {
        "s/u1/in/x one": "b.9.only.in.0", "s/u1/out/y one": "b.9.only.out.0",
        "s/u2/in/x one": "b.10.only.in.0", "s/u2/out/y one": "b.10.only.out.0", "s/end wide": "b.end",
    },
}  # fmt: skip
UNCLEAR: dict[str, Pairs] = {
    "no numbers and no words": {
        "u/main/c1 one": "b.first", "u/main/c2 wide": "b.second", "u/short/c wide": "b.third",
    },
    "branches that hold the same, with other names": {
        "u/left/c wide": "b.x.conv", "u/right/c wide": "b.y.conv", "u/3x3/c one": "b.z.conv",
    },
    "both words in one name": {
        "u/left/c wide": "b.left_right.conv", "u/right/c wide": "b.y.conv", "u/3x3/c one": "b.z.conv",
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_parts_go_with_those_that_hold_the_same(case: str) -> None:
    pairs = STEM | CASES[case]
    assert matched(pairs) == {one.split()[0]: other for one, other in pairs.items()}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_could_be_either_is_refused(case: str) -> None:
    with pytest.raises(UsageError, match=r"ambiguous: .*which is which"):
        matched(STEM | UNCLEAR[case])
