"""Models that a function makes: those of Keras by their `to_json`, and modules that want several inputs."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.interop.keras_live import is_keras, read_model
from archcalc.interop.torch_export import _want_sizes
from tests.interop.keras_files import sequential
from tests.interop.test_keras import analysed


class Live:
    """What stands for a model of Keras: its JSON, and layers without weights in memory."""

    name, layers = "live", ()
    #: A functional model has them.
    operations = ()

    def to_json(self) -> str:
        return json.dumps(sequential("live", ("Dense", {"name": "d", "units": 2}), shape=[None, 3]))


def test_a_model_of_keras_is_read_without_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_keras(Live())
    keras: Any = ModuleType("keras")
    keras.Model, keras.Sequential = Live, type("Sequential", (), {})
    monkeypatch.setitem(sys.modules, "keras", keras)
    assert is_keras(Live())
    assert not is_keras(Live)
    network = read_model(Live(), (3, 7))
    assert analysed(network).rows[-1].output_shape == (2, 7)
    assert [dict(node.arrays) for node in network.nodes] == [{}]


class Two:
    def forward(self, x: Any, memory: Any, mask: Any = None) -> Any:
        return x, memory, mask


@pytest.mark.parametrize("given", [None, (3, 8, 8), {"x": (3, 8)}])
def test_each_input_needs_a_size(given: Any) -> None:
    with pytest.raises(UsageError, match="Two needs a size for each of its inputs, as in --input x=224x224x3,memory="):
        _want_sizes(Two(), given)


def test_all_sizes_are_given() -> None:
    _want_sizes(Two(), {"x": (3, 8), "memory": (4, 8)})
