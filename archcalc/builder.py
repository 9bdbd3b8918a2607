"""Networks built in code, checked layer by layer as specs are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from archcalc.api import checked_shape
from archcalc.core.errors import Problem, SpecError
from archcalc.core.shapes import Shape, format_shape, spec_shape
from archcalc.graph.layer_graph import LayerGraph, Output
from archcalc.objects import Network
from archcalc.spec.build import facts_of
from archcalc.spec.document import Variant
from archcalc.spec.expand import Expander
from archcalc.spec.faults import TooMuchError
from archcalc.spec.inputs import expand_inputs, input_places
from archcalc.spec.items import Step
from archcalc.spec.load import prelude, spec_of
from archcalc.spec.sizes import Scope
from archcalc.spec.source import MarkedDict, MarkedList, Source
from archcalc.spec.static import Checker

#: Where everything is that has no place in a file; taken out of every error.
_NOWHERE = (1, 1)


class GraphBuilder:
    """Builds a network layer by layer, and refuses what does not fit when it is added, with the errors of specs.

    Ops and their settings are those of specs (`conv2d`, `max_pool2d`, …), and so are the blocks that every spec may
    use (`conv_relu`, `conv_bn_relu`, `separable_conv2d`, …). A layer reads the one before it unless `inputs` names
    others; layers of several inputs merge branches.

    Args:
        name: The network's name.
        input: The size of its input as text, height×width×channels: `"32x32x3"`.
        input_shape: The same as (channels, height, width).
        inputs: Several inputs instead, the size of each by name; the first layer reads the first.
        facts: What is known of it: title, description, authors, year, paper, follows, reported, as in a spec.

    Raises:
        SpecError: for an input or a fact that cannot be, here and in every method where a layer is refused; nothing
            of a refused layer remains.

    >>> import archcalc as ac
    >>> builder = ac.GraphBuilder("tiny", "32x32x3", title="Tiny residual network", year=2026)
    >>> stem = builder.add("conv_bn_relu", "stem", out_channels=16, kernel_size=3, padding=1)
    >>> with builder.block("unit"):
    ...     left = builder.add("conv2d", out_channels=16, kernel_size=3, padding=1)
    ...     merged = builder.add("add", inputs=[left, stem])
    >>> builder.shape(), merged
    ((16, 32, 32), 'unit/add1')
    >>> builder.add("conv2d", "wide", out_channels=8, kernel_size=35)
    Traceback (most recent call last):
      ...
    archcalc.core.errors.SpecError: layer "wide" (conv2d): the window is larger than its input
        input 32×32×16, kernel_size 35, padding 0
        it fits with padding: 2, or kernel_size: 32
    >>> classes = builder.add("linear", "classes", out_features=10)
    >>> net = builder.build()
    >>> net, net.analyse().totals.params
    (<Network tiny: Tiny residual network, input 32×32×3, 6 layers>, 166634)

    """

    def __init__(
        self,
        name: str,
        input: str | None = None,
        *,
        input_shape: Shape | None = None,
        inputs: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        if [input, input_shape, inputs].count(None) != 2:
            raise SpecError(
                [
                    Problem(
                        'a network needs one input, input="32x32x3" or input_shape=(3, 32, 32), or several: inputs={…}'
                    )
                ]
            )
        size = str(spec_shape(checked_shape(input_shape))) if input_shape is not None else input
        given = {"input": size} if inputs is None else {"inputs": dict(inputs)}
        document = _marked({"name": name, "title": name, **given, **facts, "layers": []})
        with _without_places():
            spec = spec_of(Source("", document))
        spec = replace(spec, blocks=dict(prelude()))
        self._name, self._document = spec.document.name, spec.document
        self._facts = facts_of(spec, [Variant(), Variant()])
        self._expander = Expander(spec, {})
        self._checker = Checker(spec)
        with _without_places():
            self._expander.begin(input_places(document), expand_inputs(spec, document, {}))
        self._inputs = len(self._expander.layers)
        self._flow: tuple[int, ...] = (0,)
        self._scope = ""
        self._outputs: dict[str, Output] = {}

    def __repr__(self) -> str:
        return f"<GraphBuilder {self._name}: {len(self) - self._inputs} layers, output {format_shape(self.shape())}>"

    def __len__(self) -> int:
        return len(self._expander.layers)

    def add(
        self,
        op: str,
        name: str | None = None,
        *,
        inputs: str | Iterable[str] | None = None,
        weights: str | None = None,
        **fields: Any,
    ) -> str:
        """Add a layer, or a block of layers that specs may use, and return its full name.

        Args:
            op: What it does, by its name in specs: `conv2d`, `relu`, `add`, `conv_bn_relu`, …
            name: Its name; made of the op and a number unless given.
            inputs: The layers that it reads, by name; `"input"` is the network's input.
            weights: The layer, or for a block the block, whose weights it uses instead of its own.
            fields: The settings, as in specs.

        Raises:
            SpecError: for an unknown op, setting or layer, a name that is taken, a value or a shape that does not fit.

        """
        sources = inputs if inputs is None or isinstance(inputs, str) else list(inputs)
        given = {"name": name, "from": sources, "weights": weights, **fields}
        step = Step(op, _marked({key: value for key, value in given.items() if value is not None}), _NOWHERE)
        with self._whole_or_not():
            self._checker.problems.clear()
            self._checker.step(step, set())
            self._expander.faults.problems += self._checker.problems
            if not self._checker.problems:
                here = Scope({}, self._expander.sizes, self._flow, self._scope)
                self._flow = self._expander.step(step, self._flow, self._scope, here)
        return next(reversed(self._expander.names.known))

    @contextmanager
    def block(self, name: str) -> Iterator[str]:
        """Put the layers that are added inside into a block: they are named `name/…`, and tables can add them up.

        The name of the block, which the `with` statement gives, stands for its last layer once it is closed.

        >>> import archcalc as ac
        >>> builder = ac.GraphBuilder("nested", "8x8x3")
        >>> with builder.block("stage1"), builder.block("unit1"):
        ...     builder.add("relu")
        'stage1/unit1/relu1'
        """
        outer = self._scope
        with self._whole_or_not():
            scope = self._expander.names.given(outer, name, _NOWHERE)
        self._scope = scope
        try:
            yield scope
        finally:
            self._scope = outer
            self._expander.names.known[scope] = self._flow

    def output(
        self, layer: str | None = None, name: str = "output", loss_weight: float = 1.0, training_only: bool = False
    ) -> None:
        """Name an output of the network: the last layer, or another. Without any the last layer is the output.

        `loss_weight` is the weight of its loss; an output that is `training_only` is auxiliary. Raises `SpecError` for
        a layer that does not exist, a name that is taken, or a weight below 0.

        >>> import archcalc as ac
        >>> builder = ac.GraphBuilder("two_heads", "8x8x3")
        >>> body = builder.add("conv_relu", out_channels=4, kernel_size=3)
        >>> for head, size in (("boxes", 4), ("classes", 10)):
        ...     builder.output(builder.add("linear", head, inputs=body, out_features=size), head)
        >>> [(output.name, output.layer) for output in builder.build().outputs]
        [('boxes', 3), ('classes', 4)]
        """
        if name in self._outputs:
            raise SpecError([Problem(f"two outputs are named {name!r}")])
        if isinstance(loss_weight, bool) or not isinstance(loss_weight, (int, float)) or not 0 <= loss_weight < 1e308:
            raise SpecError([Problem(f"loss_weight must be a number from 0 on, not {loss_weight!r}")])
        index = self._flow[0] if layer is None else self._index(layer, f"output {name}")
        self._outputs[name] = Output(name, index, float(loss_weight), bool(training_only))

    def shape(self, layer: str | None = None) -> Shape:
        """The output shape of a layer or block, or of the last layer: (C, H, W), or (N,) once flat.

        Raises `SpecError` for a layer that does not exist.
        """
        shape = self._expander.sizes.shapes.of(self._flow[0] if layer is None else self._index(layer, "shape"))
        assert shape is not None, "a layer that fails is not kept"
        return shape

    def build(self) -> Network:
        """The network as it is now; more can be added, and built again. Raises `SpecError` without any layer."""
        expander, count = self._expander, self._inputs
        if len(self) == count:
            raise SpecError([Problem("the network has no layers")])
        used = {source for layer in expander.layers for source in layer.inputs}
        unread = [layer.name for index, layer in enumerate(expander.layers[:count]) if index not in used]
        if count > 1 and unread:
            raise SpecError([Problem(f"no layer reads the input {unread[0]!r}; read it with inputs={unread[0]!r}")])
        layers = tuple(layer._replace(location=None) for layer in expander.layers)
        outputs = tuple(self._outputs.values()) or (Output("output", self._flow[0]),)
        facts = {**self._facts, "reported": tuple(self._document.reported)}
        return Network.of(LayerGraph(self._name, layers, outputs, **facts))

    def _index(self, layer: str, reader: str) -> int:
        found: Sequence[tuple[int, ...]] = ()
        with self._whole_or_not():
            found = self._expander.sources(layer, self._scope, {}, _NOWHERE, reader)
        return found[0][0]

    @contextmanager
    def _whole_or_not(self) -> Iterator[None]:
        """Check what is added inside, its shapes included; where anything is wrong, nothing of it remains."""
        expander = self._expander
        flow, names, count = self._flow, expander.names.mark(), len(expander.layers)
        try:
            with _without_places():
                with suppress(TooMuchError):
                    yield
                problems = expander.faults.problems + expander.names.problems(expander.layers)
                if problems:
                    raise SpecError(problems)
                if any(expander.sizes.shapes.of(index) is None for index in range(count, len(expander.layers))):
                    raise SpecError(expander.sizes.shapes.problems)
        except BaseException:
            del expander.layers[count:]
            expander.sizes.shapes.forget(count)
            expander.names.back_to(names)
            expander.faults.problems.clear()
            expander.open_blocks.clear()
            self._flow = flow
            raise


@contextmanager
def _without_places() -> Iterator[None]:
    """Errors inside have no line and column: there is no file."""
    try:
        yield
    except SpecError as error:
        raise SpecError([problem._replace(location=None) for problem in error.problems]) from None


def _marked(value: Any) -> Any:
    """Plain data as it is read from a file."""
    if isinstance(value, dict):
        mapping = MarkedDict(_NOWHERE)
        for key, item in value.items():
            mapping[key] = _marked(item)
            mapping.keys_at[key] = mapping.values_at[key] = _NOWHERE
        return mapping
    if isinstance(value, (list, tuple)):
        sequence = MarkedList(_NOWHERE)
        sequence += [_marked(item) for item in value]
        sequence.items_at = [_NOWHERE] * len(value)
        return sequence
    return value
