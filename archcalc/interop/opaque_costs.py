"""What operations cost that archcalc has no op for, where that is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from archcalc.interop.program import Node, Program

#: Operations without sums of products, by the names of ATen, ONNX and Keras in lower case and without underscores.
#: They treat values one by one, compare, choose, sort, add up, move or interpolate: archcalc counts no multiplications
#: for such ops either.
_WITHOUT_PRODUCTS = frozenset(
    """
    abs absolute acos acosh adaptiveaveragepooling adaptiveavgpool adaptivemaxpool adaptivemaxpooling add addcdiv
    addscaled all amax amin angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
    argsort argwhere asin asinh atan atan2 atanh averagepool averagepooling avgpool batchnorm batchnormalization
    bernoulli bincount bitwiseand bitwisenot bitwiseor bitwisexor bucketize cast ceil celu clamp clip col2im concat
    constant constantofshape copysign cos cosh count countnonzero cummax cummin cumprod cumsum depthtospace digamma
    digitize div divfloor divide divtrunc dropout embeddingbag eq equal erf erfc erfinv exp exp2 expand expandims
    expm1 eye flip fliplr flipud floor floordivide fmax fmin fmod frac fractionalmaxpool full fulllike gather
    gatherelements gathernd ge gelu getitem globalaveragepool globalaveragepooling globallppool globalmaxpool
    globalmaxpooling greater greaterequal greaterorequal gridsample gridsampler gridsampler2d gridsampler3d
    groupnormalization gt hammingwindow hannwindow hardmax hardshrink hardsigmoid hardswish heaviside hypot
    identity im2col index indexadd indexcopy indexfill indexput indexselect instancenormalization interpolate
    isclose isfinite isinf isnan kthvalue l2normalize layernorm layernormalization le less lessequal lessorequal
    lgamma linspace log log10 log1p log2 logaddexp logaddexp2 logcumsumexp logical logicaland logicalnot logicalor
    logicalxor logit logsigmoid logsumexp lpnormalization lppool lrn lstmcellstate lt maskedfill maskedscatter
    maskedselect max maximum maxpool maxpooling maxroipool maxunpool mean meanvariancenormalization median min
    minimum mod mode moveaxis mul multinomial nantonum ne neg negative nonmaxsuppression nonzero norm normal not
    notequal onehot or pad pixelshuffle polygamma pow power prelu prod psroialign psroipool rand randn randomnormal
    randomnormallike randomuniform randomuniformlike range rearrange reciprocal reducel1 reducel2 reducelogsum
    reducelogsumexp reducemax reducemean reducemin reduceprod reducesum reducesumsquare remainder repeat repeateach
    reshape resize reversesequence roialign roipool roll round rrelu rsqrt rsub rsubscaled scatter scatteradd
    scatterelements scatternd scatterreduce searchsorted select selu shape shrink sigmoid sign signbit sin sinh
    size slice slicescatter softmax softplus softshrink softsign sort spacetodepth split sqrt square std sub
    subscaled subtract sum swapaxes take takealongaxis takealongdim tan tanh tanhshrink threshold
    thresholdedrelu tile topk transpose tril trilu triu truedivide trunc unfold unique upsample var vectornorm
    where xlogy xor zeros zeroslike
    """.split()  # noqa: SIM905 # a table of words reads best as text
)


def has_no_products(kind: str) -> bool:
    """Whether an operation is known to have no sums of products. Names with a domain, as those of plugins, are not.

    >>> [has_no_products(kind) for kind in ("TopK", "grid_sampler_2d", "avg_pool2d", "fft_rfft")]
    [True, True, True, False]
    """
    name = kind.removesuffix(" with computed settings").replace("_", "").replace(" ", "").lower()
    plain = name[:-2] if name.endswith(("1d", "2d", "3d")) else name
    return name in _WITHOUT_PRODUCTS or plain in _WITHOUT_PRODUCTS


def multiplications_of(node: Node, program: Program, images: int = 1) -> int | None:
    """Multiplications of one of so many images of an operation that has no op here; None where they are not known."""
    if has_no_products(node.op):
        return 0
    if (found := _of_product(node, program)) is not None:
        return found // images
    kind = node.op.removesuffix(" with initial states")
    matrices = _of_onnx(node, program) if kind in ("RNN", "LSTM", "GRU") else _of_aten(node, kind, program)
    if not matrices or node.inputs[0] is None:
        return None
    shape = program.shape(node.inputs[0])
    steps = shape[1] if node.attributes.get("batch_first") or node.attributes.get("layout") else shape[0]
    # A recurrent layer multiplies by every weight once in each step, whatever states it begins with.
    return steps * sum(map(math.prod, matrices))


def _of_product(node: Node, program: Program) -> int | None:
    """Multiplications of a product of two matrices or of a convolution, whose second input may be computed."""
    kind = node.op.replace("_", "").lower()
    kind = kind[:-2] if kind.endswith(("1d", "2d", "3d")) else kind
    names = node.inputs[1:3] if kind == "addmm" else node.inputs[:2]
    if kind not in ("matmul", "addmm", "linear", "conv", "convtranspose") or len(names) < 2 or None in names:
        return None
    (first, second), made = (program.shape(name) for name in names if name is not None), program.shape(node.outputs[0])
    if kind == "convtranspose":
        return math.prod(first) * math.prod(second[1:])
    return math.prod(made) * (math.prod(second[1:]) if kind == "conv" else first[-1])


def _stored(names: Sequence[str | None], program: Program) -> list[Sequence[int]]:
    """The shapes of tensors that are stored; none where one is not."""
    found = [program.constants[name].shape for name in names if name is not None and name in program.constants]
    return list(found) if len(found) == len(names) else []


def _of_onnx(node: Node, program: Program) -> list[Sequence[int]]:
    """W and R, the second and the third input of an ONNX node."""
    return _stored(node.inputs[1:3], program)


def _of_aten(node: Node, kind: str, program: Program) -> list[Sequence[int]]:
    """The matrices of each layer and way; they stand last, each pair with its biases where there are some."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}.get(kind)
    if gates is None:
        return []
    given = node.attributes
    biases = bool(given["bias"]) * (1 if given.get("single_bias") else 2)
    size = 2 + biases + bool(given.get("proj_size"))
    count = given["num_layers"] * (1 + bool(given["bidirectional"])) * size
    shapes = _stored(node.inputs[-count:], program)
    # Of each way the two matrices come first, the projection of the state last.
    matrices = [shape for shape in shapes if len(shape) == 2]
    sizes = [given["proj_size"], *[gates * given["hidden_size"]] * 2] if given.get("proj_size") else []
    rows = sizes[1:] + sizes[:1] if sizes else [gates * given["hidden_size"]] * 2
    is_usual = all(shape[0] == rows[place % len(rows)] for place, shape in enumerate(matrices))
    return matrices if is_usual and len(shapes) == count else []
