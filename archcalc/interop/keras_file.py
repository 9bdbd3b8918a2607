"""Keras's files: `.keras`, `.h5` and `.json`, with the arrays that came along, read when they are asked for.

Nothing in a file is run or unpickled, and nothing outside it is opened: links of HDF5 to other files are refused.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.core.archives import DAMAGED
from archcalc.core.errors import MissingPackageError, UsageError
from archcalc.core.files import note_archive, note_input, read_bytes
from archcalc.core.shapes import Shape
from archcalc.interop.assemble import fault
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.keras import LARGEST_JSON, read_keras
from archcalc.interop.keras_model import Weights

if TYPE_CHECKING:
    import h5py
    import numpy

    from archcalc.interop.keras_layer import Arrays

#: No model with its weights is larger: 32 billion parameters of 4 bytes.
LARGEST_MODEL = 128 << 30
#: The directory of a `.keras`, which has three entries, is not larger.
_LARGEST_DIRECTORY = 1 << 20
#: Nor have the arrays of one layer more values, or are weights in an archive smaller by more than this factor.
_MOST_VALUES = 1 << 32
_MOST_PACKED = 50


def read_keras_file(path: str | Path, shapes: Mapping[str, Shape] | Shape | None = None) -> ForeignNetwork:
    """The network of a file of Keras, by its ending. Raises `SpecError` or `UsageError` for what is none."""
    file = note_input(path)
    ending = file.suffix.lower()
    if ending == ".json":
        text = _decoded(read_bytes(path, LARGEST_JSON, "architecture of Keras"), str(path))
        return read_keras(text, str(path), shapes)
    if ending == ".keras":
        config, weights = _archive(note_archive(path, LARGEST_MODEL, "model of Keras"))
        return read_keras(config, str(path), shapes, weights)
    config, weights = _legacy(note_archive(path, LARGEST_MODEL, "model of Keras"))
    return read_keras(config, str(path), shapes, weights)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fault(f"it is no text in UTF-8: byte {error.start} is {data[error.start]:#x}", name) from None


# --- archives


def _archive(path: Path) -> tuple[str, Weights]:
    """The architecture in a `.keras`, and its arrays."""
    try:
        with path.open("rb") as file:
            _check_directory(file, str(path))
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "config.json" not in names:
                raise fault("it is no model of Keras: there is no config.json in it", str(path))
            with archive.open("config.json") as entry:
                data = entry.read(LARGEST_JSON + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except DAMAGED as error:
        raise fault(f"it is no archive of Keras: {error}", str(path)) from None
    if len(data) > LARGEST_JSON:
        raise fault(f"its config.json has more than {LARGEST_JSON >> 20} MB; no architecture has", str(path))
    weights = ArchiveWeights(path) if "model.weights.h5" in names else Weights()
    return _decoded(data, f"{path}/config.json"), weights


def _check_directory(file: io.BufferedReader, name: str) -> None:
    """Raise `SpecError` for an archive whose directory is too large to be read."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise fault("it is no archive of Keras: it is cut off, or no zip file", name)
    if struct.unpack_from("<L", tail, at + 12)[0] > _LARGEST_DIRECTORY:
        raise fault("its directory has more entries than a model of Keras", name)


# --- HDF5


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        message = "reading .h5 files and weights of Keras needs h5py: pip install h5py"
        raise MissingPackageError("h5py", message) from None
    return h5py


def _legacy(path: Path) -> tuple[str, Weights]:
    """The architecture in an `.h5`, which is an attribute of it, and its arrays."""
    file = _opened(path, str(path))
    found = file.attrs.get("model_config")
    if found is None:
        raise fault("it holds weights alone: there is no model_config in it", str(path))
    text = found if isinstance(found, str) else _decoded(bytes(found), str(path))
    return text, LegacyWeights(file, str(path))


def _opened(source: Path | io.BytesIO, name: str) -> h5py.File:
    try:
        return _h5py().File(source, "r")
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise fault(f"it is no readable HDF5 file: {str(error)[:120]}", name) from None


def _inside(group: Any, name: str, file: str) -> Any:
    """What a group holds under a name, unless that is in another file."""
    try:
        link = group.get(name, getlink=True)
        if not isinstance(link, _h5py().HardLink):
            raise fault(f"{name[:60]!r} is a link, which archcalc does not follow", file)
        return group[name]
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise fault(f"it is damaged: {str(error)[:120]}", file) from None


def _loaded(dataset: Any, file: str) -> numpy.ndarray[Any, Any]:
    """An array that lies in this file."""
    import numpy as np

    if dataset.external is not None or dataset.is_virtual:
        raise fault(f"the values of {dataset.name[:60]} lie in another file", file)
    if dataset.size is None or dataset.size > _MOST_VALUES or dataset.dtype.kind not in "fiu":
        raise fault(f"{dataset.name[:60]} is no array of numbers, or too large", file)
    try:
        return np.asarray(dataset[()])
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        raise fault(f"{dataset.name[:60]} is damaged: {str(error)[:120]}", file) from None


