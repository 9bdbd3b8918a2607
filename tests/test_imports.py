"""Imports run one way, and what is heavy stays out of the way of a plain report."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import archcalc

PACKAGE = Path(archcalc.__file__).parent

#: What each folder of archcalc may import of the others, from the bottom to the top (docs/explanation/architecture.md).
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "ops": {"core"},
    "graph": {"core", "ops"},
    "spec": {"core", "graph", "ops"},
    "passes": {"core", "graph", "ops"},
    # A layer of another format is checked as those of specs are.
    "interop": {"core", "graph", "ops", "passes", "spec"},
    # A closed form is a spec expanded with symbols; an equation is read by the parser of expressions.
    "explain": {"core", "graph", "ops", "passes", "spec"},
    # A search evaluates closed forms.
    "design": {"core", "explain", "graph", "ops", "passes", "spec"},
    "render": {"core", "design", "explain", "graph", "ops", "passes", "spec"},
    "execute": {"core", "graph", "ops", "passes"},
    "teach": {"core", "design", "explain", "graph", "ops", "passes", "render", "spec"},
    # The public names, above everything else: what users hold, and what it shows.
    "displays": {"core", "explain", "graph", "ops", "passes", "render"},
    "objects": {"core", "design", "displays", "graph", "interop", "passes", "render", "spec"},
    "api": {"core", "graph", "interop", "objects", "passes", "spec"},
    "builder": {"api", "core", "graph", "objects", "ops", "passes", "spec"},
    "lecturing": {"api", "core", "execute", "passes", "render", "spec"},
    "teaching": {"api", "core", "displays", "objects", "passes", "teach"},
    "designing": {"api", "core", "design", "displays", "execute", "objects", "passes", "render"},
    "tools": {
        "design",
        "api",
        "core",
        "displays",
        "execute",
        "explain",
        "graph",
        "interop",
        "objects",
        "ops",
        "passes",
        "render",
    },
    "searching": {"core", "design", "displays", "render"},
    "cli": {"*"},
    # The page of `archcalc serve`, in a notebook.
    "notebook": {"cli", "core", "graph"},
    "__main__": {"cli"},
}
#: Only for type checkers: the public names.
ALLOWED_FOR_TYPES = {
    "": {
        "api",
        "builder",
        "core",
        "designing",
        "graph",
        "lecturing",
        "notebook",
        "objects",
        "passes",
        "searching",
        "spec",
        "teaching",
        "tools",
    }
}
#: Folders inside a folder that must not know their neighbours, and whom they may import.
APART: dict[str, set[str]] = {
    # The reference shares nothing with the rules that it could falsify.
    "execute.kernels": {"execute.kernels"},
    "execute.quick.kernels": {"execute.quick.kernels"},
}
#: Who may import what from outside the standard library.
THIRD_PARTY: dict[str, set[str]] = {
    "click": {"cli"},
    # An extra: the widget.
    "anywidget": {"cli", "notebook"},
    "traitlets": {"cli"},
    "pydantic": {"core", "graph", "ops", "render", "spec"},
    "yaml": {"spec"},
    # `objects` names them as the types of what it gives, and imports none of them.
    "graphviz": {"interop", "objects"},
    "networkx": {"interop", "objects", "render"},
    "pandas": {"interop", "objects"},
    # Arrays that came with a model file.
    "numpy": {"design", "execute", "lecturing", "cli", "interop", "tools"},
    # ONNX files, and the errors of the protobufs that they are.
    "google": {"interop"},
    "onnx": {"interop"},
    "h5py": {"interop"},
    "sympy": {"explain", "cli"},
    "PIL": {"execute", "render"},
    "safetensors": {"execute"},
    # An extra: the reader of its programs and modules.
    "torch": {"interop"},
    "threadpoolctl": {"execute"},
    # An extra: a search on a cluster.
    "distributed": {"design"},
    # An extra: the rows of a search in columns.
    "pyarrow": {"design"},
    "pygraphviz": {"render"},
    # Graphviz as the page in a browser has it.
    "graphviz_of_page": {"render"},
    "docx": {"teach"},
    "openpyxl": {"teach"},
    "pptx": {"render"},
    "pypdf": {"render", "teach"},
    "vl_convert": {"render"},
    # The server of `archcalc serve`.
    "h11": {"cli"},
    "starlette": {"cli"},
    "uvicorn": {"cli"},
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
        if isinstance(child, ast.expr):
            continue
        inner_types = for_types or (isinstance(node, ast.If) and child in node.body and "TYPE_CHECKING" in _names(node))
        inner_once = at_once and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
        yield child, inner_types, at_once
        yield from _walk(child, inner_types, inner_once)


def _names(node: ast.If) -> set[str]:
    return {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}


@cache
def imports() -> list[Import]:
    """Every import statement of the package, read once."""
    return [
        Import(module.removesuffix(".__init__"), target, node.lineno, for_types, at_once)
        for module, path in MODULES.items()
        for node, for_types, at_once in _walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for target in _targets(node)
    ]


def _unit(module: str) -> str:
    """`ops` of `archcalc.ops.conv`; '' of `archcalc` itself."""
    return [*module.split("."), ""][1]


def test_the_import_statements_are_found() -> None:
    found = {(entry.module, entry.target, entry.for_types, entry.at_once) for entry in imports()}
    assert {
        ("archcalc.ops.rules", "archcalc.core.numbers", False, True),
        ("archcalc.ops.conv", "archcalc.ops.rules", False, True),
        ("archcalc.graph.layer_graph", "archcalc.graph.published", True, True),
        ("archcalc.interop.pandas", "pandas", True, True),
        ("archcalc.interop.pandas", "pandas", False, False),
    } <= found
    assert len(found) > 100


def test_imports_run_one_way() -> None:
    wrong = []
    for entry in imports():
        unit, target = _unit(entry.module), _unit(entry.target)
        if not entry.target.startswith("archcalc") or unit == target:
            continue
        allowed = set(ALLOWED.get(unit, ()))
        if entry.for_types:
            allowed |= ALLOWED_FOR_TYPES.get(unit, set())
        if target not in allowed and "*" not in allowed:
            wrong.append(str(entry))
    assert wrong == []


def test_the_folders_are_those_of_the_table_and_the_table_runs_one_way() -> None:
    units = {_unit(name) for name in NAMES} - {""}
    assert units == set(ALLOWED)
    order = {unit: targets - {"*"} for unit, targets in ALLOWED.items()}
    assert list(graphlib.TopologicalSorter(order).static_order())


@pytest.mark.parametrize("part", APART)
def test_what_stands_apart_imports_only_its_own(part: str) -> None:
    inside = [entry for entry in imports() if entry.module.startswith(f"archcalc.{part}.")]
    assert inside
    own = tuple(f"archcalc.{name}" for name in APART[part])
    assert [
        str(entry) for entry in inside if entry.target.startswith("archcalc") and not entry.target.startswith(own)
    ] == []


def test_no_module_imports_itself_through_others() -> None:
    """At the start, inside a function or for type checkers alone: no import closes a circle."""
    edges: dict[str, set[str]] = {name: set() for name in NAMES}
    for entry in imports():
        # The public names are resolved lazily, for everybody who uses the library; nothing inside asks for them.
        if entry.target in NAMES and entry.module != "archcalc":
            edges[entry.module].add(entry.target)
    # Raises CycleError, which shows the cycle.
    assert set(graphlib.TopologicalSorter(edges).static_order()) >= NAMES


def test_only_the_named_units_use_other_packages() -> None:
    wrong = []
    for entry in imports():
        package = entry.target.partition(".")[0]
        if package in sys.stdlib_module_names or package in ("__future__", "archcalc"):
            continue
        if _unit(entry.module) not in THIRD_PARTY.get(package, set()):
            wrong.append(str(entry))
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    [
        "archcalc",
        "archcalc.ops",
        "archcalc.spec.build",
        "archcalc.graph.layer_graph",
        "archcalc.passes.analysis",
        "archcalc.spec.catalogue",
    ],
)
def test_importing_does_not_load_what_is_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout.split() == []


def test_a_whole_analysis_does_not_load_what_is_heavy() -> None:
    code = (
        "import sys\n"
        "from archcalc.passes.analysis import analyse\n"
        "from archcalc.spec.build import build\n"
        "from archcalc.spec.load import spec_of\n"
        "from archcalc.spec.source import parse_source\n"
        "text = 'name: n\\ntitle: N\\ninput: 8x8x3\\nlayers: [conv_bn_relu: {out_channels: 4, kernel_size: 3}]'\n"
        "print(analyse(build(spec_of(parse_source(text, 'n.yaml')))).totals.params)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    # 4 filters of 3·3·3 weights without bias, and γ and β.
    assert done.stdout.split() == [str(4 * 27 + 8)]


def test_importing_the_package_loads_none_of_it() -> None:
    code = "import sys, archcalc; print(*sorted(name for name in sys.modules if name.startswith('archcalc.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", archcalc.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(archcalc, name) is not None


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyze'"):
        _ = archcalc.analyze
