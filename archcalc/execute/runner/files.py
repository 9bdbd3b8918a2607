"""Weights in files: `.npz` and `.safetensors`, one array `LAYER.NAME` each. Nothing is ever unpickled."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from archcalc.core.archives import DAMAGED
from archcalc.core.errors import UsageError
from archcalc.core.files import note_input, whole_file
from archcalc.core.shapes import Shape
from archcalc.execute.kernels import Array
from archcalc.execute.kernels.registry import Sizes
from archcalc.execute.runner.inputs import npy_header
from archcalc.execute.runner.names import Matched, Source, Wanted, match, some_of, stored_shape
from archcalc.execute.weights import Weights
from archcalc.passes.analysis import Analysis

SUFFIXES = (".npz", ".safetensors")
#: Far more than the names and shapes of any network take.
LARGEST_SAFETENSORS_HEADER = 1 << 24
#: Shape and type of each array by its name, and what reads the array of a name.
Found = Mapping[str, tuple[Shape, str]]
Reader = Callable[[str], Array]
#: Files with the same arrays are the same bytes: no clock in them.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_FLOATS = ("f2", "f4", "f8", "f16", "f32", "f64")
#: Types of counters, indices and masks, as both formats write them.
_WHOLE = re.compile(r"[iu]\d+|b1|bool", re.IGNORECASE)
#: What zipfile and numpy raise for damaged files; TokenError: a header of .npy that is no Python.
_UNREADABLE = (*DAMAGED, TokenError)


class LoadedWeights:
    """Weights that were read from a file. `matched`: for each layer its name in the file, where that is another one."""

    def __init__(self, arrays: Mapping[str, Array], matched: Mapping[str, str] | None = None) -> None:
        self._arrays = arrays
        self.matched = matched or {}

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name. Raises `UsageError` where one is missing or has another size."""
        found = {name: self._arrays.get(f"{layer}.{name}") for name in sizes}
        for name, size in sizes.items():
            array = found[name]
            if array is None or array.shape != size:
                there = "missing" if array is None else _size(array.shape)
                raise UsageError(f"the weights have {layer}.{name} {there}; the layer wants {_size(size)}")
        return {name: array for name, array in found.items() if array is not None}


def wanted_arrays(analysis: Analysis) -> dict[str, Shape]:
    """Names and sizes of the arrays of all layers, in their order; those that layers share once, by their owner."""
    return {
        f"{row.name}.{param.name}": param.shape
        for row in analysis.rows
        if row.weights_of is None
        for param in row.op.param_shapes(row.input_shapes)
    }


def _wanted(analysis: Analysis) -> dict[str, Wanted]:
    """The same, and how PyTorch has them."""
    found = {}
    for row in analysis.rows:
        if row.weights_of is None:
            spelt = row.op.pytorch_names()
            for param in row.op.param_shapes(row.input_shapes):
                each = Wanted(param.shape, spelt.get(param.name, param.name), row.op.stored_channels_last)
                found[f"{row.name}.{param.name}"] = each
    return found


def load_weights(path: Path, analysis: Analysis) -> LoadedWeights:
    """Read and check the weights of a network. Raises `UsageError` that says everything that does not fit.

    Where not all arrays have the names of the network, they are matched by shape and order (`names.match`).
    """
    wanted = _wanted(analysis)
    check_suffix(path)
    note_input(path)
    opened = _open_npz if path.suffix.lower() == ".npz" else _open_safetensors
    arrays = {}
    with opened(path, 2 * len(wanted) + 1000) as (found, read):
        matched = _matched(path, found, wanted)
        for name, source in matched.arrays.items():
            array = read(source.name)
            if not np.isfinite(array).all():
                raise UsageError(f"{path}: {source.name} holds values that are not finite (NaN or infinite)")
            array = array.astype(analysis.dtype, copy=False).reshape(stored_shape(wanted[name].shape, source))
            arrays[name] = np.moveaxis(array, -1, 0) if source.channels_last else array
    return LoadedWeights(arrays, matched.layers)


