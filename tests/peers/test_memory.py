"""What the forward pass keeps for the backward pass is what PyTorch's autograd saves."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest

import archcalc as ac
from archcalc.design.memory import Policy, memory_timeline
from archcalc.interop.export.torch_code import to_torch_code
from archcalc.passes.analysis import Analysis, Row
from archcalc.spec import catalogue

torch = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers
nn: Any = torch.nn
from tests.peers.exported import module_of  # noqa: E402  # it needs torch

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


def saved(module: Any, *inputs: Any) -> int:
    """Bytes that autograd saves in the forward pass, without parameters and buffers; each storage counts once."""
    own = {one.untyped_storage()._cdata for one in (*module.parameters(), *module.buffers())}
    found = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:  # without values there is no address of them
            found[storage._cdata] = (storage.nbytes(), tensor)  # the tensor stays, so that no storage comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(*inputs)
    return sum(size for size, _ in found.values())


def kept(text: str, policy: Policy, batch: int) -> int:
    return waiting(ac.from_yaml(text).analyse(batch), policy)


def waiting(analysis: Analysis, policy: Policy) -> int:
    """What is kept, without the output of the network, which only waits for the loss."""
    timeline = memory_timeline(analysis, policy)
    end = len(timeline.analysis.rows) - 1
    back = timeline.steps.index(("backward", end))
    held = [one for one in timeline.buffers if one.born < back <= one.dies and one.what in ("map", "saved")]
    return sum(map(timeline.size_of, held))


@pytest.mark.parametrize("over", [False, True], ids=["apart", "in place"])
@pytest.mark.parametrize("name", CASES)
def test_chains(name: str, over: bool) -> None:
    text, modules = CASES[name]
    policy = Policy(training=True, in_place=("activations",) if over else ())
    assert kept(text, policy, 2) == saved(nn.Sequential(*modules(over)).train(), torch.randn(2, 4, 8, 8))


ROWS = [
    "lstm: {hidden_size: 3}", "lstm: {hidden_size: 3, num_layers: 2, last: true}", "gru: {hidden_size: 3}",
    "gru: {hidden_size: 2, num_layers: 2}", "rnn: {hidden_size: 3}", "rnn: {hidden_size: 3, num_layers: 3}",
    "multi_head_attention: {num_heads: 2}", "multi_head_attention: {num_heads: 1, bias: false}",
]  # fmt: skip
ROW = "name: net\ntitle: Net\ninput: 7x4\nlayers:\n  - conv1d: {name: q, out_channels: 4, kernel_size: 1}\n"
CROSS = ROW + "  - conv1d: {name: k, out_channels: 4, kernel_size: 3, from: input}\n"


def both(analysis: Analysis) -> tuple[int, int]:
    """Bytes that are kept, as counted and as PyTorch saves them; in float64, for oneDNN has kernels of its own."""
    module = module_of(to_torch_code(analysis)).double().train()
    inputs = [torch.randn(analysis.batch, *row.output_shape).double() for row in analysis.rows if row.op.is_input]
    # On a CPU the mask of dropout has values of the type of the map, on a GPU a byte each, as counted.
    masks = sum(7 * values for row in analysis.rows if (values := _masked(row))) * analysis.batch
    return waiting(analysis, Policy(training=True, in_place=())) + masks, saved(module, *inputs)


def _masked(row: Row) -> int:
    """Values of the mask of a dropout layer."""
    if row.op.kind == "dropout":
        return int(prod(row.output_shape))
    return int(row.output_shape[0]) if row.op.kind == "feature_dropout" else 0


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("layer", ROWS)
def test_rows(layer: str, batch: int) -> None:
    counted, found = both(ac.from_yaml(f"{ROW}  - {layer}\n").analyse(batch, "float64"))
    assert counted == found


@pytest.mark.parametrize("layer", ["lstm", "gru"])
def test_rows_that_are_read_backward_too(layer: str) -> None:
    """With a batch PyTorch reads a copy of the map in each direction, where one is counted."""
    text = f"{ROW}  - {layer}: {{hidden_size: 3, num_layers: 2, bidirectional: true}}\n"
    counted, found = both(ac.from_yaml(text).analyse(1, "float64"))
    assert counted == found
    counted, found = both(ac.from_yaml(text).analyse(2, "float64"))
    assert counted == found - 8 * 2 * 7 * 4


def test_attention_to_another_map() -> None:
    counted, found = both(
        ac.from_yaml(CROSS + "  - multi_head_attention: {num_heads: 2, from: [q, k]}\n").analyse(2, "float64")
    )
    assert counted == found


class Attention(nn.Module):  # type: ignore[misc]  # torch need not be there
    """Attention of code: one function, or two products with a softmax between them."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.qkv, self.out, self.fused = nn.Linear(8, 24), nn.Linear(8, 8), fused

    def forward(self, x: Any) -> Any:
        batch, count, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, count, 3, 2, 4).permute(2, 0, 3, 1, 4)
        if self.fused:
            found = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            found = (q @ k.transpose(-2, -1) / 2).softmax(-1) @ v
        return self.out(found.transpose(1, 2).reshape(batch, count, width))


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("fused", [True, False], ids=["one function", "written out"])
def test_attention_of_code(fused: bool, batch: int) -> None:
    module, one = Attention(fused), torch.randn(1, 16, 8)
    analysis = ac.analyse(ac.from_torch(module.eval(), one), batch)
    assert memory_timeline(analysis, Policy(training=True)).kept == saved(module.train(), one.repeat(batch, 1, 1))


