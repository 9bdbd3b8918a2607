"""Models of torchvision, imported: short specs that mean the same network, and weights that came along."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.interop.structured import write_structured

pytestmark = pytest.mark.peers

torch: Any = pytest.importorskip("torch")


@pytest.mark.parametrize(("name", "lines"), [("resnet50", 60), ("mobilenet_v3_large", 130), ("swin_t", 100)])
def test_a_model_of_torchvision_becomes_a_short_spec(name: str, lines: int) -> None:
    models: Any = pytest.importorskip("torchvision.models")
    network = ac.load(f"py:torchvision.models:{name}")
    with torch.device("meta"):
        params = sum(array.numel() for array in getattr(models, name)().parameters())
    text = write_structured(network)
    assert len(text.splitlines()) <= lines
    totals = ac.from_yaml(text).analyse().totals
    assert (totals.params, totals.not_counted) == (params, {})


def test_weights_of_files_give_the_outputs_of_pytorch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    body = [torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    module = torch.nn.Sequential(*body, torch.nn.Flatten(), torch.nn.Linear(8 * 64, 10)).eval()
    module[1].running_mean.normal_()
    x = torch.randn(2, 3, 16, 16)
    wanted = module(x).detach().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own exporters
        torch.export.save(torch.export.export(module, (x[:1],)), tmp_path / "m.pt2")
        files = ["m.pt2"]
        try:
            import onnx  # noqa: F401  # without it only .pt2 is tried
        except ImportError:
            pass
        else:
            torch.onnx.export(module, (x[:1],), str(tmp_path / "m.onnx"), dynamo=False, opset_version=17)
            files.append("m.onnx")
        for file in files:
            network = ac.load(tmp_path / file)
            assert network.arrays
            run = ac.run(network, x.numpy())
            assert run.differences == ()
            np.testing.assert_allclose(run.outputs["output"], wanted, rtol=1e-4, atol=1e-5)
