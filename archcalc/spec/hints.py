"""What is likely meant where a spec names an op or a setting that does not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from archcalc.core.suggest import did_you_mean
from archcalc.ops import OPS, called, nearly_called

#: Parts of names that tell to which family an unknown op belongs.
_FAMILIES = (
    ("activation", r"swish|elu|sigm|silu|mish|softp|softs|hard|glu|act|tanh|threshold"),
    ("normalisation", r"norm"),
    ("convolution", r"conv|filter"),
    ("pooling", r"pool|down_?sampl"),
    ("dense", r"dense|linear|fully|affine|perceptron|mlp"),
    ("regularisation", r"drop"),
    ("attention", r"atten|matmul"),
    ("merge", r"add|sum|mul|concat|merge|residual|join"),
    ("shape", r"reshape|flatten|permute|transpose|view|pad|crop|slice|up_?sampl|resize|interpol"),
)
#: What other frameworks call a setting.
_OTHER_NAMES = {
    "filters": "out_channels", "num_output": "out_channels", "channels": "out_channels", "units": "out_features",
    "n_out": "out_features", "kernel": "kernel_size", "pool_size": "kernel_size", "window": "kernel_size",
    "strides": "stride", "pad": "padding", "pads": "padding", "dilation_rate": "dilation", "dilations": "dilation",
    "group": "groups", "eps": "epsilon", "use_bias": "bias", "bias_term": "bias", "rate": "p", "center": "shift",
    "affine": "scale", "multiplier": "depth_multiplier", "scale_factor": "scale",
}  # fmt: skip
#: Settings that follow from the network, are layers of their own, or change nothing that is calculated here.
_NOT_NEEDED = {
    "it follows from what the layer reads; leave it out": (
        "in_channels", "in_features", "input_channels", "num_features", "num_channels", "input_shape", "input_dim",
    ),
    "an activation function is a layer of its own, for example - relu, or a block such as conv_relu": (
        "activation", "act", "nonlinearity", "relu",
    ),
    "it changes no shape and no count; leave it out": (
        "inplace", "padding_mode", "momentum", "track_running_stats", "dtype", "device", "kernel_initializer",
        "bias_initializer", "kernel_regularizer", "data_format", "trainable", "weight_decay",
    ),
}  # fmt: skip
#: Values of an example of a setting.
_EXAMPLES = {"out_channels": 64, "kernel_size": 3, "out_features": 10, "p": 0.5, "output_size": 6, "shape": "7x7x512"}


def unknown_op(word: str, blocks: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """What to say after `there is no op or block …`: the op that is meant, or those of the likely family."""
    if " - " in word:
        return ": the next item of the list is indented deeper than this one", ()
    meant = [op.kind for op in called(word) if op.kind != "input"]
    if len(meant) > 1 and re.search("attention", word):  # several ops are called so: the whole layer comes first
        return f"; did you mean {' or '.join(sorted(meant))}?", (_family("attention"),)
    if meant:
        return f"; did you mean {meant[0]}?", ()
    rank = re.search("[123]d$", word)
    other = f"[^{rank[0][0]}\\D]d$" if rank else "(?!)"  # pool3d is no typo of pool2d
    known = [kind for kind in (*blocks, *OPS) if kind != "input" and not re.search(other, kind)]
    near = [op.kind for op in nearly_called(word) if op.kind != "input"]
    similar = did_you_mean(word, known, likeness=0.7) or (f"; did you mean {near[0]}?" if near else "")
    stand_in = f"a block named {word} may stand in for it" if word.isidentifier() else "a block may stand in for it"
    plain = word.lower()
    family = next((name for name, pattern in _FAMILIES if re.search(pattern, plain)), None)
    if family is not None:
        stand_in = f"{_family(family)}; {stand_in}"
    return similar, (stand_in,)


def _family(family: str) -> str:
    """The ops of a family, in words."""
    kinds = [op.kind for op in OPS.values() if op.family == family and op.kind != "input"]
    return f"the {family} ops are {', '.join(kinds)}"


def unknown_setting(key: str, known: Iterable[str]) -> str:
    """What to say after `… has no setting …`."""
    settings = list(known)
    name, colon, value = key.partition(":")
    if colon and name in settings:
        return f"; did you mean {name}: {value}?"
    if (meant := _OTHER_NAMES.get(key)) in settings:
        return f"; did you mean {meant}?"
    for reason, keys in _NOT_NEEDED.items():
        if key in keys:
            return f": {reason}"
    return did_you_mean(key, settings)


def name_elsewhere(name: str, outside: Collection[str], uncounted: bool) -> str:
    """What to say after `… is not known here` of a name around a block, and of one that may be meant as a counter."""
    if name in outside:
        return f": a block knows its own parameters and those of the network; give it {name} as a parameter"
    is_counter = uncounted and len(name) == 1
    return f"; as: {name} next to repeat makes it the counter" if is_counter else ""


def settings_example(kind: str, value: object) -> str:
    """How the settings of an op are written, with the value that was given if it can be one."""
    meant = kind if kind in OPS else next((op.kind for op in called(kind)), "")
    if not meant:
        return f"there is no op {kind!r}; the parameters of a block stand in braces: {kind}: {{name: value}}"
    fields = OPS[meant].model_fields
    needed = [name for name, field in fields.items() if field.is_required()] or [
        name for name in fields if name in _EXAMPLES
    ][:1]
    if not needed:
        return f"for example {meant}: {{name: …}}"
    given = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    shown = [f"{name}: {_EXAMPLES.get(name, '…') if given is None else given}" for name in needed[:1]]
    shown += [f"{name}: {_EXAMPLES.get(name, '…')}" for name in needed[1:]]
    return f"for example {meant}: {{{', '.join(shown)}}}"