#: What PyTorch keeps besides, or keeps otherwise, and the networks of which that is so.
OTHERWISE = {
    "copies with uneven padding": (
        "wavenet", "yolov3_tiny", "facenet", "inception_v2@slim", "mobilenet@keras", "nasnet_mobile", "nasnet_large",
        *(f"efficientnet_b{number}@keras" for number in range(8)),
    ),
    "all of a map of which a part is read": (
        "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "unet",
    ),
    "steps inside of layers that PyTorch does not have": ("lenet5@1998", "blocks/weights_local"),
    "products of attention, which are not fused without values": (
        "vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "deit_s_16", "bert_base", "bert_large", "gpt2_small",
        "gpt2_medium",
    ),
    "attention in windows, which is not counted": ("swin_t", "swin_s", "swin_b", "maxvit_t", "coatnet_0"),
}  # fmt: skip
#: A batch norm of single values needs two images.
OF_TWO = ("deeplabv3_resnet50", "deeplabv3_resnet101", "inception_v3@aux", "pspnet_resnet50", "resnest50")
NAMES = [name for name in catalogue.names() if not any(name in names for names in OTHERWISE.values())]


@pytest.mark.parametrize("network", NAMES)
def test_networks(network: str) -> None:
    """On PyTorch's device without values, so that large networks take no time."""
    with torch.device("meta"):
        counted, found = both(ac.load(network).analyse(1 + (network in OF_TWO), "float64"))
    assert counted == found


@pytest.mark.parametrize("network", ["vit_b_32", "deit_s_16", "bert_base"])
def test_encoders_of_which_one_token_is_read(network: str) -> None:
    """With values, so that attention is fused. What is more is the rest of the row of which the token is a view."""
    analysis = ac.load(network).analyse(dtype="float64")
    (part,) = (row for row in analysis.rows if row.op.kind == "narrow")
    rest = prod(part.input_shapes[0]) - prod(part.output_shape)
    counted, found = both(analysis)
    assert found - counted == 8 * rest


@pytest.mark.parametrize("over", [False, True], ids=["apart", "in place"])
def test_a_residual_unit(over: bool) -> None:
    policy = Policy(training=True, in_place=("activations",) if over else ())
    assert kept(UNIT, policy, 3) == saved(Unit(over).train(), torch.randn(3, 4, 8, 8))
