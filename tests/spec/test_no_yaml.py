"""A text that is no YAML: what is wrong and where, in the same words whatever parser reads it."""

from __future__ import annotations

import pytest
import yaml

from archcalc.core.errors import SpecError
from archcalc.spec import source

HEAD = "name: a\nlayers:\n"
LAYER = "  - conv2d: {out_channels: 4}\n"


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (f"{HEAD}{LAYER}- relu\n", "the items above: this one begins in column 1, they in column 3", (4, 1)),
        (f"{HEAD}{LAYER} - relu\n", "the items above: this one begins in column 2, they in column 3", (4, 2)),
        (f"{HEAD}{LAYER}\n# last\n    - relu\n", "this one begins in column 5, they in column 3", (6, 5)),
        (f"{HEAD}  - branches:\n      - [relu]\n{LAYER} - relu\n", "column 2, they in column 3", (6, 2)),
        (f"{HEAD}  - conv2d:\n      groups: 1\n       bias: false\n", "the keys above: this one begins in column 8",
         (5, 8)),
        ("name: a\n title: b\n", "the keys above: this one begins in column 2, they in column 1", (2, 2)),
        (" name: a\ntitle: b\n", "the keys above: this one begins in column 1, they in column 2", (2, 1)),
        ("name: a\n- relu\n", "an item of a list stands among keys", (2, 1)),
        ("- a\nb: 1\n", "a key stands among the items of a list", (2, 1)),
        (f"{HEAD}\t- relu\n", "a tab indents this line; write spaces", (3, 1)),
        (f"{HEAD}{LAYER}\t- relu\n", "a tab indents this line; write spaces", (4, 1)),
        (f"{HEAD}  -\trelu\n", "a tab stands here; write a space", (3, 4)),
        (f"{HEAD}{LAYER[:-2]}\n{LAYER}", "{ is not closed\nclose it with }", (3, 13)),
        ("name: [a, b\ninput: 8x8x3\n", "[ is not closed\nclose it with ]", (1, 7)),
        ("name: [\n", "[ is not closed\nclose it with ]", (1, 7)),
        (f"{HEAD}{LAYER[:-2]}]\n", "{ is closed by ]\nclose it with }", (3, 29)),
        (f"{HEAD}{LAYER[:-1]}}}\n", "nothing is open that } closes", (3, 30)),
        (f"{HEAD}{LAYER[:-1]}, x: 1\n", "nothing can follow this } in its line", (3, 30)),
        (f"name: \"a # b\n{HEAD}", '" is not closed\nclose it with "', (1, 7)),
        (f"title: it's\nname: 'a\n{LAYER}", "' is not closed\nclose it with '", (2, 7)),
        ('name: "a\\q"\n', "there is no escape \\q; put the text in single quotes", (1, 9)),
        ("title: 'A' b\nname: a\n", "text follows a closing quote; put the whole value in quotes", (1, 12)),
        ("name:a\ninput: 8x8x3\n", "a space is missing after :", (1, 6)),
        ("name: a\ninput:8x8x3\nlayers: []\n", "a space is missing after :", (2, 7)),
        (f"{HEAD}  - relu\n  -relu\n", "a space is missing after -", (4, 4)),
        (f"{HEAD}  -conv2d: {{}}\n{LAYER}", "a space is missing after -", (3, 4)),
        ("name: a\ninput\nlayers: []\n", "a colon is missing: key: value", (2, 1)),
        ("layers: [{a: 1 b: 2}]\n", "a comma is missing before b", (1, 16)),
        ("a: b: c\n", "a second colon in one value; put settings in braces, and a text in quotes", (1, 5)),
        ("a: @b\n", "a value cannot begin with @; put it in quotes", (1, 4)),
        ("a: *b*\n", "a value cannot begin with *; put it in quotes", (1, 4)),
        ("a: > b\n  c\n", "after > the text begins in the next line", (1, 6)),
        ("%a: b\nc: d\n", "this does not fit the lines above", (1, 3)),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_said_in_the_same_words(
    text: str, words: str, place: tuple[int, int], loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "Loader", loader)
    with pytest.raises(SpecError) as caught:
        source.parse_source(text, "net.yaml")
    (problem,) = caught.value.problems
    said = "\n".join([problem.message, *problem.details])
    assert said.startswith("is not valid YAML: ")
    assert words in said
    assert problem.location == ("net.yaml", *place)
