"""Layers outside of modules that are left and entered again: into which module they go."""

from __future__ import annotations

import pytest

from archcalc.interop.foreign import ForeignNode
from archcalc.interop.recognise_scopes import Scopes

#: Of each case the layers in order as "name kind scope: inputs", and where layers are in the end that were elsewhere.
#: A scope of `-` is that of the network; `?` a layer that only arranges; an `!` after the kind one that must stay.
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "x + block(x), the last one too": (
        """stem conv -: x
           c0 conv b/0: stem
           a0 add -: stem c0
           c1 conv b/1: a0
           a1 add -: a0 c1
           c2 conv b/2: a1
           a2 add -: a1 c2
           head fc -: a2""",
        {"a0": "b/0", "a1": "b/1", "a2": "b/2"},
    ),
    "attention and feed-forward in one list": (
        """q0 qkv t/l/0/0: x
           a0 add t: x q0
           f0 fc t/l/0/1: a0
           b0 add t: a0 f0
           q1 qkv t/l/1/0: b0
           a1 add t: b0 q1
           f1 fc t/l/1/1: a1
           b1 add t: a1 f1""",
        {"a0": "t/l/0", "b0": "t/l/0", "a1": "t/l/1", "b1": "t/l/1"},
    ),
    "numbers after words": (
        """c1 conv block1/up: x
           r1 relu -: c1
           c2 conv block2/up: r1
           r2 relu -: c2
           c3 conv block3/up: r2
           r3 relu -: c3""",
        {"r1": "block1", "r2": "block2", "r3": "block3"},
    ),
    "not where a block is read elsewhere, as a U does": (
        """d0 conv d/0: x
           p0 pool -: d0
           d1 conv d/1: p0
           p1 pool -: d1
           d2 conv d/2: p1
           j1 concat -: d1 d2
           j0 concat -: d0 j1""",
        {},
    ),
    "not where only one block is followed by it": (
        """c0 conv b/0: x
           p pool -: c0
           c1 conv b/1: p
           c2 conv b/2: c1
           head fc -: c2""",
        {},
    ),
    "not where the blocks lie side by side": (
        """e0 fc m/e/0: x
           s0 multiply m: x e0
           e1 fc m/e/1: x
           s1 multiply m: x e1
           sum add m: s0 s1""",
        {},
    ),
    "not what has weights": (
        """c0 conv b/0: x
           s0 scale! -: c0
           c1 conv b/1: s0
           s1 scale! -: c1
           c2 conv b/2: s1""",
        {},
    ),
    "not in another order of kinds": (
        """c0 conv b/0: x
           r0 relu -: c0
           c1 conv b/1: r0
           s1 silu -: c1
           c2 conv b/2: s1""",
        {},
    ),
    "an arrangement lies between what gives and what reads": (
        """q l b/0/attn: x
           one reshape ?: q
           two permute ?: one
           s mul b/0/attn: two
           o add b/0: s
           turned permute ?: o
           f fc b/0/mlp: turned
           back permute ?: f
           p add b/0: o back""",
        {"one": "b/0/attn", "two": "b/0/attn", "turned": "b/0", "back": "b/0"},
    ),
    "an arrangement that several blocks read is of none": (
        """table parameter! -:
           flat reshape ?: table
           c0 mul b/0: x flat
           c1 mul b/1: c0 flat""",
        {"flat": ""},
    ),
    "an arrangement between two blocks is of the one that reads": (
        """c0 conv b/0: x
           turned permute ?: c0
           c1 conv b/1/inner: turned
           after permute ?: c1
           out fc head: after
           last permute ?: out""",
        {"turned": "b/1/inner", "after": "", "last": ""},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_layer_goes_into_the_block_that_it_closes(case: str) -> None:
    text, expected = CASES[case]
    nodes, scopes, free = [], {}, set()
    for line in text.splitlines():
        head, _, inputs = line.strip().partition(":")
        name, kind, scope = head.split()
        nodes.append(ForeignNode(name, kind.rstrip("!"), {}, tuple(inputs.split())))
        if scope != "?":
            scopes[name] = scope.strip("-")
            if not kind.endswith("!"):
                free.add(name)
    found = Scopes(nodes, scopes, {name for name in free if scopes[name] in ("", "t", "m")}, [nodes[-1].name]).scopes
    assert {name: scope for name, scope in found.items() if scopes.get(name) != scope} == expected
