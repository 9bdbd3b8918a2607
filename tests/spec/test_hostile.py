"""Specs that would cost much: each is answered in few steps, by a line that names the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.bounded import answer, answer_here

HEAD = "name: hostile\ntitle: Hostile\ninput: 8x8x4\n"


def chain_of_blocks(count: int, layers: str) -> str:
    """Blocks of which each includes the next."""
    blocks = "".join(f"  b{index}: {{layers: [b{index + 1}]}}\n" for index in range(count))
    return f"blocks:\n{blocks}  b{count}: {{layers: [relu]}}\nlayers: [{layers}]\n"


HOSTILE = {
    # What a program would do that counted no steps, or recursed without end.
    "deep blocks": (chain_of_blocks(1000, "b0"), ["good", "deep"]),
    "many blocks": (chain_of_blocks(8000, "relu"), ["good", "more than"]),
    "doubling blocks": (
        "blocks:\n"
        + "".join(f"  b{index}: {{layers: [b{index + 1}, b{index + 1}]}}\n" for index in range(40))
        + "  b40: {layers: []}\nlayers: [b0]\n",
        ["steps", "no layers"],
    ),
    "empty repeats": (
        "layers:\n  - repeat: 50000\n    layers: [{repeat: 50000, layers: []}]\n  - relu\n",
        ["good", "more than"],
    ),
    "repeats of empty blocks": (
        "blocks: {b: {layers: []}}\nlayers:\n  - repeat: 50000\n    layers: [b: {repeat: 50000}]\n  - relu\n",
        ["good", "more than"],
    ),
    "repeats of a long table": (
        "layers:\n  - repeat: 50000\n    layers:\n      - for_each: [c]\n        layers: []\n        rows: ["
        + ", ".join(["[1]"] * 50_000)
        + "]\n  - relu\n",
        ["good", "more than"],
    ),
    "repeats of a long let": (
        f"blocks: {{b: {{let: {{a: [{', '.join(['1'] * 50_000)}]}}, layers: [relu]}}}}\n"
        "layers: [b: {repeat: 20000}]\n",
        ["good", "more than"],
    ),
    "doubling lists": (
        "let: {a0: [1, 1], " + ", ".join(f"a{i + 1}: '[a{i}, a{i}]'" for i in range(40)) + "}\n"
        "layers: [relu: {repeat: a40}]\n",
        ["repeat must be", "too long", "too large"],
    ),
    "doubling lists compared": (
        "let: {a0: [1, 1], b0: [1, 1], "
        + ", ".join(f"a{i + 1}: '[a{i}, a{i}]', b{i + 1}: '[b{i}, b{i}]'" for i in range(40))
        + "}\nlayers: [relu: {when: a40 == b40}]\n",
        ["good", "no layers", "too long", "too large"],
    ),
    "a reference repeated": (
        "layers:\n  - repeat: 10000\n    layers: [relu: {from: nowhere}]\n",
        ["there is no layer 'nowhere'"],
    ),
    "a cycle repeated": (
        "layers:\n  - repeat: 10000\n    layers: [relu: {from: later}]\n  - relu: {name: later}\n",
        ["'later'"],
    ),
    "many channels normalised": (
        "layers:\n  - conv2d: {out_channels: 1073741824, kernel_size: 1}\n  - local_response_norm\n",
        ["good"],
    ),
    "large adaptive pools": ("layers: [adaptive_avg_pool2d: {output_size: 1048576, repeat: 2000}]\n", ["good"]),
    "many phases": (
        "layers:\n  - upsample2d: {scale: 64}\n  - upsample2d: {scale: 63}\n"
        "  - conv2d: {out_channels: 1, kernel_size: 100001, padding: same, stride: 5, repeat: 40}\n",
        ["its receptive field is larger"],
    ),
    "coprime phases": (
        "layers:\n"
        "  - branches:\n"
        "      - [zero_pad2d: {padding: 511059}, slice2d: {step: 1009}, upsample2d: {scale: 1009}]\n"
        "      - [zero_pad2d: {padding: 511059}, slice2d: {step: 1013}, upsample2d: {scale: 1013}]\n"
        "    merge: add\n",
        ["good", "differ"],
    ),
    "a huge fraction": ("layers:\n  - repeat: " + "1" * 400 + ".5\n    layers: [relu]\n", ["repeat", "too large"]),
    "numbers without end": ("parameters: {c: 1e999}\nlayers: [relu: {when: c > 1}]\n", ["too large", "c must be"]),
    "computed without end": ("let: {c: 1e999}\nlayers: [relu: {when: c > 1}]\n", ["too large", "c:"]),
    "factors without end": ("layers: [multiply: {factor: 1e999}]\n", ["factor"]),
    "no branches": ("layers:\n  - relu\n  - branches: []\n    merge: add\n", ["good", "branches"]),
    "no branch wanted": (
        "layers:\n  - relu\n  - branches: [{layers: [tanh], when: false}]\n    merge: add\n  - tanh\n",
        ["good", "branches", "input"],
    ),
    "an output of nothing": ("layers:\n  - relu\n  - output: a\n    layers: [branches: []]\n", ["good", "branches"]),
    "limits of words": ("parameters: {s: {type: str, default: a, minimum: 1}}\nlayers: [relu]\n", ["s must be"]),
    "a default of a block": (
        "blocks: {b: {parameters: {c: {type: int, default: 2.5}}, layers: [relu]}}\nlayers: [b]\n",
        ["c must be a whole number"],
    ),
    "rows of a word": ("layers:\n  - for_each: [c]\n    rows: \"'abc'\"\n    layers: [relu]\n  - relu\n", ["rows"]),
    "many layers": ("layers:\n" + "  - relu\n" * 60_000, ["more than 50,000 layers"]),
    "many problems": ("layers:\n" + "  - rleu\n" * 20_000, ["there is no op or block 'rleu'"]),
    "many keys": ("layers: [relu: {" + ", ".join(f"key{index}: 1" for index in range(20_000)) + "}]\n", ["key0"]),
    "many names": (
        "layers:\n" + "".join(f"  - relu: {{name: n{index}}}\n" for index in range(10_000)) + "  - relu: {from: m}\n",
        ["there is no layer 'm'"],
    ),
}


#: What takes longer, or much memory where it is not bounded: in a process of its own.
LARGE = {
    "many blocks", "doubling blocks", "empty repeats", "repeats of empty blocks", "repeats of a long table",
    "repeats of a long let", "a reference repeated", "a cycle repeated", "large adaptive pools", "many phases",
    "coprime phases", "many layers", "many problems", "many keys", "many names",
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in HOSTILE])
def test_a_hostile_spec_is_answered_in_few_steps(name: str, tmp_path: Path) -> None:
    text, answers = HOSTILE[name]
    path = tmp_path / "hostile.yaml"
    path.write_text(HEAD + text)
    message = answer(path) if name in LARGE else answer_here(path)
    assert any(words in message for words in answers), message[:1000]
    assert message == "good" or message.startswith("hostile.yaml:"), message[:1000]
    assert len(message.splitlines()[0]) < 1000
    assert message.count("hostile.yaml:") <= 100, "nobody reads more"


def test_what_is_large_is_hostile() -> None:
    assert set(HOSTILE) >= LARGE