class LegacyWeights(Weights):
    """The arrays of an `.h5`: a group for each outermost layer, with the names of its arrays as an attribute."""

    def __init__(self, file: h5py.File, name: str) -> None:
        self.name = name
        self.root = _inside(file, "model_weights", name) if "model_weights" in file else file

    def of(self, path: Sequence[str], kind: str, config: Mapping[str, Any]) -> Arrays:
        if path[0] not in self.root:
            return {}
        group = _inside(self.root, path[0], self.name)
        stored = group.attrs.get("weight_names", ())
        names = [_text_of(raw) for raw in stored]
        return {key: _Lazy(group, name, self.name) for key, name in _keyed(path[-1], kind, names).items()}

    def count(self, path: Sequence[str]) -> int | None:
        if path[0] not in self.root:  # every layer has a group, operations have none
            return 0 if "layer_names" in self.root.attrs else None
        group = _inside(self.root, path[0], self.name)
        names = [_text_of(raw) for raw in group.attrs.get("weight_names", ())]
        own = [name for name in names if path[-1] in name.split("/")[:-1] and _SEED not in name]
        return sum(int(_Lazy(group, name, self.name).dataset().size) for name in own)


class LiveWeights(Weights):
    """The arrays of a model in memory, as they are when they are asked for."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def _layer(self, path: Sequence[str]) -> Any:
        layer = self.model
        for name in path:
            inner = getattr(layer, "operations", None) or getattr(layer, "layers", None) or ()
            layer = next((each for each in inner if each.name == name), None)
        return layer

    def count(self, path: Sequence[str]) -> int | None:
        layer = self._layer(path)
        if layer is None:
            return None
        return sum(
            int(math.prod(each.shape))
            for each in getattr(layer, "weights", ())
            if _SEED not in getattr(each, "path", each.name)
        )

    def shape(self, path: Sequence[str]) -> Shape | None:
        nodes = getattr(self._layer(path), "_inbound_nodes", ())
        outputs = [getattr(node, "output_tensors", None) or [] for node in nodes]
        shapes = {tuple(tensor.shape) for tensors in outputs for tensor in tensors}
        if len(shapes) != 1 or any(len(tensors) != 1 for tensors in outputs):
            return None
        (shape,) = shapes
        if len(shape) < 2:
            return None
        return tuple(size if isinstance(size, int) and size > 0 else 0 for size in shape[1:])

    def of(self, path: Sequence[str], kind: str, config: Mapping[str, Any]) -> Arrays:
        layer = self._layer(path)
        names = {str(getattr(each, "path", each.name)): each for each in getattr(layer, "weights", ())}
        return {key: names[name].numpy for key, name in _keyed(path[-1], kind, list(names)).items()}


#: What layers that draw random numbers keep: the state of their generator.
_SEED = "seed_generator"


def _text_of(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _keyed(layer: str, kind: str, names: Sequence[str]) -> dict[str, str]:
    """The full names of the arrays of a layer by their names in it; Keras calls one that has none `variable_7`."""
    order = _ORDERS.get(kind, ())
    found = {}
    for name in names:
        key = _key_in(layer, name)
        if len(order) == 1 and re.fullmatch(r"variable(?:_\d+)?", key):
            (key,) = order
        if key:
            found[key] = name
    return found


def _key_in(layer: str, name: str) -> str:
    """The name that an array has in a layer, from the name with all scopes; empty for an array of another layer."""
    parts = name.rpartition(":")[0].split("/") if ":" in name else name.split("/")
    if layer not in parts[:-1]:
        return ""
    return _key(parts[len(parts) - parts[::-1].index(layer) :])


def _key(parts: Sequence[str]) -> str:
    """`forward_kernel` of forward_gru/gru_cell/kernel, `query/kernel` of query/kernel."""
    kept = [part for part in parts[:-1] if not re.fullmatch(r"(?:\w+_)?cell(?:_\d+)?", part)]
    for way in ("forward_", "backward_"):
        if kept and kept[0].startswith(way):
            return way + parts[-1]
    return "/".join([*kept, parts[-1]])


class _Lazy:
    """An array of a group, read when it is called."""

    def __init__(self, group: Any, name: str, file: str) -> None:
        self.group, self.name, self.file = group, name, file

    def dataset(self) -> Any:
        found = self.group
        for part in self.name.split("/"):
            found = _inside(found, part, self.file)
        return found

    def __call__(self) -> numpy.ndarray[Any, Any]:
        return _loaded(self.dataset(), self.file)


#: How Keras 3 calls the parts of a layer, and how they are named here.
_PARTS = {
    "query_dense": "query/", "key_dense": "key/", "value_dense": "value/", "output_dense": "attention_output/",
    "forward_layer": "forward_", "backward_layer": "backward_", "cell": "",
    "layer": "layer/",
}  # fmt: skip
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "LayerNormalization": ("gamma", "beta"),
    "GroupNormalization": ("gamma", "beta"),
    "RMSNormalization": ("scale",),
    "SeparableConv1D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
    "LayerScale": ("gamma",),
    "Normalization": ("mean", "variance", "count"),
    **dict.fromkeys(
        ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"), ("kernel", "recurrent_kernel", "bias", "recurrent_bias")
    ),
}


class ArchiveWeights(Weights):
    """The arrays of a `.keras`: numbered in each layer, whose name is an attribute."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._groups: dict[tuple[str, ...], Any] | None = None

    def of(self, path: Sequence[str], kind: str, config: Mapping[str, Any]) -> Arrays:
        prefixes = [""]
        if kind == "TimeDistributed" and isinstance(inner := config.get("layer"), Mapping):
            prefixes, kind = ["layer/"], str(inner.get("class_name"))
            config = inner["config"] if isinstance(inner.get("config"), Mapping) else {}
        order = _ORDERS.get(kind, ("kernel", "bias"))
        if config.get("scale") is False:
            order = tuple(name for name in order if name != "gamma")
        if config.get("center") is False:
            order = tuple(name for name in order if name != "beta")
        if kind == "MultiHeadAttention":
            prefixes = ["query/", "key/", "value/", "attention_output/"]
        elif kind == "Bidirectional":
            prefixes = ["forward_", "backward_"]
        return {
            prefix + name: _Numbered(self, tuple(path), prefix, index)
            for prefix in prefixes
            for index, name in enumerate(order)
        }

    def count(self, path: Sequence[str]) -> int | None:
        group = self.groups().get(tuple(path))
        return None if group is None else self._size(group, 0)

    def _size(self, group: Any, depth: int) -> int:
        """How many numbers a group holds with all groups in it."""
        if depth > 24:
            raise fault("its groups lie inside one another more than 24 deep", str(self.path))
        total = 0
        for key in group:
            found = _inside(group, key, str(self.path))
            if key != _SEED:
                total += self._size(found, depth + 1) if hasattr(found, "keys") else int(found.size)
        return total

    def array(self, path: tuple[str, ...], prefix: str, index: int) -> numpy.ndarray[Any, Any]:
        """An array by its layer, its part of the layer and its number."""
        group = self.groups().get(path)
        name = "/".join(path)
        if group is None:
            raise fault("there are no weights of it in the file", str(self.path), name)
        for part in _steps(group, prefix):
            group = _inside(group, part, str(self.path))
        values = _inside(group, "vars", str(self.path))
        return _loaded(_inside(values, str(index), str(self.path)), str(self.path))

    def groups(self) -> dict[tuple[str, ...], Any]:
        """The group of each layer by its name with those of the models around it."""
        if self._groups is None:
            self._groups = dict(self._walk(self._weights(), ()))
        return self._groups

    def _walk(self, group: Any, scope: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if "layers" not in group or len(scope) > 24:
            return
        layers = _inside(group, "layers", str(self.path))
        for key in layers:
            layer = _inside(layers, key, str(self.path))
            name = _inside(layer, "vars", str(self.path)).attrs.get("name") if "vars" in layer else None
            own = (*scope, name if isinstance(name, str) else key)
            yield own, layer
            yield from self._walk(layer, own)

    def _weights(self) -> h5py.File:
        name = f"{self.path}/model.weights.h5"
        try:
            with zipfile.ZipFile(self.path) as archive:
                entry = archive.getinfo("model.weights.h5")
                if entry.file_size > _MOST_PACKED * max(entry.compress_size, 1 << 20):
                    raise fault("it unpacks to far more than its size", name)
                data = archive.read(entry)
        except DAMAGED as error:
            raise fault(f"it cannot be read: {error}", name) from None
        return _opened(io.BytesIO(data), name)


def _steps(group: Any, prefix: str) -> list[str]:
    """The groups between a layer and its arrays."""
    steps = [key for key, value in _PARTS.items() if value == prefix and value]
    inner = group[steps[0]] if steps and steps[0] in group else group
    return [*steps, "cell"] if "cell" in inner else steps


class _Numbered:
    """An array of a `.keras`, read when it is called."""

    def __init__(self, weights: ArchiveWeights, path: tuple[str, ...], prefix: str, index: int) -> None:
        self.weights, self.path, self.prefix, self.index = weights, path, prefix, index

    def __call__(self) -> numpy.ndarray[Any, Any]:
        return self.weights.array(self.path, self.prefix, self.index)
