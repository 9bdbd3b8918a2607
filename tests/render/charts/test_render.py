"""Formats: each opens, says what it should, and has the same bytes on every run."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from archcalc import UsageError
from archcalc.render.charts.compare import compare
from archcalc.render.charts.figure import Look
from archcalc.render.charts.memory import memory
from archcalc.render.charts.profile import profile
from archcalc.render.charts.receptive_field import receptive_field
from archcalc.render.charts.render import FORMATS, render, svg
from archcalc.render.charts.sweep import sweep
from archcalc.render.charts.timeline import timeline
from archcalc.render.diagrams.text import FILES
from tests.cli.runner import environment
from tests.render.charts.charts import Spec, analysis_of
from tests.render.diagrams.pictures import SVG, parse
from tests.tiers import slow_but

MAGIC = {"svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF-1.", "html": b"<!DOCTYPE html>", "json": b"{"}
PLOTS: dict[str, Callable[[], Spec]] = {
    "compare": lambda: compare([analysis_of("resnet50"), analysis_of("zfnet"), analysis_of("vgg16")]),
    "profile": lambda: profile(analysis_of("alexnet")),
    "memory": lambda: memory(analysis_of("unet")),
    "receptive-field": lambda: receptive_field(analysis_of("alexnet")),
    "timeline": lambda: timeline([analysis_of("lenet5"), analysis_of("alexnet"), analysis_of("zfnet")]),
    "sweep": lambda: sweep([analysis_of("resnet18"), analysis_of("resnet34")], "depth", ["18", "34"]),
}


EACH = [(kind, form) for kind in PLOTS for form in FORMATS]


@pytest.mark.parametrize(("kind", "form"), slow_but([("profile", "svg"), ("profile", "json"), ("sweep", "svg")], EACH))
def test_every_plot_in_every_format(kind: str, form: str) -> None:
    spec = PLOTS[kind]()
    assert spec["usermeta"]["archcalc"]["kind"] == kind
    data = render(spec, form, 1)
    assert data.startswith(MAGIC[form])
    assert len(data) > 2000
    assert render(spec, form, 1) == data


def test_svg_is_for_screen_readers_and_text_stays_text() -> None:
    spec = PLOTS["profile"]()
    root = parse(svg(spec))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert root.findtext(f"{SVG}title") == "AlexNet: parameters, multiplications and memory"
    assert root.findtext(f"{SVG}desc") == spec["description"]
    assert "62,378,344 parameters, most in fc6" in spec["description"]
    texts = {element.text for element in root.iter(f"{SVG}text")}
    assert {"conv1", "fc8", "37.8 M"} <= texts
    # Names inside the document differ where several stand on one page.
    inner = svg(spec, "p1-")
    assert 'aria-labelledby="p1-title p1-desc"' in inner
    names = re.findall(r'\bid="([^"]*)"', inner)
    assert names
    assert all(name.startswith("p1-") for name in names)
    assert not [link for link in re.findall(r"url\(#([^)]*)\)", inner) if not link.startswith("p1-")]


@pytest.mark.slow
def test_png_grows_with_its_scale_and_is_not_endless() -> None:
    spec = PLOTS["memory"]()
    sizes = [int.from_bytes(render(spec, "png", scale)[16:20], "big") for scale in (1, 2, 2.5)]
    assert sizes == [960, 1920, 2400]
    with pytest.raises(UsageError, match="million pixels"):
        render(spec, "png", 20)


def test_unknown_formats_name_the_known_ones() -> None:
    with pytest.raises(UsageError, match="svg, png, pdf, html, json"):
        render(PLOTS["memory"](), "bmp")
    with pytest.raises(UsageError, match="light, dark, print"):
        profile(analysis_of("lenet5"), Look("pink"))


def test_json_is_the_specification() -> None:
    spec = PLOTS["compare"]()
    assert json.loads(render(spec, "json")) == spec
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/v")


def test_pdf_is_whole_and_has_a_title_and_its_fonts() -> None:
    data = render(PLOTS["profile"](), "pdf")
    document = PdfReader(io.BytesIO(data), strict=True)
    assert document.metadata is not None
    assert str(document.metadata.title).startswith("AlexNet: parameters")
    (page,) = document.pages
    assert "conv1" in page.extract_text()
    for file in FILES.values():
        assert file.stem.removesuffix("-Regular").encode() in data
    assert data.count(b"/FontFile2") == 2


@pytest.mark.slow
@pytest.mark.parametrize("form", ["svg", "pdf", "png", "html"])
def test_the_same_plot_has_the_same_bytes_in_every_process(form: str) -> None:
    code = (
        "import sys, hashlib, archcalc\n"
        "from archcalc.render.charts.compare import compare\n"
        "from archcalc.render.charts.render import render\n"
        "analyses = [archcalc.analyse(archcalc.load(name)) for name in ('resnet50', 'zfnet', 'vgg16')]\n"
        f"print(hashlib.sha256(render(compare(analyses), {form!r})).hexdigest())\n"
    )
    found = {hashlib.sha256(render(PLOTS["compare"](), form)).hexdigest()}
    for seed in ("1", "2", "3"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600,
                              env=environment({"PYTHONHASHSEED": seed}))  # fmt: skip
        found.add(done.stdout.strip())
    assert len(found) == 1


@pytest.mark.slow
def test_pages_need_no_network_and_cannot_be_broken_out_of() -> None:
    graph = analysis_of("lenet5").graph
    from dataclasses import replace

    from archcalc.passes.analysis import analyse

    evil = '</script><script>alert(1)</script><img src="x" onerror=alert(2)>&\u2028'
    layers = (graph.layers[0], graph.layers[1]._replace(name=evil), *graph.layers[2:])
    page = render(profile(analyse(replace(graph, title=evil, layers=layers))), "html").decode()
    head, _, rest = page.partition("</script>")
    # Vega itself writes <img> for pictures in tooltips; the page has no file that it would have to load.
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*\b(?:src|href)=", rest)
    assert "<link" not in page
    assert "<script src" not in page
    assert "<script>alert" not in rest
    assert "<img" not in rest
    assert rest.count("</script>") == 2
    # The specification inside is the whole one.
    found = re.search(r'<script type="application/json" id="spec">(.*?)</script>', rest, re.DOTALL)
    assert found
    assert json.loads(found[1])["usermeta"]["archcalc"]["kind"] == "profile"
    assert "<table>" in rest
    assert "61,706" in rest or "param" in rest
    assert "vegaEmbed" in head
