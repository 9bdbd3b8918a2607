"""The functions of the playground: a name and a JSON object in, a JSON object out. Nothing is computed here.

Every function is a reading of the library. What is wrong with a request or a network is in the answer:
`{"ok": false, "errors": [{"message", "severity", "line"?, "column"?, "end_line"?, "end_column"?, "layer"?, "fix"?}]}`,
with `"missing": PACKAGE` where a package is not there, `"needs": "input"` where a file lacks the size of its input,
and `"slow": true` where it took too long.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import ArchcalcError, MissingPackageError, UsageError
from archcalc.core.language import COMPLETE, ENGLISH, use
from archcalc.core.suggest import did_you_mean

if TYPE_CHECKING:
    from archcalc.cli.serve.requests import Request

#: Where each function is, imported when it is called: a server only needs their names.
FUNCTIONS: Mapping[str, str] = {
    "catalogue": "catalogue:catalogue",
    "spec": "files:spec",
    "validate": "editing:validate",
    "analyse": "tables:analyse",
    "draw": "pictures:draw",
    "explain": "pictures:explain",
    "check": "homework:check",
    "complete": "editing:complete",
    "hover": "editing:hover",
    "format": "editing:format_text",
    "import_file": "files:import_file",
    "export": "files:export",
    "compare": "tables:compare",
    "chart": "pictures:chart",
    "memory": "tables:memory",
    "lint": "tables:lint",
    "exercise": "homework:exercise",
    "mark": "homework:mark",
}


#: What the first view of a network calls.
FIRST = ("analyse", "draw", "validate", "explain")


def load(names: Iterable[str] = FUNCTIONS) -> None:
    """Import functions, before the first call."""
    for name in names:
        _function(name)


@cache
def _function(name: str) -> Callable[[Request], dict[str, Any]]:
    """A function by its name. Raises `UsageError` where there is none."""
    if name not in FUNCTIONS:
        raise UsageError(f"there is no function {name[:60]!r}{did_you_mean(name, FUNCTIONS)}")
    module, _, attribute = FUNCTIONS[name].partition(":")
    found: Callable[[Request], dict[str, Any]] = getattr(import_module(f"{__package__}.{module}"), attribute)
    return found


def call(name: str, request: Any) -> dict[str, Any]:
    """The answer of a function to a request, which may be anything that JSON holds.

    Never raises for what a request holds; a fault of archcalc itself does raise.
    """
    text = ""
    try:
        function = _function(name)
        from archcalc.cli.serve.requests import Request

        asked = Request.of(request)
        wanted = asked.values.get("lang")
        use(wanted if isinstance(wanted, str) and wanted in COMPLETE else ENGLISH)
        text = _text_of(asked)
        return {"ok": True, **function(asked)}
    except MissingPackageError as error:
        # Nobody installs anything in a browser.
        return _not_here(error.package) if sys.platform == "emscripten" else failure(str(error), error.package)
    except ArchcalcError as error:
        from archcalc.cli.serve.faults import as_errors

        return {"ok": False, "errors": as_errors(error, text)}
    except RecursionError:
        return failure("the input is nested more deeply than can be followed")
    except MemoryError:
        return failure("there is not enough memory for this")
    except ModuleNotFoundError as error:
        package = error.name or str(error)
        if package.partition(".")[0] == "archcalc":  # a fault of archcalc, which nobody can install
            raise
        return _not_here(package)


def _not_here(package: str) -> dict[str, Any]:
    return failure(f"this needs the package {package}, which is not here; `archcalc serve` has it", package)


def call_text(name: str, request: str) -> str:
    """The same from JSON text to JSON text; a fault of archcalc itself is shown on stderr and in the answer."""
    try:
        found = call(name, json.loads(request))
    except (ValueError, RecursionError):
        found = failure("the request is no JSON")
    except Exception as error:  # the page shows it, and the next request is answered
        traceback.print_exc(file=sys.stderr)
        found = failure(f"internal error: {type(error).__name__}")
    return json.dumps(found)


def failure(message: str, package: str | None = None) -> dict[str, Any]:
    """An answer that is one error without a place; `package` is missing, and a page that has it asks again."""
    missing = {} if package is None else {"missing": package}
    return {"ok": False, "errors": [{"message": message, "severity": "error"}], **missing}


def _text_of(request: Request) -> str:
    """The text that places in errors are in."""
    source = request.values.get("source")
    text = source.get("text") if isinstance(source, Mapping) else request.values.get("text")
    return text if isinstance(text, str) else ""
