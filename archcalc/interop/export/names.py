"""Names and text of a network as parts of Python code, whatever they hold."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import count
from os.path import commonprefix


def identifier(name: str, reserved: Collection[str] = ()) -> str:
    """The name as a Python identifier: other characters become `_`; reserved names end in `_`.

    >>> identifier("3x3/reduce"), identifier("class"), identifier("forward", {"forward"})
    ('_3x3_reduce', 'class_', 'forward_')
    """
    # ASCII only: Python takes two spellings of a letter for one name.
    found = re.sub(r"[^0-9A-Za-z_]", "_", name)
    found = re.sub(r"^_+(?![0-9])", "", found) or "layer"
    if found[0].isdecimal():
        found = f"_{found}"
    return f"{found}_" if keyword.iskeyword(found) or found in reserved else found


def unique(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    return name if name not in taken else next(each for n in count(2) if (each := f"{name}_{n}") not in taken)


def unique_class(name: str, taken: Collection[str]) -> str:
    """The same for a class: Unit, UnitB, UnitC; numbers after Z."""
    letters = (f"{name}{letter}" for letter in "BCDEFGHIJKLMNOPQRSTUVWXYZ")
    return next((each for each in (name, *letters) if each not in taken), None) or unique(name, taken)


def class_name(name: str, title: str) -> str:
    """The class of a network: spelt as its title where that is the name with capitals (ResNet-50)."""
    own = camel(title)
    plain = "".join(each for each in name.lower() if each.isalnum())
    return identifier(own if own.isascii() and own.lower() == plain else camel(name))


def camel(name: str) -> str:
    """The name of a class: `conv_bn_relu` becomes `ConvBnRelu`.

    >>> camel("inception_3a"), camel("3x3")
    ('Inception3a', 'Block3x3')
    """
    found = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", name))
    return found if found[:1].isalpha() else f"Block{found}"


def common_name(names: Sequence[str]) -> str:
    """What names begin with, without numbers at the end, or the most usual of them; empty where they are numbers.

    >>> common_name(["unit1", "unit2"]), common_name(["contract1", "contract2", "convs"]), common_name(["3x3", "5x5"])
    ('unit', 'contract', '')
    """
    common = commonprefix(names)  # noqa: RUF071 # characters are what is compared
    if len(names) > 1 and any(name[len(common) :][:1].islower() for name in names):
        ((common, _),) = Counter(map(_without_number, names)).most_common(1)
    if common[:1].isdecimal():
        return common if len(names) == 1 else ""
    return _without_number(common)


def _without_number(name: str) -> str:
    return re.sub(r"[0-9_\W]+$", "", name, flags=re.ASCII)


def docstring(text: str) -> str:
    """One line of text that can stand between triple quotes."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line.replace("\\", "\\\\").replace('"', '\\"')
