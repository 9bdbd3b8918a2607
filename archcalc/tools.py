"""What the other commands do, as functions: solve, formula, run, plot and export.

A network is given itself, as an analysis, or as `load` takes it. Everything is imported where it is needed.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc import api
from archcalc.api import AnyNetwork, analysis_of
from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.displays import ALONG, Chart, Result, chart_of, look_of
from archcalc.graph.layer_graph import LayerGraph
from archcalc.objects import Network
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    import numpy

    from archcalc.execute.execution import Execution
    from archcalc.execute.runner.compare import Difference
    from archcalc.execute.weights import Weights


def solve(
    what: str | Path,
    unknown: str | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    ceil_mode: bool = False,
    **numbers: int | None,
) -> Result:
    """The unknown of an equation, of a layer or of a network: every value that solves it.

    Args:
        what: An equation in one letter; an op with a window (`conv2d`, `max_pool2d`, …); or a network.
        unknown: Of a network: the parameter to solve for, or `"input"`, the side of a square one.
        settings: Of a network: the values of its other parameters.
        ceil_mode: Round the output size up (pools only).
        numbers: Of a layer, along one axis: input, output, kernel_size, stride, padding, dilation; what is not given
            is unknown. Of a network the one number that it is to have: params, multiplications, activations or
            output.

    Returns:
        A result whose `value` has the solutions, and the nearest ones where there is none.

    Raises:
        UsageError: for numbers that do not belong there.
        SpecError: for an equation that cannot be read.

    >>> import archcalc as ac
    >>> [answer.padding for answer in ac.solve("conv2d", input=224, output=112, kernel_size=7, stride=2).value.answers]
    [3]
    >>> ac.solve("mobilenet", "alpha", params=2_585_560).to_dict()["solutions"]
    [{'alpha': 0.75, 'params': 2585560}]

    """
    from archcalc.explain.solve import equation, words
    from archcalc.explain.solve import network as net
    from archcalc.explain.solve.layer import NAMES, solve_layer
    from archcalc.ops import OPS

    if isinstance(what, str) and equation.is_equation(what) and "->" not in what:
        _only(numbers, (), "an equation")
        roots = equation.solve_equation(what)
        return solved(roots, equation.tell(roots), equation.as_dict(what, roots))
    if what in OPS:
        _only(numbers, NAMES, "a layer")
        solution = solve_layer(str(what), numbers, ceil_mode)
        return solved(solution, words.tell(solution), words.as_dict(solution))
    _only(numbers, net.MEASURES, "a network")
    wanted = [(measure, number) for measure, number in numbers.items() if number is not None]
    if unknown is None or len(wanted) != 1:
        raise UsageError(f"name the unknown of a network, and one of {', '.join(net.MEASURES)}")
    ((measure, target),) = wanted
    graph = api.load(what, settings)
    answer = net.solve_network(what, unknown, measure, target, settings or {})
    return solved(answer, net.tell(answer), net.as_dict(graph.name, unknown, measure, target, answer))


def _only(numbers: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for name in numbers:
        if name not in known:
            raise UsageError(f"{name} is not for {what}; it has {', '.join(known) or 'no numbers'}")


def solved(value: Any, lines: Sequence[str], data: Mapping[str, Any]) -> Result:
    """A solution with its text and its data."""

    def render(form: str) -> str:
        return json.dumps(data, ensure_ascii=False, indent=1) if form == "json" else "\n".join(lines)

    return Result(value, render, {".txt": "text", ".json": "json"})


def formula(
    network: str | Path,
    quantity: str = "params",
    *,
    settings: Mapping[str, Any] | None = None,
    input: str | None = None,
    symbols: Sequence[str] | None = None,
) -> Result:
    """A total of a network as a closed form in its parameters and its input size.

    Args:
        network: A catalogue name, a pattern or a spec; its parameters become symbols.
        quantity: `params`, `multiplications` or `activations`.
        settings: Parameters that stay numbers, with their values.
        input: The input size, `"224x224x3"`, where that stays a number.
        symbols: The parameters, and `input` or sides of it (`height`, `width`), that are to be symbols; by default
            all that can be.

    Returns:
        A result whose `value` is the `ClosedForm`; its `expression` is one of sympy.

    Raises:
        UsageError: for a quantity or a symbol that does not exist.

    >>> import archcalc as ac
    >>> print(ac.formula("alexnet", symbols=["classes"]))
    parameters = 4097*classes + 58281344

    """
    from archcalc.core.shapes import parse_shape
    from archcalc.explain.symbolic.closed import closed_form
    from archcalc.explain.symbolic.formats import render

    if quantity not in ("params", "multiplications", "activations"):
        raise UsageError(f"a formula is of params, multiplications or activations, not {quantity[:60]!r}")
    shape = None if input is None else parse_shape(input)
    form = closed_form(str(network), quantity, settings, shape, symbols)
    return Result(form, lambda kind: render(form, kind), {".txt": "text", ".tex": "latex", ".json": "json"})


@dataclass(frozen=True)
class Run:
    """A run of a network in numpy, and where it differs from the analysis: nowhere, if all is well."""

    execution: Execution
    differences: tuple[Difference, ...]
    #: The layers with random weights of a network that came with those of others.
    random: tuple[str, ...] = ()

    @property
    def outputs(self) -> Mapping[str, numpy.ndarray[Any, Any]]:
        """The maps of the network's outputs, by name, each with the batch first."""
        return self.execution.outputs

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.outputs.items())
        weights = ""
        if self.random:
            from archcalc.execute.model_weights import random_in

            weights = f"; not all weights: {random_in(self.random)}"
        return f"<Run of {len(self.execution.layers)} layers: {shapes}; {len(self.differences)} differences{weights}>"


