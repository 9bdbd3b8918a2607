"""Networks by name, pattern, file or text, and their analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archcalc.core.conventions import Conventions
from archcalc.core.errors import UsageError
from archcalc.core.shapes import LARGEST_SIZE, Shape
from archcalc.core.suggest import did_you_mean
from archcalc.graph.inputs import InputShapes, parse_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop import models
from archcalc.interop.foreign import ForeignNetwork, to_network
from archcalc.objects import Analysis, Network
from archcalc.passes import analysis as passes

AnyNetwork = str | Path | LayerGraph | passes.Analysis


def load(
    network: str | Path,
    settings: Mapping[str, Any] | None = None,
    input_shape: InputShapes | None = None,
    *,
    input: str | None = None,
    call: Mapping[str, Any] | None = None,
) -> Network:
    """The network of a catalogue name, a variant (`name@variant`), a pattern, a spec file or a model file.

    Args:
        network: A name (`"alexnet"`), a variant (`"alexnet@grouped"`), a pattern (`"32x32x3 -> conv3-8 -> fc10"`), or
            the path of a spec or of a model: `.onnx`, `.pt2`, `.keras`, Keras `.json` and `.h5`, `.prototxt`, `.cfg`. A
            `Path` is always a file. `"py:package.module:callable"` runs that code, which makes a PyTorch module.
        settings: Values of the network's parameters.
        input_shape: Another input as (channels, *positions); of several, those by name.
        call: The arguments of such a callable.
        input: The same as text, `"160x160x3"`; of several `"image=160x160x3, mask=160x160x1"`.

    Raises:
        UsageError: for what does not exist, with the nearest names; for an input that is none.
        SpecError: for faults in a file, each with its line and column.

    >>> import archcalc as ac
    >>> ac.load("mobilenet", {"alpha": 0.5}, input="160x160x3").analyse().totals.multiplications
    76524800
    >>> ac.load("mobilenet", input_shape=(160, 160, 3))
    Traceback (most recent call last):
    archcalc.core.errors.UsageError: input_shape is (channels, height, width), so (160, 160, 3) has 160 channels, and \
