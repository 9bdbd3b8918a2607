"""Hostile command lines, each made of one number: seeds changed at random, and values at the edge of the allowed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from tests.cli.runner import DATA

HOSTILE = DATA / "hostile"
#: What is put into texts and options: extremes, other types, other languages, what steers a terminal.
FRAGMENTS = (
    "",
    "0",
    "-1",
    "1",
    "7",
    "1e999",
    "-1e999",
    "nan",
    "inf",
    "1/0",
    "0.5",
    "99999999999999999999",
    "9" * 400,
    "1048576",
    "1048577",
    "true",
    "null",
    "~",
    "[]",
    "{}",
    "[1, 2]",
    "{a: 1}",
    "'",
    '"',
    ":",
    "- ",
    "*a",
    "&a",
    "!!python/object:os.system",
    "<<",
    "{x}",
    "{x**9**9}",
    "a" * 300,
    "\x1b[31m",
    "\x1b]0;t\x07",
    "\r",
    "\t",
    "\u202e",
    "\x00",
    "é",
    "свёртка",
    "卷积",
    "🙂",
    "=1+1",
    "@SUM(A1)",
    "../../etc/passwd",
    "/dev/zero",
    "conv2d",
    "relu",
    "same",
    "x" * 3 + "->",
    "name",
    "from",
    "repeat",
    "(((((((((((",
    "1,2,3",
    "1;2",
    "|||",
    "```",
    "$x$",
    "<b>",
    "%s%n",
    "None",
    "__import__('os')",
    "lambda: 1",
)
WORDS = (
    "conv3-8",
    "conv1x3-4/2",
    "conv3-4s2p0d2g2",
    "conv3-4nobias",
    "dw3",
    "upconv2-4/2",
    "pool",
    "pool2",
    "maxpool3/2p1",
    "avgpool",
    "avgpool2",
    "gap",
    "bn",
    "lrn",
    "relu",
    "relu6",
    "tanh",
    "softmax",
    "dropout0.5",
    "flatten",
    "fc10",
    "dense 5",
    "conv9",
    "conv0-0",
    "conv3-99999999",
    "conv3-4/1048576",
    "upconv2-1/1048576",
    "fc0",
    "add",
    "frob",
    "[",
    "]",
    "[[",
    "->",
    "*3",
    "*0",
    "*99999",
    "×2",
    "(",
    "conv3-8 s2 nobias",
    "p1",
    "s2",
)
SIZES = (
    "8x8x3",
    "1x1x1",
    "8x8x4",
    "28 x 28 x 1",
    "3x224x224",
    "0x8x3",
    "8x8",
    "1048576x1x1",
    "8x8x3 hwc",
    "99999999x8x3",
    "x",
)
SPEC = """name: n
title: T
input: 16x16x4
parameters: {w: 4, deep: {type: int, default: 2, minimum: 1, maximum: 9}}
let: {double: w * 2}
blocks:
  unit:
    parameters: {n: int, k: {type: any, default: 3}}
    layers:
      - conv2d: {out_channels: n, kernel_size: k, padding: same}
      - relu
layers:
  - repeat: deep
    as: i
    layers:
      - unit: {name: "u{i}", n: double}
  - branches:
      - []
      - - conv_bn_relu: {out_channels: double, kernel_size: 1}
    merge: add
  - for_each: [name, n]
    rows: [[one, 4], [two, w]]
    layers: [conv2d: {name, out_channels: n, kernel_size: 1}]
  - output: side
    loss_weight: 0.3
    layers: [global_avg_pool2d, linear: {out_features: 3}]
  - max_pool2d: {kernel_size: 2}
  - reshape: 8x8x4
  - linear: {out_features: 10}
variants: {wide: {set: {w: 8}}}
"""
ANSWERS = {
    "csv": 'layer,output,params,multiplications\nC1,28x28x6,156,117600\nC3,10x10x16,"(5*5*6+1)*16",240000\n',
    "md": "| layer | params |\n|---|---|\n| C1 | (5·5·1 + 1)·6 = **156** |\n| C3 | 2,416 |\n",
    "yaml": "- {layer: C1, params: 156}\n- {layer: C3, params: '5*5*6*16 + 16'}\n",
    "json": '[{"layer": "C1", "params": 156, "output": [28, 28, 6]}, {"layer": "C3", "params": "2416"}]\n',
}
CLAIMS = """claims:
  - {id: a, line: 1, text: t, network: lenet5, formula: params(conv1), equals: 156}
  - {id: b, line: 2, text: t, formula: '(227 - 11)/4 + 1', equals: 55}
  - {id: c, line: 3, text: t, formula: a * 2, equals: 6, for: {a: [3]}}
