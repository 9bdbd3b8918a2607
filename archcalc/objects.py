"""The networks and analyses that users of the library hold: those of the passes, with what notebooks need of them.

Everything inside archcalc works on `LayerGraph` and `passes.analysis.Analysis`; these classes add the ways out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from archcalc.core.conventions import Conventions
from archcalc.core.errors import SpecError, UnknownLayerError, UsageError
from archcalc.core.quantities import quantity
from archcalc.core.suggest import did_you_mean
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes import analysis as passes
from archcalc.passes.analysis import Row

if TYPE_CHECKING:
    import graphviz
    import networkx
    import pandas

    from archcalc.displays import Chart, Derivations, Drawing

#: A table in a notebook shows this many rows of a long network, the first and the last.
MOST_ROWS = 100


class Network(LayerGraph):
    """A network: its layers in the order in which they run, and what was published of it.

    Made by `load`, `from_yaml` or `GraphBuilder`. It iterates over its layers; `layers[0]` is the input. Networks are
    equal where all that they know is.

    >>> import archcalc as ac
    >>> net = ac.load("alexnet")
    >>> net
    <Network alexnet: AlexNet, input 227×227×3, 23 layers>
    >>> net.year, net.input_shape, [layer.name for layer in net][:3]
    (2012, (3, 227, 227), ['input', 'conv1', 'relu1'])
    >>> net == ac.from_yaml(net.to_yaml())
    True
    """

    @classmethod
    def of(cls, graph: LayerGraph) -> Self:
        """The same network as an object of this class."""
        return graph if isinstance(graph, cls) else cls(**_fields_of(graph))

    def __repr__(self) -> str:
        title = f" {self.title}," if self.title and self.title != self.name else ""
        return f"<Network {self.name}:{title} input {self.inputs_in_words()}, {len(self) - len(self.inputs)} layers>"

    def _repr_html_(self) -> str:
        analysis = self.analyse(partial=True)
        return analysis._repr_html_()

    def analyse(
        self, batch: int = 1, dtype: str = "float32", conventions: Conventions | None = None, partial: bool = False
    ) -> Analysis:
        """All numbers of the network, as `archcalc.analyse` gives them.

        >>> import archcalc as ac
        >>> ac.load("vgg16").analyse(batch=8).totals.peak_activation_bytes
        205520896
        """
        analysis = Analysis.of(passes.analyse(self, batch, dtype, conventions, partial=True))
        if analysis.problems and not partial:
            from archcalc.design.inputs import add_input_hints

            raise SpecError(add_input_hints(self, analysis.problems, analysis.conventions.strict))
        return analysis

    def draw(self, style: str | None = None, **choices: Any) -> Drawing:
        """A picture of the network, as `Analysis.draw` gives it."""
        return self.analyse().draw(style, **choices)

    def to_yaml(self) -> str:
        """The network as a spec, layer by layer, with all that it knows: it loads again to an equal network.

        Raises `UsageError` for a parameter whose value no decimal number is.

        >>> import archcalc as ac
        >>> print(ac.load("8x8x3 -> conv3-4 -> fc10").to_yaml())
        name: pattern
        title: "8x8x3 -> conv3-4 -> fc10"
        input: 8x8x3
        layers:
          - conv2d: {name: conv1, kernel_size: 3, padding: same, out_channels: 4}
          - linear: {name: fc1, out_features: 10}
        <BLANKLINE>
        """
        from archcalc.spec.write import write_graph

        return write_graph(self)

    def to_torch_code(self) -> str:
        r"""A module of Python that defines the network as a `torch.nn.Module`; PyTorch is not needed to write it.

        Blocks are classes, those that are equal up to numbers one class, equal blocks in a row a loop, and the names
        of layers stay. Raises `UsageError` for a layer that PyTorch has no words for.

        >>> import archcalc as ac
        >>> print(*ac.load("8x8x3 -> conv3-4 -> relu -> fc10").to_torch_code().splitlines()[8:], sep="\n")
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
                self.relu1 = nn.ReLU()
                self.fc1_flatten = nn.Flatten()
                self.fc1 = nn.Linear(256, 10)
        """
        from archcalc.interop.export.torch_code import to_torch_code

        return to_torch_code(self.analyse())

    def torch_keys(self) -> dict[str, str]:
        """For each array, `LAYER.ARRAY`, its key in the `state_dict` of the module that `to_torch_code` defines.

        Shapes and layouts are equal, so that weights need no other change than their names.

        >>> import archcalc as ac
        >>> ac.load("resnet18").torch_keys()["conv2_x/unit1/basic/conv1/conv.weight"]
        'conv2_x.unit1.basic.conv1.conv.weight'
        """
        from archcalc.interop.export.torch_code import state_keys

        return state_keys(self.analyse())

    def to_keras_code(self) -> str:
        r"""A module of Python with a function that makes the network as a `keras.Model`, channels last.

        Blocks are functions, equal blocks in a row a loop; the names of layers have `-` for `/`. Raises `UsageError`
        for a layer that Keras has no words for.

        >>> import archcalc as ac
        >>> print(*ac.load("8x8x3 -> conv3-4 -> relu -> pool2").to_keras_code().splitlines()[8:], sep="\n")
            inputs = x = keras.Input((8, 8, 3), name="input")
            x = layers.Conv2D(4, 3, padding="same", name="conv1")(x)
            x = layers.ReLU(name="relu1")(x)
            x = layers.MaxPooling2D(2, name="pool1")(x)
            return keras.Model(inputs, x, name="pattern")
        """
        from archcalc.interop.export.keras_code import to_keras_code

        return to_keras_code(self.analyse())

    def to_networkx(self) -> networkx.DiGraph[str]:
        """A directed graph of networkx: nodes by the names of layers, each with its `layer` as an attribute.

        >>> import archcalc as ac
        >>> graph = ac.load("resnet18").to_networkx()
        >>> sum(degree > 1 for _, degree in graph.out_degree())
        8
        """
        from archcalc.interop.networkx import to_networkx

        return to_networkx(self)


class Analysis(passes.Analysis):
    """The numbers of a network: a `Row` for each layer, and `totals`.

    Shapes are (channels, height, width), or (features,) once flat. Counts are per image, bytes for the whole batch.
    In a notebook it shows itself as a table.

    >>> import archcalc as ac
    >>> analysis = ac.analyse("alexnet")
    >>> analysis
    <Analysis of AlexNet: 23 layers, 62,378,344 parameters, 1,135,256,096 multiplications>
    >>> [row.name for row in analysis if row.params][:3]
    ['conv1', 'conv2', 'conv3']
    >>> analysis["conv1"].output_shape, analysis.totals.params
    ((96, 55, 55), 62378344)
    """

    @classmethod
    def of(cls, analysis: passes.Analysis) -> Self:
        """The same analysis as an object of this class."""
        return analysis if isinstance(analysis, cls) else cls(**_fields_of(analysis))

    @cached_property
    def network(self) -> Network:
        """The network that was analysed."""
        return Network.of(self.graph)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, name: object) -> bool:
        """Whether there is a layer or block of this name, or this row."""
        if isinstance(name, str):
            return name in self.by_name or name in self.blocks
        return name in self.rows

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """The names of all blocks, outer ones before those inside.

        >>> import archcalc as ac
        >>> ac.analyse("resnet18").blocks[:3]
        ('conv1', 'conv2_x', 'conv2_x/unit1')
        """
        found: dict[str, None] = {}
        for row in self.rows:
            parts = row.name.split("/")
            found.update(dict.fromkeys("/".join(parts[:depth]) for depth in range(1, len(parts))))
        return tuple(found)

    def __getitem__(self, name: str) -> Row:
        """The row of a layer, or the sums of a block as one row.

        Raises `KeyError` with the nearest names.

        >>> import archcalc as ac
        >>> analysis = ac.analyse("resnet18")
        >>> analysis["conv2_x"].params, analysis["conv2_x"].output_shape, analysis["conv2_x"].op.summary()
        (147968, (64, 56, 56), '14 layers')
        >>> ac.analyse("lenet5")["c11"]
        Traceback (most recent call last):
          ...
        archcalc.core.errors.UnknownLayerError: lenet5 has no layer or block 'c11'; did you mean C1?
        """
        row = self.by_name.get(name)
        if row is None:
            from archcalc.passes.blocks import block_of

            row = block_of(self.rows, name) if isinstance(name, str) else None
        if row is None:
            hint = did_you_mean(str(name), [*self.blocks, *self.by_name])
            raise UnknownLayerError(f"{self.graph.name} has no layer or block {str(name)[:80]!r}{hint}")
        return row

    # --- what is shown

    def __repr__(self) -> str:
        title = self.graph.title or self.graph.name
        failed = f", {len(self.problems)} problems" if self.problems else ""
        return (
            f"<Analysis of {title}: {len(self) - 1} layers, {self.totals.params:,} parameters, "
            f"{quantity('multiplications').total_text(self.totals)} multiplications{failed}>"
        )

    def __str__(self) -> str:
        return self._render("table", None, None, "hwc")

    def _repr_html_(self) -> str:
        from archcalc.render.tables.html import render

        return render(self, MOST_ROWS)

    def draw(self, style: str | None = None, **choices: Any) -> Drawing:
        """A picture: `graph` (every layer), `blocks`, `volumes`; the default fits the size of the network.

        Other choices are the options of `archcalc draw`: depth, only, color_by, highlight, theme, direction, fit,
        font, font_size, title, scale, sizes, expand, steps. Raises `UsageError` for one that does not exist.

        >>> import archcalc as ac
        >>> ac.analyse("vgg16").draw(style="volumes", theme="dark")
        <Drawing of VGG-16>
        """
        from archcalc.displays import Drawing
        from archcalc.render.diagrams.choices import Choices

        known = [field.name for field in fields(Choices)]
        for name in choices:
            if name not in known:
                raise UsageError(f"draw has no choice {name!r}{did_you_mean(name, known)}; it has {', '.join(known)}")
        return Drawing(self, Choices(style=style, **choices))

    def plot(self, kind: str = "profile", **look: Any) -> Chart:
        """A chart of this network: `profile`, `memory` or `receptive_field`; as `archcalc.plot` draws it.

        >>> import archcalc as ac
        >>> ac.analyse("alexnet").plot("memory", title="Memory")
        <Chart: Memory>
        """
        from archcalc.displays import chart_of

        return chart_of(self, kind, **look)

    def explain(self, layer: str | None = None, quantity: str | None = None) -> Derivations:
        """How each number of a layer is calculated: the formula, the numbers put in, the result.

        Of a block: of all its layers. With `quantity` only that (params, multiplications, height, …); without a layer
        the sum over the network, term by term. Raises `UsageError` for a layer or quantity that does not exist.

        >>> import archcalc as ac
        >>> ac.analyse("alexnet").explain("conv1", "height")
        conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3
        <BLANKLINE>
          height  H₂ = (H₁ − F + 2P)/S + 1 = (227 − 11 + 2·0)/4 + 1 = 216/4 + 1 = 55
        """
        from archcalc.displays import Derivations

        return Derivations(self, layer, quantity)

    # --- other forms

    def to_pandas(self) -> pandas.DataFrame:
        """A `pandas.DataFrame` with a row for each layer, by its name. Needs pandas.

        >>> import archcalc as ac
        >>> table = ac.analyse("alexnet").to_pandas()
        >>> table.loc["conv1", "output_shape"], int(table["multiplications"].sum())
        ((96, 55, 55), 1135256096)
        """
        from archcalc.interop.pandas import to_pandas

        return to_pandas(self)

    def to_graphviz(self) -> graphviz.Digraph:
        """A `graphviz.Digraph` with the same layers and edges, to be changed and drawn by Graphviz.

        >>> import archcalc as ac
        >>> dot = ac.analyse("lenet5").to_graphviz()
        >>> dot.node("conv1", color="red")
        """
        from archcalc.interop.graphviz import to_graphviz

        return to_graphviz(self)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, `archcalc.report/1` of docs/json.md.

        >>> import archcalc as ac
        >>> ac.analyse("alexnet").to_dict()["totals"]["params"]
        62378344
        """
        data: dict[str, Any] = json.loads(self.to_json())
        return data

    def to_json(self) -> str:
        """The report as JSON, `archcalc.report/1`.

        >>> import archcalc as ac
        >>> ac.analyse("lenet5").to_json().splitlines()[1]
        ' "schema": "archcalc.report/1",'
        """
        return self._render("json", None, None, "hwc")

    def to_markdown(
        self, columns: str | Sequence[str] | None = None, depth: int | None = None, layout: str = "hwc"
    ) -> str:
        r"""The table and its notes as Markdown.

        `columns` by key (`"all"`: every one), blocks below `depth` levels of names as one row, shapes as `hwc` or
        `chw`. Raises `UsageError` for a column that does not exist.

        >>> import archcalc as ac
        >>> print(*ac.analyse("8x8x3 -> fc10").to_markdown(["layer", "params"]).splitlines()[4:9], sep="\n")
        | layer | params |
        | :--- | ---: |
        | input | – |
        | fc1 | 1,930 |
        | **total** | **1,930** |
        """
        return self._render("markdown", columns, depth, layout)

    def to_csv(self, columns: str | Sequence[str] | None = None, depth: int | None = None, layout: str = "hwc") -> str:
        """The table as CSV, with plain numbers; the choices are those of `to_markdown`.

        >>> import archcalc as ac
        >>> ac.analyse("8x8x3 -> fc10").to_csv(columns="layer,params").split()
        ['layer,params', 'input,0', 'fc1,1930', 'total,1930']
        """
        return self._render("csv", columns, depth, layout)

    def to_latex(
        self, columns: str | Sequence[str] | None = None, depth: int | None = None, layout: str = "hwc"
    ) -> str:
        """The table for a LaTeX document; the choices are those of `to_markdown`.

        >>> import archcalc as ac
        >>> ac.analyse("lenet5").to_latex().count("begin{")
        2
        """
        return self._render("latex", columns, depth, layout)

    def to_html(self) -> str:
        """A page of its own: diagrams, the table, and the derivation of each layer that is clicked.

        >>> import archcalc as ac
        >>> ac.analyse("lenet5").to_html()[:15]
        '<!doctype html>'
        """
        from archcalc.render.pages.report import render
        from archcalc.render.tables.report import make_report

        return render([make_report(self)]).text

    def _render(self, form: str, columns: str | Sequence[str] | None, depth: int | None, layout: str) -> str:
        from archcalc.render.tables import formats
        from archcalc.render.tables.report import make_report

        if layout not in ("hwc", "chw"):
            raise UsageError(f"a layout is hwc or chw, not {layout!r}")
        if depth is not None and depth < 1:
            raise UsageError(f"depth is a number of levels from 1 on, not {depth}")
        keys = columns if columns is None or isinstance(columns, str) else ",".join(columns)
        return formats.render([make_report(self, keys, layout, depth)], form)


def _fields_of(one: LayerGraph | passes.Analysis) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}
