"""Files of Keras: archives and HDF5, the arrays in them, and files that are hostile."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import ArchcalcError, SpecError, UsageError
from archcalc.interop.keras_file import read_keras_file
from tests.interop.keras_files import sequential

h5py = pytest.importorskip("h5py", reason="files of Keras need it: pip install h5py")

LAYERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Conv2D", {"name": "conv", "filters": 4, "kernel_size": 3}),
    ("BatchNormalization", {"name": "bn"}),
    ("Flatten", {"name": "flat"}),
    ("Dense", {"name": "fc", "units": 2}),
)
MODEL = sequential("small", *LAYERS, shape=[5, 4, 3])
VALUES = np.random.default_rng(0)
ARRAYS: dict[str, dict[str, tuple[int, ...]]] = {
    "conv": {"kernel": (3, 3, 3, 4), "bias": (4,)},
    "bn": dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (4,)),
    "fc": {"kernel": (24, 2), "bias": (2,)},
}
HELD = {
    layer: {name: VALUES.random(size, dtype=np.float32) for name, size in own.items()} for layer, own in ARRAYS.items()
}


def legacy(path: Path, document: Any = MODEL) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(document)
        for layer, arrays in HELD.items():
            group = file.create_group(f"model_weights/{layer}")
            group.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
            for name, array in arrays.items():
                group[f"{layer}/{name}:0"] = array
    return path


def archive(path: Path, document: Any = MODEL, compression: int = zipfile.ZIP_STORED) -> Path:
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for index, (layer, arrays) in enumerate(HELD.items()):
            group = file.create_group(f"layers/layer_{index}/vars")
            group.attrs["name"] = layer
            for number, array in enumerate(arrays.values()):
                group[str(number)] = array
    with zipfile.ZipFile(path, "w", compression) as made:
        made.writestr("config.json", json.dumps(document))
        made.writestr("model.weights.h5", data.getvalue())
    return path


@pytest.mark.parametrize("make", [legacy, archive])
def test_arrays_are_read_in_the_layout_of_archcalc(make: Any, tmp_path: Path) -> None:
    network = read_keras_file(make(tmp_path / ("m.h5" if make is legacy else "m.keras")))
    arrays = {node.name: {name: load() for name, load in node.arrays.items()} for node in network.nodes}
    kernel = HELD["conv"]["kernel"]
    assert arrays["conv"]["weight"].shape == (4, 3, 3, 3)
    assert arrays["conv"]["weight"][1, 2, 0, 1] == kernel[0, 1, 2, 1]
    assert (arrays["bn"]["running_var"] == HELD["bn"]["moving_variance"]).all()
    # The map that was flattened has 3×2 positions of 4 channels: channel by channel here, the other way in Keras.
    assert arrays["fc"]["weight"].shape == (2, 24)
    assert arrays["fc"]["weight"][1, 2 * 6 + 1 * 2 + 1] == HELD["fc"]["kernel"][(1 * 2 + 1) * 4 + 2, 1]


def test_files_are_networks(tmp_path: Path) -> None:
    expected = 3 * 3 * 3 * 4 + 4 + 8 + 24 * 2 + 2
    (tmp_path / "m.json").write_text(json.dumps(MODEL))
    for path in (legacy(tmp_path / "m.h5"), archive(tmp_path / "m.keras"), tmp_path / "m.json"):
        assert ac.load(path).analyse().totals.params == expected
        assert ac.from_keras(path).analyse().totals.params == expected
    assert ac.load(tmp_path / "m.keras", input="9x9x3").input_shape == (3, 9, 9)


def test_a_model_in_memory_is_read_by_its_json() -> None:
    class Held:
        name = "held"

        def to_json(self) -> str:
            return json.dumps(MODEL)

    assert ac.from_keras(Held()).name == "small"
    with pytest.raises(UsageError, match="takes a Keras model or the path of a file, not int"):
        ac.from_keras(3)


@pytest.mark.slow
def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", b" " * (40 << 20))
    with pytest.raises(SpecError, match=r"its config.json has more than 32 MB"):
        read_keras_file(path)
    packed = archive(tmp_path / "packed.keras", compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", json.dumps(MODEL))
        made.writestr("model.weights.h5", b"\0" * (80 << 20))
    network = read_keras_file(packed)  # the weights are not touched yet
    with pytest.raises(SpecError, match="it unpacks to far more than its size"):
        network.nodes[0].arrays["weight"]()


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["key"] = HELD["conv"]["kernel"]
    path = legacy(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        del file["model_weights/conv/conv/kernel:0"]
        file["model_weights/conv/conv/kernel:0"] = h5py.ExternalLink(str(secret), "key")
    with pytest.raises(SpecError, match="is a link, which archcalc does not follow"):
        read_keras_file(path).nodes[0].arrays["weight"]()
    raw = tmp_path / "raw.bin"
    raw.write_bytes(b"\0" * 432)
    with h5py.File(path, "a") as file:
        del file["model_weights/conv/conv/kernel:0"]
        file["model_weights/conv/conv"].create_dataset("kernel:0", (3, 3, 3, 4), "f4", external=[(str(raw), 0, 432)])
    with pytest.raises(SpecError, match="lie in another file"):
        read_keras_file(path).nodes[0].arrays["weight"]()


def test_an_array_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = legacy(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        del file["model_weights/conv/conv/kernel:0"]
        file["model_weights/conv/conv"].create_dataset("kernel:0", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))
    with pytest.raises(SpecError, match="is no array of numbers, or too large"):
        read_keras_file(path).nodes[0].arrays["weight"]()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.keras", b"", "it is cut off, or no zip file"),
        ("m.keras", b"PK\x03\x04 and so on", "it is cut off, or no zip file"),
        ("m.keras", b"PK\x05\x06" + bytes(8) + b"\xff\xff\xff\x7f" + bytes(6), "more entries than a model of Keras"),
        ("m.h5", b"", "it is no readable HDF5 file"),
        ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "it is no readable HDF5 file"),
        ("m.json", b"\xff\xfe\x00", "it is no text in UTF-8"),
    ],
)
def test_files_that_are_none_are_refused(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SpecError, match=message):
        read_keras_file(path)


def test_a_file_of_weights_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(SpecError, match="it holds weights alone"):
        read_keras_file(path)
    with zipfile.ZipFile(tmp_path / "w.keras", "w") as made:
        made.writestr("x", "")
    with pytest.raises(SpecError, match=r"there is no config.json in it"):
        read_keras_file(tmp_path / "w.keras")


def test_every_truncation_of_an_archive_gives_one_error(tmp_path: Path) -> None:
    whole = archive(tmp_path / "m.keras").read_bytes()
    path = tmp_path / "cut.keras"
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:size])
        with pytest.raises(SpecError):
            read_keras_file(path)


def test_damaged_bytes_of_a_packed_model_give_one_error_or_a_network(tmp_path: Path) -> None:
    packed = archive(tmp_path / "packed.keras", compression=zipfile.ZIP_DEFLATED)
    whole, refused = packed.read_bytes(), 0
    for place in range(30, len(whole), 7):
        packed.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            for node in read_keras_file(packed).nodes:
                for array in node.arrays.values():
                    array()
        except ArchcalcError:
            refused += 1
    assert refused > 10


def test_an_array_without_a_name_of_its_own_is_read(tmp_path: Path) -> None:
    """Keras 3.15 calls the factors of ConvNeXt's layer scale `variable`, `variable_1` … in an .h5."""
    model = sequential("one", ("LayerScale", {"name": "scaled", "projection_dim": 3}), shape=[2, 2, 3])
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(model)
        group = file.create_group("model_weights/scaled")
        group.attrs["weight_names"] = [b"scaled/variable_7"]
        group["scaled/variable_7"] = np.array([1.0, 2.0, 3.0], np.float32)
    found = read_keras_file(tmp_path / "model.h5")
    assert found.nodes[-1].arrays["weight"]().tolist() == [1.0, 2.0, 3.0]
