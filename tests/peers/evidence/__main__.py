"""Measure parts of the evidence and write their tables into the page."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

#: Keras chooses its backend when it is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

from tests.peers.evidence import files, page, round_trips, torch_models


class Part(NamedTuple):
    """What is measured for one table, and the packages whose versions it names."""

    rows: Callable[[], Iterable[list[str]]]
    table: Callable[[Sequence[Sequence[str]]], page.Table]
    packages: Sequence[str]


def _trips(way: str, *packages: str) -> Part:
    return Part(lambda: round_trips.rows(way), round_trips.table, packages)


PARTS = {
    "torchvision": Part(torch_models.torchvision, torch_models.table, torch_models.PACKAGES),
    "timm": Part(torch_models.timm, torch_models.table, torch_models.PACKAGES_OF_TIMM),
    "onnx": Part(files.onnx_networks, files.onnx_networks_table, ("onnx", "onnxruntime")),
    "onnx-exports": Part(
        files.onnx_exports, files.onnx_exports_table, ("torch", "torchvision", "onnx", "onnxscript", "onnxruntime")
    ),
    "keras": Part(files.keras, files.keras_table, ("keras", "torch")),
    "caffe": Part(files.caffe, files.caffe_table, ()),
    "darknet": Part(files.darknet, files.darknet_table, ()),
    "trips-onnx": _trips("onnx", "onnx", "onnxruntime"),
    "trips-torch": _trips("torch", "torch"),
    "trips-keras": _trips("keras", "keras", "torch"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, or some of {', '.join(PARTS)}")
    wanted = parser.parse_args().parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for name in wanted:
        part = PARTS[name]
        rows = []
        for row in part.rows():
            print(name, *row, sep="  ", file=sys.stderr, flush=True)
            rows.append(row)
        page.write(name, part.packages, part.table(rows))


if __name__ == "__main__":
    main()
