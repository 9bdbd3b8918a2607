"""Diagnoses in words."""

from __future__ import annotations

import pytest

from archcalc.core import language as languages
from archcalc.teach.check.explain import capital


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("en", "the stride is missing. pool1 moves by 2.", "The stride is missing. pool1 moves by 2."),
        ("en", "pool1 is applied twice.", "pool1 is applied twice."),
        ("en", "conv3's input depth.", "conv3's input depth."),
        ("en", "conv1/bn has 64.", "conv1/bn has 64."),
        ("ru", "слой pool1 применён дважды.", "Слой pool1 применён дважды."),
        ("hy", "fc շերտի կշիռները", "fc շերտի կշիռները"),
        ("hy", "մեկ ֆիլտր", "Մեկ ֆիլտր"),
    ],
)
def test_the_name_of_a_layer_keeps_its_letters(language: str, text: str, wanted: str) -> None:
    before = languages.language()
    languages.use(language)
    try:
        assert capital(text) == wanted
    finally:
        languages.use(before)
