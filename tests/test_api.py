"""The library as its users see it: networks, analyses, and what they show."""

from __future__ import annotations

import copy
import doctest
import inspect
import json
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import archcalc as ac
from archcalc.graph.layer_graph import LayerGraph
from archcalc.spec import catalogue
from tests.cli.runner import Run

SMALL = """\
name: small
title: Small
input: 8x8x3
layers:
  - conv2d: {name: conv1, out_channels: 4, kernel_size: 3, padding: 1}
  - linear: {out_features: 10}
"""
#: Every module with an example, by its path in the package.
SOURCES = Path(ac.__file__).parent
MODULES = sorted(
    ".".join(("archcalc", *path.relative_to(SOURCES).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCES.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8") and path.name != "notebook.py"
)
#: Examples that need what not everybody has: PyTorch, which the tier `peers` has, and the page of the playground.
NEEDY = {"archcalc.api.from_torch", "archcalc.notebook.widget"}


def run_examples(module: str, needy: bool = False) -> None:
    """The examples of a module, those that need more or the others."""
    parts = [one for one in doctest.DocTestFinder(exclude_empty=True).find(import_module(module)) if one.examples]
    chosen = [one for one in parts if (one.name in NEEDY) == needy]
    assert chosen
    for one in chosen:
        assert not doctest.DocTestRunner().run(one).failed, one.name


@pytest.fixture(scope="module")
def alexnet() -> ac.Analysis:
    return ac.analyse("alexnet")


@pytest.fixture(scope="module")
def resnet() -> ac.Analysis:
    return ac.analyse("resnet18")


# --- examples


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_examples(module)


@pytest.mark.peers
def test_an_example_with_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    run_examples("archcalc.api", needy=True)


@pytest.mark.skipif(not (SOURCES / "cli/serve/page/dist").is_dir(), reason="the page was not built")
def test_an_example_with_the_page() -> None:
    run_examples("archcalc.notebook", needy=True)


def public() -> list[tuple[str, Any]]:
    """Every public function and class, and the public methods of those that archcalc defines for its users."""
    found: list[tuple[str, Any]] = [(name, getattr(ac, name)) for name in ac.__all__ if not name.startswith("__")]
    for owner in (ac.Network, ac.Analysis):
        found += [(f"{owner.__name__}.{name}", member) for name, member in vars(owner).items() if name[0] != "_"]
    return found


@pytest.mark.parametrize(("name", "member"), public(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_public_name_is_described(name: str, member: Any) -> None:
    text = inspect.getdoc(member.__func__ if isinstance(member, classmethod) else member)
    assert text
    assert len(text) > 20
    if "." not in name:
        assert ">>> " in text, "it has no example"


# --- networks


def test_load_takes_a_name_a_variant_a_pattern_and_a_path(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL, encoding="utf-8")
    assert ac.load("ResNet-18").name == "resnet18"
    assert ac.load("alexnet@grouped").name == "alexnet@grouped"
    assert ac.load("8x8x3 -> fc10").analyse().totals.params == 8 * 8 * 3 * 10 + 10
    assert ac.load(file) == ac.load(str(file)) == ac.from_yaml(SMALL)
    assert isinstance(ac.load(file), ac.Network)


def test_a_path_is_a_file_even_where_a_network_has_its_name() -> None:
    with pytest.raises(ac.UsageError, match="alexnet"):
        ac.load(Path("alexnet"))


def test_a_family_given_as_text_is_its_first_member_or_the_named_one() -> None:
    text = next(catalogue.SPECS.rglob("vgg.yaml")).read_text(encoding="utf-8")
    assert ac.from_yaml(text) == ac.load("vgg11")
    assert ac.from_yaml(text, network="vgg16@bn") == ac.load("vgg16@bn")
    with pytest.raises(ac.UsageError, match="the spec has no network 'vgg61'; did you mean vgg1"):
        ac.from_yaml(text, network="vgg61")


def test_faults_in_text_are_placed() -> None:
    with pytest.raises(ac.SpecError, match=r"^<text>:5:5: there is no op or block 'conv2'; did you mean"):
        ac.from_yaml(SMALL.replace("conv2d", "conv2"))


@pytest.mark.parametrize("given", [{"input": "160x160x3"}, {"input_shape": (3, 160, 160)}])
def test_an_input_is_given_as_text_or_channels_first(given: Any) -> None:
    assert ac.load("mobilenet", **given).input_shape == (3, 160, 160)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_shape": (160, 160, 3)}, r"so \(160, 160, 3\) has 160 channels, and mobilenet takes 3: write "
                                         r'input_shape=\(3, 160, 160\) or input="160x160x3"$'),
        ({"input_shape": (160, 160)}, r"mobilenet reads height×width×channels, as 224×224×3; 160×160 has 2 numbers"),
        ({"input_shape": (1, 2, 3, 4, 5)}, r"input_shape is \(channels, height, width\), or with none, one or three"),
        ({"input_shape": 160}, "not 160"),
        ({"input_shape": (3, 0, 160)}, r"not \(3, 0, 160\)"),
        ({"input_shape": (3, 160.0, 160)}, r"not \(3, 160\.0, 160\)"),
        ({"input_shape": (3, 1, 1), "input": "1x1x3"}, "two ways to say the same"),
        ({"input": "160"}, "height×width×channels"),
    ],
)  # fmt: skip
def test_an_input_that_is_none_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ac.UsageError, match=message):
        ac.load("mobilenet", **given)


