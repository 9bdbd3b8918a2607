"""What there is to choose from: networks, examples, conventions, styles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.cli.serve.files import exports
from archcalc.cli.serve.homework import LEVELS
from archcalc.cli.serve.requests import Request
from archcalc.cli.serve.tables import POLICIES, has_converter
from archcalc.core.quantities import QUANTITIES, quantity
from archcalc.design.conventions import TOOLS
from archcalc.displays import ALONG
from archcalc.passes.analysis import analyse
from archcalc.render.diagrams.choices import STYLES
from archcalc.render.diagrams.compose import COLOUR_BY
from archcalc.render.tables.columns import COLUMNS
from archcalc.spec.build import NOTHING, facts_of
from archcalc.spec.catalogue import find, load, names

#: Texts to begin with.
EXAMPLES = (
    ("A small network in one line", "32x32x3 -> [conv3-32 -> relu -> pool2] * 3 -> fc10"),
    ("The same as a spec", "name: small\ntitle: A small network\ninput: 32x32x3\nlayers:\n"
     "  - repeat: 3\n    layers:\n      - conv_relu: {out_channels: 32, kernel_size: 3, padding: 1}\n"
     "      - max_pool2d: {kernel_size: 2}\n  - linear: {out_features: 10}\n"),
    ("A residual block", "name: residual\ntitle: A residual block\ninput: 56x56x64\nparameters: {width: 64}\nlayers:\n"
     "  - branches:\n      - - conv_bn_relu: {out_channels: width, kernel_size: 3, padding: 1}\n"
     "        - conv_bn: {out_channels: 64, kernel_size: 3, padding: 1}\n      - []\n    merge: add\n  - relu\n"),
)  # fmt: skip
_COUNTED = ("params", "multiplications")


def catalogue(request: Request) -> dict[str, Any]:
    """Every network, with its totals where the request has `counts`, and the words that other functions take."""
    return catalogue_of(request.values.get("counts") is True, has_converter())


def catalogue_of(
    counts: bool, can_convert: bool, progress: Callable[[int, str], None] = lambda *_: None
) -> dict[str, Any]:
    """The same; `can_convert`: Python makes PNG and PDF, else the page does. `progress` hears of each network."""
    networks = []
    for done, name in enumerate(names(), 1):
        networks.append(_network(name, counts))
        progress(done, name)
    return {
        "networks": networks,
        "examples": [{"title": title, "text": text} for title, text in EXAMPLES],
        "conventions": list(TOOLS),
        "styles": list(STYLES),
        "colours": list(COLOUR_BY),
        "quantities": [
            {"key": key, "heading": column.title, "unit": QUANTITIES[key].unit if key in QUANTITIES else ""}
            for key, column in COLUMNS.items()
        ],
        "charts": [{"kind": kind, "title": kind.replace("_", " ")} for kind in ALONG],
        "levels": list(LEVELS),
        "policies": list(POLICIES),
        "exports": [{"to": to, "title": title} for to, title in exports(can_convert).items()],
    }


def _network(name: str, counts: bool) -> dict[str, Any]:
    spec, member, variant = find(name)
    document = spec.document
    chosen = (document.networks.get(member or "", NOTHING), document.variants[variant] if variant else NOTHING)
    facts = facts_of(spec, chosen)
    found = {
        "name": name, "title": facts["title"], "year": facts.get("year"), "family": document.title,
        "landmark": document.landmark, **dict.fromkeys(_COUNTED),
    }  # fmt: skip
    if counts:
        analysis = analyse(load(name))
        found |= {key: quantity(key).of(analysis.totals) for key in _COUNTED} | {"layers": analysis.layer_count}
    return found
