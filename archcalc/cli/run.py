"""Runs a command line: what goes wrong becomes one message and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archcalc.core.language import language, use
from archcalc.core.text import printable
from archcalc.core.words import visible

if TYPE_CHECKING:
    import click

PLUGIN_LOADER = "pydantic.plugin._loader"


def run(arguments: Sequence[str]) -> int:
    """The exit code: 0 good, 1 a difference was found, 2 bad input or usage."""
    do_without_plugins()
    # A command makes few cycles and ends soon; collecting while modules load is a tenth of the start.
    gc.set_threshold(100_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")

    import click

    from archcalc.cli.app import app
    from archcalc.core.errors import ArchcalcError, FileError, SpecError
    from archcalc.core.files import one_command

    before = language()
    try:
        with one_command():
            given = [one if os.path.lexists(one) else visible(one) for one in arguments]
            result = app.main(args=given, prog_name="archcalc", standalone_mode=False)
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        show(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        return 130
    except (SpecError, FileError) as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    except RecursionError:
        print("archcalc: the input is nested more deeply than this command can follow", file=sys.stderr)
        return 2
    except MemoryError:
        print("archcalc: there is not enough memory for this", file=sys.stderr)
        return 2
    except ArchcalcError as error:
        print(f"archcalc: {printable(str(error))}", file=sys.stderr)
        return 2
    except SystemExit as end:
        # click leaves so after completing a word for a shell, and with 1 where nobody reads the pipe any more.
        return int(end.code or 0) if "_ARCHCALC_COMPLETE" in os.environ else stop_writing(BrokenPipeError())
    except OSError as error:
        return stop_writing(error)
    finally:
        use(before)  # what is wrong is said in the language of the command


def do_without_plugins() -> None:
    """Keep pydantic from looking for plugins: archcalc has none, and the look-up is a tenth of the start.

    The setting alone does not do: pydantic reads it only after it has imported importlib.metadata, e-mail and sockets
    included. So the module that would look stands there already. Where pydantic keeps it elsewhere, nothing changes.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__" and PLUGIN_LOADER not in sys.modules:
        loader = type(sys)(PLUGIN_LOADER)
        loader.__dict__["get_plugins"] = tuple
        sys.modules[PLUGIN_LOADER] = loader


def stop_writing(error: OSError) -> int:
    """Stdout takes no more. No fault where its reader, `head` say, has seen enough."""
    # Python would complain once more while it closes stdout.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    print(f"archcalc: cannot write {error.filename or 'to stdout'}: {error.strerror or error}", file=sys.stderr)
    return 2


def show(error: click.ClickException) -> None:
    """What is wrong with a command line, as click shows it, without what would steer a terminal."""
    context = getattr(error, "ctx", None)
    if context is not None:
        print(printable(context.get_usage()), file=sys.stderr)
        print(f"Try '{context.command_path} --help' for help.\n", file=sys.stderr)
    print(printable(f"Error: {error.format_message()}"), file=sys.stderr)