@pytest.mark.parametrize("shape", [(1, 224, 224), (4, 64, 64), (3, 224, 3), (5, 5, 5)])
def test_another_number_of_channels_can_be_meant(shape: tuple[int, int, int]) -> None:
    assert ac.load("mobilenet", input_shape=shape).input_shape == shape


def test_a_network_keeps_its_class_on_another_input() -> None:
    net = ac.load("alexnet").with_input((3, 67, 67))
    assert isinstance(net, ac.Network)
    assert net.analyse().rows[1].output_shape == (96, 15, 15)


def test_a_network_comes_back_from_yaml_and_pickle_and_copies() -> None:
    net = ac.load("resnet50@v1", {"classes": 5}, input="192x192x3")
    for other in (ac.from_yaml(net.to_yaml()), pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net)):
        assert other == net
        assert hash(other) == hash(net)
        assert type(other) is ac.Network
    assert net != ac.load("resnet50@v1")


def test_a_network_in_a_notebook_is_its_table() -> None:
    assert ac.load("lenet5")._repr_html_() == ac.analyse("lenet5")._repr_html_()


# --- analyses


def test_rows_are_iterated_counted_and_found(alexnet: ac.Analysis) -> None:
    assert [row.name for row in alexnet] == [layer.name for layer in alexnet.network]
    assert len(alexnet) == len(alexnet.network) == 24
    assert alexnet["conv1"] is alexnet.rows[1]
    assert "conv1" in alexnet
    assert alexnet.rows[3] in alexnet
    assert "conv" not in alexnet
    assert 5 not in alexnet


def test_an_analysis_takes_what_load_takes(alexnet: ac.Analysis) -> None:
    plain = catalogue.load("alexnet")
    assert type(plain) is LayerGraph
    assert ac.analyse(plain).totals == ac.load("alexnet").analyse().totals == alexnet.totals
    assert type(ac.analyse(plain)) is ac.Analysis


def test_a_block_is_the_sum_of_its_layers(resnet: ac.Analysis) -> None:
    block = resnet["conv2_x"]
    inside = [row for row in resnet if row.name.startswith("conv2_x/")]
    # Two units of two 3×3 convolutions with 64 channels, each with batch norm.
    assert block.params == 4 * (64 * 64 * 9 + 128) == sum(row.params for row in inside)
    assert block.multiplications == 4 * 64 * 64 * 9 * 56 * 56
    assert block.output_shape == inside[-1].output_shape
    assert block.inputs == ("pool1",)
    assert block.name == "conv2_x"
    assert "conv2_x/unit2" in resnet
    assert resnet["conv2_x/unit1"].params + resnet["conv2_x/unit2"].params == block.params


def test_every_block_adds_up(resnet: ac.Analysis) -> None:
    outer = [name for name in resnet.blocks if "/" not in name]
    single = [row for row in resnet if "/" not in row.name]
    assert sum(resnet[name].params for name in outer) + sum(row.params for row in single) == resnet.totals.params


@pytest.mark.parametrize("name", ["conv_1", "conv2x", "Conv2_x", "nothing like it", ""])
def test_a_missing_layer_is_a_key_error_in_words(resnet: ac.Analysis, name: str) -> None:
    with pytest.raises(KeyError) as missing:
        _ = resnet[name]
    assert isinstance(missing.value, ac.UsageError)
    assert str(missing.value).startswith(f"resnet18 has no layer or block {name!r}")
    assert ("did you mean conv2_x" in str(missing.value)) == (name in ("conv2x", "Conv2_x"))


