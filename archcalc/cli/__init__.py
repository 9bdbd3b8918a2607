"""The command line. The start of `archcalc` is a feature: nothing is imported before it is needed."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `archcalc` program."""
    open_streams()
    arguments = sys.argv[1:]
    if "_ARCHCALC_COMPLETE" not in os.environ:
        # The two things that people and scripts ask most do not need the machinery of commands.
        text = ""
        if arguments in ([], ["--help"], ["-h"]):
            with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as file:
                text = file.read()
        elif arguments == ["--version"]:
            from archcalc import __version__

            text = f"archcalc {__version__}\n"
        if text:
            try:
                sys.stdout.write(text)
                sys.stdout.flush()
            except OSError as error:
                from archcalc.cli.run import stop_writing

                sys.exit(stop_writing(error))
            return
    from archcalc.cli.run import run

    sys.exit(run(arguments))


def open_streams() -> None:
    """Put something in the place of a stream that was closed, so that no other file takes its number.

    What is written to a closed stdout still fails; what goes to a closed stderr is dropped.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if name != "stdin":
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 # it stays open


def program() -> None:
    """The installed command: `main`, and then the end, at once.

    Taking the interpreter apart, module by module, would be a tenth of a short run. All files are closed by then.
    """
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        code = 130
    if not isinstance(code, int):
        sys.exit(str(code))
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 2
    os._exit(code)
