"""Names of people: the names of their files, and what platforms make of a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import permutations

from archcalc.core.words import visible

#: The words of a longer name are put together in their order alone, beginning with each of them.
_MOST_WORDS = 4
_LONGEST_FILE_NAME = 100
#: Letters that are no others with a mark.
_BASIC = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})


def file_name(name: str) -> str:
    """What the files of a student are called: letters, digits, - and _."""
    return re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", name)).strip("_")[:_LONGEST_FILE_NAME] or "student"


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each student; of names that would share one, numbered."""
    taken: set[str] = set()
    found = []
    for plain in map(file_name, names):
        stem, number = plain, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.casefold())
        found.append(stem)
    return found


def folded(name: str) -> str:
    """A name without capitals, in one form of its letters."""
    return unicodedata.normalize("NFC", visible(name)).casefold()


def names_of(name: str) -> Iterator[object]:
    """What a name is looked up by: as it is, by its words, without numbers, as a platform may spell it, from A to Z."""
    yield ("file", file_name(name).casefold())
    yield ("words", tuple(sorted(words_of(name))))
    yield from spellings(name)
    for spelling in spellings(_in_basic_letters(name)):
        yield ("basic", spelling)


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case: john and smith of Smith, John and of John_Smith."""
    return re.findall(r"\w+", folded(name).replace("_", " "))


def spellings(name: str) -> Iterator[str | tuple[str, ...]]:
    """What a name may be written like elsewhere: its words in one order, and its letters without spaces.

    Numbers are left out: `Smith_John-2` and `John Smith (1001)` are both a John Smith. Canvas writes `smithjohn`.
    """
    words = [word for word in words_of(name) if not word.isdecimal()]
    if not words:
        return
    yield tuple(sorted(words))
    turned = (words[at:] + words[:at] for at in range(len(words)))
    orders = permutations(words) if len(words) <= _MOST_WORDS else turned
    yield from dict.fromkeys("".join(order) for order in orders)


def _in_basic_letters(name: str) -> str:
    """A name as systems write it that have letters from A to Z alone: muller for Müller, zolc for Żółć."""
    apart = unicodedata.normalize("NFKD", folded(name).translate(_BASIC))
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if not unicodedata.combining(sign)))
