"""Model files as networks: which format a name means, and the module that reads it, imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from archcalc.core.errors import FileError, Location, MissingPackageError, Problem, SpecError, UsageError
from archcalc.core.files import read_bytes
from archcalc.graph.inputs import InputShapes, given_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.foreign import ForeignNetwork, to_network
from archcalc.interop.suffixes import CODE, FORMATS, NO_NETWORK, is_model, suffix_of
from archcalc.spec import catalogue

Read = Callable[[str, InputShapes | None], ForeignNetwork]


def _onnx(path: str, shape: InputShapes | None) -> ForeignNetwork:
    from archcalc.interop.onnx_read import read

    return read(path, shape)


def _torch(path: str, shape: InputShapes | None) -> ForeignNetwork:
    from archcalc.interop.torch_export import read

    found = read(path, shape=shape)
    if shape is not None and dict(given_inputs(found.name, found.inputs, shape)) != dict(found.inputs):
        raise UsageError(f"{path} was saved for inputs of one size; export it again, with an example of the other size")
    return found


def _torch_again(path: str, _: InputShapes | None) -> NoReturn:
    """A program with inputs of another size than the one that it was read for."""
    raise UsageError(f"{path} is read for inputs of one size; load it again with the other")


def _caffe(path: str, shape: InputShapes | None) -> ForeignNetwork:
    from archcalc.interop.caffe import LARGEST_PROTOTXT, read_caffe

    return read_caffe(_text(path, LARGEST_PROTOTXT, "prototxt"), path, shape)


def _darknet(path: str, shape: InputShapes | None) -> ForeignNetwork:
    from archcalc.interop.darknet import LARGEST_CFG, read_darknet

    return read_darknet(_text(path, LARGEST_CFG, "cfg file"), path, shape)


def _keras(path: str, shape: InputShapes | None) -> ForeignNetwork:
    from archcalc.interop.keras_file import read_keras_file

    return read_keras_file(path, shape)


def _text(path: str, largest: int, what: str) -> str:
    """The text of a file; what is no UTF-8, as in a comment in another encoding, is replaced."""
    return read_bytes(path, largest, what).decode("utf-8-sig", "replace")


#: What reads a file of each format.
READERS: Mapping[str, Read] = {"onnx": _onnx, "torch": _torch, "caffe": _caffe, "darknet": _darknet, "keras": _keras}


def load(
    network: str | Path,
    settings: Mapping[str, Any] | None = None,
    input_shape: InputShapes | None = None,
    call: Mapping[str, Any] | None = None,
) -> LayerGraph:
    """The layer graph of a network: what `catalogue.load` takes, a model file, or `py:package.module:callable`.

    `call` holds the arguments of the callable, which is run; nothing else runs code, and nothing is unpickled.

    Raises `UsageError` for what does not exist or is no network, `SpecError` for faults in a file.
    """
    name = str(network)
    is_code = isinstance(network, str) and name.startswith(CODE)
    if call and not is_code:
        raise UsageError(f"--call is for {CODE}package.module:callable, and {name[:80]} is none")
    if not is_model(network):
        return catalogue.load(network, settings, input_shape)
    if settings:
        how = "give arguments with --call NAME=VALUE" if is_code else "it is what its file says"
        raise UsageError(f"{name[:80]} has no parameters that --set could change; {how}")
    read = partial(_run, call) if is_code else _reader(name)
    if isinstance(input_shape, Mapping) and list(input_shape) == ["input"]:
        input_shape = input_shape["input"]  # so a single input is called, whatever its name in the file
    try:
        found = read(name, input_shape)
    except UsageError as error:
        raise error if is_code else _in_file(error, name) from error.__cause__
    if input_shape is not None:
        given_inputs(found.name, found.inputs, input_shape)
    again: Callable[..., ForeignNetwork] = _torch_again if read is _torch else read
    try:
        return to_network(found, partial(again, name))
    except SpecError as error:
        raise error if is_code else SpecError(_placed(each, name) for each in error.problems) from error.__cause__


def _placed(problem: Problem, name: str) -> Problem:
    """A fault of a layer with the file that it is in, where its place does not say so."""
    place = problem.location
    if place is None:
        return problem._replace(location=Location(name, 0, 0))
    return problem if name in place.file else problem._replace(location=place._replace(file=f"{name}: {place.file}"))


def _in_file(error: UsageError, name: str) -> UsageError:
    """A fault in a model file, said as those that have a line in it; not that it is missing or cannot be opened."""
    text = str(error)
    if isinstance(error, MissingPackageError) or (name in text and not text.startswith(name)):
        return error
    what = text.removeprefix(name)
    return FileError(f"{name}: it{what}" if what.startswith(" ") else f"{name}: {what.removeprefix(': ')}")


def _run(call: Mapping[str, Any] | None, name: str, shape: InputShapes | None) -> ForeignNetwork:
    from archcalc.interop.torch_export import from_callable

    return from_callable(name.removeprefix(CODE), call, shape)


def _reader(name: str) -> Read:
    """What reads a file of this name. Raises `UsageError` where there is nothing in such a file to read."""
    suffix = suffix_of(name)
    if suffix in NO_NETWORK:
        raise UsageError(f"{name[:200]}: {NO_NETWORK[suffix]}")
    return READERS[FORMATS[suffix]]
