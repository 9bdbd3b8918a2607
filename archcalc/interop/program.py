"""A network as operations on tensors: what ONNX and torch.export have in common.

Values keep their batch axis, and every size is a whole number: readers fold the arithmetic of shapes away.
`archcalc.interop.recognise` makes layers of a program.

The operations have the names of torch.nn.functional and of torch.Tensor, and the attributes the names of their
arguments there. Tensors are inputs, in the order of torch's arguments, with None for one that is left out; all else
is an attribute. A reader gives every attribute of an operation that is not optional.

operation                       inputs                              attributes
conv1d conv2d conv3d            x, weight, bias|None                stride padding dilation groups
conv_transpose1d 2d 3d          x, weight, bias|None                stride padding output_padding dilation groups
linear                          x, weight (out, in), bias|None
batch_norm                      x, weight|None, bias|None,          eps
                                running_mean, running_var
layer_norm, rms_norm            x, weight|None, bias|None           normalized_shape eps
group_norm                      x, weight|None, bias|None           num_groups eps
instance_norm                   x, weight|None, bias|None           eps
local_response_norm             x                                   size alpha beta k
relu relu6 sigmoid tanh silu    x
mish hardsigmoid hardswish
gelu                            x                                   approximate ("none", "tanh")
leaky_relu / elu / selu         x                                   negative_slope / alpha / none
hardtanh, clamp                 x                                   min max (a number or None)
softplus                        x                                   beta threshold
prelu                           x, weight
glu, softmax, log_softmax       x                                   dim
max_pool1d 2d 3d                x                                   kernel_size stride padding dilation ceil_mode
avg_pool1d 2d 3d                x                                   kernel_size stride padding ceil_mode
                                                                    count_include_pad
adaptive_avg_pool1d 2d 3d       x                                   output_size
adaptive_max_pool1d 2d 3d       x                                   output_size
mean sum amax amin prod         x                                   dim (a tuple) keepdim
var std                         x                                   dim (a tuple) keepdim correction
argmax argmin                   x                                   dim keepdim
add sub mul div pow             two values (add: or more); or one   other (a number)
                                and `other`
maximum minimum                 two values
rsub                            x                                   other: other − x
neg abs exp log sqrt rsqrt      x
reciprocal erf sin cos square
matmul                          two values (bmm is a matmul)
scaled_dot_product_attention    q, k, v, mask|None                  is_causal scale (a number or None)
reshape expand                  x                                   shape
permute                         x                                   dims
transpose                       x                                   dim0 dim1
squeeze unsqueeze               x                                   dim (squeeze: a tuple)
cat stack                       all values                          dim
split                           x; one output for each part         sizes dim
chunk                           x; one output for each part         chunks dim
unbind                          x; one output for each part         dim
slice                           x                                   dim start end step (0 ≤ start ≤ end ≤ size)
select                          x                                   dim index
roll                            x                                   shifts dims
index                           x, numbers for each of the axes     dims
unfold                          x                                   dim size step
im2col                          x                                   kernel_size dilation padding stride
col2im                          x                                   output_size kernel_size dilation padding stride
repeat                          x                                   repeats (for each axis of the result)
repeat_each                     x                                   repeats dim
slice_scatter                   x, what takes the place of a part   dim start end step
addcmul                         x, y, z: x + value·y·z              value
flip                            x                                   dims
pad                             x                                   pad (torch's order: the last axis first),
                                                                    mode ("constant" "reflect" "replicate" "circular"),
                                                                    value
interpolate                     x                                   size mode align_corners scales (of each axis;
                                                                    may be left out)
pixel_shuffle pixel_unshuffle   x                                   factor
channel_shuffle                 x                                   groups
embedding                       indices, weight
rnn lstm gru                    x, then the arrays of each layer    hidden_size num_layers bidirectional bias
                                and way: weight_ih, weight_hh,      batch_first nonlinearity (rnn)
                                bias_ih, bias_hh                    single_bias (bias_ih alone; may be left out),
                                                                    reset_after (gru; may be left out)
dropout                         x                                   p
identity                        x

`padding` of a convolution or pool is a number for each axis, or begin of each axis and then end of each axis, or
"same" (an odd position goes to the end). A reader may use any other name for an operation that is not listed: it
becomes an opaque layer of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import Call, FileNode

if TYPE_CHECKING:
    import numpy

Sizes = tuple[int, ...]
#: Between the name of a value of a file and the number of a step on the way to it.
STEP = "#"
#: A parameter is trained; a buffer is stored with the parameters; a constant is a number in the program.
Role = Literal["parameter", "buffer", "constant"]


@dataclass(frozen=True)
class Value:
    """A tensor that is computed: its shape with the batch axis."""

    name: str
    shape: Sizes
    dtype: str = "float32"


@dataclass(frozen=True)
class Constant:
    """A tensor that is stored. `load` reads its values; `values` holds those of a small one, row by row."""

    name: str
    shape: Sizes
    dtype: str = "float32"
    role: Role = "parameter"
    load: Callable[[], numpy.ndarray[Any, Any]] | None = None
    values: tuple[float, ...] | None = None
    #: Whether training changes a parameter.
    trained: bool = True
    #: The arrays of the file that it comes from, by name.
    sources: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of values."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True)
class Node:
    """One operation. `path` names its module or scope with "/" between parents and children: layer1/0/conv1.

    `place` says where it stands in its file, for messages; `call` how code calls it.
    """

    op: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    place: str = ""
    call: Call | None = None


class WrittenNode(NamedTuple):
    """A node of the file as it stands there, with the names of its inputs and outputs."""

    node: FileNode
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """Operations in topological order. `inputs` are names of values; `outputs` maps the names of outputs to values."""

    name: str
    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    values: Mapping[str, Value]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    #: The axis of the batch of inputs that do not have it first.
    batch: Mapping[str, int] = field(default_factory=dict)
    #: The arrays of the file with more than one number, and how many values each has; none where that is not known.
    stored: Mapping[str, int] = field(default_factory=dict)
    #: Values that no output needs and that cost parameters or multiplications: they stay as layers that nobody reads.
    unread: tuple[str, ...] = ()
    #: The parameters that inference does not use: how many, by the part of the network that has them.
    unused: Mapping[str, int] = field(default_factory=dict)
    #: The nodes of the file with the values that they read and make, in order, where the program is from one.
    written: tuple[WrittenNode, ...] = ()
    #: Gives what loads a value that is computed from stored tensors alone, with ones in place of those that are named;
    #: None where the value cannot be had.
    compute: Callable[[str, Collection[str]], Callable[[], numpy.ndarray[Any, Any]] | None] | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The values that must be there, read or not."""
        return (*self.outputs.values(), *self.unread)

    def shape(self, name: str) -> Sizes:
        """The shape of a value or of a constant, with its batch axis."""
        known = self.values.get(name) or self.constants.get(name)
        if known is None:
            raise UsageError(f"{self.name}: nothing is called {name}")
        return known.shape

    def check(self) -> None:
        """Raise `UsageError` where a node reads what no earlier node made, or a value has no shape."""
        made = {*self.inputs, *self.constants}
        for node in self.nodes:
            place = node.place or node.path or node.op
            for name in node.inputs:
                if name is not None and name not in made:
                    raise UsageError(f"{place}: its input {name} is made by no operation before it")
            for name in node.outputs:
                if name in made:
                    raise UsageError(f"{place}: {name} is made twice")
                if name not in self.values:
                    raise UsageError(f"{place}: the shape of {name} is not known")
                made.add(name)
        for name, value in self.outputs.items():
            if value not in made:
                raise UsageError(f"{self.name}: the output {name} is made by no operation")


