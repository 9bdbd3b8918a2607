"""Graphs for Graphviz: written in its language, laid out by pygraphviz or, in a browser, by what the page has."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping


class Graph:
    """A directed graph of boxes, for the program dot; edges between the same boxes are one."""

    def __init__(self, graph: Mapping[str, str], node: Mapping[str, str]) -> None:
        boxes = {"shape": "box", "fixedsize": "true", "label": "", **node}
        self._lines = [f"graph{_attributes(graph)}", f"node{_attributes(boxes)}"]

    def node(self, name: str, **attributes: str) -> None:
        self._lines.append(f"{_quoted(name)}{_attributes(attributes)}")

    def edge(self, source: str, target: str, **attributes: str) -> None:
        self._lines.append(f"{_quoted(source)} -> {_quoted(target)}{_attributes(attributes)}")

    def same_rank(self, names: Iterable[str]) -> None:
        """These nodes, which exist, stand side by side."""
        self._lines.append(f"{{graph [rank=same] {' '.join(map(_quoted, names))}}}")

    def text(self) -> str:
        """The graph in Graphviz's language."""
        return "\n".join(["strict digraph {", *self._lines, "}"])

    def places(self) -> dict[str, tuple[float, float]]:
        """The middle of each node, in points from the bottom left."""
        found = json.loads(_laid_out(self.text()))["objects"]
        pairs = {item["name"]: item["pos"].split(",") for item in found if "pos" in item}
        return {name: (float(x), float(y)) for name, (x, y) in pairs.items()}


def _laid_out(text: str) -> str:
    """The graph with the places of its nodes, as JSON. Raises `ModuleNotFoundError` where there is no Graphviz."""
    if sys.platform == "emscripten":
        try:
            from graphviz_of_page import layout
        except ImportError:
            raise ModuleNotFoundError("Graphviz is not loaded yet", name="pygraphviz") from None
        return str(layout(text))
    from pygraphviz import AGraph

    return bytes(AGraph(string=text).draw(format="json", prog="dot")).decode()


def _attributes(values: Mapping[str, str]) -> str:
    return f" [{' '.join(f'{key}={_quoted(value)}' for key, value in values.items())}]" if values else ""


def _quoted(text: str) -> str:
    """A name or a value. Those of archcalc are numbers and letters."""
    assert re.fullmatch(r"[\w. -]*", text), text
    return f'"{text}"'