def run(
    network: AnyNetwork,
    x: numpy.ndarray[Any, Any] | Mapping[str, numpy.ndarray[Any, Any]] | None = None,
    *,
    weights: str | Path | None = None,
    seed: int = 0,
    algorithm: str = "auto",
    count: bool = False,
) -> Run:
    """Run a network in numpy, and compare every shape and count with the analysis.

    Args:
        network: The network.
        x: The input, (N, C, H, W), or of several those by name; random numbers unless given.
        weights: An .npz or .safetensors file. By default the weights that came with a model file, and random numbers
            for layers that have none; where some have, `random` of the result names the others.
        seed: Another choice of random numbers.
        algorithm: `auto`, `fast`, `im2col` or `loops`.
        count: Count the multiplications that are done, one by one.

    Raises:
        UsageError: for a file, an algorithm or an input that cannot be used, or too little memory.

    >>> import archcalc as ac
    >>> ac.run("lenet5", count=True)
    <Run of 13 layers: output (1, 10); 0 differences>

    """
    from typing import get_args

    from archcalc.execute.calls import inputs_by_layer
    from archcalc.execute.model_weights import own_weights, without_weights
    from archcalc.execute.runner.compare import compare
    from archcalc.execute.runner.execute import Algorithm, execute
    from archcalc.execute.runner.files import load_weights
    from archcalc.execute.runner.inputs import random_inputs
    from archcalc.execute.runner.memory import check_memory

    known: tuple[Algorithm, ...] = get_args(Algorithm)
    chosen = next((one for one in known if one == algorithm), None)
    if chosen is None:
        raise UsageError(f"there is no algorithm {algorithm[:60]!r}; there are {', '.join(known)}")
    analysis = analysis_of(network)
    given = random_inputs(analysis.graph, analysis.batch, seed, analysis.dtype) if x is None else x
    batches = inputs_by_layer(analysis.graph, given)
    # Numbers of tokens are whole.
    batches = {index: batch.astype(analysis.dtype) if batch.dtype.kind in "iub" else batch
               for index, batch in batches.items()}  # fmt: skip
    given = {analysis.graph.layers[index].name: batch for index, batch in batches.items()}
    for index, batch in batches.items():
        shape = analysis.rows[index].output_shape
        if batch.ndim != len(shape) + 1 or batch.shape[1:] != shape:
            raise UsageError(f"the input must have the shape {('N', *shape)}, not {batch.shape}".replace("'", ""))
    if len(batches[0]) != analysis.batch or str(batches[0].dtype) != analysis.dtype:
        analysis = api.analyse(analysis.graph, len(batches[0]), str(batches[0].dtype), analysis.conventions)
    check_memory(analysis, keep_weights=weights is not None)
    arrays = own_weights(analysis, seed) if weights is None else load_weights(Path(weights), analysis)
    execution = execute(analysis.graph, given, arrays, chosen, count)
    random = () if weights is not None else tuple(without_weights(analysis))
    return Run(execution, tuple(compare(execution, analysis, memory=count)), random)