#: Operations whose multiplications count, without a stored tensor too.
_PRODUCTS = frozenset({"matmul", "addmm", "scaled_dot_product_attention", "attention"})


def needed(nodes: Sequence[Node], wanted: Iterable[str]) -> tuple[Node, ...]:
    """The operations that some values depend on, in order."""
    return _needed(nodes, wanted, lambda _: False)[0]


def with_unread(
    nodes: Sequence[Node], outputs: Iterable[str], is_trained: Callable[[str], bool]
) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """The operations that the outputs need or that cost something, and `unread` of a program.

    Of what no output needs all goes that comes after the last operation with parameters or multiplications.
    """

    def costs(node: Node) -> bool:
        return node.op in _PRODUCTS or any(name is not None and is_trained(name) for name in node.inputs)

    return _needed(nodes, outputs, costs)


def _needed(
    nodes: Sequence[Node], wanted: Iterable[str], stays: Callable[[Node], bool]
) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    read, kept, unread = set(wanted), list[Node](), list[str]()
    for node in reversed(nodes):
        if not read.intersection(node.outputs):
            if not node.outputs or not stays(node):
                continue
            unread.append(node.outputs[0])
        kept.append(node)
        read.update(name for name in node.inputs if name is not None)
    return tuple(kept[::-1]), tuple(unread[::-1])
