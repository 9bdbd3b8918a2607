"""Models in ONNX, Keras, Caffe and Darknet files next to what is known of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from archcalc.interop.caffe import read_caffe
from archcalc.interop.darknet import read_darknet
from archcalc.interop.foreign import to_network
from archcalc.passes.analysis import analyse
from tests.interop import caffe_files, darknet_files, test_caffe, test_darknet
from tests.peers.evidence.page import Table, both


def _equal(rows: Sequence[Sequence[str]]) -> str:
    """Of how many nothing differs."""
    equal = sum(1 for row in rows if not any("≠" in cell for cell in row))
    return f"{equal} of {len(rows)} with all counts equal"


def onnx_networks() -> Iterator[list[str]]:
    """The networks in the onnx package's backend tests."""
    backend = import_module("tests.peers.test_onnx_backend")
    for name, stated in backend.NETWORKS.items():
        counts, error = backend.measured(name)
        yield [name, *[both(one, other) for one, other in zip(counts, stated, strict=True)], f"{error:.0e}"]


def onnx_networks_table(rows: Sequence[Sequence[str]]) -> Table:
    """With what came of the cases of nodes and of PyTorch's layers."""
    files, backend = import_module("tests.peers.test_onnx_files"), import_module("tests.peers.test_onnx_backend")
    outcomes, ops, wrong = files.standard_outcomes()
    layers, wrong_layers = backend.written_by_pytorch()
    return Table(
        f"{_equal(rows)}, outputs next to ONNX Runtime's. Of the {outcomes.total() + len(wrong)} cases of nodes with "
        f"float32 maps {outcomes['equal']}, of {len(ops)} ops, have the recorded outputs, {len(wrong)} others; "
        f"{outcomes['opaque']} have an opaque layer, {outcomes['refused']} are refused. Of the {layers.total()} layers "
        f"that PyTorch wrote {layers['equal'] - len(wrong_layers)} have the recorded outputs, {len(wrong_layers)} "
        f"others; {layers['opaque']} are opaque, {layers['refused']} refused, {layers['several batches']} mix sizes of "
        "the batch.",
        ("network", "parameters", "buffers", "multiplications", "output"),
        rows,
    )


def onnx_exports() -> Iterator[list[str]]:
    """Models of torchvision as both exporters of PyTorch write them."""
    files = import_module("tests.peers.test_onnx_files")
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted([*files.MODELS, *files.IN_OTHER_SIZES]):
            for way in ("script", "dynamo"):
                found = files.compared(name, way, Path(folder, f"{name}.onnx"))
                stored = found.totals.params + found.totals.buffers
                shapes = f"{found.shapes - len(found.other_shapes)} of {found.shapes}"
                held = (
                    f"{stored:,} ({found.held:,} in the file)"
                    if name in files.IN_OTHER_SIZES
                    else both(stored, found.held)
                )
                yield [f"{name}, {way}", held, both(found.totals.multiplications, found.products), shapes,
                       f"{found.error:.0e}"]  # fmt: skip


def onnx_exports_table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(
        f"{_equal(rows)}: arrays of the file with more than one value, PyTorch's multiplications, shapes of values as "
        "onnx infers them, outputs of ONNX Runtime.",
        ("model, exporter", "parameters and buffers", "multiplications", "shapes", "output"),
        rows,
    )


def keras() -> Iterator[list[str]]:
    """All applications of Keras."""
    of_keras = import_module("tests.peers.test_keras")
    for name in of_keras.COUNTS:
        model, totals, layers, differ = of_keras.compared(name)
        found = totals.params + totals.buffers + of_keras.COUNTERS.get(name, 0)
        trained = sum(int(weight.value.numel()) for weight in model.trainable_weights)
        shapes = f"{layers - len(differ)} of {layers}"
        yield [name, both(found, model.count_params()), both(totals.trainable_params, trained), shapes]


def keras_table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(
        f"{_equal(rows)}. Layers are compared in output shape and in parameters.",
        ("model", "count_params()", "trainable", "layers equal"),
        rows,
    )


def caffe() -> Iterator[list[str]]:
    """The public definitions, written with the same structure."""
    for name, stated in test_caffe.FIGURES.items():
        totals = analyse(to_network(read_caffe(caffe_files.FILES[name](), f"{name}.prototxt"))).totals
        counts = (totals.params, totals.buffers, totals.multiplications)
        yield [name, *[both(one, other) for one, other in zip(counts, stated, strict=True)]]


def caffe_table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(
        f"{_equal(rows)} to those of `tests/interop/test_caffe.py`, which Caffe's rules or the released weights give.",
        ("definition", "parameters", "buffers", "multiplications"),
        rows,
    )


def darknet() -> Iterator[list[str]]:
    """The public definitions, written with the same structure."""
    for name, billions, size in test_darknet.PUBLISHED:
        text = darknet_files.FILES[name]()
        totals = analyse(to_network(read_darknet(text, f"{name}.cfg"))).totals
        operations = f"{2 * totals.multiplications / 1e9:.2f}"
        values = totals.params + totals.buffers
        bytes_ = "–" if size is None else both(4 * values, size - (16 if 4 * values == size - 16 else 20))
        yield [name, both(values, test_darknet.stored(text)), bytes_,
               operations if operations == f"{billions:.2f}" else f"{operations} ≠ {billions:.2f}"]  # fmt: skip


def darknet_table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(
        f"{_equal(rows)} to the operations that pjreddie.com prints, to the size of the published weights without "
        "their header, and to what is counted from the text alone.",
        ("definition", "parameters and buffers", "bytes of weights", "billions of operations"),
        rows,
    )