def plot(
    kind: str,
    *networks: AnyNetwork,
    over: str | None = None,
    values: Sequence[Any] = (),
    quantities: Sequence[str] | None = None,
    everything: bool = False,
    pareto: str | None = None,
    where: str | None = None,
    **look: Any,
) -> Chart:
    """A chart: of one network along its depth, of several next to each other, or of what a search found.

    Args:
        kind: `profile`, `memory` or `receptive_field` of one network; `compare` (accuracy over multiplications) or
            `timeline` of several, by default of the landmarks of the catalogue; `sweep` of one network over a
            parameter; `pareto` of the file that a search wrote, and `sweep` of such a file.
        networks: The networks, or the file of a search.
        over: Of a sweep: the parameter that changes, or `"input"`.
        values: Of a sweep: its values, in order; of a file those in it.
        quantities: Of a sweep: what is shown; by default all but the peak.
        everything: Of compare and timeline: the whole catalogue, not only its landmarks.
        pareto: Of pareto: what is across and upwards, `"multiplications,params:max"`.
        where: Of the file of a search: a condition; a sweep leaves out the rest, pareto draws it pale.
        look: theme, width, height, title.

    Raises:
        UsageError: for a chart, a network or a choice that does not exist.

    >>> import archcalc as ac
    >>> ac.plot("sweep", "mobilenet", over="alpha", values=[0.5, 1])
    <Chart: MobileNet over alpha>

    """
    if kind in ALONG:
        return chart_of(analysis_of(_single(kind, networks)), kind, **look)
    if kind == "pareto" or (kind == "sweep" and len(networks) == 1 and is_search_file(networks[0])):
        return _of_search(kind, networks, over, quantities, pareto, where, look)
    if kind == "sweep":
        from archcalc.render.charts.sweep import sweep

        network = _single(kind, networks)
        if over is None or not values or isinstance(network, LayerGraph | Analysis):
            raise UsageError("a sweep needs a network by its name, the parameter it is over, and values")
        analyses: list[Analysis] = [
            api.load(network, input=value).analyse() if over == "input" else api.load(network, {over: value}).analyse()
            for value in values
        ]
        return Chart(sweep(analyses, over, [str(value) for value in values], quantities, look_of(look)))
    from archcalc.render.charts import catalogue

    given = [analysis_of(network) for network in networks]
    if kind == "compare":
        from archcalc.render.charts.accuracy import comparable
        from archcalc.render.charts.compare import compare

        analyses = given or catalogue.compared(everything)
        reasons: dict[str, list[str]] = {}
        for name, why in comparable(analyses).missing:
            reasons.setdefault(why, []).append(name)
        notes = tuple(f"left out: {', '.join(names)}: {why}" for why, names in reasons.items())
        return Chart(compare(analyses, look_of(look)), notes)
    if kind == "timeline":
        from archcalc.render.charts.families import line_of_development
        from archcalc.render.charts.timeline import timeline

        analyses = given or catalogue.families(everything)
        if not given:
            width, height = catalogue.timeline_size(everything)
            look = {"width": width, "height": height, **look}
        return Chart(timeline(analyses, look_of(look)), line_of_development(analyses).notes)
    known = (*ALONG, "compare", "timeline", "sweep", "pareto")
    hint = did_you_mean(kind, known) or f"; there are {', '.join(known)}"
    raise UsageError(f"there is no chart {kind[:60]!r}{hint}")


def _of_search(
    kind: str,
    files: Sequence[AnyNetwork],
    over: str | None,
    quantities: Sequence[str] | None,
    pareto: str | None,
    where: str | None,
    look: Mapping[str, Any],
) -> Chart:
    from archcalc.design.search.found import read_found

    found = read_found(str(_single(kind, files)))
    if kind == "pareto":
        from archcalc.render.charts import pareto as charts

        if pareto is None:
            raise UsageError("a chart of a front needs pareto: what is across and upwards")
        return Chart(charts.pareto(found, pareto, where, look_of(look)))
    from archcalc.render.charts.sweep import sweep_of_search

    if over is None:
        raise UsageError("a sweep needs the parameter that it is over")
    return Chart(sweep_of_search(found, over, quantities, where, look_of(look)))