def _matched(path: Path, found: Found, wanted: Mapping[str, Wanted]) -> Matched:
    """For each array its source in the file; no modules of layers where the file has the names of the network."""
    problems = _misfits(found, wanted)
    named = [name for name in wanted if name in found]
    if not found or len(named) == len(wanted):
        _want_none(path, problems)
        return Matched({name: Source(name) for name in wanted}, {})
    weights = {name: each for name, each in found.items() if name in wanted or not _WHOLE.fullmatch(each[1])}
    try:
        matched = match(((name, shape) for name, (shape, _) in weights.items()), wanted)
    except UsageError as error:
        if not named:
            raise UsageError(f"{path}: {error}") from None
        lines = [f"{path} does not fit the network; by the names of its arrays:", *_misfits(weights, wanted)]
        raise UsageError(f"{some_of(lines)}\n  by shape and order: {error}") from None
    _want_none(path, _wrong_types({source.name: found[source.name] for source in matched.arrays.values()}))
    return matched


def check_suffix(path: Path) -> None:
    """Raise `UsageError` unless the ending says a format that can be read and written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: weights are read and written as {' or '.join(SUFFIXES)}")
    if path.suffix.lower() == ".safetensors":
        _safetensors()


def _misfits(found: Found, wanted: Mapping[str, Wanted]) -> list[str]:
    """Names, sizes and types that do not fit, before any values are read."""
    problems = [
        f"{name} is {_size(shape)}, the layer wants {_size(wanted[name].shape)}"
        for name, (shape, _) in found.items()
        if name in wanted and shape != wanted[name].shape
    ]
    problems += _wrong_types(found)
    problems += [f"{name} is missing" for name in wanted if name not in found]
    return problems + [f"{name} belongs to no layer" for name in found if name not in wanted]


def _wrong_types(found: Found) -> list[str]:
    return [
        f"{name} holds {dtype}, not floating-point numbers of 16, 32 or 64 bits"
        for name, (_, dtype) in found.items()
        if dtype.lower() not in _FLOATS
    ]


def _want_none(path: Path, problems: Sequence[str]) -> None:
    if problems:
        raise UsageError(some_of([f"{path} does not fit the network:", *problems]))


def _size(shape: Iterable[int]) -> str:
    return "×".join(str(side) for side in shape) or "a single number"


@contextmanager
def _open_npz(path: Path, most: int) -> Iterator[tuple[Found, Reader]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            if len(members) > most:
                raise UsageError(f"{path} holds {len(members):,} arrays; the network has far fewer")
            found = {}
            for member in members:
                with archive.open(member) as file:
                    found[member.removesuffix(".npy")] = npy_header(file)

            def read(name: str) -> Array:
                with archive.open(f"{name}.npy") as file:
                    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))

            yield found, read
    except _UNREADABLE as error:
        raise UsageError(f"{path} is no readable .npz file: {error}") from None


def _safetensors() -> Any:
    import safetensors
    import safetensors.numpy

    return safetensors


@contextmanager
def _open_safetensors(path: Path, most: int) -> Iterator[tuple[Found, Reader]]:
    library = _safetensors()
    try:
        with path.open("rb") as start:
            size = int.from_bytes(start.read(8), "little")
        if size > LARGEST_SAFETENSORS_HEADER:
            raise UsageError(f"{path} has a header of {size:,} bytes; at most {LARGEST_SAFETENSORS_HEADER:,} are read")
        with library.safe_open(path, framework="numpy") as file:
            names = file.keys()
            if len(names) > most:
                raise UsageError(f"{path} holds {len(names):,} arrays; the network has far fewer")
            slices = {name: file.get_slice(name) for name in names}
            yield (
                {name: (tuple(each.get_shape()), each.get_dtype()) for name, each in slices.items()},
                file.get_tensor,
            )
    except (library.SafetensorError, OSError) as error:
        raise UsageError(f"{path} is no readable .safetensors file: {error}") from None


def save_weights(path: Path, analysis: Analysis, weights: Weights) -> None:
    """Write the weights of all layers; the file is whole or not there."""
    check_suffix(path)
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".safetensors":
            library = _safetensors()
            try:
                library.numpy.save_file(dict(_arrays(analysis, weights)), temporary)
            except library.SafetensorError as error:  # a full disk, say
                raise UsageError(f"cannot write {path}: {error}") from None
            return
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, array in _arrays(analysis, weights):
                with archive.open(zipfile.ZipInfo(f"{name}.npy", _NO_DATE), "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)


def _arrays(analysis: Analysis, weights: Weights) -> Iterator[tuple[str, Array]]:
    for row in analysis.rows:
        sizes = {param.name: param.shape for param in row.op.param_shapes(row.input_shapes)}
        if sizes and row.weights_of is None:
            made = weights.of(row.name, sizes)
            yield from ((f"{row.name}.{name}", np.ascontiguousarray(made[name])) for name in sizes)
