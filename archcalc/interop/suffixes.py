"""What a name of a file says of it: a model that can be read, or one in which there is no network to read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath

#: What stands before a function that makes a module: `py:torchvision.models:resnet50`.
CODE = "py:"
#: The formats of model files by their endings; `archcalc.interop.models` has the function that reads each.
FORMATS: Mapping[str, str] = {
    ".onnx": "onnx",
    ".pt2": "torch",
    ".prototxt": "caffe",
    ".cfg": "darknet",
    ".keras": "keras",
    ".json": "keras",
    ".h5": "keras",
    ".hdf5": "keras",
}
_EXPORT = (
    "save the network itself with torch.export.save(torch.export.export(model, (example,)), 'net.pt2') or "
    "torch.onnx.export, or name the function that makes it: py:torchvision.models:resnet50"
)
#: Files in which there is no network, or none that can be read without running what is in them; what to do instead.
NO_NETWORK: Mapping[str, str] = {
    **dict.fromkeys(
        (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".th", ".tar"),
        f"a checkpoint holds weights, and its pickled code is not run; {_EXPORT}",
    ),
    ".safetensors": f"it holds weights, not the network that they belong to; {_EXPORT}. `run --weights` takes it",
    ".npz": "it holds weights, not the network that they belong to; `run --weights` takes it",
    ".caffemodel": "it holds weights; the network is in the .prototxt that comes with it",
    ".weights": "it holds weights; the network is in the .cfg that comes with it",
    **dict.fromkeys((".pb", ".tflite"), "it is not read; python -m tf2onnx.convert makes an .onnx of it"),
    **dict.fromkeys((".mlmodel", ".mlpackage", ".engine", ".trt", ".torchscript"), f"it is not read; {_EXPORT}"),
}  # fmt: skip


def suffix_of(network: str | Path) -> str:
    """The ending of a file's name, in small letters."""
    return PurePath(network).suffix.lower()


def is_model(network: str | Path) -> bool:
    """Whether a NET argument means a model file or `py:package.module:callable`, and no spec."""
    is_code = isinstance(network, str) and network.startswith(CODE)
    return is_code or suffix_of(network) in FORMATS or suffix_of(network) in NO_NETWORK