def is_search_file(network: AnyNetwork) -> bool:
    """Whether this names the file of a search, and no network."""
    return isinstance(network, (str, Path)) and Path(network).suffix.lower() in (".csv", ".parquet")


def _single(kind: str, networks: Sequence[AnyNetwork]) -> AnyNetwork:
    if len(networks) != 1:
        raise UsageError(f"the chart {kind} is of one network, not {len(networks)}")
    return networks[0]


#: What a network can be written for, by the endings of files; the first of an ending is its default.
EXPORTS = {
    "py": ("torch", "keras"),
    "onnx": ("onnx",),
    "prototxt": ("caffe",),
    "yaml": ("yaml",),
    "yml": ("yaml",),
    "mmd": ("mermaid",),
    "dot": ("dot",),
}


def export(
    network: AnyNetwork, path: str | Path, *, to: str | None = None, weights: str | Path | None = None, seed: int = 0
) -> None:
    """Write a network as code or as a file of another program.

    Args:
        network: The network.
        path: `.py` is PyTorch code, or with `to="keras"` Keras code; `.onnx`, `.prototxt`, `.yaml`, `.mmd`, `.dot`.
        to: torch, keras, onnx, caffe, yaml, mermaid or dot, where the ending does not say it.
        weights: Of an ONNX file: an .npz or .safetensors file, or `"random"`. By default those of a model file; where
            layers have none they get random numbers, with a warning.
        seed: Another choice of random numbers.

    Raises:
        UsageError: for an ending or a format that does not exist, and for a layer that the other program does not have.

    >>> import archcalc as ac
    >>> ac.export("lenet5", "lenet5.py")
    >>> from pathlib import Path
    >>> "class LeNet5(nn.Sequential):" in Path("lenet5.py").read_text(encoding="utf-8")
    True

    """
    from archcalc.core.files import write_bytes

    fits = EXPORTS.get(Path(path).suffix.lower().lstrip("."), ())
    target = to or next(iter(fits), None)
    if target is None or target not in {one for known in EXPORTS.values() for one in known}:
        raise UsageError(f"{path}: there is nothing to write; endings are {', '.join(f'.{one}' for one in EXPORTS)}")
    if weights is not None and target != "onnx":
        raise UsageError("weights are for files that hold weights; .onnx does")
    made = Network.of(analysis_of(network).graph)
    data = exported(made, target, weights, seed)
    if target == "onnx" and weights is None:
        from archcalc.execute.model_weights import not_its_own

        if text := not_its_own(made.analyse()):
            warnings.warn(f"{path}: {text}", UserWarning, stacklevel=2)
    write_bytes(data, str(path))


def exported(network: Network, target: str, weights: str | Path | Weights | None = None, seed: int = 0) -> bytes:
    """A network for one of the programs of `EXPORTS`.

    Its weights are given, those of a file, random ones ("random"), or its own, which are random where it has none.
    """
    if target == "torch":
        return network.to_torch_code().encode()
    if target == "keras":
        return network.to_keras_code().encode()
    if target == "yaml":
        return network.to_yaml().encode()
    analysis = network.analyse()
    if target == "caffe":
        from archcalc.interop.export.prototxt import to_prototxt

        return to_prototxt(analysis).encode()
    if target != "onnx":
        from archcalc.render.diagrams.choices import Choices
        from archcalc.render.diagrams.draw import draw

        return draw(analysis, "mmd" if target == "mermaid" else "dot", Choices()).data
    from archcalc.interop.export.onnx_file import to_onnx
    from archcalc.interop.export.onnx_graph import package

    package()
    from archcalc.execute.model_weights import own_weights
    from archcalc.execute.runner.files import load_weights
    from archcalc.execute.weights import SeededWeights

    if weights is None:
        return to_onnx(analysis, own_weights(analysis, seed))
    if weights == "random":
        return to_onnx(analysis, SeededWeights(analysis.graph, seed, analysis.dtype))
    return to_onnx(analysis, load_weights(Path(weights), analysis) if isinstance(weights, str | Path) else weights)
