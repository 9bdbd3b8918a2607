"""What the forward pass keeps for the backward pass is what PyTorch's autograd saves."""

from __future__ import annotations

from typing import Any

import pytest

import archcalc as ac
from archcalc.design.memory import Policy, memory_timeline

torch = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers
nn: Any = torch.nn

SPEC = """
name: net
title: Net
input: 8x8x4
layers:
"""
UNIT = (
    SPEC
    + """
  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1, bias: false}
  - batch_norm2d
  - relu
  - conv2d: {name: b, out_channels: 4, kernel_size: 3, padding: 1, bias: false}
  - batch_norm2d: {name: bn}
  - add: {from: [bn, input]}
  - relu
  - global_avg_pool2d
  - linear: {out_features: 3}
"""
)


class Unit(nn.Module):  # type: ignore[misc]  # torch need not be there
    """A residual unit with a classifier."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.a, self.b = (nn.Conv2d(4, 4, 3, padding=1, bias=False) for _ in range(2))
        self.bn1, self.bn2 = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.relu, self.fc = nn.ReLU(inplace=inplace), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.b(self.relu(self.bn1(self.a(x)))))
        return self.fc(self.relu(y + x).mean((2, 3)))


def chain(*layers: str) -> str:
    return SPEC + "".join(f"  - {layer}\n" for layer in layers)


CONV = "conv2d: {out_channels: 4, kernel_size: 3, padding: 1}"


def conv() -> Any:
    return nn.Conv2d(4, 4, 3, padding=1)


CASES: dict[str, tuple[str, Any]] = {
    "relu": (chain(CONV, "relu", CONV, "relu"), lambda over: [conv(), nn.ReLU(over), conv(), nn.ReLU(over)]),
    "relu6": (chain(CONV, "relu6", CONV), lambda over: [conv(), nn.ReLU6(over), conv()]),
    "leaky": (chain(CONV, "leaky_relu", CONV), lambda over: [conv(), nn.LeakyReLU(inplace=over), conv()]),
    "elu": (chain(CONV, "elu", CONV), lambda over: [conv(), nn.ELU(inplace=over), conv()]),
    "silu": (chain(CONV, "silu", CONV), lambda over: [conv(), nn.SiLU(), conv()]),
    "gelu": (chain(CONV, "gelu", CONV), lambda over: [conv(), nn.GELU(), conv()]),
    "sigmoid": (chain(CONV, "sigmoid", "relu", CONV), lambda over: [conv(), nn.Sigmoid(), nn.ReLU(), conv()]),
    "pools": (chain("max_pool2d: {kernel_size: 2}", CONV, "relu", "max_pool2d: {kernel_size: 2}",
                    "avg_pool2d: {kernel_size: 2}", "linear: {out_features: 3}"),
              lambda over: [nn.MaxPool2d(2), conv(), nn.ReLU(over), nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Flatten(),
                            nn.Linear(4, 3)]),
    "norms": (chain(CONV, "batch_norm2d", "relu", CONV, "group_norm: {num_groups: 2}", "relu"),
              lambda over: [conv(), nn.BatchNorm2d(4), nn.ReLU(over), conv(), nn.GroupNorm(2, 4), nn.ReLU(over)]),
}  # fmt: skip


def saved(module: Any, batch: int) -> int:
    """Bytes that autograd saves in the forward pass, without parameters and buffers; each storage counts once."""
    own = {one.untyped_storage().data_ptr() for one in (*module.parameters(), *module.buffers())}
    found = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = (storage.nbytes(), tensor)  # the tensor stays, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(torch.randn(batch, 4, 8, 8))
    return sum(size for size, _ in found.values())


def kept(text: str, policy: Policy, batch: int) -> int:
    """What is kept, without the output of the network, which only waits for the loss."""
    timeline = memory_timeline(ac.from_yaml(text).analyse(batch), policy)
    end = len(timeline.analysis.rows) - 1
    back = timeline.steps.index(("backward", end))
    waiting = [one for one in timeline.buffers if one.born < back <= one.dies and one.what in ("map", "saved")]
    return sum(map(timeline.size_of, waiting))


@pytest.mark.parametrize("over", [False, True], ids=["apart", "in place"])
@pytest.mark.parametrize("name", CASES)
def test_chains(name: str, over: bool) -> None:
    text, modules = CASES[name]
    policy = Policy(training=True, in_place=("activations",) if over else ())
    assert kept(text, policy, 2) == saved(nn.Sequential(*modules(over)).train(), 2)


@pytest.mark.parametrize("over", [False, True], ids=["apart", "in place"])
def test_a_residual_unit(over: bool) -> None:
    policy = Policy(training=True, in_place=("activations",) if over else ())
    assert kept(UNIT, policy, 3) == saved(Unit(over).train(), 3)
