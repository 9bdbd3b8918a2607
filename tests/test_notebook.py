"""The library in a real notebook: a kernel runs the cells, and each shows what it should."""

from __future__ import annotations

from typing import Any

import nbclient
import nbformat
import pytest

CELLS = {
    "import": 'import archcalc as ac\nnet = ac.load("alexnet")\nnet',
    "analysis": "analysis = net.analyse()\nanalysis",
    "text": "print(repr(analysis))",
    "rows": "[(row.name, row.params) for row in analysis if row.params][0]",
    "layer": 'analysis["conv1"].output_shape',
    "block": 'ac.analyse("resnet18")["conv2_x"].params',
    "totals": "analysis.totals.params, analysis.totals.multiplications",
    "pandas": 'analysis.to_pandas()[["op", "params"]].head(3)',
    "data": 'analysis.to_dict()["totals"]["params"], analysis.to_json()[:1], analysis.to_markdown()[:10]',
    "explain": 'analysis.explain("conv1")',
    "draw": 'analysis.draw(style="blocks")',
    "plot": 'analysis.plot("profile")',
    "graphviz": "analysis.to_graphviz().source[:7]",
    "networkx": "str(net.to_networkx())",
    "yaml": "ac.from_yaml(net.to_yaml()) == net",
    "check": 'ac.check(net, {"conv1": {"params": 34848}})',
    "builder": 'builder = ac.GraphBuilder("tiny", "8x8x3")\nbuilder.add("linear", out_features=10)\nbuilder.build()',
    "error": 'analysis["conv11"]',
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[Any]]:
    """What each cell shows, by its name."""
    made: Any = nbformat.v4
    notebook = made.new_notebook(cells=[made.new_code_cell(source) for source in CELLS.values()])
    notebook.cells[-1].metadata.tags = ["raises-exception"]
    done = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    return {name: cell.outputs for name, cell in zip(CELLS, done.cells, strict=True)}


def data(outputs: dict[str, list[Any]], name: str) -> dict[str, str]:
    return dict(outputs[name][0]["data"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestNotebook:
    """One session, since starting a kernel takes long."""

    def test_a_network_and_its_analysis_are_tables(self, outputs: dict[str, list[Any]]) -> None:
        for name in ("import", "analysis"):
            html = data(outputs, name)["text/html"]
            assert "<table>" in html
            assert "62,378,344" in html
            assert "34,944" in html
        assert data(outputs, "import")["text/plain"] == "<Network alexnet: AlexNet, input 227×227×3, 23 layers>"

    def test_numbers_are_right(self, outputs: dict[str, list[Any]]) -> None:
        # 11·11·3·96 + 96 parameters; the totals of the lecture's table.
        assert data(outputs, "rows")["text/plain"] == "('conv1', 34944)"
        assert data(outputs, "layer")["text/plain"] == "(96, 55, 55)"
        assert data(outputs, "block")["text/plain"] == str(4 * (64 * 64 * 9 + 128))
        assert data(outputs, "totals")["text/plain"] == "(62378344, 1135256096)"
        assert data(outputs, "data")["text/plain"] == "(62378344, '{', '## AlexNet')"
        assert outputs["text"][0]["text"].startswith("<Analysis of AlexNet: 23 layers, 62,378,344 parameters")

    def test_pictures_are_shown(self, outputs: dict[str, list[Any]]) -> None:
        for name in ("draw", "plot"):
            svg = data(outputs, name)["image/svg+xml"]
            assert "<svg" in svg
            assert "conv1" in svg

    def test_a_derivation_is_mathematics(self, outputs: dict[str, list[Any]]) -> None:
        shown = data(outputs, "explain")
        assert "<math>" in shown["text/html"]
        assert "364·96 = 34,944" in shown["text/plain"]
        assert r"34{,}944" in shown["text/markdown"]

    def test_other_libraries(self, outputs: dict[str, list[Any]]) -> None:
        assert "34944" in data(outputs, "pandas")["text/html"]
        assert data(outputs, "graphviz")["text/plain"] == "'digraph'"
        assert "24 nodes and 23 edges" in data(outputs, "networkx")["text/plain"]
        assert data(outputs, "yaml")["text/plain"] == "True"

    def test_a_check_says_what_is_wrong(self, outputs: dict[str, list[Any]]) -> None:
        assert "34,944" in data(outputs, "check")["text/markdown"]

    def test_a_network_built_in_code(self, outputs: dict[str, list[Any]]) -> None:
        assert "1,930" in data(outputs, "builder")["text/html"]

    def test_an_error_says_what_to_do(self, outputs: dict[str, list[Any]]) -> None:
        error = outputs["error"][0]
        assert error["ename"] == "UnknownLayerError"
        assert error["evalue"] == "alexnet has no layer or block 'conv11'; did you mean conv1 or conv2 or conv3?"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_kernel_answers_the_messages_of_the_widget() -> None:
    """The comm of a real kernel, whose worker processes calculate; what is shown is left to the tests in Chromium."""
    pytest.importorskip("anywidget", reason='the extra is not installed: pip install "archcalc[widget]"')
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    try:
        code = (
            "from archcalc.cli.serve import widget\nwidget.bundle = lambda: 'export default {}'\n"
            "import archcalc as ac\nshown = ac.widget('lenet5')\nshown"
        )
        opened = _messages(client, client.execute(code), "comm_open")
        # The style and the layout of the widget have comms of their own.
        own = next(one["content"]["comm_id"] for one in opened if "_esm" in one["content"]["data"]["state"])
        request = {"id": "v:1", "name": "analyse", "request": {"source": {"text": "lenet5"}}}
        content = {"comm_id": own, "data": {"method": "custom", "content": request}}
        client.shell_channel.send(client.session.msg("comm_msg", content))
        while True:
            message = client.get_iopub_msg(timeout=600)
            if message["msg_type"] == "comm_msg" and message["content"]["data"].get("method") == "custom":
                break
        answer = message["content"]["data"]["content"]
        assert answer["id"] == "v:1"
        assert {one["key"]: one["exact"] for one in answer["answer"]["totals"]}["params"] == "61706"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _messages(client: Any, asked: str, kind: str) -> list[Any]:
    """The messages of a kind until the kernel has done what it was asked."""
    found: list[Any] = []
    while True:
        message = client.get_iopub_msg(timeout=600)
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return found
        if message["msg_type"] == "error":
            pytest.fail(message["content"]["evalue"])
        if message["msg_type"] == kind:
            found.append(message)
