"""Single numbers of an ONNX file: trained parameters, and constants that exporters store in the same way."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.interop.aten import TRANSLATIONS
from archcalc.interop.onnx_constants import Stored
from archcalc.interop.program import Node

#: A path of a module and its parameter: `head.bias`.
_PATH = re.compile(r"[A-Za-z_]\w*(\.\w+)+")
#: The name of a parameter of the outermost module; exporters number what they make themselves.
_WORD = re.compile(r"[A-Za-z]+(_[A-Za-z]+)*")
#: What exporters, and people who write files by hand, call constants.
_CONSTANTS = re.compile(
    r"const|lifted|scalar|tensor|literal|number|buffer|(^|[._])(val|value|eps|epsilon|zero|half|one|two|min|max)([._]|$)",
    re.IGNORECASE,
)
#: Words of parameters, whose arrays may be without axes; those of others have one.
_PARAMETERS = re.compile(r"logit|scale|bias|weight|gamma|beta|alpha|temperature")
#: Operations that may be followed by a bias.
_PRODUCTS = ("linear", "conv1d", "conv2d", "conv3d")


def is_parameter(stored: Stored) -> bool:
    """Whether a single decimal number is a parameter by its name: the path of a module, or a word that is no constant.

    `onnx::Mul_12`, `val_3`, `/act/Constant_output_0` and the names of operations are those of constants.
    """
    if stored.size != 1 or not stored.is_decimal or len(stored.sources) != 1:
        return False
    (name,) = stored.sources
    is_usual = name not in TRANSLATIONS and (stored.shape or _PARAMETERS.search(name))
    return bool(_PATH.fullmatch(name) or (is_word(name) and is_usual)) and _CONSTANTS.search(name) is None


def is_word(name: str) -> bool:
    """Whether a name may be that of a parameter of the outermost module, or one that a person gave."""
    return _WORD.fullmatch(name) is not None


def is_bias(stored: Stored, product: str | None, nodes: Sequence[Node]) -> bool:
    """Whether a single number, under whatever name, is the bias of a product with one output, to which it is added."""
    if stored.size != 1 or not stored.is_decimal or not stored.sources or not stored.shape:
        return False
    made = next((node for node in reversed(nodes) if product in node.outputs), None)
    return made is not None and made.op in _PRODUCTS and made.inputs[2] is None
