"""Links lead somewhere, and files that are named exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import FENCE, PAGES, ROOT, read

#: Links and pictures.
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def anchors_of(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in _LINK.findall(FENCE.sub("", read(page))) if not target.startswith("https://")]
    missing = []
    for target in targets:
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            missing.append(target)
    assert missing == []


def test_the_navigation_of_the_site_has_every_page() -> None:
    named = set(re.findall(r"^ +- ([\w/-]+\.md)$", read(ROOT / "docs" / "mkdocs.yml"), re.MULTILINE))
    assert {page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")} <= named


def test_readme_links_to_every_page() -> None:
    targets = set(_LINK.findall(read(ROOT / "README.md")))
    assert {str(page.relative_to(ROOT)) for page in PAGES} - {"README.md"} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """Paths such as `archcalc/ops/conv.py`; NAME in a path stands for any name."""
    folders = "archcalc|tests|docs|specs|benchmarks|reports"
    named = re.findall(rf"`((?:{folders})/[\w./-]*\w/?|[\w-]+\.(?:toml|md))`", FENCE.sub("", read(page)))
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []
