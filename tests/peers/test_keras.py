"""Models of Keras next to what archcalc reads of them: counts and shapes of every application, and values.

`tests/interop/files/keras_applications.csv` has the counts that Keras 3.15 gave.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="the comparison with Keras needs it: pip install keras h5py")

from archcalc.api import from_keras  # noqa: E402 - Keras chooses its backend first
from archcalc.core.errors import SpecError, UsageError  # noqa: E402 - Keras chooses its backend first
from archcalc.execute.kernels import Array, Sizes  # noqa: E402 - Keras chooses its backend first
from archcalc.execute.runner import execute  # noqa: E402
from archcalc.graph.layer_graph import LayerGraph  # noqa: E402
from archcalc.interop.foreign import to_network  # noqa: E402
from archcalc.interop.keras import read_keras  # noqa: E402
from archcalc.interop.keras_file import read_keras_file  # noqa: E402
from archcalc.passes.analysis import Totals, analyse  # noqa: E402

pytestmark = pytest.mark.peers

with (Path(__file__).parents[1] / "interop/files/keras_applications.csv").open(encoding="utf-8") as file:
    COUNTS = {row["model"]: row for row in csv.DictReader(file)}
#: Keras keeps one number more, how many values its statistics are of; archcalc has no array for it.
COUNTERS = {f"EfficientNetB{size}": 1 for size in range(8)}


def built(name: str) -> Any:
    """An application without weights; NASNet-Mobile, which Keras refuses for this backend, is built all the same."""
    keras.backend.clear_session()
    make = getattr(keras.applications, name)
    if name != "NASNetMobile":
        return make(weights=None)
    from keras.src.applications import nasnet

    class Backend:
        def __getattr__(self, name: str) -> Any:
            return (lambda: "") if name == "backend" else getattr(keras.src.backend, name)

    real, nasnet.backend = nasnet.backend, Backend()
    try:
        return make(weights=None)
    finally:
        nasnet.backend = real


def compared(name: str) -> tuple[Any, Totals, int, list[str]]:
    """An application, its totals as archcalc reads it, how many of its layers are compared, and those that differ."""
    model = built(name)
    size = (3, 224, 224) if model.input_shape[1] is None else None
    analysis = analyse(to_network(read_keras(model.to_json(), f"{name}.json", size)))
    rows = {row.name: row for row in analysis.rows}
    count, differ = 0, []
    for layer in model.layers:
        own = [row for row_name, row in rows.items() if row_name == layer.name or row_name.startswith(f"{layer.name}/")]
        flat = rows.get(f"{layer.name}_flatten")
        if not own or type(layer).__name__ == "InputLayer":
            continue
        *sizes, channels = layer.output.shape[1:]
        found = (flat or own[-1]).output_shape
        counter = COUNTERS.get(name, 0) if type(layer).__name__ == "Normalization" else 0
        is_equal = all(one in (None, other) for one, other in zip((channels, *sizes), found, strict=True))
        if not is_equal or sum(row.params + row.buffers for row in own) + counter != layer.count_params():
            differ.append(layer.name)
        count += 1
    return model, analysis.totals, count, differ


@pytest.mark.parametrize("name", COUNTS)
def test_counts_and_shapes_of_the_applications_are_those_of_keras(name: str) -> None:
    expected = COUNTS[name]
    model, totals, layers, differ = compared(name)
    assert model.count_params() == int(expected["count_params"])
    assert totals.params + totals.buffers + COUNTERS.get(name, 0) == int(expected["count_params"])
    assert totals.trainable_params == int(expected["trainable"])
    assert differ == []
    # All but the input and what does nothing.
    assert layers >= 0.8 * len(model.layers) - 1


class Loaded:
    """The arrays that came with a file."""

    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        found = {name: np.asarray(load(), dtype=np.float32) for name, load in self.graph.arrays[layer].items()}
        assert {name: array.shape for name, array in found.items()} == {
            name: tuple(size) for name, size in sizes.items()
        }
        return found


def _images() -> Any:
    return keras.Input((12, 10, 3), name="image")


def _convolutions(layers: Any) -> tuple[Any, Any]:
    image = _images()
    x = layers.Conv2D(8, (3, 2), strides=2, padding="same", activation="relu")(image)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.SeparableConv2D(6, 3, dilation_rate=2, padding="same", activation="silu")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(4, (3, 2), dilation_rate=(2, 3), padding="same")(x)
    x = layers.Conv2DTranspose(4, (4, 1), strides=(3, 2), padding="same", output_padding=(2, 1))(x)
    x = layers.Conv2D(4, 1, groups=2, activation="gelu")(x)
    x = layers.LayerNormalization()(x)
    x = layers.GroupNormalization(2)(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dense(9, activation="tanh")(x)
    return image, layers.Dense(5, activation="softmax")(x)


def _shapes(layers: Any) -> tuple[Any, Any]:
    image = _images()
    x = layers.Conv2D(4, 3)(image)
    x = layers.Permute((3, 1, 2))(x)
    x = layers.Reshape((8, -1))(x)
    y = layers.Flatten()(x)
    z = layers.Flatten()(layers.MaxPooling2D(2)(image))
    x = layers.Concatenate()([y, z])
    x = layers.Dense(12)(x)
    x = layers.Reshape((2, 3, 2))(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = layers.UnitNormalization()(x)
    x = layers.Conv2D(8, 1)(x)
    x = layers.Reshape((5, 9, 2, 2, 2))(x)
    x = layers.Reshape((10, 18, 2))(layers.Permute((1, 4, 2, 5, 3))(x))
    x = layers.Concatenate(axis=1)([x, layers.Cropping2D(((0, 1), (0, 0)))(x)])
    x = layers.Softmax(axis=1)(x)
    return image, layers.GlobalMaxPooling2D()(x)


def _sequences(layers: Any) -> tuple[Any, Any]:
    row = keras.Input((7, 6), name="row")
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2)(row)
    y = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.MultiHeadAttention(3, 5, value_dim=2)(y, x)
    x = layers.Add()([x, y])
    x = layers.Bidirectional(layers.GRU(5, return_sequences=True))(x)
    x = layers.Bidirectional(layers.GRU(3, reset_after=False, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.SimpleRNN(5, return_sequences=True)(x)
    return row, layers.GRU(4)(layers.LSTM(6, return_sequences=True)(x))


def _shared(layers: Any) -> tuple[Any, Any]:
    image = _images()
    stem = keras.Sequential(
        [layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(max_value=6)]
    )
    x = stem(stem(image))
    return image, layers.Average()([x, layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])])


def _resized(layers: Any) -> tuple[Any, Any]:
    image = _images()
    x = layers.Resizing(18, 18, pad_to_aspect_ratio=True)(image)
    y = layers.Resizing(18, 9, crop_to_aspect_ratio=True)(image)
    y = layers.Resizing(9, 9, interpolation="nearest")(layers.CenterCrop(18, 27)(y))
    x = layers.Resizing(6, 36, interpolation="nearest")(x)
    x = layers.Resizing(9, 9, pad_to_aspect_ratio=True)(x)
    return image, layers.Conv2D(2, 3)(layers.Concatenate()([x, y]))


def _states(layers: Any) -> tuple[Any, Any]:
    row = keras.Input((7, 6), name="row")
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True), merge_mode="sum")(row)
    x, ahead, back = layers.Bidirectional(layers.GRU(4, return_sequences=True, return_state=True), merge_mode="ave")(x)
    y, state = layers.RNN(layers.GRUCell(8), return_state=True)(x)
    z = layers.Bidirectional(layers.LSTM(4), merge_mode="mul")(x)
    hidden = layers.LSTM(4, return_state=True)(x)[1]
    inside = keras.Input((32,))
    head = keras.Model(inside, layers.Dense(3)(inside), name="head")
    return row, head(layers.Concatenate()([ahead, back, y, state, z, hidden]))


def _at_every_step(layers: Any) -> tuple[Any, Any]:
    frames = keras.Input((5, 8, 8, 3), name="frames")
    x = layers.TimeDistributed(layers.Conv2D(4, 3))(frames)
    x = layers.TimeDistributed(layers.DepthwiseConv2D(3, depth_multiplier=2))(x)
    x = layers.TimeDistributed(layers.BatchNormalization())(layers.Reshape((5, 128))(x))
    return frames, layers.TimeDistributed(layers.Dense(6))(x)


MODELS = [_convolutions, _shapes, _sequences, _shared, _resized, _states, _at_every_step]


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__.strip("_"))
@pytest.mark.filterwarnings("ignore")  # of Keras: the older format, and what its backend will drop
def test_values_are_those_of_keras(make: Any, ending: str, tmp_path: Path) -> None:
    """A model with random weights is saved by Keras, read by archcalc, and run by both."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = keras.Model(*make(keras.layers))
    generator = np.random.default_rng(3)
    model.set_weights(
        [
            generator.uniform(0.2, 0.8, array.shape).astype("float32") - 0.3 * (array.ndim > 1)
            for array in model.get_weights()
        ]
    )
    path = tmp_path / f"model.{ending}"
    model.save(path)
    x = generator.standard_normal((2, *model.input_shape[1:])).astype("float32")
    expected = np.asarray(keras.ops.convert_to_numpy(model(x)))
    graph, live = to_network(read_keras_file(path)), from_keras(model)
    stored = analyse(graph).totals
    assert stored.params + stored.buffers == model.count_params()
    done = execute(graph, np.moveaxis(x, -1, 1), Loaded(graph))
    (found,) = done.outputs.values()
    found = np.moveaxis(found, 1, -1)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert math.isfinite(float(found.sum()))
    (again,) = execute(live, np.moveaxis(x, -1, 1), Loaded(live)).outputs.values()
    assert np.array_equal(np.moveaxis(again, 1, -1), found)


@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_a_model_at_two_levels_is_that_of_keras(tmp_path: Path) -> None:
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    own = _images()
    inner = keras.Model(own, keras.layers.Conv2D(3, 1, bias_initializer="normal")(own), name="in")
    model = keras.Sequential([_images(), inner, keras.Sequential([_images(), inner, keras.layers.ReLU(6)])])
    path = tmp_path / "model.keras"
    model.save(path)
    graph = to_network(read_keras_file(path))
    assert analyse(graph).totals.params == keras.models.load_model(path).count_params() == 12
    x = np.random.default_rng(3).standard_normal((2, 12, 10, 3)).astype("float32")
    (found,) = execute(graph, np.moveaxis(x, -1, 1), Loaded(graph)).outputs.values()
    expected = np.asarray(keras.ops.convert_to_numpy(model(x)))
    assert np.allclose(np.moveaxis(found, 1, -1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("gelu", {}), ("gelu", {"approximate": False}), ("silu", {}), ("sigmoid", {}), ("tanh", {}), ("relu6", {}),
     ("elu", {}), ("selu", {}), ("leaky_relu", {}), ("softplus", {}), ("hard_sigmoid", {}), ("hard_silu", {}),
     ("hard_tanh", {}), ("log_softmax", {}), ("log_softmax", {"axis": 1}), ("clip", {"x_min": 0, "x_max": 2}),
     ("square", {})],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_operations_on_a_map_are_those_of_keras(name: str, settings: dict[str, Any]) -> None:
    given = keras.Input((8, 4))
    model = keras.Model(given, getattr(keras.ops, name)(given, **settings))
    graph = from_keras(model)
    x = np.random.default_rng(4).normal(0, 3, (2, 8, 4)).astype("float32")
    (found,) = execute(graph, np.moveaxis(x, -1, 1), Loaded(graph)).outputs.values()
    expected = np.asarray(keras.ops.convert_to_numpy(model(x)))
    assert np.allclose(np.moveaxis(found, 1, -1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("code", "ops"),
    [
        (lambda x, o: o.mean(x, axis=(1, 2)), ["global_avg_pool2d", "flatten"]),
        (lambda x, o: o.max(x, axis=-1, keepdims=True), ["amax"]),
        (lambda x, o: o.mean(x, axis=1), ["mean", "tokens"]),
        (lambda x, o: o.mean(o.max(x, axis=-1), axis=1), None),
        (lambda x, o: 1.0 - x, ["rescale"]),
        (lambda x, o: (2 / o.square(x)) / 3.0, ["power", "power", "multiply", "multiply"]),
        (lambda x, o: (x - o.mean(x, axis=-1, keepdims=True)) / (o.square(x) + 1.0), None),
        (lambda x, o: o.maximum(-x, 0.0), ["multiply", "relu"]),
        (lambda x, o: o.reciprocal(o.square(x) + 1.0) ** 2, None),
        (lambda x, o: o.transpose(x, (0, 2, 1, 3)), ["permute"]),
        (lambda x, o: o.moveaxis(o.swapaxes(x, 1, 2), -1, 1), None),
        (lambda x, o: o.multiply(*o.split(x, 2, axis=-1)), ["narrow", "narrow", "multiply"]),
        (lambda x, o: o.squeeze(o.max(x, axis=2, keepdims=True), 2), ["amax", "tokens"]),
        (lambda x, o: o.expand_dims(o.mean(x, axis=(1, 2)), 1), None),
        (lambda x, o: o.reshape(x, (-1, 24, 8)), ["permute", "reshape", "permute"]),
        (lambda x, o: o.max_pool(x, 2), ["max_pool2d"]),
        (lambda x, o: o.average_pool(x, 2, 1, "same"), ["avg_pool2d"]),
        (lambda x, o: o.image.resize(x, (16, 12)), ["interpolate"]),
        (lambda x, o: x[:, 0], ["narrow", "tokens"]),
        (lambda x, o: x[:, -1, :, 1:3], ["narrow", "narrow", "tokens"]),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_reductions_and_arithmetic_are_those_of_keras(code: Any, ops: list[str] | None) -> None:
    given = keras.Input((8, 6, 4))
    model = keras.Model(given, code(given, keras.ops))
    graph = from_keras(model)
    assert ops is None or [layer.op.kind for layer in graph][1:] == ops
    x = np.random.default_rng(4).normal(0, 3, (2, 8, 6, 4)).astype("float32")
    (found,) = execute(graph, np.moveaxis(x, -1, 1), Loaded(graph)).outputs.values()
    expected = np.asarray(keras.ops.convert_to_numpy(model(x)))
    found = np.moveaxis(found, 1, -1) if found.ndim > 2 else found
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        (lambda x, o: abs(x), (4, 8, 6)),
        (lambda x, o: o.exp(x), (4, 8, 6)),
        (lambda x, o: o.sum(x, axis=-1), (6, 8)),
        (lambda x, o: o.argmax(x, axis=1), (4, 6)),
        (lambda x, o: o.repeat(x, 2, axis=1), (4, 16, 6)),
        (lambda x, o: o.average(x, axis=1), (4, 6)),
        (lambda x, o: o.top_k(x, 3)[0], (3, 8, 6)),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_operations_without_an_op_keep_their_shapes(code: Any, shape: tuple[int, ...]) -> None:
    given = keras.Input((8, 6, 4))
    (row,) = analyse(from_keras(keras.Model(given, code(given, keras.ops)))).rows[1:]
    assert (row.op.kind, row.output_shape) == ("opaque", shape)


@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_operations_on_a_whole_batch_are_refused() -> None:
    given = keras.Input((8, 6, 4))
    for output in (keras.ops.mean(given), keras.ops.max(given, axis=0), keras.ops.transpose(given)):
        with pytest.raises(SpecError, match="counts one image"):
            from_keras(keras.Model(given, output))


class Doubled(keras.Model):  # type: ignore[misc, name-defined]
    """A model of a subclass, which uses a layer twice."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.last = keras.layers.Dense(16), keras.layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.last(self.dense(keras.ops.relu(self.dense(x))))


@pytest.mark.filterwarnings("ignore")  # of Keras: what its backend will drop
def test_models_of_subclasses_and_layers_that_stand_twice() -> None:
    shared = keras.layers.Dense(16)
    doubled, built = Doubled(), Doubled()
    x = np.random.default_rng(2).normal(0, 1, (2, 16)).astype("float32")
    built(x)
    sequential = keras.Sequential([keras.Input((16,)), shared, keras.layers.ReLU(), shared])
    for model, shape in ((doubled, (16,)), (built, None), (sequential, None)):
        graph = from_keras(model, shape)
        assert analyse(graph).totals.params == (16 * 16 + 16) + (16 * 3 + 3) * isinstance(model, Doubled)
        (found,) = execute(graph, x, Loaded(graph)).outputs.values()
        assert np.allclose(found, keras.ops.convert_to_numpy(model(x)), rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match="give it with --input"):
        from_keras(Doubled())


def test_the_counts_are_of_all_applications() -> None:
    known = {name for name in dir(keras.applications) if name[0].isupper()}
    assert set(COUNTS) == known
    assert all(json.loads(row["count_params"]) > 0 for row in COUNTS.values())
