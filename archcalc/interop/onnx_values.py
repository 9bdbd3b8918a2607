"""ONNX operations on single values, as operations of a program, and the table of all that are translated."""

from __future__ import annotations

import math

from archcalc.interop.arrays import np
from archcalc.interop.onnx_call import Call, decimal, translates
from archcalc.interop.onnx_constants import Stored
from archcalc.interop.onnx_layers import reshaped
from archcalc.interop.onnx_numbers import is_bias, is_parameter, is_word
from archcalc.interop.onnx_state import dtype_of

#: Operations without attributes, under their names in a program.
_PLAIN = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hardswish", "Mish": "mish", "Neg": "neg",
    "Abs": "abs", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Reciprocal": "reciprocal", "Erf": "erf", "Sin": "sin",
    "Cos": "cos",
}  # fmt: skip


@translates(*_PLAIN)
def _plain(call: Call) -> bool:
    call.emit(_PLAIN[call.op], call.inputs)
    return True


def _is(value: float, wanted: float) -> bool:
    """Whether a number is this one in float32."""
    return math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-12)


@translates("LeakyRelu")
def _leaky_relu(call: Call) -> bool:
    call.emit("leaky_relu", call.inputs, {"negative_slope": call.attributes.get("alpha", 0.01)})
    return True


@translates("Elu", "Celu")
def _elu(call: Call) -> bool:
    call.emit(call.op.lower(), call.inputs, {"alpha": call.attributes.get("alpha", 1.0)})
    return True


@translates("Selu")
def _selu(call: Call) -> bool:
    alpha, gamma = call.attributes.get("alpha", 1.67326319), call.attributes.get("gamma", 1.05070102)
    if not (_is(alpha, 1.6732632423543772) and _is(gamma, 1.0507009873554805)):
        return False
    call.emit("selu", call.inputs)
    return True


@translates("Gelu", "FastGelu")
def _gelu(call: Call) -> bool:
    call.emit("gelu", call.inputs, {"approximate": call.attributes.get("approximate", "none")})
    return True


@translates("Swish")
def _swish(call: Call) -> bool:
    alpha = call.attributes.get("alpha", 1.0)
    if alpha == 1:
        call.emit("silu", call.inputs)
        return True
    name = call.emit("mul", call.inputs, {"other": alpha}, shape=call.shape())
    name = call.emit("sigmoid", [name], shape=call.shape())
    call.emit("mul", [call.inputs[0], name])
    return True


@translates("Softplus")
def _softplus(call: Call) -> bool:
    call.emit("softplus", call.inputs, {"beta": 1.0, "threshold": 20.0})
    return True


@translates("Shrink")
def _shrink(call: Call) -> bool:
    """What lies within ±λ is 0, and the rest nearer to it by the bias: the soft shrink of PyTorch where that is λ."""
    bias, bound = call.attributes.get("bias", 0.0), call.attributes.get("lambd", 0.5)
    if bias != bound:
        return False
    call.emit("softshrink", call.inputs, {"lambd": decimal(bound)})
    return True


@translates("HardSigmoid")
def _hard_sigmoid(call: Call) -> bool:
    slope, offset = call.attributes.get("alpha", 0.2), call.attributes.get("beta", 0.5)
    if _is(slope, 1 / 6) and _is(offset, 0.5):
        call.emit("hardsigmoid", call.inputs)
        return True
    name = call.emit("mul", call.inputs, {"other": decimal(slope)}, shape=call.shape())
    name = call.emit("add", [name], {"other": decimal(offset)}, shape=call.shape())
    call.emit("clamp", [name], {"min": 0.0, "max": 1.0})
    return True


@translates("Clip")
def _clip(call: Call) -> bool:
    low, high = call.attributes.get("min"), call.attributes.get("max")
    for index, name in ((1, "min"), (2, "max")):
        if call.has(index):
            found = call.known(index)
            if found is None:
                return False
            low, high = (float(found.reshape(-1)[0]), high) if name == "min" else (low, float(found.reshape(-1)[0]))
    limits = float(np.finfo(np.float32).max)
    low = None if low is None or low <= -limits else decimal(low)
    high = None if high is None or high >= limits else decimal(high)
    if low is None and high is None:
        call.emit("identity", call.inputs[:1])
    elif (low, high) == (0, 6):
        call.emit("relu6", call.inputs[:1])
    elif (low, high) == (0, None):
        call.emit("relu", call.inputs[:1])
    else:
        call.emit("clamp", call.inputs[:1], {"min": low, "max": high})
    return True


@translates("PRelu")
def _prelu(call: Call) -> bool:
    slope, shape = call.constant(1), call.shape()
    if slope is None:
        return False
    channels = shape[1] if len(shape) > 1 else 1
    spread = (1,) * (len(shape) - len(slope.shape)) + slope.shape
    if slope.size != 1 and spread != (1, channels, *[1] * (len(shape) - 2)):
        return False
    call.emit("prelu", [call.inputs[0], reshaped(slope, (slope.size,))])
    return True


@translates("Softmax", "LogSoftmax")
def _softmax(call: Call) -> bool:
    name = "softmax" if call.op == "Softmax" else "log_softmax"
    shape = call.shape()
    axis = call.attributes.get("axis", -1 if call.opset >= 13 else 1) % len(shape)
    if call.opset >= 13 or math.prod(shape[axis + 1 :]) == 1:
        call.emit(name, call.inputs, {"dim": axis})
        return True
    # Before opset 13 everything from the axis on is one row.
    flat = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    made = call.emit("reshape", call.inputs, {"shape": flat}, shape=flat)
    made = call.emit(name, [made], {"dim": 1}, shape=flat)
    call.emit("reshape", [made], {"shape": shape})
    return True


