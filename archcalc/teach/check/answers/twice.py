"""Whether a heading counts a multiply-add as one operation or as two: FLOPs (2 per MAC), GFLOPs (1 MAC = 1 FLOP)."""

from __future__ import annotations

import re

#: A multiply-add: MAC, mult-adds, умножение, 乘加.
_EACH = r"(?:mac|mult|mad|mul\b|muls\b|fma|умнож|乘|乗|积和|積和|כפל|բազմ)"
_TWO = r"(?:\b2|(?<=[=（(])2|\btwo|\btwice|\bdouble|\bzwei|\bdeux|\bdos|\bdois|\bdue|\bдве|\bдва|两|二|שתי|\bերկու)"
_TIMES = r"\s*[x×*·]\s*"
#: The product itself: 2 × MACs, MACs * 2.
_PRODUCT = rf"{_TWO}(?:{_TIMES}|\s(?:the\s)?|(?=mac)){_EACH}[\w-]*|{_EACH}[\w-]*{_TIMES}2\b"
#: 2 per MAC, 2 FLOPs for each multiply-add; MAC = 2, a multiply-add counts as two; multiplications and additions.
_ADDED = r"(?:add|слож|addi|sum|som|suma|加|חיבור|գումար)"
_AND = r"\s*(?:[+&]|\b(?:and|und|et|y|e|и|ו|և)\b)\s*"
_SAID = re.compile(
    rf"{_PRODUCT}|{_TWO}[^,;=]*?(?:/|\b(?:per|each|every|a|for|pro|je|par|por|für|pour|para|на|за)\b)[^,;=]*?{_EACH}"
    rf"|{_EACH}[^,;=]*(?:=|\bas\b|\bare\b|\bis\b)\s*{_TWO}"
    rf"|{_EACH}[\w]*{_AND}{_ADDED}|{_ADDED}\w*{_AND}{_EACH}"
)
_NAME = re.compile(rf"{_PRODUCT}|{_EACH}[\w]*{_AND}{_ADDED}[\w]*|{_ADDED}\w*{_AND}{_EACH}[\w]*")


def counts_two(heading: str) -> bool | None:
    """Whether a heading in lower case counts a multiply-add as two operations; None where it may be either."""
    name = re.split(r"[(\[{（【=,:]", heading, maxsplit=1)[0]
    if re.search(_EACH, name) and not _NAME.search(name) and not _SAID.search(name):
        return False  # MACs (2 FLOPs each)
    if _SAID.search(heading):
        return True
    return False if re.search(_EACH, heading) else None


def is_product(heading: str) -> bool:
    """Whether a heading is multiplications under no name but their sum or product: 2*MACs, mult + add."""
    return _NAME.fullmatch(heading.strip()) is not None
