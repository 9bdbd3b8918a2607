"""Which function reads which class of Keras."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.interop import keras_activations as activations
from archcalc.interop import keras_layers as layers
from archcalc.interop import keras_recurrent as recurrent
from archcalc.interop import keras_sequence as sequence
from archcalc.interop.keras_activations import Maker
from archcalc.interop.keras_own import OWN
from archcalc.interop.keras_shapes import SHAPES
from archcalc.interop.keras_sizes import SIZES
from archcalc.interop.keras_unread import UNREAD

CLASSES: Mapping[str, Maker] = {
    **{f"Conv{rank}D": layers.conv(rank) for rank in (1, 2, 3)},
    **{f"Convolution{rank}D": layers.conv(rank) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": layers.depthwise(rank) for rank in (1, 2, 3)},
    **{f"SeparableConv{rank}D": layers.separable(rank) for rank in (1, 2)},
    **{f"Conv{rank}DTranspose": layers.transposed(rank) for rank in (1, 2, 3)},
    **{f"LocallyConnected{rank}D": layers.locally_connected(rank) for rank in (1, 2)},
    **{f"MaxPooling{rank}D": layers.pool("max_pool", rank) for rank in (1, 2, 3)},
    **{f"AveragePooling{rank}D": layers.pool("avg_pool", rank) for rank in (1, 2, 3)},
    **{f"GlobalAveragePooling{rank}D": layers.global_pool("global_avg_pool", rank) for rank in (1, 2, 3)},
    **{f"GlobalMaxPooling{rank}D": layers.global_pool("global_max_pool", rank) for rank in (1, 2, 3)},
    **{f"AdaptiveAveragePooling{rank}D": layers.adaptive_pool("adaptive_avg_pool", rank) for rank in (1, 2, 3)},
    **{f"AdaptiveMaxPooling{rank}D": layers.adaptive_pool("adaptive_max_pool", rank) for rank in (1, 2, 3)},
    "Dense": layers.dense,
    "Activation": activations.activation,
    "ReLU": activations.relu,
    "LeakyReLU": activations.leaky_relu,
    "PReLU": activations.prelu,
    "ELU": activations.elu,
    "Softmax": activations.softmax,
    "BatchNormalization": layers.batch_norm,
    "SyncBatchNormalization": layers.batch_norm,
    "LayerNormalization": layers.layer_norm,
    "RMSNormalization": layers.layer_norm,
    "GroupNormalization": layers.group_norm,
    "UnitNormalization": layers.unit_norm,
    "Normalize": layers.unit_norm,
    "LayerScale": layers.layer_scale,
    "Embedding": sequence.embedding,
    "MultiHeadAttention": sequence.multi_head_attention,
    "Attention": sequence.attention,
    **{kind: recurrent.recurrent(op) for kind, op in recurrent.RECURRENT.items()},
    "RNN": recurrent.around_cell,
    "Bidirectional": recurrent.bidirectional,
    "TimeDistributed": sequence.time_distributed,
    "SpectralNormalization": sequence.spectral_norm,
    **OWN,
    **SHAPES,
    **SIZES,
    **UNREAD,
}
