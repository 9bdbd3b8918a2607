"""Pages to open in a browser, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.render.pages.made import page_of

#: A file with the page of these networks.
MakePage = Callable[..., Path]


@pytest.fixture(scope="session")
def make_page(tmp_path_factory: pytest.TempPathFactory) -> MakePage:
    folder = tmp_path_factory.mktemp("pages")
    made: dict[tuple[str, ...], Path] = {}

    def make(*networks: str) -> Path:
        if networks not in made:
            made[networks] = folder / f"page{len(made)}.html"
            made[networks].write_text(page_of(*networks), encoding="utf-8")
        return made[networks]

    return make