def test_the_index_is_a_name(resnet: ac.Analysis) -> None:
    with pytest.raises(KeyError, match="no layer or block '3'"):
        _ = resnet[3]  # type: ignore[index]  # a mistake that a notebook does not see


def test_an_analysis_can_be_pickled_copied_and_compared(alexnet: ac.Analysis) -> None:
    _ = alexnet.totals, alexnet.blocks
    for other in (pickle.loads(pickle.dumps(alexnet)), copy.copy(alexnet), copy.deepcopy(alexnet)):
        assert other == alexnet
        assert hash(other) == hash(alexnet)
        assert other["conv1"].params == 34944
    assert ac.analyse("alexnet") == alexnet != ac.analyse("alexnet", batch=2)


def test_a_layer_that_does_not_fit_names_inputs_that_do() -> None:
    with pytest.raises(ac.SpecError, match=r"network inputs near 32×32×3 that work|smallest square network input"):
        ac.load("alexnet", input="32x32x3").analyse()
    partial = ac.load("alexnet", input="32x32x3").analyse(partial=True)
    assert partial.problems
    assert 1 < len(partial) < 24
    assert f"{len(partial.problems)} problems" in repr(partial)
    assert "the window is larger than its input" in partial._repr_html_()


# --- what is shown


def test_a_repr_is_one_short_line(alexnet: ac.Analysis) -> None:
    for shown in (repr(alexnet), repr(alexnet.network), repr(alexnet.draw(style="graph"))):
        assert shown[0] == "<"
        assert shown[-1] == ">"
        assert "\n" not in shown
        assert len(shown) < 100


def test_printed_it_is_the_table_of_the_command_line(alexnet: ac.Analysis, archcalc: Run) -> None:
    assert str(alexnet) == archcalc("report", "alexnet").out


@pytest.mark.parametrize(("form", "method"), [("json", "to_json"), ("markdown", "to_markdown"), ("csv", "to_csv"),
                                              ("latex", "to_latex"), ("html", "to_html")])  # fmt: skip
def test_forms_are_those_of_the_command_line(form: str, method: str, alexnet: ac.Analysis, archcalc: Run) -> None:
    assert getattr(alexnet, method)() == archcalc("report", "alexnet", "-f", form).out


def test_plain_data_is_the_documented_json(alexnet: ac.Analysis) -> None:
    data = alexnet.to_dict()
    assert data == json.loads(alexnet.to_json())
    assert data["schema"] == "archcalc.report/1"
    assert data["layers"][1]["output_shape"] == [96, 55, 55]


def test_columns_and_depth_of_a_table(resnet: ac.Analysis) -> None:
    assert resnet.to_csv(["layer", "params"], depth=1).splitlines()[:3] == ["layer,params", "input,0", "conv1,9536"]
    assert "3×224×224" in resnet.to_markdown(layout="chw")
    with pytest.raises(ac.UsageError, match="no column 'parms'; did you mean params"):
        resnet.to_csv("parms")
    with pytest.raises(ac.UsageError, match="depth is a number of levels from 1 on, not 0"):
        resnet.to_csv(depth=0)
    with pytest.raises(ac.UsageError, match="a layout is hwc or chw, not 'nchw'"):
        resnet.to_csv(layout="nchw")


def cells_of(html: str) -> list[list[str]]:
    root = ElementTree.fromstring(html)
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def test_the_table_of_a_notebook_has_the_numbers(alexnet: ac.Analysis) -> None:
    head, *rows, total = cells_of(alexnet._repr_html_())
    params = head.index("params")
    assert [row[0] for row in rows] == [row.name for row in alexnet]
    assert dict(zip((row[0] for row in rows), (row[params] for row in rows), strict=True))["conv1"] == "34,944"
    assert total[params] == "62,378,344"


def test_a_long_table_shows_blocks_or_its_ends() -> None:
    deep = ac.analyse("resnet152")
    rows = cells_of(deep._repr_html_())
    assert "conv4_x" in [row[0] for row in rows]
    assert len(rows) < 20
    flat = ac.analyse("8x8x3 -> [relu]*500")
    rows = cells_of(flat._repr_html_())
    assert len(rows) == 1 + 50 + 1 + 50 + 1
    assert rows[51] == ["… 401 more …"]
    assert rows[-2][0] == "relu500"


def test_names_are_no_markup_in_a_notebook() -> None:
    net = ac.from_yaml(SMALL.replace("name: conv1", 'name: "<script>alert(1)<|script>"'))
    assert "<script>" not in net._repr_html_()
    assert "&lt;script&gt;" in net._repr_html_()