"""
TINY = "4x4x1 -> conv3-2 -> relu -> fc3"


class Input(NamedTuple):
    """A command line, and the files that lie in the folder where it runs."""

    arguments: tuple[str, ...]
    files: Mapping[str, bytes]

    def __str__(self) -> str:
        return f"archcalc {' '.join(map(repr, self.arguments))} with {', '.join(self.files)}"


def changed(text: str, random: Random) -> str:
    """A text with some of its lines, words or characters changed."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        lines = text.split("\n")
        place = random.randrange(len(lines))
        how = random.randrange(7)
        if how == 0:
            del lines[place]
        elif how == 1:
            lines.insert(place, random.choice(lines))
        elif how == 2:
            lines[place] = random.choice((" " * random.randrange(5), "\t")) + lines[place]
        else:
            line = lines[place]
            words = [word for word in line.replace(",", " ").replace(":", " ").split() if word.strip("{}[]-")]
            if words and how < 6:
                line = line.replace(random.choice(words), random.choice(FRAGMENTS), 1)
            else:
                cut = random.randrange(len(line) + 1)
                line = line[:cut] + random.choice(FRAGMENTS) + line[cut + random.randrange(3) :]
            lines[place] = line
        text = "\n".join(lines)
    return text


def garbled(data: bytes, random: Random) -> bytes:
    """Bytes with some changed, cut off or repeated."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        place = random.randrange(len(found)) if found else 0
        how = random.randrange(5)
        if how == 0:
            found[place : place + 1] = bytes([random.randrange(256)])
        elif how == 1:
            del found[place : place + random.choice((1, 4, 100))]
        elif how == 2:
            found[place:place] = random.choice(
                (b"\xff\xff\xff\xff", b"\x00" * 8, b"%!PS\n{} loop\n", b"\x7f\xff\xff\xff")
            )
        elif how == 3:
            found[place : place + 4] = struct.pack(">I", random.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 20)))
        else:
            del found[random.randrange(len(found) + 1) :]
    return bytes(found)


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def npz() -> bytes:
    """The weights of `TINY`, all of them zero."""
    import numpy as np

    shapes = {"conv1.weight": (2, 1, 3, 3), "conv1.bias": (2,), "fc1.weight": (3, 32), "fc1.bias": (3,)}
    target = io.BytesIO()
    np.savez(target, **{name: np.zeros(shape, "float32") for name, shape in shapes.items()})  # type: ignore[arg-type]
    return target.getvalue()


def xlsx() -> bytes:
    """A table of answers as a spreadsheet."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in (("layer", "params"), ("C1", 156), ("C3", "=5*5*6*16+16")):
        book.active.append(row)  # type: ignore[union-attr]
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def a_spec(random: Random) -> Input:
    seeds = [SPEC, *(path.read_text(encoding="utf-8") for path in sorted(HOSTILE.glob("spec-*.yaml")))]
    text = changed(random.choice([SPEC, SPEC, SPEC, *seeds]), random)
    command: list[str] = random.choice(
        [
            ["report", "a.yaml", "-f", random.choice(("table", "csv", "json", "markdown", "latex"))],
            ["validate", "a.yaml"],
            ["explain", "a.yaml"],
            ["spec", "a.yaml"],
            ["draw", "a.yaml", "-f", random.choice(("dot", "svg"))],
            ["report", "a.yaml@wide", "-f", "csv"],
            ["exercise", "a.yaml", "-f", "csv"],
        ]
    )
    output = [] if command[0] == "validate" else ["-o", random.choice(("out.txt", "a.yaml", "old.txt"))]
    return Input((*command, *output), {"a.yaml": text.encode("utf-8", "replace"), "old.txt": b"old"})


def a_pattern(random: Random) -> Input:
    words = [random.choice(WORDS) for _ in range(random.randrange(1, 8))]
    text = (
        random.choice(SIZES)
        + random.choice((" -> ", "->", " ", "→"))
        + random.choice((" -> ", " -> ", "->", " ")).join(words)
    )
    if random.random() < 0.3:
        text = changed(text, random)
    command = random.choice(
        (["report", "-f", "csv"], ["report"], ["explain"], ["spec"], ["draw", "-f", "dot", "-o", "out.dot"])
    )
    return Input((command[0], f"8x8x3 -> {text}" if "->" not in text and "→" not in text else text, *command[1:]), {})