@translates("Dropout", "Identity")
def _dropout(call: Call) -> bool:
    if call.uses(1):
        return False
    ratio = call.known(1) if call.has(1) else call.attributes.get("ratio", 0.5)
    if ratio is None:
        return False
    call.emit("dropout", call.inputs[:1], {"p": decimal(float(np.asarray(ratio).reshape(-1)[0]))})
    return True


@translates("Cast", "CastLike")
def _cast(call: Call) -> bool:
    """Another precision of the same values, or whole numbers as decimals."""
    from onnx.helper import tensor_dtype_to_np_dtype

    source = call.trace.elements[call.inputs[0] or ""]
    target = call.trace.elements[call.outputs[0]]
    before, after = (np.dtype(tensor_dtype_to_np_dtype(each)).kind for each in (source, target))
    if after in "iub" and before != after and not (before in "iub" and after in "iu"):
        return False
    call.emit("identity", call.inputs[:1])
    return True


#: A larger array is not looked at.
_MOST_EQUAL = 1 << 22

# --- two values

_TWO = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow"}


@translates(*_TWO)
def _two(call: Call) -> bool:
    """Two values, or one and a number."""
    op = _TWO[call.op]
    if op == "div" and dtype_of(call.trace.elements[call.outputs[0]]).kind in "iu":
        return False  # rounded towards zero
    numbers = [None if op != "pow" and _is_trained(call, index) else _number(call, index) for index in (0, 1)]
    if numbers[1] is not None and call.shape() == call.output_shape:
        call.emit(op, call.inputs[:1], {"other": numbers[1]})
    elif numbers[0] is not None and call.shape(1) == call.output_shape and op in ("add", "mul", "sub"):
        call.emit("rsub" if op == "sub" else op, call.inputs[1:], {"other": numbers[0]})
    elif numbers[0] is not None and call.shape(1) == call.output_shape and op == "div":
        if numbers[0] == 1:
            call.emit("reciprocal", call.inputs[1:])
        else:
            name = call.emit("reciprocal", call.inputs[1:], shape=call.output_shape)
            call.emit("mul", [name], {"other": numbers[0]})
    else:
        call.emit(op, call.inputs)
    return True


def _is_trained(call: Call, index: int) -> bool:
    """Whether an input is a single number that is a parameter: by its name, or as the bias of a product."""
    stored = call.constant(index)
    if stored is None:
        return False
    is_added = call.op == "Add" and is_bias(stored, call.inputs[1 - index], call.trace.nodes)
    if not is_added and not is_parameter(stored):
        return False
    call.trace.trained.update(stored.sources)
    if not is_added:
        call.trace.named.update(dict.fromkeys(filter(is_word, stored.sources)))
    return True


def _number(call: Call, index: int) -> float | None:
    """The value of an input that is a single number."""
    found = call.known(index)
    if found is None or found.size != 1:
        return None
    stored = call.constant(index)
    if stored is not None and stored.is_decimal:
        call.trace.numbers.update(stored.sources)
    value = found.reshape(-1)[0]
    return decimal(value) if found.dtype == np.float32 else float(value)


@translates("Sum", "Mean", "Max", "Min")
def _several(call: Call) -> bool:
    op = {"Sum": "add", "Mean": "add", "Max": "maximum", "Min": "minimum"}[call.op]
    shape: tuple[int, ...] = call.shape()
    name: str | Stored | None = call.inputs[0]
    count = len(call.inputs)
    if count == 1:
        call.emit("identity", call.inputs)
        return True
    numbers = [_number(call, index) for index in range(count)]
    if call.op in ("Max", "Min") and count == 2 and (numbers[0] is None) != (numbers[1] is None):
        place = 0 if numbers[1] is None else 1
        low, high = (numbers[place], None) if call.op == "Max" else (None, numbers[place])
        call.emit("clamp", [call.inputs[1 - place]], {"min": low, "max": high})
        return True
    if call.op == "Sum" and count > 2 and not any(call.constant(index) for index in range(count)):
        call.emit("add", call.inputs)
        return True
    for index in range(1, count):
        shape = np.broadcast_shapes(shape, call.shape(index))
        is_last = index == count - 1 and call.op != "Mean"
        name = call.emit(op, [name, call.inputs[index]], shape=None if is_last else shape)
    if call.op == "Mean":
        call.emit("div", [name], {"other": float(count)})
    return True


@translates("Where")
def _where(call: Call) -> bool:
    """One of two values; where one of them is a single number, the other with that number in places."""
    for place, other, keeps in ((2, 1, True), (1, 2, False)):
        value = _everywhere(call, place)
        if value is not None and call.constant(other) is None and call.shape(other) == call.output_shape:
            call.emit("masked_fill", [call.inputs[other], call.inputs[0]], {"value": value, "keeps": keeps})
            return True
    return False


def _everywhere(call: Call, index: int) -> float | None:
    """The value of an input that is one number, or an array of nothing else."""
    stored = call.constant(index)
    if stored is None or not stored.is_there or stored.work > _MOST_EQUAL or not stored.size:
        return None
    values = stored.load().reshape(-1)
    return float(values[0]) if bool((values == values[:1]).all()) else None
