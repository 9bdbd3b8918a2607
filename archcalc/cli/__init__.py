"""The command line. The start of `archcalc` is a feature: nothing is imported before it is needed."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `archcalc` program."""
    arguments = sys.argv[1:]
    if "_ARCHCALC_COMPLETE" not in os.environ:
        # The two things that people and scripts ask most do not need the machinery of commands.
        if arguments in ([], ["--help"], ["-h"]):
            with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as file:
                sys.stdout.write(file.read())
            return
        if arguments == ["--version"]:
            from archcalc import __version__

            print(f"archcalc {__version__}")
            return
    from archcalc.cli.run import run

    sys.exit(run(arguments))
