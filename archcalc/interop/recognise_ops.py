"""The layer that each operation of a program is: one small function for each kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.interop.program import Constant, Node
from archcalc.interop.recognise_layers import MOST_AXES, Fixed, Layers, UnknownFormError
from archcalc.interop.recognise_views import (
    BATCH,
    COPIES,
    Axes,
    Factor,
    View,
    arranged_like,
    axis_size,
    permuted,
    reshaped,
    whole,
    whole_axes,
    without,
)
from archcalc.ops.axes import axes_named

Tensor = View | Fixed


class Handler:
    """One operation: its inputs, and what its function needs to make layers."""

    def __init__(self, layers: Layers, env: Mapping[str, Tensor], node: Node, inputs: Sequence[Tensor | None]) -> None:
        self.layers, self.env, self.node, self.inputs = layers, env, node, inputs
        self.attributes = node.attributes

    def view(self, index: int = 0) -> View:
        """An input that depends on the network's input."""
        tensor = self.inputs[index]
        if not isinstance(tensor, View):
            raise UnknownFormError("a fixed tensor in this place")
        return tensor

    def stored(self, index: int) -> str | None:
        """The stored tensor that an input is, in whatever arrangement; None where there is none."""
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if tensor is None:
            return None
        if not isinstance(tensor, Fixed) or len(tensor.sources) != 1 or tensor.axes is None:
            raise UnknownFormError("weights that are computed")
        return tensor.sources[0]

    def constant(self, index: int) -> Constant | None:
        """The stored tensor itself."""
        name = self.stored(index)
        return None if name is None else self.layers.program.constants[name]

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """The shape of an input."""
        name = self.node.inputs[index]
        assert name is not None
        return self.layers.program.shape(name)

    @property
    def made_shape(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return self.layers.program.shape(self.node.outputs[0])

    def arrays(self, names: Sequence[str], first: int = 1) -> dict[str, str]:
        """The stored tensors by archcalc's names; those that are left out are not there."""
        found = {name: self.stored(index) for index, name in enumerate(names, first)}
        return {name: source for name, source in found.items() if source is not None}

    def add(self, op: str, fields: Mapping[str, Any], inputs: Sequence[str], **more: Any) -> str:
        """Add a layer."""
        return self.layers.add(self.node, op, fields, inputs, **more)

    def on_map(self, layer: str, batch: Axes) -> View:
        """The tensor (batch, channels, *positions) of a layer."""
        return View(layer, (images(batch), *whole_axes(self.layers.shapes[layer])))


def images(axes: Axes) -> tuple[Factor, ...]:
    """The images of the batch in the first axis of a tensor."""
    return tuple([factor for axis in axes for factor in axis if factor.axis == BATCH])


Function = Callable[[Handler], list[Tensor]]
HANDLERS: dict[str, Function] = {}


def handles(*names: str) -> Callable[[Function], Function]:
    """Register a function for operations."""

    def register(function: Function) -> Function:
        for name in names:
            HANDLERS[name] = function
        return function

    return register


# --- windows that slide over the positions ------------------------------------------------------------------------


@handles("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _convolution(call: Handler) -> list[Tensor]:
    view, weight = call.view(), call.constant(1)
    if weight is None:
        raise UnknownFormError("a convolution without weights")
    transposed = call.node.op.startswith("conv_t")
    groups = call.attributes["groups"]
    fields: dict[str, Any] = {
        "out_channels": weight.shape[1] * groups if transposed else weight.shape[0],
        "kernel_size": _short(weight.shape[2:]),
    }
    for name, plain in (("stride", 1), ("padding", 0), ("dilation", 1), ("output_padding", 0)):
        value = call.attributes.get(name, ())
        if value != "same" and all(each == plain for each in value):
            continue
        if transposed and name == "dilation":
            raise UnknownFormError("a transposed convolution with dilation")
        fields[name] = value if isinstance(value, str) else _short(value)
    if groups != 1:
        fields["groups"] = groups
    if len(call.inputs) < 3 or call.inputs[2] is None:
        fields["bias"] = False
    source = call.layers.positions_of(view, 1, call.node)
    layer = call.add(call.node.op, fields, [source], arrays=call.arrays(("weight", "bias")))
    return [call.on_map(layer, view.axes)]


def _short(sizes: Any) -> Any:
    """A number where all are equal, else a list."""
    sizes = list(sizes)
    return sizes[0] if len(set(sizes)) == 1 else sizes


def _pools(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    kernel, stride = given["kernel_size"], given["stride"]
    fields: dict[str, Any] = {"kernel_size": _short(kernel)}
    if tuple(stride) != tuple(kernel):
        fields["stride"] = _short(stride)
    for name, plain in (("padding", 0), ("dilation", 1)):
        if any(each != plain for each in given.get(name, ())):
            fields[name] = _short(given[name])
    if given["ceil_mode"]:
        fields["ceil_mode"] = True
    if given.get("count_include_pad") is False and any(given["padding"]):
        fields["count_include_pad"] = False
    if given.get("divisor_override"):
        raise UnknownFormError("a pool with a divisor of its own")
    source = call.layers.positions_of(view, 1, call.node)
    return [call.on_map(call.add(call.node.op, fields, [source]), view.axes)]


def _adaptive(call: Handler) -> list[Tensor]:
    view, size = call.view(), tuple(call.attributes["output_size"])
    kind, rank = call.node.op[9:12], len(size)
    source = call.layers.positions_of(view, 1, call.node)
    if call.layers.shapes[source][1:] == size:
        return [View(source, (images(view.axes), *whole_axes(call.layers.shapes[source])))]
    if set(size) == {1}:
        layer = call.add(f"global_{kind}_pool{rank}d", {}, [source])
    else:
        layer = call.add(f"adaptive_{kind}_pool{rank}d", {"output_size": _short(size)}, [source])
    return [call.on_map(layer, view.axes)]


for _rank in (1, 2, 3):
    handles(f"max_pool{_rank}d", f"avg_pool{_rank}d")(_pools)
    handles(f"adaptive_avg_pool{_rank}d", f"adaptive_max_pool{_rank}d")(_adaptive)


@handles("interpolate")
def _interpolate(call: Handler) -> list[Tensor]:
    view, size, mode = call.view(), tuple(call.attributes["size"]), call.attributes["mode"]
    source = call.layers.positions_of(view, 1, call.node)
    old = call.layers.shapes[source][1:]
    if old == size:
        return [View(source, (images(view.axes), *whole_axes(call.layers.shapes[source])))]
    factors = {new // each for new, each in zip(size, old, strict=True) if new % each == 0}
    is_whole = len(factors) == 1 and all(new % each == 0 for new, each in zip(size, old, strict=True))
    fields: dict[str, Any] = {"scale_factor": factors.pop()} if is_whole else {"size": list(size)}
    if mode == "nearest-exact" and is_whole:
        mode = "nearest"
    if mode != "nearest":
        fields["mode"] = mode
    if call.attributes.get("align_corners"):
        fields["align_corners"] = True
    return [call.on_map(call.add("interpolate", fields, [source]), view.axes)]


@handles("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")
def _shuffles(call: Handler) -> list[Tensor]:
    view = call.view()
    setting = {"pixel_shuffle": "upscale_factor", "pixel_unshuffle": "downscale_factor", "channel_shuffle": "groups"}
    value = call.attributes.get("factor", call.attributes.get("groups"))
    source = call.layers.positions_of(view, 1, call.node)
    return [call.on_map(call.add(call.node.op, {setting[call.node.op]: value}, [source]), view.axes)]


# --- one position by itself ---------------------------------------------------------------------------------------


def each_position(
    call: Handler, view: View, channels: int, op: str, fields: Mapping[str, Any], arrays: Mapping[str, str]
) -> View:
    """A layer that keeps the positions, whatever their order; the channels are one axis of the tensor."""
    view = call.layers.map_of(view, channels, call.node)
    layer = call.add(op, fields, [view.layer], arrays=arrays)
    size = call.layers.shapes[layer][0]
    axes = [axis if index != channels else whole(0, size) for index, axis in enumerate(view.axes)]
    return View(layer, tuple(axes))


@handles("linear")
def _linear(call: Handler) -> list[Tensor]:
    weight = call.constant(1)
    if weight is None or len(weight.shape) != 2:
        raise UnknownFormError("a product with a tensor that is no weight")
    tensor = call.inputs[1]
    if isinstance(tensor, Fixed) and tensor.shape != weight.shape:
        raise UnknownFormError("weights in another arrangement")
    view = _features(call, call.view())
    fields: dict[str, Any] = {"out_features": weight.shape[0]}
    if len(call.inputs) < 3 or call.inputs[2] is None:
        fields["bias"] = False
    if len(call.layers.shapes[view.layer]) > 1:
        fields["per_position"] = True
    return [each_position(call, view, len(view.axes) - 1, "linear", fields, call.arrays(("weight", "bias")))]


def _features(call: Handler, view: View) -> View:
    """The tensor on a map whose channels are its last axis; flat where there is no other."""
    last = len(view.axes) - 1
    if last == 1 and not without(view.axes, BATCH)[0]:
        flat = call.layers.positions_of(view, last, call.node)
        return View(flat, (view.axes[0], whole(0, call.layers.shapes[flat][0])))
    return call.layers.map_of(view, last, call.node)


@handles("addmm")
def _addmm(call: Handler) -> list[Tensor]:
    """Bias + x·Wᵀ: the weight is a transposed tensor."""
    view, weight = call.view(1), call.inputs[2]
    if not isinstance(weight, Fixed) or weight.axes != (whole(1, weight.shape[0]), whole(0, weight.shape[1])):
        raise UnknownFormError("a product with a tensor that is no weight")
    view = _features(call, view)
    per_position = {"per_position": True} if len(call.layers.shapes[view.layer]) > 1 else {}
    arrays = {"weight": weight.sources[0], "bias": call.stored(0) or ""}
    fields = {"out_features": weight.shape[1], **per_position}
    return [each_position(call, view, len(view.axes) - 1, "linear", fields, arrays)]


@handles("batch_norm")
def _batch_norm(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    fields: dict[str, Any] = {} if given["eps"] == 1e-5 else {"epsilon": given["eps"]}
    if call.inputs[1] is None:
        fields["scale"] = False
    if call.inputs[2] is None:
        fields["shift"] = False
    if call.inputs[3] is None:
        raise UnknownFormError("batch norm without running statistics")
    rank = min(max(len(call.shape()) - 2, 1), 3)
    arrays = call.arrays(("weight", "bias", "running_mean", "running_var"))
    return [each_position(call, view, 1, f"batch_norm{rank}d", fields, arrays)]


@handles("layer_norm", "rms_norm")
def _layer_norm(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    fields: dict[str, Any] = {} if given["eps"] == 1e-5 else {"epsilon": given["eps"]}
    weight, bias = (call.inputs[index] if index < len(call.inputs) else None for index in (1, 2))
    if weight is None:
        fields["elementwise_affine"] = False
    elif bias is None and call.node.op == "layer_norm":
        fields["bias"] = False
    arrays = call.arrays(("weight", "bias"))
    if len(given["normalized_shape"]) == 1:
        return [each_position(call, view, len(view.axes) - 1, call.node.op, fields, arrays)]
    if len(given["normalized_shape"]) != len(view.axes) - 1:
        raise UnknownFormError("a norm over some of the axes")
    source = call.layers.positions_of(view, 1, call.node)
    layer = call.add(call.node.op, {**fields, "axes": "all"}, [source], arrays=arrays)
    return [call.on_map(layer, view.axes)]


@handles("group_norm")
def _group_norm(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    fields: dict[str, Any] = {"num_groups": given["num_groups"]}
    if given["eps"] != 1e-5:
        fields["epsilon"] = given["eps"]
    if call.inputs[1] is None:
        fields["affine"] = False
    if given["num_groups"] == 1 and len(view.axes) == 2:
        raise UnknownFormError("group norm of a vector")
    return [each_position(call, view, 1, "group_norm", fields, call.arrays(("weight", "bias")))]


@handles("instance_norm")
def _instance_norm(call: Handler) -> list[Tensor]:
    fields: dict[str, Any] = {} if call.attributes["eps"] == 1e-5 else {"epsilon": call.attributes["eps"]}
    if call.inputs[1] is not None:
        fields["affine"] = True
    return [each_position(call, call.view(), 1, "instance_norm", fields, call.arrays(("weight", "bias")))]


@handles("local_response_norm")
def _local_response_norm(call: Handler) -> list[Tensor]:
    fields = {name: call.attributes[name] for name in ("size", "alpha", "beta", "k")}
    return [each_position(call, call.view(), 1, "local_response_norm", fields, {})]


@handles("prelu")
def _prelu(call: Handler) -> list[Tensor]:
    weight = call.constant(1)
    assert weight is not None
    fields = {} if weight.size == 1 else {"num_parameters": "channels"}
    return [each_position(call, call.view(), min(1, len(call.shape()) - 1), "prelu", fields, call.arrays(("weight",)))]


@handles("softmax", "log_softmax")
def _softmax(call: Handler) -> list[Tensor]:
    return [each_position(call, call.view(), call.attributes["dim"], call.node.op, {}, {})]


@handles("glu")
def _glu(call: Handler) -> list[Tensor]:
    return [each_position(call, call.view(), call.attributes["dim"], "glu", {}, {})]


@handles("embedding")
def _embedding(call: Handler) -> list[Tensor]:
    weight, view = call.constant(1), call.view()
    assert weight is not None
    shape = call.layers.shapes[view.layer]
    fields = {"num_embeddings": weight.shape[0], "embedding_dim": weight.shape[1]}
    layer = call.add("embedding", fields, [view.layer], arrays=call.arrays(("weight",)))
    # A flat row of numbers is now a row of positions.
    shift = 1 if len(shape) == 1 else 0
    axes = [tuple([f._replace(axis=f.axis + shift) if f.axis >= 0 else f for f in axis]) for axis in view.axes]
    return [View(layer, (*axes, whole(0, weight.shape[1])))]


# --- each value by itself -----------------------------------------------------------------------------------------


def pointwise(call: Handler, op: str, fields: Mapping[str, Any], index: int = 0) -> list[Tensor]:
    """A layer that keeps the arrangement."""
    view = call.view(index)
    return [View(call.add(op, fields, [view.layer]), view.axes)]


def _activation(call: Handler) -> list[Tensor]:
    defaults = {"negative_slope": 0.01, "alpha": 1.0, "approximate": "none", "beta": 1.0, "threshold": 20.0}
    fields = {name: value for name, value in call.attributes.items() if name in defaults and value != defaults[name]}
    fields = {name: float(value) if isinstance(value, int) else value for name, value in fields.items()}
    return pointwise(call, call.node.op, fields)


for _name in (
    "relu", "relu6", "sigmoid", "tanh", "silu", "mish", "hardsigmoid", "hardswish", "gelu", "leaky_relu", "elu", "selu",
    "softplus",
):  # fmt: skip
    handles(_name)(_activation)


@handles("clamp")
def _clamp(call: Handler) -> list[Tensor]:
    low, high = call.attributes.get("min"), call.attributes.get("max")
    if low == 0 and high is None:
        return pointwise(call, "relu", {})
    if low == 0 and high == 6:
        return pointwise(call, "relu6", {})
    if low is None or high is None:
        raise UnknownFormError("a bound on one side")
    return pointwise(call, "hardtanh", {"min_val": float(low), "max_val": float(high)})


@handles("dropout")
def _dropout(call: Handler) -> list[Tensor]:
    if call.attributes["p"] == 0:
        return [call.view()]
    return pointwise(call, "dropout", {} if call.attributes["p"] == 0.5 else {"p": float(call.attributes["p"])})


@handles("identity")
def _identity(call: Handler) -> list[Tensor]:
    return [call.view()]


# --- two tensors --------------------------------------------------------------------------------------------------


@handles("add", "mul")
def _join_two(call: Handler) -> list[Tensor]:
    op = {"add": "add", "mul": "multiply"}[call.node.op]
    if len(call.inputs) == 1:
        other = call.attributes["other"]
        if op == "multiply":
            return [call.view()] if other == 1 else pointwise(call, "multiply", {"factor": float(other)})
        if other == 0:
            return [call.view()]
        raise UnknownFormError("a number is added")
    first, second = call.inputs
    if isinstance(first, View) and isinstance(second, View):
        return [_both(call, op, first, second)]
    view, fixed = (first, second) if isinstance(first, View) else (second, first)
    assert isinstance(view, View)
    assert isinstance(fixed, Fixed)
    return [_with_fixed(call, op, view, fixed)]


@handles("div")
def _divide(call: Handler) -> list[Tensor]:
    if len(call.inputs) > 1:
        raise UnknownFormError("a division of tensors")
    return pointwise(call, "multiply", {"factor": 1 / float(call.attributes["other"])})


def _both(call: Handler, op: str, first: View, second: View) -> View:
    """The sum or the product of two tensors, one of which may be spread over the other."""
    plain = [View(view.layer, without(without(view.axes, COPIES), BATCH)) for view in (first, second)]
    shapes = [view.shape for view in plain]
    large, small = (0, 1) if _holds(shapes[0], shapes[1]) else (1, 0)
    if not _holds(shapes[large], shapes[small]):
        raise UnknownFormError("both tensors are spread over one another")
    base, other = plain[large], plain[small]
    shape = call.layers.shapes[base.layer]
    goal = arranged_like(other.axes, base.axes, shape)
    if goal is None:
        base = _as_tensor(call, base)
        shape = call.layers.shapes[base.layer]
        goal = arranged_like(other.axes, base.axes, shape)
    if goal is None:
        other = _as_tensor(call, other)
        goal = arranged_like(other.axes, base.axes, shape)
    if goal is None:
        raise UnknownFormError("tensors in arrangements that do not fit together")
    source = call.layers.arranged(other.layer, goal, call.node)
    sizes = call.layers.shapes[source]
    inputs = [base.layer, source] if large == 0 else [source, base.layer]
    is_channel_gate = op == "multiply" and sizes == (shape[0], *(1,) * (len(shape) - 1))
    fields = {} if sizes == shape or is_channel_gate else {"broadcast": True}
    layer = call.add(op, fields, inputs)
    batch = images(first.axes) or images(second.axes)
    axes = base.axes
    if batch and axes and not axes[0]:
        axes = (batch, *axes[1:])
    missing = len(call.made_shape) - len(axes)
    return View(layer, ((),) * missing + axes if missing > 0 else axes)


def _as_tensor(call: Handler, view: View) -> View:
    """The tensor on a map with the same axes, from the second on: (channels, *positions)."""
    axes = view.axes
    if axes and axes[0]:
        raise UnknownFormError("positions in the batch")
    goal = axes[1:]
    if not 1 <= len(goal) <= MOST_AXES:
        raise UnknownFormError("more axes than a map has")
    layer = call.layers.arranged(view.layer, goal, call.node)
    return View(layer, ((), *whole_axes(call.layers.shapes[layer])))


def _holds(large: Sequence[int], small: Sequence[int]) -> bool:
    """Whether a tensor of the small shape is spread over the large one."""
    if len(small) > len(large):
        return all(size == 1 for size in small[: len(small) - len(large)]) and _holds(large, small[-len(large) :])
    return all(size in (1, whole) for size, whole in zip(small[::-1], large[::-1], strict=False))


def _with_fixed(call: Handler, op: str, view: View, fixed: Fixed) -> View:
    """A stored tensor is added, or multiplies: a scale of the channels, or a value for every value of the map."""
    shape = call.layers.shapes[view.layer]
    constants = [call.layers.program.constants[name] for name in fixed.sources]
    is_trained = any(constant.role == "parameter" for constant in constants)
    number = constants[0].values if len(constants) == 1 and fixed.axes is not None else None
    if math.prod(fixed.shape) == 1 and not is_trained and number is not None and op == "multiply":
        return View(call.add("multiply", {"factor": float(number[0])}, [view.layer]), view.axes)
    if len(fixed.sources) != 1 or fixed.axes is None:
        raise UnknownFormError("a tensor that is computed from weights")
    plain = View(view.layer, without(view.axes, BATCH))
    if not _holds(plain.shape, fixed.shape):
        raise UnknownFormError("a stored tensor that is larger than the map")
    # Where the stored tensor's axes lie on the map: as if it were a map itself.
    sizes = [size for size in fixed.shape if size > 1]
    goal = arranged_like(_numbered(fixed.shape), plain.axes, shape)
    if goal is None:
        raise UnknownFormError("a stored tensor in another arrangement")
    lies = tuple(map(axis_size, goal))
    arrays = {"weight": fixed.sources[0]}
    if op == "multiply" and lies == (shape[0], *(1,) * (len(shape) - 1)) and (sizes or shape[0] == 1):
        return View(call.add("scale", {}, [view.layer], arrays=arrays, frozen=not is_trained), view.axes)
    if op == "add" and lies == shape:
        name = call.add("position_embedding", {}, [view.layer], arrays=arrays, frozen=not is_trained)
        return View(name, view.axes)
    raise UnknownFormError("a stored tensor that is spread over some axes")


def _numbered(shape: Sequence[int]) -> Axes:
    """The axes of a stored tensor, each a whole axis of its own."""
    return tuple([(Factor(index, size),) if size > 1 else () for index, size in enumerate(shape)])


# --- arrangements -------------------------------------------------------------------------------------------------


@handles("reshape")
def _reshape(call: Handler) -> list[Tensor]:
    view, shape = call.view(), call.attributes["shape"]
    axes = reshaped(view.axes, shape)
    if axes is None:
        view = _as_tensor(call, View(view.layer, without(view.axes, BATCH)))
        flat = call.layers.arranged(view.layer, (tuple(f for axis in view.axes for f in axis),), call.node)
        size = call.layers.shapes[flat][0]
        axes = reshaped((whole(0, size),), shape)
        view = View(flat, axes or ())
    if axes is None:
        raise UnknownFormError("a reshape across axes")
    return [View(view.layer, axes)]


@handles("permute")
def _permute(call: Handler) -> list[Tensor]:
    view = call.view()
    return [View(view.layer, permuted(view.axes, call.attributes["dims"]))]


@handles("transpose")
def _transpose(call: Handler) -> list[Tensor]:
    view = call.view()
    return [_swapped(view, call.attributes["dim0"], call.attributes["dim1"])]


def _swapped(view: View, first: int, second: int) -> View:
    dims = list(range(len(view.axes)))
    first, second = first % len(dims), second % len(dims)
    dims[first], dims[second] = dims[second], dims[first]
    return View(view.layer, permuted(view.axes, dims))


@handles("expand")
def _expand(call: Handler) -> list[Tensor]:
    view, shape = call.view(), call.attributes["shape"]
    axes = ((),) * (len(shape) - len(view.axes)) + view.axes
    found = []
    for axis, size in zip(axes, shape, strict=True):
        found.append((Factor(COPIES, size),) if axis_size(axis) != size else axis)
    return [View(view.layer, tuple(found))]


def part(call: Handler, view: View, dim: int, start: int, count: int, step: int = 1) -> View:
    """Some places of an axis of the tensor."""
    axis = view.axes[dim]
    size = axis_size(axis)
    if (start, count, step) == (0, size, 1):
        return view
    if len(axis) != 1 or axis[0].axis < 0 or not _can_cut(call, view, axis[0], step):
        view = call.layers.map_of(view, dim, call.node)
        axis = view.axes[dim]
    factor = axis[0]
    shape = call.layers.shapes[view.layer]
    whole_size = shape[factor.axis]
    name = axes_named(shape)[factor.axis]
    fields: dict[str, Any] = {"axis": name} if factor.axis else {}
    if factor.size * factor.stride == whole_size and step == 1:
        run = count * factor.stride
        first = start * factor.stride
        if whole_size % run == 0 and first % run == 0:
            layer = call.add(
                "chunk", {**fields, "chunks": whole_size // run, **_index(first // run)}, [view.layer], once=True
            )
        else:
            layer = call.add("narrow", {**fields, **_start(first), "length": run}, [view.layer], once=True)
        made = Factor(factor.axis, count, factor.stride)
    else:
        # Every n-th: the innermost factor of its axis, one place of it; or a whole axis with a step.
        every = factor.size if factor.size != whole_size else step
        layer = call.add(
            "narrow",
            {**fields, **_start(start), "length": _count_of(whole_size, every, count, factor), "step": every},
            [view.layer],
            once=True,
        )
        made = Factor(factor.axis, count, 1)
    axes: list[tuple[Factor, ...]] = []
    for index, other in enumerate(view.axes):
        if index == dim:
            axes.append((made,) if count > 1 else ())
        elif made.stride == 1 and factor.size * factor.stride != whole_size:
            shrunk = [f._replace(stride=f.stride // factor.size) if f.axis == factor.axis else f for f in other]
            axes.append(tuple(shrunk))
        else:
            axes.append(other)
    return View(layer, tuple(axes))


def _index(value: int) -> dict[str, int]:
    return {"index": value} if value else {}


def _start(value: int) -> dict[str, int]:
    return {"start": value} if value else {}


def _count_of(size: int, every: int, count: int, factor: Factor) -> int:
    """Places taken of an axis."""
    return count if factor.size == size else size // every


def _can_cut(call: Handler, view: View, factor: Factor, step: int) -> bool:
    """Whether a part of a factor is a run of its axis, or every n-th place of it."""
    size = call.layers.shapes[view.layer][factor.axis]
    if factor.size * factor.stride == size and (step == 1 or factor.stride == 1):
        return True
    return factor.stride == 1 and step == 1 and factor.size != size


@handles("slice")
def _slice(call: Handler) -> list[Tensor]:
    given = call.attributes
    count = -(-(given["end"] - given["start"]) // given["step"])
    if count < 1:
        raise UnknownFormError("an empty slice")
    view = call.view()
    axis = view.axes[given["dim"]]
    if axis and all(factor.axis == COPIES for factor in axis):
        return [_with_axis(view, given["dim"], (Factor(COPIES, count),) if count > 1 else ())]
    if len(axis) == 1 and axis[0].axis >= 0:
        size = call.layers.shapes[view.layer][axis[0].axis]
        if axis[0].size != size and not (axis[0].size * axis[0].stride == size and given["step"] == 1) and count > 1:
            view = call.layers.map_of(view, given["dim"], call.node)
    return [part(call, view, given["dim"], given["start"], count, given["step"])]


def _with_axis(view: View, dim: int, axis: tuple[Factor, ...]) -> View:
    return View(view.layer, (*view.axes[:dim], axis, *view.axes[dim + 1 :]))


def _without_axis(view: View, dim: int) -> View:
    return View(view.layer, (*view.axes[:dim], *view.axes[dim + 1 :]))


@handles("select")
def _select(call: Handler) -> list[Tensor]:
    dim = call.attributes["dim"]
    return [_one(call, call.view(), dim, call.attributes["index"])]


def _one(call: Handler, view: View, dim: int, index: int) -> View:
    """One place of an axis, which goes."""
    axis = view.axes[dim]
    if axis and all(factor.axis == COPIES for factor in axis):
        return _without_axis(view, dim)
    return _without_axis(part(call, view, dim, index, 1), dim)


@handles("unbind")
def _unbind(call: Handler) -> list[Tensor]:
    return [_one(call, call.view(), call.attributes["dim"], index) for index in range(len(call.node.outputs))]


@handles("split", "chunk")
def _split(call: Handler) -> list[Tensor]:
    view, dim = call.view(), call.attributes["dim"]
    sizes = [call.layers.program.shape(name)[dim] for name in call.node.outputs]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return [part(call, view, dim, start, size) for start, size in zip(starts, sizes, strict=True)]


@handles("cat")
def _cat(call: Handler) -> list[Tensor]:
    dim = call.attributes["dim"]
    tensors = list(call.inputs)
    if any(isinstance(tensor, Fixed) for tensor in tensors):
        return [_with_tokens(call, tensors, dim)]
    return [join(call, [view for view in tensors if isinstance(view, View)], dim)]


def join(call: Handler, views: Sequence[View], dim: int) -> View:
    """Tensors one after another along an axis."""
    batch = images(views[0].axes)
    views = [View(view.layer, without(view.axes, BATCH)) for view in views]
    base = call.layers.map_of(views[0], dim, call.node)
    shape = call.layers.shapes[base.layer]
    inputs = []
    for view in views:
        if not view.axes[dim]:
            # One channel: its axis has no factors, so its place is marked.
            goal = arranged_like(_with_axis(view, dim, ()).axes, _with_axis(base, dim, ()).axes, shape)
            inputs.append(call.layers.arranged(view.layer, ((), *(goal or ())[1:]), call.node))
            continue
        sized = _with_axis(base, dim, whole(0, axis_size(view.axes[dim])))
        goal = arranged_like(view.axes, sized.axes, shape)
        if goal is None:
            raise UnknownFormError("tensors in arrangements that do not fit together")
        inputs.append(call.layers.arranged(view.layer, goal, call.node))
    layer = call.add("concat", {}, inputs)
    axes = [*base.axes]
    axes[dim] = whole(0, call.layers.shapes[layer][0])
    if batch:
        axes[0] = batch
    return View(layer, tuple(axes))


def _with_tokens(call: Handler, tensors: Sequence[Tensor | None], dim: int) -> View:
    """Stored tokens before a row of tokens."""
    *before, row = tensors
    if not isinstance(row, View) or not all(isinstance(tensor, Fixed) for tensor in before):
        raise UnknownFormError("stored values between others")
    channels = 3 - dim
    if len(row.axes) != 3 or dim not in (1, 2):
        raise UnknownFormError("stored values before a map")
    row = call.layers.map_of(row, channels, call.node)
    if len(call.layers.shapes[row.layer]) != 2 or row.axes[dim] != whole(1, call.layers.shapes[row.layer][1]):
        raise UnknownFormError("stored values before a map")
    for tensor in reversed(before):
        assert isinstance(tensor, Fixed)
        tokens = tensor.shape[dim]
        if len(tensor.sources) != 1 or call.layers.program.constants[tensor.sources[0]].size != math.prod(tensor.shape):
            raise UnknownFormError("tokens that are computed")
        fields = {} if tokens == 1 else {"num_tokens": tokens}
        layer = call.add("class_token", fields, [row.layer], arrays={"weight": tensor.sources[0]})
        row = _with_axis(View(layer, row.axes), dim, whole(1, call.layers.shapes[layer][1]))
    return row


@handles("stack")
def _stack(call: Handler) -> list[Tensor]:
    dim = call.attributes["dim"]
    views = [call.view(index) for index in range(len(call.inputs))]
    grown = [View(view.layer, (*view.axes[:dim], (), *view.axes[dim:])) for view in views]
    return [join(call, grown, dim)]


@handles("pad")
def _pad(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    pads = list(given["pad"])
    if not any(pads):
        return [view]
    sides = {len(view.axes) - 1 - index: pads[2 * index : 2 * index + 2] for index in range(len(pads) // 2)}
    sides = {dim: both for dim, both in sides.items() if any(both)}
    if min(map(min, sides.values())) < 0:
        raise UnknownFormError("a negative padding")
    if given["mode"] == "constant" and given["value"]:
        raise UnknownFormError("a padding with another value than zero")
    whole_of = {}
    for dim in sides:
        axis = view.axes[dim]
        shape = call.layers.shapes[view.layer]
        if len(axis) != 1 or axis != whole(axis[0].axis, shape[axis[0].axis]):
            view = _as_tensor(call, View(view.layer, without(view.axes, BATCH)))
            break
    shape = call.layers.shapes[view.layer]
    for dim, both in sides.items():
        axis = view.axes[dim]
        if len(axis) != 1 or axis != whole(axis[0].axis, shape[axis[0].axis]):
            raise UnknownFormError("a padding of a part of an axis")
        whole_of[axis[0].axis] = both
    rank = len(shape) - 1
    if 0 in whole_of:
        if len(whole_of) > 1 or given["mode"] != "constant":
            raise UnknownFormError("a padding of channels and positions")
        before, after = whole_of[0]
        fields: dict[str, Any] = {"before": before, "after": after}
        layer = call.add("pad_channels", fields, [view.layer])
    else:
        begins = [whole_of.get(axis, (0, 0))[0] for axis in range(1, rank + 1)]
        ends = [whole_of.get(axis, (0, 0))[1] for axis in range(1, rank + 1)]
        kind = {
            "constant": f"zero_pad{rank}d", "reflect": "reflection_pad", "replicate": "replication_pad",
            "circular": "circular_pad",
        }[given["mode"]]  # fmt: skip
        padding = begins if begins == ends else [*begins, *ends]
        layer = call.add(kind, {"padding": _short(padding)}, [view.layer])
    made = call.layers.shapes[layer]
    axes = [whole(axis[0].axis, made[axis[0].axis]) if index in sides else axis for index, axis in enumerate(view.axes)]
    return [View(layer, tuple(axes))]


@handles("roll")
def _roll(call: Handler) -> list[Tensor]:
    view, given = call.view(), call.attributes
    shape = call.layers.shapes[view.layer]
    shifts = [0] * (len(shape) - 1)
    for shift, dim in zip(given["shifts"], given["dims"], strict=True):
        axis = view.axes[dim]
        if len(axis) != 1 or axis[0].axis < 1 or axis != whole(axis[0].axis, shape[axis[0].axis]):
            raise UnknownFormError("a shift of a part of an axis")
        shifts[axis[0].axis - 1] = shift
    return [View(call.add("roll", {"shifts": shifts}, [view.layer]), view.axes)]


# --- over many positions ------------------------------------------------------------------------------------------


@handles("mean", "amax", "sum")
def _reduce(call: Handler) -> list[Tensor]:
    view, dims = call.view(), call.attributes["dim"]
    kind = {"mean": "avg", "sum": "avg", "amax": "max"}[call.node.op]
    plain = View(view.layer, without(view.axes, BATCH))
    reduced = [factor for dim in dims for factor in plain.axes[dim]]
    if not reduced:
        axes = [() if dim in dims else axis for dim, axis in enumerate(view.axes)]
        return [_reduced(call, View(view.layer, tuple(axes)), dims)]
    shape = call.layers.shapes[plain.layer]
    whole_axes_of = {factor.axis for factor in reduced if (factor,) == whole(factor.axis, shape[factor.axis])}
    if len(whole_axes_of) != len(reduced) or 0 in whole_axes_of:
        # Bring the kept axes to the front: channels, then what is reduced as positions.
        kept = [axis for dim, axis in enumerate(plain.axes) if dim not in dims and axis]
        gone = [plain.axes[dim] for dim in dims if plain.axes[dim]]
        while len(kept) + len(gone) > MOST_AXES:
            if len(gone) > 1:
                gone[-2:] = [(*gone[-2], *gone[-1])]
            else:
                kept[-2:] = [(*kept[-2], *kept[-1])]
        goal = (*(kept or [()]), *gone)
        layer = call.layers.arranged(plain.layer, goal, call.node)
        plain = View(layer, call.layers.on_arranged(plain.axes, goal))
        shape = call.layers.shapes[layer]
        reduced = [factor for dim in dims for factor in plain.axes[dim]]
        whole_axes_of = {factor.axis for factor in reduced}
    rank = len(shape) - 1
    sizes = [1 if axis in whole_axes_of else shape[axis] for axis in range(1, rank + 1)]
    if set(sizes) == {1}:
        layer = call.add(f"global_{kind}_pool{rank}d", {}, [plain.layer])
    else:
        layer = call.add(f"adaptive_{kind}_pool{rank}d", {"output_size": sizes}, [plain.layer])
    if call.node.op == "sum":
        layer = call.add("multiply", {"factor": float(math.prod(factor.size for factor in reduced))}, [layer])
    axes = [() if dim in dims else axis for dim, axis in enumerate(plain.axes)]
    if images(view.axes) and axes and 0 not in dims:
        axes[0] = images(view.axes)
    return [_reduced(call, View(layer, tuple(axes)), dims)]


def _reduced(call: Handler, view: View, dims: Sequence[int]) -> View:
    if call.attributes["keepdim"]:
        return view
    return View(view.layer, tuple([axis for dim, axis in enumerate(view.axes) if dim not in dims]))


@handles("rnn", "lstm", "gru")
def _recurrent(call: Handler) -> list[Tensor]:
    given, view = call.attributes, call.view()
    steps = 1 if given["batch_first"] else 0
    if len(view.axes) != 3:
        raise UnknownFormError("a recurrent layer without a batch")
    plain = without(view.axes, BATCH)
    layer = call.layers.arranged(view.layer, (plain[2], plain[steps]), call.node)
    fields: dict[str, Any] = {"hidden_size": given["hidden_size"]}
    fields |= {"num_layers": given["num_layers"]} if given["num_layers"] > 1 else {}
    fields |= {"bidirectional": True} if given["bidirectional"] else {}
    fields |= {} if given["bias"] else {"bias": False}
    if call.node.op == "rnn" and given.get("nonlinearity", "tanh") != "tanh":
        fields["nonlinearity"] = given["nonlinearity"]
    ways = ("", "_reverse") if given["bidirectional"] else ("",)
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if given["bias"] else 2]
    names = [f"{kind}_l{index}{way}" for index in range(given["num_layers"]) for way in ways for kind in kinds]
    name = call.add(call.node.op, fields, [layer], arrays=call.arrays(names))
    made = call.layers.shapes[name]
    axes = [images(view.axes), (), whole(0, made[0])]
    axes[steps] = whole(1, made[1])
    result = View(name, tuple(axes))
    others = [output for output in call.node.outputs[1:] if output in call.layers.used]
    if others and (len(ways) > 1 or given["num_layers"] > 1 or others != [call.node.outputs[1]]):
        raise UnknownFormError("the last states of several layers")
    last = part(call, result, steps, made[1] - 1, 1) if others else result
    state = View(last.layer, ((), images(view.axes), last.axes[2]))
    return [result, *[state] * (len(call.node.outputs) - 1)]
