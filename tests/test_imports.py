"""Imports run one way, and what is heavy stays out of the way of a plain report."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import archcalc

PACKAGE = Path(archcalc.__file__).parent

#: What each unit (a module or a package directly under archcalc) may import of archcalc, from the bottom to the top.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "numbers": set(),
    "conventions": set(),
    "shapes": {"errors"},
    "words": set(),
    "ops": {"errors", "numbers", "shapes"},
    "graph": {"errors", "ops", "shapes"},
    "spec": {"errors", "graph", "ops", "shapes"},
    "passes": {"errors", "graph", "numbers", "ops", "shapes"},
    "analysis": {"conventions", "errors", "graph", "ops", "passes", "shapes"},
    "fold": {"analysis", "ops"},
    "catalogue": {"errors", "graph", "shapes", "spec"},
    "sizes": {"errors", "graph", "passes", "shapes"},
    "single": {"errors", "graph", "ops", "shapes", "spec"},
    # `spec.suggest` names the column or layer that was meant.
    "reports": {
        "analysis",
        "catalogue",
        "conventions",
        "errors",
        "fold",
        "graph",
        "ops",
        "passes",
        "shapes",
        "spec",
        "words",
    },
    "diagrams": {"analysis", "conventions", "errors", "graph", "ops", "passes", "shapes", "spec"},
    "pages": {
        "analysis",
        "catalogue",
        "derive",
        "diagrams",
        "errors",
        "plots",
        "reports",
        "shapes",
        "words",
    },
    "plots": {"analysis", "catalogue", "conventions", "diagrams", "errors", "fold", "graph", "ops", "shapes", "words"},
    # Derivations are written with the escapes of the reports.
    "derive": {"analysis", "conventions", "errors", "graph", "numbers", "ops", "passes", "reports", "shapes", "spec"},
    "check": {
        "analysis",
        "catalogue",
        "conventions",
        "derive",
        "errors",
        "graph",
        "numbers",
        "ops",
        "passes",
        "reports",
        "shapes",
        "single",
        "spec",
        "words",
    },
    "exercise": {
        "analysis",
        "check",
        "derive",
        "errors",
        "graph",
        "ops",
        "passes",
        "reports",
        "shapes",
        "spec",
        "words",
    },
    "grade": {
        "analysis",
        "catalogue",
        "check",
        "derive",
        "diagrams",
        "errors",
        "exercise",
        "plots",
        "reports",
        "shapes",
        "spec",
        "words",
    },
    # Claims are judged by the parts of `check` and the texts of `derive`.
    "audit": {
        "analysis",
        "catalogue",
        "check",
        "conventions",
        "derive",
        "errors",
        "graph",
        "numbers",
        "ops",
        "passes",
        "reports",
        "shapes",
        "single",
        "spec",
        "words",
    },
    "solve": {"analysis", "derive", "errors", "graph", "ops", "passes", "shapes", "sizes", "spec"},
    "symbolic": {"catalogue", "derive", "errors", "graph", "ops", "passes", "shapes", "spec"},
    # The witness: kernels share nothing with the ops that they could falsify.
    "kernels": set(),
    # What was measured is shown in the tables of the reports; `spec.suggest` names the layer that was meant.
    "executor": {"analysis", "conventions", "errors", "graph", "kernels", "ops", "reports", "shapes", "spec", "words"},
    "cli": {"*"},
    "__main__": {"cli"},
}
#: Only for type checkers: not imported when the program runs.
ALLOWED_FOR_TYPES = {
    "": {"analysis", "catalogue", "conventions", "errors", "graph"},
    "graph": {"spec"},
    "spec": {"spec"},
    "cli": {"*"},
}
#: Who may import what from outside the standard library.
THIRD_PARTY: dict[str, set[str]] = {
    "click": {"cli"},
    "pydantic": {"ops", "single", "spec"},
    "yaml": {"spec"},
    "networkx": {"graph"},
    "numpy": {"kernels", "executor", "cli"},
    "sympy": {"symbolic", "cli"},
    "PIL": {"executor"},
    "safetensors": {"executor"},
    "pygraphviz": {"diagrams"},
    "openpyxl": {"check"},
    "pptx": {"diagrams"},
    "reportlab": {"diagrams"},
    "resvg_py": {"diagrams"},
    "vl_convert": {"plots"},
}
HEAVY = ("numpy", "sympy", "networkx", "matplotlib", "pandas")


class Import(NamedTuple):
    """An import statement: where it stands, what it names, and whether it is run with the module."""

    module: str
    target: str
    line: int
    for_types: bool
    at_once: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def _modules() -> dict[str, Path]:
    paths = sorted(path for path in PACKAGE.rglob("*.py") if "specs" not in path.parts)
    return {".".join(("archcalc", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in paths}


MODULES = _modules()
NAMES = {name.removesuffix(".__init__") for name in MODULES}


def _targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, "imports are absolute"
    assert node.module is not None
    for alias in node.names:
        # `from archcalc.ops import rules` means the module archcalc.ops.rules.
        inner = f"{node.module}.{alias.name}"
        yield inner if inner in NAMES else node.module


def _walk(node: ast.AST, for_types: bool = False, at_once: bool = True) -> Iterator[tuple[ast.AST, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        inner_types = for_types or (isinstance(node, ast.If) and child in node.body and "TYPE_CHECKING" in _names(node))
        inner_once = at_once and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield child, inner_types, at_once
        yield from _walk(child, inner_types, inner_once)


def _names(node: ast.If) -> set[str]:
    return {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}


def _imports() -> list[Import]:
    return [
        Import(module.removesuffix(".__init__"), target, node.lineno, for_types, at_once)
        for module, path in MODULES.items()
        for node, for_types, at_once in _walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for target in _targets(node)
    ]


IMPORTS = _imports()


def _unit(module: str) -> str:
    """`ops` of `archcalc.ops.conv`; '' of `archcalc` itself."""
    return [*module.split("."), ""][1]


def test_the_import_statements_are_found() -> None:
    found = {(entry.module, entry.target, entry.for_types, entry.at_once) for entry in IMPORTS}
    assert {
        ("archcalc.ops.rules", "archcalc.numbers", False, True),
        ("archcalc.ops.conv", "archcalc.ops.rules", False, True),
        ("archcalc.graph", "archcalc.spec.document", True, True),
        ("archcalc.graph", "networkx", True, True),
        ("archcalc.graph", "networkx", False, False),
    } <= found
    assert len(found) > 100


def test_imports_run_one_way() -> None:
    wrong = []
    for entry in IMPORTS:
        unit, target = _unit(entry.module), _unit(entry.target)
        if not entry.target.startswith("archcalc") or unit == target:
            continue
        allowed = set(ALLOWED.get(unit, ()))
        if entry.for_types:
            allowed |= ALLOWED_FOR_TYPES.get(unit, set())
        if target not in allowed and "*" not in allowed:
            wrong.append(str(entry))
    assert wrong == []


def test_every_unit_stands_in_the_table_and_the_table_runs_one_way() -> None:
    units = {_unit(name) for name in NAMES} - {""}
    assert len(units) >= 10
    assert units <= set(ALLOWED), "a new unit needs its place in the table"
    order = {unit: targets - {"*"} for unit, targets in ALLOWED.items()}
    assert list(graphlib.TopologicalSorter(order).static_order())


def test_no_module_imports_itself_through_others() -> None:
    edges: dict[str, set[str]] = {name: set() for name in NAMES}
    for entry in IMPORTS:
        if entry.target in NAMES and entry.at_once and not entry.for_types:
            edges[entry.module].add(entry.target)
    # Raises CycleError, which shows the cycle.
    assert set(graphlib.TopologicalSorter(edges).static_order()) >= NAMES


def test_only_the_named_units_use_other_packages() -> None:
    wrong = []
    for entry in IMPORTS:
        package = entry.target.partition(".")[0]
        if package in sys.stdlib_module_names or package in ("__future__", "archcalc"):
            continue
        if _unit(entry.module) not in THIRD_PARTY.get(package, set()):
            wrong.append(str(entry))
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    ["archcalc", "archcalc.ops", "archcalc.spec.build", "archcalc.graph", "archcalc.analysis", "archcalc.catalogue"],
)
def test_importing_does_not_load_what_is_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_a_whole_analysis_does_not_load_what_is_heavy() -> None:
    code = (
        "import sys\n"
        "from archcalc.analysis import analyse\n"
        "from archcalc.spec.build import build\n"
        "from archcalc.spec.load import spec_of\n"
        "from archcalc.spec.source import parse_source\n"
        "text = 'name: n\\ntitle: N\\ninput: 8x8x3\\nlayers: [conv_bn_relu: {out_channels: 4, kernel_size: 3}]'\n"
        "print(analyse(build(spec_of(parse_source(text, 'n.yaml')))).totals.params)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    # 4 filters of 3·3·3 weights without bias, and γ and β.
    assert done.stdout.split() == [str(4 * 27 + 8)]


def test_importing_the_package_loads_none_of_it() -> None:
    code = "import sys, archcalc; print(*sorted(name for name in sys.modules if name.startswith('archcalc.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", archcalc.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(archcalc, name) is not None


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyze'"):
        _ = archcalc.analyze
