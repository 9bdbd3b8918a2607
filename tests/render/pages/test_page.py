"""The page as a file: well formed, complete, one file, and of a reasonable size. No browser is needed."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from archcalc.explain.derive.formats import lines
from archcalc.explain.derive.network import explain_layers
from archcalc.explain.derive.notation import COMPACT
from archcalc.render.pages.summary import totals
from archcalc.render.tables.report import make_report
from tests.cli.runner import DATA, Run
from tests.render.pages.made import analysis_of, page_of
from tests.render.tables.tables import read_html
from tests.tiers import slow_but

HOSTILE = str(DATA / "hostile.yaml")
NETWORKS = ("lenet5", "alexnet", "googlenet@aux", "resnet50", "unet", "nasnet_mobile", HOSTILE)
PAGES = [*((name,) for name in NETWORKS), ("lenet5", "alexnet", "lenet5"), (HOSTILE, HOSTILE)]
QUICK = (("lenet5",), (HOSTILE,))
every_page = pytest.mark.parametrize(
    "networks",
    [pytest.param(names, marks=[] if names in QUICK else [pytest.mark.slow]) for names in PAGES],
    ids="-".join,
)


class Parts(HTMLParser):
    """Every element with its attributes, and what stands in scripts and styles."""

    VOID = ("meta", "input", "br", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), tag
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]][-1] += data

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.found if attribute in attributes]


@every_page
def test_a_page_is_one_well_formed_file_that_loads_nothing(networks: tuple[str, ...]) -> None:
    text = page_of(*networks)
    page = Parts(text)
    assert text.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    tags = {tag for tag, _ in page.found}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base", "image", "foreignobject", "use", "b"}
    for tag, attributes in page.found:
        assert [name for name in attributes if name.startswith("on") or name == "style"] == [], tag
        assert not {"src", "srcset", "action", "formaction", "data", "xlink:href"} & set(attributes), tag
        if "href" in attributes:
            assert re.match("#|https?://", attributes["href"]), attributes["href"]
    assert "url(" not in page.raw["style"][0]
    assert "@import" not in page.raw["style"][0]


@every_page
def test_names_in_a_page_are_unique_and_lead_somewhere(networks: tuple[str, ...]) -> None:
    page = Parts(page_of(*networks))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-labelledby", "aria-controls", "aria-describedby", "for"):
        for value in page.values(attribute):
            assert set(value.split()) <= set(ids), value
    for href in page.values("href"):
        if href.startswith("#"):
            assert href[1:] in ids


@every_page
def test_the_policy_allows_this_style_and_script_and_nothing_else(networks: tuple[str, ...]) -> None:
    page = Parts(page_of(*networks))
    (policy,) = (a["content"] for tag, a in page.found if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def digest(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    (style,) = page.raw["style"]
    *stored, script = page.raw["script"]
    assert rules == {
        "default-src": "'none'", "style-src": digest(style), "script-src": digest(script), "img-src": "data:",
        "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    assert len(stored) == len(networks)


@every_page
def test_the_data_of_a_page_are_the_derivations(networks: tuple[str, ...]) -> None:
    *stored, _ = Parts(page_of(*networks)).raw["script"]
    for network, text in zip(networks, stored, strict=True):
        analysis, facts = analysis_of(network), json.loads(text)
        names = [row.name for row in analysis.rows]
        assert [layer[0] for layer in facts["layers"]] == names
        explained = explain_layers(analysis, names)
        for row, one, (_, what, inputs, shown) in zip(analysis.rows, explained, facts["layers"], strict=True):
            assert f"{row.name}: {facts['texts'][what]}" == one.heading
            assert tuple(names[place] for place in inputs) == row.inputs
            wanted = [[line.label, line.parts, line.unit, line.note] for line in lines(one, COMPACT)]
            assert [facts["lines"][line] for line in shown] == wanted


@pytest.mark.parametrize(
    ("network", "limit"),
    slow_but(
        [("lenet5", 200), ("alexnet", 300)],
        [("lenet5", 200), ("alexnet", 300), ("googlenet", 700), ("resnet152", 2000), ("nasnet_large", 4000)],
    ),
)
def test_a_page_is_small(network: str, limit: int) -> None:
    assert len(page_of(network).encode()) < limit * 1000


def test_a_page_has_a_heading_and_the_totals(archcalc: Run) -> None:
    text = page_of("lenet5")
    assert "<h1>LeNet-5</h1>" in text
    assert "<strong>61,706</strong>" in text
    assert "<strong>416,520</strong>" in text
    (table,) = read_html(text)
    assert len(table.rows) == 13


@pytest.mark.slow
def test_what_a_page_says_stands_in_the_order_of_its_headings() -> None:
    for networks in (("resnet50",), ("lenet5", "alexnet")):
        levels = [int(tag[1]) for tag, _ in Parts(page_of(*networks)).found if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_links_to_papers_lead_to_the_web_only() -> None:
    assert 'href="https://papers.nips.cc/' in page_of("alexnet")
    assert [href for href in Parts(page_of(HOSTILE)).values("href") if not href.startswith("#")] == []


@pytest.mark.slow
def test_the_same_network_gives_the_same_bytes(archcalc: Run) -> None:
    first, second = (archcalc("report", "googlenet", "-f", "html").out for _ in range(2))
    assert first == second == page_of("googlenet")


@pytest.mark.slow
def test_columns_folding_and_layout_are_those_of_the_report(archcalc: Run) -> None:
    options = ("resnet50", "--depth", "1", "--columns", "layer,output,params", "--layout", "chw")
    (table,) = read_html(archcalc("report", *options, "-f", "html").out)
    (other,) = (read_markdown_table(archcalc("report", *options, "-f", "markdown").out),)
    assert [table.heads, *table.rows] == other


def read_markdown_table(text: str) -> list[list[str]]:
    from tests.render.tables.tables import read_markdown

    (table,) = read_markdown(text)
    return [table.heads, *table.rows]


@pytest.mark.parametrize(
    ("network", "kinds"),
    [("lenet5", "convolution and dense layers"), ("vit_b_16", "convolution and dense layers and attention")],
)
def test_the_totals_name_the_layers_that_multiply(network: str, kinds: str) -> None:
    notes = str(totals(make_report(analysis_of(network))))
    assert f"in {kinds}<" in notes
    assert f"{kinds} on the longest path" in notes
