"""State dicts of torchvision, as files: the outputs with them are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from archcalc.execute.kernels import Array
from archcalc.execute.runner.execute import execute
from archcalc.execute.runner.files import load_weights
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.execute.runner.small_state_dicts import OUTPUTS, image, state_dict
from tests.execute.runner.test_state_dicts import sides

torch = pytest.importorskip("torch", reason="its outputs are compared: pip install 'archcalc[peers]'")
torchvision = pytest.importorskip("torchvision", reason="its models are what is read: pip install torchvision")

pytestmark = pytest.mark.peers


def _convnext() -> Any:
    from torchvision.models.convnext import CNBlockConfig

    stages = [CNBlockConfig(8, 16, 2), CNBlockConfig(16, None, 2)]
    return torchvision.models.ConvNeXt(stages, num_classes=3)


def _mobilenet() -> Any:
    from torchvision.models.mobilenetv3 import InvertedResidualConfig

    unit = InvertedResidualConfig(16, 3, 16, 16, True, "RE", 1, 1, 1)
    return torchvision.models.MobileNetV3([unit], 12, num_classes=3)


def _vit() -> Any:
    return torchvision.models.VisionTransformer(8, 4, 2, 2, 8, 32, num_classes=3)


def _swin() -> Any:
    return torchvision.models.SwinTransformer([4, 4], 8, [2, 2], [2, 4], [4, 4], num_classes=3)


SMALL: dict[str, Callable[[], Any]] = {"convnext": _convnext, "vit": _vit, "swin": _swin, "mobilenet": _mobilenet}


@pytest.mark.parametrize("name", SMALL)
def test_the_figures_are_those_of_pytorch(name: str) -> None:
    module = SMALL[name]().eval()
    own = module.state_dict()
    given = {key: own[key] if "index" in key else torch.tensor(array) for key, array in state_dict(name).items()}
    assert list(given) == list(own)
    module.load_state_dict(given)
    with torch.no_grad():
        output = module(torch.tensor(image(sides(name))))[0]
    np.testing.assert_allclose(output.numpy(), OUTPUTS[name], rtol=1e-4)


MODELS = [
    "convnext_tiny", "vit_b_16", "swin_t", "maxvit_t", "mobilenet_v3_large", "mobilenet_v3_small", "resnet50",
    "resnet101", "resnext50_32x4d", "wide_resnet50_2", "inception_v3", "googlenet", "regnet_x_400mf", "regnet_y_400mf",
    "regnet_y_1_6gf",
]  # fmt: skip
#: What the catalogue calls them, where it has another name.
IN_CATALOGUE = {"googlenet": "googlenet@torchvision", "regnet_y_1_6gf": "regnet_y_1.6gf"}


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_of_models_of_torchvision(name: str, ending: str, tmp_path: Path) -> None:
    torch.manual_seed(5)
    settings = {"aux_logits": False, "init_weights": False} if name in ("inception_v3", "googlenet") else {}
    module = getattr(torchvision.models, name)(**settings).eval()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point() and tensor.unique().numel() < 2:  # zeros, ones and factors of layers
                tensor.uniform_(0.5, 1)
        graph = load(IN_CATALOGUE.get(name, name))
        x = torch.randn(2, *graph.input_shape)
        wanted = torch.softmax(module(x), 1).numpy()
    arrays: dict[str, Array] = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    path = tmp_path / f"{name}.{ending}"
    if ending == "npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's own stub takes them for a flag
    else:
        safetensors.numpy.save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, path)
    outputs = execute(graph, x.numpy(), load_weights(path, analyse(graph))).outputs
    np.testing.assert_allclose(outputs["output"].reshape(2, -1), wanted, atol=1e-4 * float(wanted.max()))
