"""Models of torchvision, imported: short specs that mean the same network, and weights that came along."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.interop import torch_export
from archcalc.interop.structured import write_structured
from tests.interop.programs import of_counts

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
    up = torch.nn.ConvTranspose2d(8, 6, (2, 3), (2, 1), padding=1, output_padding=(1, 2), groups=2, dilation=(1, 3))
    module = torch.nn.Sequential(*body, up, torch.nn.Flatten(), torch.nn.Linear(6 * 15 * 14, 10)).eval()
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


class _Standardised(torch.nn.Conv2d):  # type: ignore[misc]  # torch has no types here
    """A convolution whose filters are standardised and times a trained gain, as those of NFNet."""

    def __init__(self) -> None:
        super().__init__(3, 4, 3)
        self.gain = torch.nn.Parameter(torch.tensor([0.5, 1.5, -2.0, 0.0]).reshape(4, 1, 1, 1))

    def forward(self, x: Any) -> Any:
        row, gain = self.weight.reshape(1, 4, -1), (self.gain * 0.3).view(-1)
        weight = torch.nn.functional.batch_norm(row, None, None, weight=gain, training=True, momentum=0.0)
        return torch.nn.functional.conv2d(x, weight.reshape_as(self.weight), self.bias)


class _Scaled(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """A factor for each channel that is the exponential of what is trained, as the scales of cosine attention."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(4, 4, 1)
        self.scale = torch.nn.Parameter(torch.tensor([0.1, 1.0, 3.0, 9.0]).reshape(1, 4, 1, 1))

    def forward(self, x: Any) -> Any:
        return self.last(self.first(x) * torch.clamp(self.scale, max=4.6).exp())


@pytest.mark.parametrize("kind", [_Standardised, _Scaled])
def test_weights_that_are_computed_of_stored_ones_have_their_values(kind: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, x = kind().eval(), torch.randn(2, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own exporters
        torch.export.save(torch.export.export(module, (x[:1],)), tmp_path / "m.pt2")
        network = ac.load(tmp_path / "m.pt2")
        run = ac.run(network, x.numpy())
    assert network.analyse().totals.params == sum(each.numel() for each in module.parameters())
    np.testing.assert_allclose(run.outputs["output"], module(x).detach(), rtol=1e-4, atol=1e-5)


def test_a_parameter_that_two_modules_share_is_used_where_one_of_them_is(tmp_path: Path) -> None:
    """A file holds it under both names."""
    table, last = torch.nn.Embedding(50, 16), torch.nn.Linear(16, 50, bias=False)
    last.weight = table.weight
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own exporters
        module = torch.nn.Sequential(table, last).eval()
        torch.export.save(torch.export.export(module, (torch.zeros(1, 7, dtype=torch.long),)), tmp_path / "m.pt2")
        network = ac.load(tmp_path / "m.pt2")
    assert (network.analyse().totals.params, of_counts(network.notes)) == (800, ())


def test_a_pickled_object_in_a_program_is_one_clear_error(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own exporters
        torch.export.save(torch.export.export(torch.nn.ReLU(), (torch.zeros(1, 3),)), tmp_path / "m.pt2")
    with zipfile.ZipFile(tmp_path / "m.pt2") as good, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as bad:
        for name in good.namelist():
            is_object = name.endswith(".pt") or "sample" in name
            bad.writestr(name, pickle.dumps(print, 4) if is_object else good.read(name))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(UsageError) as refused:
            ac.load(tmp_path / "bad.pt2")
    assert warned == []
    assert str(refused.value).endswith(
        "bad.pt2: it holds a pickled object that is no tensor, which archcalc does not load"
    )


def test_a_program_that_was_saved_for_several_sizes_takes_one(tmp_path: Path) -> None:
    body = [torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    sides = {axis: torch.export.Dim(f"side{axis}", min=4) for axis in (2, 3)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own exporters
        exported = torch.export.export(
            torch.nn.Sequential(*body).eval(), (torch.zeros(1, 3, 9, 8),), dynamic_shapes=(sides,)
        )
        torch.export.save(exported, tmp_path / "m.pt2")
    with pytest.raises(UsageError, match="without a fixed size; give one with --input"):
        ac.load(tmp_path / "m.pt2")
    totals = ac.load(tmp_path / "m.pt2", input="12x10x3").analyse().totals
    assert (totals.params, totals.multiplications) == (112, 10 * 8 * 4 * 27)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ValueError('no data')", "importing it raises ValueError: no data"),
        ("def f(:", "importing it raises SyntaxError"),
        ("import sys; sys.exit(3)", "importing it raises SystemExit: 3"),
        ("import sys\ndef f(): sys.exit(3)", "raises SystemExit: 3"),
        ("import nothing_like_it", "No module named"),
        ("g = 1", "has no attribute 'f'"),
    ],
)
def test_code_that_fails_is_one_clear_error(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"failing_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=words):
        torch_export.from_callable(f"{name}:f")
