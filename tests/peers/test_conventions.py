"""The totals of other tools, run on networks of the catalogue that are written as modules of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

import archcalc as ac
from archcalc.design.conventions import TOOLS, count

torch = pytest.importorskip("torch", reason="the tools count its modules: pip install 'archcalc[peers]'")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]  # the tools use what is deprecated

NETWORKS = (
    "lenet5", "alexnet@torchvision", "vgg11", "googlenet", "resnet18", "resnet50", "squeezenet1_0", "densenet121",
    "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0", "efficientnet_b0", "inception_v3", "xception", "unet",
)  # fmt: skip


def module_of(network: ac.Network) -> Any:
    """The network as a module, without a softmax: PyTorch's networks leave that to the loss."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(compile(network.to_torch_code(), "written", "exec"), names)
    classes = [one for one in names.values() if isinstance(one, type) and one.__module__ == "written"]
    module = classes[-1]().eval()
    for part in module.modules():
        for name, child in part.named_children():
            if isinstance(child, torch.nn.Softmax):
                setattr(part, name, torch.nn.Identity())
    return module


def torchinfo(module: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    found = import_module("torchinfo").summary(module, (1, *shape), verbose=0)
    return found.total_mult_adds, found.total_params


def fvcore(module: Any, shape: tuple[int, ...]) -> tuple[int, int | None]:
    return import_module("fvcore.nn").FlopCountAnalysis(module, torch.zeros(1, *shape)).total(), None


def ptflops(module: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    count_all = import_module("ptflops").get_model_complexity_info
    macs, params = count_all(module, shape, as_strings=False, print_per_layer_stat=False, backend="pytorch")
    return macs, params


def thop(module: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    macs, params = import_module("thop").profile(module, (torch.zeros(1, *shape),), verbose=False)
    return int(macs), int(params)


def calflops(module: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    pytest.importorskip("transformers", reason="calflops needs it: pip install transformers")
    _, macs, params = import_module("calflops").calculate_flops(
        module, (1, *shape), output_as_string=False, print_results=False
    )
    return macs, params


def deepspeed(module: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    profile = import_module("deepspeed.profiling.flops_profiler").get_model_profile
    _, macs, params = profile(module, (1, *shape), print_profile=False, detailed=False, as_string=False)
    return macs, params


def flop_counter(module: Any, shape: tuple[int, ...]) -> tuple[int, int | None]:
    with import_module("torch.utils.flop_counter").FlopCounterMode(display=False) as mode, torch.no_grad():
        module(torch.zeros(1, *shape))
    return mode.get_total_flops(), None


RUN: dict[str, Callable[[Any, tuple[int, ...]], tuple[int, int | None]]] = {
    "torchinfo": torchinfo, "fvcore": fvcore, "ptflops": ptflops, "thop": thop, "calflops": calflops,
    "deepspeed": deepspeed, "flop-counter": flop_counter,
}  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("tool", RUN)
def test_totals_are_those_of_the_tool(tool: str, network: str) -> None:
    if tool != "flop-counter":
        pytest.importorskip(tool, reason=f"its totals are compared: pip install {tool}")
    loaded = ac.load(network)
    analysis = loaded.analyse()
    macs, params = RUN[tool](module_of(loaded), loaded.input_shape)
    expected, known = (count(analysis, TOOLS[tool], quantity) for quantity in ("multiplications", "params"))
    assert expected is not None
    assert known is not None
    assert params is None or params == known.total
    if expected.not_counted:
        assert macs > expected.total
        assert expected.not_counted.keys() <= {"LRN"}, "only what a rule leaves open"
    else:
        assert macs == expected.total