def an_option(random: Random) -> Input:
    import click

    from archcalc.cli.app import COMMANDS, Commands

    name = random.choice(
        [
            each
            for each in COMMANDS
            if each not in ("plot", "completion", "gradients", "deconv", "list", "validate", "serve")
        ]
    )
    found = Commands().get_command(click.Context(Commands()), name)
    assert found is not None
    options = [param for param in found.params if isinstance(param, click.Option) and param.name != "everything"]
    files = {"a.csv": ANSWERS["csv"].encode(), "a.yaml": CLAIMS.encode() if name == "audit" else SPEC.encode()}
    first = {"audit": ["a.yaml"], "validate": ["a.yaml"], "schema": [], "solve": ["conv2d"], "sliding": ["lenet5"]}.get(
        name, [random.choice(("lenet5", "a.yaml", TINY))]
    )
    arguments = [name, *first]
    if name == "check":
        arguments.append("a.csv")
    if name == "grade":
        arguments += [".", "-o", "results"]
    if name == "draw":
        arguments += ["-o", "out.svg"]
    for _ in range(random.choice((1, 1, 2))):
        option = random.choice(options)
        if option.name in ("students", "weights", "save_weights", "batch"):
            continue
        arguments.append(option.opts[-1])
        if not option.is_flag and not option.flag_value:
            value = random.choice(FRAGMENTS)
            arguments.append("out.bin" if "\0" in value or "passwd" in value or "/dev" in value else value)
    return Input(tuple(arguments), files)


def a_name(random: Random) -> Input:
    name = random.choice(
        (
            "",
            ".",
            "..",
            "a b.yaml",
            "a\nb.yaml",
            "-",
            "-o",
            "--help",
            "a" * 300,
            "\udcff.yaml",
            "é.yaml",
            "\x1b[31m.yaml",
            "a.yaml/",
            "no/such/a.yaml",
            "@",
            "a@b@c.yaml",
            "lenet5@",
            "@wide",
            "~",
            "C:\\a.yaml",
            "a.yaml@wide@x",
            "/",
            "//",
            ".yaml",
            "old.txt",
        )
    )
    command: list[str] = random.choice(
        [
            ["report", name],
            ["report", "a.yaml", "-f", "csv", "-o", name],
            ["check", "lenet5", name],
            ["audit", name],
            ["validate", name],
            ["spec", name],
            ["exercise", "lenet5", "-o", name, "--key", "old.txt"],
            ["draw", "lenet5", "-f", "dot", "-o", name],
            ["run", TINY, "--input", name],
            ["run", TINY, "--weights", name],
        ]
    )
    return Input(tuple(command), {"a.yaml": SPEC.encode(), "old.txt": b"old"})


def an_answer(random: Random) -> Input:
    ending = random.choice(tuple(ANSWERS))
    text = changed(ANSWERS[ending], random)
    if random.random() < 0.1:
        text = (HOSTILE / "check-esc-heading.csv").read_text(encoding="utf-8")
    form = random.choice(([], ["-f", "json"], ["-f", "markdown"], ["-o", f"a.{ending}"], ["-o", "out.html"]))
    return Input(("check", "lenet5", f"a.{ending}", *form), {f"a.{ending}": text.encode("utf-8", "replace")})


def a_claim(random: Random) -> Input:
    text = changed(CLAIMS, random)
    form = random.choice(([], ["-f", "json"], ["-o", "a.yaml"], ["--only", "wrong"]))
    return Input(("audit", "a.yaml", *form), {"a.yaml": text.encode("utf-8", "replace")})


def an_image(random: Random) -> Input:
    data = garbled(png(random.choice((1, 4, 9)), 4), random)
    name = random.choice(("a.png", "a.jpg", "a.npy"))
    return Input(("run", TINY, "--input", name), {name: data})


def a_weights_file(random: Random) -> Input:
    name = random.choice(("a.npz", "a.safetensors", "a.npz"))
    data = npz() if name == "a.npz" else struct.pack("<Q", random.choice((2, 10**9, 0))) + b"{}"
    return Input(("run", TINY, "--weights", name), {name: garbled(data, random)})


def a_spreadsheet(random: Random) -> Input:
    data = xlsx()
    if random.random() < 0.5:
        # Changed inside, so that the archive stays whole.
        target = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
            for item in old.infolist():
                text = old.read(item).decode()
                new.writestr(item, changed(text, random) if random.random() < 0.3 else text)
        data = target.getvalue()
    else:
        data = garbled(data, random)
    return Input(("check", "lenet5", "a.xlsx"), {"a.xlsx": data})


KINDS: Mapping[str, Callable[[Random], Input]] = {
    "spec": a_spec,
    "pattern": a_pattern,
    "option": an_option,
    "name": a_name,
    "answer": an_answer,
    "claim": a_claim,
    "image": an_image,
    "weights": a_weights_file,
    "spreadsheet": a_spreadsheet,
}


def made(kind: str, number: int) -> Input:
    """The input of this number: always the same."""
    return KINDS[kind](Random(f"{kind} {number}"))
