"""What people call the ops."""

from __future__ import annotations

import pytest

from archcalc.ops import OPS, Op, called
from tests.ranks import plane

#: Words as people and frameworks write them, and the op that is meant first.
WORDS = {
    "conv2d": "conv CONV Conv2D convolution convolutional c Convolution-2D conv_layer свёртка свертка",
    "depthwise_conv2d": "DepthwiseConv2D dw depthwise dwconv",
    "conv_transpose2d": "deconv ConvTranspose2d Conv2DTranspose upconv transposed_conv",
    "locally_connected2d": "local LocallyConnected2D",
    "linear": "fc FC dense Dense linear fullyconnected fully-connected affine f InnerProduct полносвязный",
    "max_pool2d": "pool pooling p maxpool MaxPool2d MaxPooling2D max_pooling mp пулинг",
    "avg_pool2d": "avgpool AvgPool2d AveragePooling2D average-pool",
    "subsampling2d": "subsampling s",
    "global_avg_pool2d": "gap GAP GlobalAveragePooling2D global_avg_pool",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "mean": "Mean reduce_mean ReduceMean среднее",
    "amax": "amax ReduceMax",
    "max_unpool2d": "unpooling MaxUnpool2d",
    "relu": "relu ReLU activation",
    "relu6": "relu6 ReLU6",
    "tanh": "tanh Tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax prob",
    "batch_norm2d": "bn BN batchnorm BatchNorm2d BatchNormalization batch_norm",
    "local_response_norm": "lrn LRN norm normalization LocalResponseNorm",
    "dropout": "dropout drop Dropout",
    "leaky_relu": "LeakyReLU lrelu leaky",
    "prelu": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU swish",
    "mish": "Mish",
    "hardswish": "Hardswish hard_swish h-swish",
    "hardsigmoid": "HardSigmoid h_sigmoid",
    "hardtanh": "Hardtanh clip",
    "softplus": "Softplus",
    "log_softmax": "LogSoftmax logprob",
    "glu": "GLU gate",
    "multi_head_attention": "MultiheadAttention mha self_attention",
    "scaled_dot_product_attention": "sdpa",
    "matmul": "bmm MatMul",
    "lstm": "LSTM bilstm",
    "gru": "GRU",
    "rnn": "RNN SimpleRNN",
    "embedding": "Embedding embed",
    "index_select": "index_select gather",
    "class_token": "cls_token",
    "position_embedding": "pos_embed positional_embedding",
    "scale": "Scale layer_scale LayerScale",
    "channel_shuffle": "ChannelShuffle shuffle",
    "pixel_shuffle": "PixelShuffle DepthToSpace",
    "pixel_unshuffle": "SpaceToDepth reorg",
    "transpose": "Transpose swapaxes",
    "interpolate": "interpolate bicubic",
    "reflection_pad": "ReflectionPad2d",
    "replication_pad": "ReplicationPad2d",
    "circular_pad": "CircularPad2d",
    "layer_norm": "LayerNorm LayerNormalization ln",
    "rms_norm": "RMSNorm",
    "group_norm": "GroupNorm gn GroupNormalization",
    "instance_norm": "InstanceNorm2d InstanceNormalization",
    "stochastic_depth": "StochasticDepth DropPath",
    "drop_block": "DropBlock2d",
    "feature_dropout": "SpatialDropout2D Dropout1d Dropout3d",
    "alpha_dropout": "AlphaDropout",
    "flatten": "flatten Flatten",
    "concat": "concat Concatenate cat",
    "add": "add Add",
    "subtract": "subtract Subtract sub",
    "divide": "divide div",
    "rescale": "Rescaling",
    "power": "pow sqrt",
    "input": "input image data in InputLayer вход",
    "zero_pad2d": "ZeroPadding2D zero_pad pad",
    "upsample2d": "UpSampling2D upsample",
    "crop2d": "Cropping2D crop",
}


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind, words in WORDS.items() for word in words.split()])
def test_a_word_means_an_op(kind: str, word: str) -> None:
    assert called(word)[0].kind == kind


@pytest.mark.parametrize("kind", OPS)
def test_an_op_answers_to_its_kind_and_noun(kind: str) -> None:
    op = OPS[kind]
    assert op.noun
    assert called(kind)[0] is op
    assert called(op.noun)[0] is OPS[plane(kind)]
    assert all(word == word.lower() and op in called(word) for word in op.words)


def test_a_general_word_means_every_kind() -> None:
    assert [op.kind for op in called("conv")] == [
        f"{stem}{rank}d" for stem in ("conv", "locally_connected", "conv_transpose") for rank in (2, 1, 3)
    ]
    assert {op.kind for op in called("pool")} == {op.kind for op in _family("pooling")} - {
        f"max_unpool{rank}d" for rank in (1, 2, 3)
    }
    assert {op.kind for op in called("activation")} == {op.kind for op in _family("activation") if op.in_place} - {
        "softmax",
        "log_softmax",
    }


def _family(family: str) -> list[type[Op]]:
    return [op for op in OPS.values() if op.family == family]


@pytest.mark.parametrize("word", ["", "layer", "cake", "convolve me", "2d", "conv2"])
def test_an_unknown_word_means_nothing(word: str) -> None:
    assert called(word) == ()