mobilenet takes 3: write input_shape=(3, 160, 160) or input="160x160x3"

    """
    return _on_input(lambda shape: models.load(network, settings, shape, call), input_shape, input)


def from_yaml(
    text: str,
    settings: Mapping[str, Any] | None = None,
    input_shape: InputShapes | None = None,
    *,
    input: str | None = None,
    network: str | None = None,
) -> Network:
    """The network of a spec that is given as text; of several the first, or `network`: `member` or `member@variant`.

    The other arguments and the errors are those of `load`; places in errors are `<text>:LINE:COLUMN`.

    >>> import archcalc as ac
    >>> net = ac.from_yaml('''
    ... name: small
    ... title: Small
    ... input: 32x32x3
    ... layers:
    ...   - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
    ...   - linear: {out_features: 10}
    ... ''')
    >>> net.analyse().totals.params
    82154
    """
    from archcalc.spec.build import build, network_names, split_name
    from archcalc.spec.load import spec_of
    from archcalc.spec.source import parse_source

    spec = spec_of(parse_source(text, "<text>"))
    known = network_names(spec)
    if network is not None and network not in known:
        hint = did_you_mean(network, known) or f"; there are {', '.join(known[:20])}"
        raise UsageError(f"the spec has no network {network[:80]!r}{hint}")
    member, variant = split_name(spec, network or known[0])
    return _on_input(lambda shape: build(spec, member, variant, settings, shape), input_shape, input)


def from_torch(module: Any, example: Any, *, name: str | None = None) -> Network:
    """The network of a PyTorch module at inference, as `torch.export` traces it; its weights are not read.

    Args:
        module: A `torch.nn.Module`.
        example: The shape of its input, (channels, *positions) without the batch; or a tensor, or a tuple or a mapping
            of tensors by argument, as the module is called with.
        name: What the network is called; by default the name of the module's class.

    Raises:
        UsageError: where PyTorch is not installed, or cannot trace the module.
        SpecError: for a layer that does not fit.

    >>> import archcalc as ac
    >>> from torch import nn
    >>> ac.from_torch(nn.Conv2d(3, 8, 3), (3, 32, 32)).analyse().totals.params
    224

    """
    from archcalc.interop.torch_export import from_module

    return Network.of(to_network(from_module(module, example, name)))


def from_onnx(model: str | Path | Any, input_shape: InputShapes | None = None, *, input: str | None = None) -> Network:
    """The network of an ONNX model: the path of a file, or a `ModelProto` of the package `onnx`.

    Args:
        model: The file or the model.
        input_shape: Its input as (channels, *positions), of several inputs by name; needed where the model leaves a
            size open.
        input: The same as text, `"160x160x3"`.

    Raises:
        UsageError: where onnx is not installed, or the model cannot be read.
        SpecError: for a layer that does not fit.

    >>> import archcalc as ac
    >>> ac.export("lenet5", "lenet5.onnx", weights="random")
    >>> ac.from_onnx("lenet5.onnx").analyse().totals.params
    61706

    """
    from archcalc.interop.onnx_read import read_program
    from archcalc.interop.recognise import recognise

    def read(shape: InputShapes | None) -> ForeignNetwork:
        return recognise(read_program(model, shape))

    shape = parse_inputs(input) if input is not None else input_shape
    return Network.of(to_network(read(shape), read))


def from_keras(model: str | Path | Any, input_shape: InputShapes | None = None, *, input: str | None = None) -> Network:
    """The network of a Keras model: a model, whose `to_json()` is read, or the path of a `.keras`, `.h5` or `.json`.

    Of a subclass of `Model` the code is run on maps without values; layers of other classes than Keras's in it are
    not counted, and have their parameters.

    Its weights are usable by `run`: those of a file, or those that a model in memory has then.

    Args:
        model: The file or the model.
        input_shape: Its input as (channels, *positions), of several inputs by name; needed where the model leaves a
            size open.
        input: The same as text, `"160x160x3"`.

    Raises:
        UsageError: where the file cannot be read, or the object has no `to_json`.
        SpecError: for a layer that archcalc does not have or that does not fit.

    >>> import json
    >>> import archcalc as ac
    >>> settings = {"layers": [
    ...     {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, 32, 32, 3]}},
    ...     {"class_name": "Conv2D", "config": {"name": "conv", "filters": 8, "kernel_size": [3, 3]}},
    ... ]}
    >>> with open("model.json", "w") as file:
    ...     json.dump({"class_name": "Sequential", "config": settings}, file)
    >>> ac.from_keras("model.json").analyse()["conv"].params
    224

    """
    from archcalc.interop.keras import read_keras
    from archcalc.interop.keras_file import LiveWeights, read_keras_file
    from archcalc.interop.keras_live import functional

    if not isinstance(model, (str, Path)) and not callable(getattr(model, "to_json", None)):
        raise UsageError(f"from_keras takes a Keras model or the path of a file, not {type(model).__name__}")

    def read(shape: InputShapes | None) -> ForeignNetwork:
        if isinstance(model, (str, Path)):
            return read_keras_file(model, shape)
        whole = functional(model, shape)
        return read_keras(whole.to_json(), getattr(model, "name", "model"), shape, LiveWeights(whole))

    shape = parse_inputs(input) if input is not None else input_shape
    return Network.of(to_network(read(shape), read))


def analyse(
    network: str | Path | LayerGraph,
    batch: int = 1,
    dtype: str = "float32",
    conventions: Conventions | None = None,
    partial: bool = False,
) -> Analysis:
    """All numbers of a network, which is given itself or as `load` takes it.

    Args:
        network: A network, a name, a pattern or a path.
        batch: Images at a time; bytes are for all of them.
        dtype: The type of a stored value: float64, float32, float16, bfloat16 or int8.
        conventions: What is counted, and how; see `Conventions`.
        partial: Where a layer does not fit, give the rows before it, and what is wrong as `problems`.

    Raises:
        SpecError: where a layer does not fit, with the inputs that would.
        UsageError: for a batch or dtype that does not exist, and as `load`.

    >>> import archcalc as ac
    >>> ac.analyse("vgg16").totals.params
    138357544
    >>> ac.analyse("resnet50", conventions=ac.Conventions(running_statistics=True)).totals.params
    25610152

    """
    graph = Network.of(network) if isinstance(network, LayerGraph) else load(network)
    return graph.analyse(batch, dtype, conventions, partial)


def analysis_of(network: AnyNetwork) -> passes.Analysis:
    """The analysis of a network that is given as one, or as `analyse` takes it."""
    return network if isinstance(network, passes.Analysis) else analyse(network)


def _on_input(make: Callable[[InputShapes | None], LayerGraph], shape: InputShapes | None, size: str | None) -> Network:
    """The network on the input that is given as a shape or as text, or on its own."""
    if size is not None:
        if shape is not None:
            raise UsageError("input and input_shape are two ways to say the same; give one")
        shape = parse_inputs(size)
    elif isinstance(shape, Mapping):
        shape = {name: checked_shape(one) for name, one in shape.items()}
    elif shape is not None:
        shape = checked_shape(shape)
        own = make(None)
        _want_channels_first(shape, own.input_shape, own.name)
    return Network.of(make(shape))


def checked_shape(shape: Any) -> Shape:
    """The shape as whole numbers. Raises `UsageError` for what is none."""
    try:
        sizes = tuple(size.__index__() for size in shape)
    except (AttributeError, TypeError):
        sizes = ()
    if not 1 <= len(sizes) <= 4 or not all(1 <= size <= LARGEST_SIZE for size in sizes):
        raise UsageError(
            f"input_shape is (channels, height, width), or with none, one or three positions, each from 1 to "
            f"{LARGEST_SIZE:,}, not {str(shape)[:60]}"
        )
    return sizes


def _want_channels_first(shape: Shape, own: Shape, name: str) -> None:
    """Raise `UsageError` where (height, width, channels) was most probably meant."""
    if len(shape) == len(own) > 1 and shape[0] != own[0] and shape[-1] == own[0]:
        first = (shape[-1], *shape[:-1])
        raise UsageError(
            f"input_shape is (channels, height, width), so {shape} has {shape[0]} channels, and {name} takes {own[0]}: "
            f'write input_shape={first} or input="{"x".join(map(str, shape))}"'
        )