def test_a_drawing_is_a_picture(alexnet: ac.Analysis, tmp_path: Path) -> None:
    drawing = alexnet.draw(style="blocks", theme="dark")
    root = ElementTree.fromstring(drawing._repr_svg_())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "conv1" in drawing.svg
    for name, start in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.pdf", b"%PDF-"), ("a.dot", b"digraph")):
        drawing.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dot", "a.pdf", "a.png", "a.svg"]


@pytest.mark.parametrize("name", ["a.gif", "a", "missing/a.svg"])
def test_a_drawing_that_cannot_be_saved(alexnet: ac.Analysis, tmp_path: Path, name: str) -> None:
    with pytest.raises(ac.UsageError):
        alexnet.draw(style="graph").save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_drawing_in_steps_is_a_series_of_files(tmp_path: Path) -> None:
    ac.load("lenet5").draw(steps=True).save(tmp_path / "lenet5.svg")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == "lenet5-01.svg"
    assert len(names) > 3


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"style": "block"}, "no style 'block'"),
        ({"colour": "params"}, "draw has no choice 'colour'; did you mean color_by"),
    ],
)
def test_a_choice_that_does_not_exist(alexnet: ac.Analysis, choices: Any, message: str) -> None:
    with pytest.raises(ac.UsageError, match=message):
        alexnet.draw(**choices)


def test_a_derivation_as_text_and_mathematics(alexnet: ac.Analysis, tmp_path: Path, archcalc: Run) -> None:
    found = alexnet.explain("conv1")
    assert str(found) == repr(found) == archcalc("explain", "alexnet", "conv1").out.rstrip("\n")
    assert "(11·11·3 + 1)·96 = 364·96 = 34,944" in str(found)
    assert "<math>" in found._repr_html_()
    assert "$" in found._repr_markdown_()
    assert found.to_latex() == archcalc("explain", "alexnet", "conv1", "-f", "latex").out
    assert found.to_dict() == archcalc("explain", "alexnet", "conv1", "-f", "json").json
    found.save(tmp_path / "conv1.md")
    assert (tmp_path / "conv1.md").read_text(encoding="utf-8") == found._repr_markdown_()


def test_a_derivation_of_the_sum(alexnet: ac.Analysis) -> None:
    total = alexnet.explain(quantity="params")
    assert total.to_dict()["total"] == alexnet.totals.params
    assert "62,378,344" in str(total)
    assert "<table>" in total._repr_html_()


@pytest.mark.parametrize(("layer", "quantity", "message"), [
    ("conv11", None, "alexnet has no layer 'conv11'; did you mean conv1"),
    ("relu1", "buffers", "no buffers to explain"),
    ("conv1", "wight", "there is no quantity 'wight'; did you mean height or width"),
])  # fmt: skip
def test_what_cannot_be_explained(alexnet: ac.Analysis, layer: str, quantity: str | None, message: str) -> None:
    with pytest.raises(ac.UsageError, match=message):
        alexnet.explain(layer, quantity)


def test_names_are_listed_for_completion() -> None:
    assert sorted(dir(ac)) == sorted(ac.__all__)
    assert {"to_pandas", "draw", "explain", "totals"} <= set(dir(ac.Analysis))


THREADS = """
import threading
import archcalc as ac
names = ["resnet18", "googlenet", "mobilenet", "vgg16@bn"] * 2
found, start = {}, threading.Barrier(len(names))
def work(index, name):
    start.wait()
    found[index] = ac.analyse(name).totals.params
threads = [threading.Thread(target=work, args=pair) for pair in enumerate(names)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([found[index] for index in range(len(names))] == [ac.analyse(name).totals.params for name in names])
"""


@pytest.mark.slow
def test_threads_that_load_at_the_same_time_get_the_same_networks() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.slow
def test_ten_thousand_layers_are_written_loaded_and_shown() -> None:
    builder = ac.GraphBuilder("deep", "4x4x2")
    for _ in range(5_000):
        builder.add("conv2d", out_channels=2, kernel_size=3, padding=1)
        builder.add("relu")
    net = builder.build()
    analysis = net.analyse()
    assert analysis.totals.params == 5_000 * (2 * 2 * 9 + 2)
    assert ac.from_yaml(net.to_yaml()) == net
    assert len(analysis.to_pandas()) == len(net.to_networkx()) == 10_001
    assert len(cells_of(analysis._repr_html_())) == 103
