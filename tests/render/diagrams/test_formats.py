"""Each format opens and says what it should, whatever the names in the spec are."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections import Counter
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest
from pypdf import PdfReader

from archcalc.core.errors import UsageError
from archcalc.core.language import use
from archcalc.interop.networkx import to_networkx
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.diagrams.draw import FORMATS, Choices, draw
from archcalc.render.diagrams.drawing import Curve, Text
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.text import FILES, covered, missing, shorten, text_width, wrap
from archcalc.render.diagrams.theme import THEMES, contrast, heat, readable
from archcalc.spec.catalogue import load
from tests.networks import numbers
from tests.render.diagrams.pictures import SVG, analysis_of, check_picture, groups, layers_of, parse, width
from tests.tiers import slow_but

SPECIAL = Path(__file__).parents[2] / "data" / "special.yaml"
LONG = "w" * 500
SCRIPTS = ("طبقة الالتفاف", "שכבה", "畳み込み層", "層１")
NAMES = f"""
  - conv2d: {{name: "{LONG}", out_channels: 4, kernel_size: 3}}
  - conv2d: {{name: "{SCRIPTS[0]}", out_channels: 4, kernel_size: 3}}
  - conv2d: {{name: "{SCRIPTS[1]}", out_channels: 4, kernel_size: 1}}
  - conv2d: {{name: "{SCRIPTS[2]}", out_channels: 4, kernel_size: 1}}
  - relu: {{name: "<&\\">"}}
"""


@cache
def special() -> Analysis:
    return analyse(load(str(SPECIAL)))


@cache
def scripts() -> Analysis:
    return numbers(NAMES)


def text_of(analysis: Analysis, form: str, **choices: object) -> str:
    return draw(analysis, form, Choices(**choices)).data.decode()  # type: ignore[arg-type]


COLOURS = ("fill", "stroke", "stop-color")


def painted(text: str) -> list[dict[str, str]]:
    """The colours of every element, in the order of the picture."""
    return [{key: element.attrib[key] for key in COLOURS if key in element.attrib} for element in parse(text).iter()
            if element.tag != f"{SVG}style"]  # fmt: skip


@pytest.mark.parametrize(
    "choices", [Choices(style="graph"), Choices(style="volumes"), Choices(color_by="params"), Choices(style="towers")]
)
def test_a_picture_without_a_theme_is_light_and_dark_on_a_dark_page(choices: Choices) -> None:
    analysis = analysis_of("alexnet@grouped")
    text, light, dark = (
        draw(analysis, "svg", replace(choices, theme=theme)).data.decode() for theme in (None, "light", "dark")
    )
    assert painted(text) == painted(light)
    rules = dict(re.findall(r"\.([\w-]+)\{([^}]*)\}", text.partition("@media")[2]))
    seen = []
    for element in parse(text).iter():
        if element.tag == f"{SVG}style":
            continue
        colours = {key: element.attrib[key] for key in COLOURS if key in element.attrib}
        for name in element.get("class", "").split() if colours else []:
            colours.update(rule.split(":") for rule in rules.get(name, "").split(";") if rule)
        seen.append(colours)
    assert seen == painted(dark)
    assert "@media" not in light
    assert draw(analysis, "tex", choices) == draw(analysis, "tex", replace(choices, theme="light"))


@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_names_are_escaped_in_svg(style: str) -> None:
    root = parse(text_of(special(), "svg", style=style))
    written = {element.text for element in root.iter(f"{SVG}text")}
    assert "3×3, größer" in written
    assert any((text or "").startswith("c<&\">'|_$%#~^\\`x`") for text in written)
    assert "script" not in {element.tag.removeprefix(SVG) for element in root.iter()}


@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_long_names_and_other_scripts(style: str) -> None:
    text = text_of(scripts(), "svg", style=style)
    root = parse(text)
    # Whole in what is read out, shortened in the box.
    assert LONG in text
    for node in groups(root, "node"):
        assert not any(len(element.text or "") > 60 for element in node.iter(f"{SVG}text"))
    assert float(root.attrib["width"]) < 2500
    for name in SCRIPTS[:3]:
        assert any(name == element.text for element in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"png", "pdf", "pptx"}))
def test_every_text_format_takes_every_name(form: str) -> None:
    for analysis in (special(), scripts()):
        assert text_of(analysis, form, style="graph").endswith("\n")


@pytest.mark.parametrize("form", ["svg", "drawio"])
def test_xml_is_well_formed(form: str) -> None:
    for analysis in (special(), scripts(), analysis_of("googlenet@aux")):
        ElementTree.fromstring(text_of(analysis, form, style="graph"))


def test_svg_has_a_title_and_a_description() -> None:
    root = parse(text_of(analysis_of("alexnet"), "svg"))
    assert root.attrib["role"] == "img"
    ids = root.attrib["aria-labelledby"].split()
    found = {element.get("id"): element.text for element in root if element.get("id")}
    assert found[ids[0]] == "AlexNet"
    assert "23 layers" in str(found[ids[1]])
    conv = next(node for node in groups(root, "node") if node.get("data-layer") == "conv1")
    assert "34,944 params" in str(conv.findtext(f"{SVG}title"))


# --- pictures of pixels and documents


def test_png_has_its_size() -> None:
    root = parse(text_of(analysis_of("alexnet"), "svg"))
    for scale in (1.0, 2.5):
        data = draw(analysis_of("alexnet"), "png", Choices(scale=scale)).data
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        wide, high = struct.unpack(">II", data[16:24])
        assert wide == pytest.approx(float(root.attrib["width"]) * scale, abs=1.5)
        assert high == pytest.approx(float(root.attrib["height"]) * scale, abs=1.5)
    assert data == draw(analysis_of("alexnet"), "png", Choices(scale=2.5)).data


def test_a_huge_png_is_drawn_smaller_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.render.convert.MOST_PIXELS", 10**6)
    picture = draw(analysis_of("alexnet"), "png", Choices(scale=20))
    wide, high = struct.unpack(">II", picture.data[16:24])
    assert 9 * 10**5 < wide * high <= 10**6 + 2000
    assert "million pixels" in picture.notes[0]


@pytest.mark.slow
def test_pdf_is_vectors_and_embeds_its_fonts() -> None:
    data = draw(analysis_of("alexnet"), "pdf", Choices()).data
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/FontFile2 ", data)) == 2
    assert b"/Subtype /Image" not in data
    document = PdfReader(io.BytesIO(data))
    assert document.metadata is not None
    assert (document.metadata.title, document.metadata.creator) == ("AlexNet", "archcalc")
    (page,) = document.pages
    assert "34,944 params" in page.extract_text()
    assert data == draw(analysis_of("alexnet"), "pdf", Choices()).data


def test_pdf_takes_every_name() -> None:
    for analysis in (special(), scripts()):
        assert draw(analysis, "pdf", Choices(style="graph")).data.startswith(b"%PDF")


# --- sources


def test_dot_is_read_by_graphviz() -> None:
    import pygraphviz

    for analysis in (special(), scripts(), analysis_of("resnet18"), analysis_of("googlenet@aux")):
        read = pygraphviz.AGraph(string=text_of(analysis, "dot", style="graph"))
        assert sum(len(node.attr["label"] or "") > 0 for node in read.nodes()) == len(read.nodes())
        assert len(read.edges()) >= len(read.nodes()) - 1


def test_dot_marks_shortcuts() -> None:
    styles = Counter(re.findall(r"style=(\w+)\];", text_of(analysis_of("resnet18"), "dot", style="graph")))
    assert styles["bold"] == 5
    assert styles["dotted"] == 6


@pytest.mark.parametrize("style", ["graph", "blocks", "volumes"])
def test_tex_is_balanced(style: str) -> None:
    for analysis in (special(), scripts(), analysis_of("vgg16")):
        text = text_of(analysis, "tex", style=style, color_by="params")
        plain = re.sub(r"\\[\\{}%&$#_]", "", "\n".join(line for line in text.split("\n") if not line.startswith("%")))
        depth = 0
        for character in plain:
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0
        assert depth == 0
        begun, ended = re.findall(r"\\begin{(\w+)}", text), re.findall(r"\\end{(\w+)}", text)
        inner = re.compile("scope|pgfonlayer")
        assert sum(map(bool, map(inner.match, begun))) == sum(map(bool, map(inner.match, ended)))
        assert [one for one in begun if not inner.match(one)] == ["document", "tikzpicture"]
        body = text.split("tikzpicture}")[1]
        assert all(line.endswith(";") for line in body.split("\n")[1:] if line and line[:4] not in ("\\end", "\\beg"))
        # Nothing that LaTeX would take for a command, a comment or a table.
        assert not re.search(r"(?<!\\)[%&$#_^~]", re.sub(r"\\ensuremath{[^}]*}}?", "", body.split("]", 1)[1]))
        named = set(re.findall(r"\\definecolor{(\w+)}", text))
        assert set(re.findall(r"(?:fill|draw|text|color)=(c[0-9a-f]{6})", text)) <= named


def test_mermaid_is_a_flowchart() -> None:
    for analysis in (special(), scripts(), analysis_of("googlenet@aux")):
        lines = text_of(analysis, "mmd", style="graph").split("\n")
        assert lines[3].startswith("flowchart ")
        opened = sum(line.strip().startswith("subgraph ") for line in lines)
        assert opened == sum(line.strip() == "end" for line in lines)
        made = {found[1] for line in lines if (found := re.match(r"\s+(n\d+)\[\".*\"\]:::\w+$", line))}
        assert made
        for line in lines:
            if found := re.match(r"  (n\d+) (?:-->|==>|-\.->|-- .* -->|== .* ==>|-\. .* \.->) (n\d+)$", line):
                assert {found[1], found[2]} <= made
            if '["' in line and "<" in line:
                assert set(re.findall(r"<[^>]*>", line)) <= {"<br/>"}


def test_mermaid_has_a_title_in_yaml() -> None:
    import yaml

    for analysis in (special(), scripts()):
        _, head, _ = text_of(analysis, "mmd", style="graph").split("---\n")
        assert yaml.safe_load(head) == {"title": analysis.graph.title}


@pytest.mark.parametrize(
    ("name", "style", "noted"),
    [
        pytest.param("nasnet_mobile", "graph", True, marks=pytest.mark.slow),
        ("nasnet_mobile", "blocks", False),
        pytest.param("inception_resnet_v2", "graph", True, marks=pytest.mark.slow),
        ("resnet50", "graph", False),
    ],
)
def test_what_mermaid_does_not_draw_is_noted(name: str, style: str, noted: bool) -> None:
    notes = draw(analysis_of(name), "mmd", Choices(style=style)).notes
    assert ["maxEdges" in note and "--style blocks" in note for note in notes] == [True] * noted


@pytest.mark.parametrize("form", ["dot", "mmd", "drawio", "svg", "tex"])
def test_long_names_of_layers_and_blocks_are_shortened(form: str) -> None:
    block = "blocks:\n  long:\n    layers:\n" + "      - conv2d: {out_channels: 4, kernel_size: 1}\n" * 2
    layer = f'  - conv2d: {{name: "v{LONG[:-1]}", out_channels: 4, kernel_size: 1}}'
    analysis = numbers(f'  - long: {{name: "{LONG}"}}\n{layer}', top=block)
    text = text_of(analysis, form, style="graph")
    shown = re.sub(r"<title>.*?</title>|data-\w+=\"[^\"]*\"|(?:id|source|target)=\"[^\"]*\"", "", text)
    if form == "dot":  # names of nodes are no labels
        shown = "".join(re.findall(r"label=\"[^\"]*\"", text))
    assert LONG[:-1] not in shown
    assert "www…www" in shown or "www\\ldots{}www" in shown


def test_tex_leaves_letters_to_engines_that_have_them() -> None:
    from archcalc.render.diagrams.tikz import escape

    assert escape("größer, Šířka") == "größer, Šířka"
    assert escape("層 ħ") == "\\other{層} \\other{ħ}"
    assert escape("a\u200bb\u202e") == "ab"


def test_drawio_connects_what_exists() -> None:
    root = ElementTree.fromstring(text_of(analysis_of("resnet18"), "drawio", style="graph"))
    cells = {cell.get("id"): cell for cell in root.iter("mxCell")}
    edges = [cell for cell in cells.values() if cell.get("edge")]
    assert len(edges) > 25
    assert all(edge.get("source") in cells and edge.get("target") in cells for edge in edges)


@pytest.mark.parametrize("name", slow_but(["unet"], ["googlenet@aux", "nasnet_mobile", "unet"]))
@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_drawio_has_a_cell_for_every_edge_and_box(name: str, style: str) -> None:
    root = ElementTree.fromstring(text_of(analysis_of(name), "drawio", style=style))
    cells = list(root.iter("mxCell"))
    assert len({cell.get("id") for cell in cells}) == len(cells)
    by_id = {cell.get("id"): cell for cell in cells}
    for cell in cells[2:]:
        assert by_id[cell.get("parent")] is cells[1]
        if cell.get("edge"):
            assert by_id[cell.get("source")].get("vertex") == by_id[cell.get("target")].get("vertex") == "1"
        else:
            geometry = cell.find("mxGeometry")
            assert geometry is not None
            assert float(geometry.attrib["width"]) > 0 < float(geometry.attrib["height"])


# --- looks


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_texts_stand_out_from_what_they_lie_on(theme: object) -> None:
    assert theme in THEMES.values()
    found = next(candidate for candidate in THEMES.values() if candidate == theme)
    for paint in found.families.values():
        assert contrast(found.ink, paint.fill) > 7
    for place in range(101):
        fill = heat(found, place / 100)
        assert contrast(readable(fill), fill) > 4.3
    assert contrast(found.quiet, found.frame.fill) > 4.5
    light = [contrast(found.background, colour) for colour in found.scale]
    assert light == sorted(light)


@pytest.mark.parametrize("theme", list(THEMES))
def test_themes_draw_the_same_in_other_colours(theme: str) -> None:
    plain, other = (parse(text_of(analysis_of("googlenet"), "svg", theme=name)) for name in ("light", theme))
    for one, another in zip(plain.iter(), other.iter(), strict=True):
        assert (one.tag, sorted(one.attrib)) == (another.tag, sorted(another.attrib))
        if one.tag != f"{SVG}style":
            assert one.text == another.text
            assert {key: value for key, value in one.items() if key not in (*COLOURS, "class")} == {
                key: value for key, value in another.items() if key not in (*COLOURS, "class")
            }


def test_font_size_enlarges_all() -> None:
    small, large = (parse(text_of(analysis_of("lenet5"), "svg", font_size=size)) for size in (12.0, 24.0))
    assert float(large.attrib["width"]) == pytest.approx(2 * float(small.attrib["width"]), abs=0.1)
    check_picture(text_of(analysis_of("lenet5"), "svg", font_size=24.0))


def test_title() -> None:
    assert "<text" in text_of(analysis_of("lenet5"), "svg", title="")
    root = parse(text_of(analysis_of("lenet5"), "svg", title="My <net>"))
    assert root[0].text == "My <net>"
    assert not groups(parse(text_of(analysis_of("lenet5"), "svg", title="")), "title")


def test_one_block_alone() -> None:
    text = text_of(analysis_of("googlenet"), "svg", only="inception_3a")
    root = check_picture(text)
    shown = [layer for node in groups(root, "node") for layer in layers_of(node)]
    expected = [row.name for row in analysis_of("googlenet").rows if row.name.startswith("inception_3a/")]
    assert len(shown) >= len(expected) + 1
    assert "163,696 parameters" in text
    check_picture(text_of(analysis_of("nasnet_mobile"), "svg", only="normal_1_2", style="graph"))
    with pytest.raises(UsageError, match="inception_3a"):
        text_of(analysis_of("googlenet"), "svg", only="inception_3z")
    with pytest.raises(UsageError, match="has no blocks"):
        text_of(analysis_of("alexnet"), "svg", only="x")


def test_a_highlighted_layer_and_what_it_sees() -> None:
    text = text_of(analysis_of("resnet18"), "svg", style="graph", highlight="conv3_x/unit1/add1")
    assert "what conv3_x/unit1/add1 sees" in text
    network = to_networkx(analysis_of("resnet18").graph)
    seen = len(networkx.ancestors(network, "conv3_x/unit1/add1")) + 1
    assert sum(element.get("stroke-width") == "2.6" for element in parse(text).iter()) == seen
    with pytest.raises(UsageError, match="there is no layer"):
        text_of(analysis_of("resnet18"), "svg", highlight="conv9")


# --- the font


def test_the_table_of_widths_is_that_of_the_font() -> None:
    for bold in FILES:
        for code in [*range(32, 127), *map(ord, "×·–…γβ→éß")]:
            assert covered(chr(code))
            assert abs(text_width(chr(code), 1000, bold) - width(chr(code), 1000, bold)) <= 21


def test_texts_are_shortened_and_wrapped_to_a_width() -> None:
    assert shorten("short", 100, 10) == "short"
    cut = shorten(LONG, 100, 10)
    assert "…" in cut
    assert 80 < text_width(cut, 10) <= 100
    lines = wrap("one two three four five " + LONG, 60, 10)
    assert all(text_width(line, 10) <= 60 for line in lines)
    assert " ".join(lines).startswith("one two three four five")


def test_the_png_is_not_empty() -> None:
    data = draw(analysis_of("lenet5"), "png", Choices(scale=1)).data
    at, raw = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            raw += data[at + 8 : at + 8 + length]
        at += length + 12
    assert len(set(zlib.decompress(raw))) > 50


@pytest.mark.parametrize("style", ["graph", "blocks", "bars"])
def test_tex_is_made_of_nodes_and_lines_that_can_be_edited(style: str) -> None:
    analysis = analysis_of("resnet18")
    text = text_of(analysis, "tex", style=style, depth=None if style == "bars" else 1 if style == "blocks" else None)
    shown = set(re.findall(r"^\\node\[net box, [^]]*\] \(([\w-]+)\) at", text, re.MULTILINE))
    if style == "graph":
        assert {"conv1", "pool1", "fc"} <= {name.split("-")[0] for name in shown}
        assert len(shown) >= len([row for row in analysis.rows if row.params])
    assert len(shown) == len(re.findall(r"^\\node\[net box,", text, re.MULTILINE))
    # Each style that is used is set once at the top.
    made = re.findall(r"^  (net [\w ]+)/\.style=", text, re.MULTILINE)
    assert len(made) == len(set(made))
    used = {option.strip() for options in re.findall(r"^\\(?:node|path)\[([^]]*)\]", text, re.MULTILINE)
            for option in options.split(",") if option.strip().startswith("net ")}  # fmt: skip
    assert used <= {*made, "net words"}
    assert "controls" not in text


def test_corners_are_found_again() -> None:
    from archcalc.render.diagrams.drawing import rounded
    from archcalc.render.diagrams.tikz import unrounded

    corners = ((0.0, 0.0), (0.0, 40.0), (60.0, 40.0), (60.0, 90.0))
    assert unrounded(rounded(corners, 8)) == (corners, 8.0)
    assert unrounded(((0.0, 0.0), (0.0, 0.0), (9.0, 9.0), (9.0, 9.0))) == (((0.0, 0.0), (9.0, 9.0)), 0.0)
    assert unrounded(((0.0, 0.0), (5.0, 0.0), (9.0, 4.0), (9.0, 9.0)))[0] is None


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("lenet5", "volumes"),
        ("alexnet@grouped", "towers"),
        ("resnet18", "bars"),
        ("vgg16", "slabs"),
        ("yolov3", "detector"),
    ],
)
def test_drawio_has_the_shapes_of_a_figure(name: str, style: str) -> None:
    drawing, _ = drawing_of(analysis_of(name), Choices(style=style))
    root = ElementTree.fromstring(text_of(analysis_of(name), "drawio", style=style))
    cells = list(root.iter("mxCell"))
    assert len({cell.get("id") for cell in cells}) == len(cells)
    values = " ".join(re.sub("<[^>]*>", " ", cell.get("value") or "") for cell in cells)
    for shape in drawing.shapes():
        if isinstance(shape, Text):
            assert shape.text in unescape(values)
    lines = [shape for shape in drawing.shapes() if isinstance(shape, Curve) and not shape.closed]
    edges = [cell for cell in cells if cell.get("edge")]
    assert len(edges) == len(lines)
    for line, edge in zip(lines, edges, strict=True):
        ends = {
            point.get("as"): (float(point.get("x", "")), float(point.get("y", ""))) for point in edge.iter("mxPoint")
        }
        assert ends["sourcePoint"] == pytest.approx(line.points[0], abs=0.01)
        assert ends["targetPoint"] == pytest.approx(line.points[-1], abs=0.01)
    faces = [cell for cell in cells if "polyCoords" in (cell.get("style") or "")]
    assert len(faces) == sum(isinstance(shape, Curve) and shape.closed for shape in drawing.shapes())
    for face in faces:
        shares = re.findall(r"[\d.]+", re.findall(r"polyCoords=(\[.*?\]);", face.get("style", ""))[0])
        assert all(0 <= float(share) <= 1 for share in shares)


@pytest.mark.parametrize("name", ["ru", "he", "hy"])
@pytest.mark.parametrize(("network", "style"), [("alexnet@grouped", "towers"), ("unet", "volumes")])
def test_the_shipped_fonts_have_every_sign_of_our_languages(name: str, network: str, style: str) -> None:
    """Signs of direction are no letters, and the Hebrew hyphen is drawn as a plain one."""
    use(name)
    try:
        picture = draw(analysis_of(network), "png", Choices(style=style, scale=0.2))
    finally:
        use("en")
    assert picture.notes == ()


def test_letters_of_other_scripts_are_said_to_be_missing() -> None:
    assert missing(["a漢\u2066b\u2069־", "字"]) == {"漢", "字"}


@pytest.mark.parametrize("width", [20, 60, 120, 200])
def test_a_text_that_was_cut_is_cut_in_the_same_place(width: float) -> None:
    cut = shorten("a long name of a network … that was shortened before", width, 11)
    head, ellipsis, end = cut.partition("…")
    assert ellipsis
    assert "…" not in end
    assert "a long name of a network".startswith(head.rstrip())
    assert "that was shortened before".endswith(end.lstrip())
    assert text_width(cut, 11) <= width
