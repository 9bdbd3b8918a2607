"""Where a node of an ONNX graph stands in the model that was exported: its scope as a path."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

#: What the exporter on torch.export writes: the names of the modules around a node, and its own.
_SCOPES = "pkg.torch.onnx.name_scopes"
#: What the exporter writes on a node that it made of several.
_REWRITTEN = "pkg.onnxscript.rewriter.rule_name"
_ARRAY = re.compile(r"(.+)\.(?:weight|bias|running_mean|running_var|gamma|beta)")


def path_of(node: onnx.NodeProto, arrays: Sequence[str]) -> str:
    """The path of the module that a node belongs to: layer1/0/conv1.

    It is the scope that the exporter wrote; where it wrote none, or joined a batch normalisation to a convolution,
    what the names of its weights say; else the node's own name, but for a part that was made for it: Relu_3.
    """
    facts = {str(entry.key): str(entry.value) for entry in node.metadata_props}
    scope = _of_scopes(facts.get(_SCOPES, "")) or _of_name(node.name)
    if scope and "BatchNorm" not in facts.get(_REWRITTEN, ""):
        return scope
    matches = [match for name in arrays if (match := _ARRAY.fullmatch(name))]
    if matches:
        return "/".join(matches[0][1].strip("/").split("."))
    return scope or _own(node)


def _own(node: onnx.NodeProto) -> str:
    """The name of a node as a path, without a last part that only says its kind and a number."""
    name = str(node.name)
    if name.startswith("node_") or name.isdigit():
        return ""
    *scope, last = [part for part in re.split(r"[./]", name) if part] or [""]
    is_made = re.fullmatch(rf"{re.escape(node.op_type)}(?:_\d+)*", last)
    return "/".join([*scope, *([] if is_made or not last else [last])])


def _of_scopes(text: str) -> str:
    """The path of the innermost module, of "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']"."""
    if not text or len(text) > 10_000:
        return ""
    try:
        scopes = ast.literal_eval(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    if not isinstance(scopes, list) or len(scopes) < 2 or not isinstance(scopes[-2], str):
        return ""
    return scopes[-2].replace(".", "/")


def _of_name(name: str) -> str:
    """The path in "/layer1/layer1.0/conv1/Conv", where each part may repeat the one before it."""
    if not name.startswith("/"):
        return ""
    path: list[str] = []
    before = ""
    for part in name.strip("/").split("/")[:-1]:
        own = part[len(before) + 1 :] if before and part.startswith(f"{before}.") else part
        path += own.split(".")
        before = part
    return "/".join(path)
