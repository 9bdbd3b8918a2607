"""A process that calls functions: lines of JSON in, lines of JSON out, one at a time.

The server ends it where a call takes too long, and starts another one.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

#: Bytes that a worker may hold; V8, which draws charts, reserves more addresses than it uses.
MOST_MEMORY = 3 << 30


def main() -> None:
    """Answer each line of stdin, `NAME REQUEST`, with a line of JSON on stdout."""
    limit_memory()
    # What a library prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from archcalc.cli.run import do_without_plugins

    do_without_plugins()
    from archcalc.cli.serve.functions import call_text, load

    load()
    # What is there stays; to look through it again and again would cost a twentieth of each answer.
    gc.collect()
    gc.freeze()

    try:
        answers.write(b"ready\n")
        answers.flush()
        for line in sys.stdin.buffer:
            name, _, request = line.decode("utf-8", "replace").partition(" ")
            answers.write(call_text(name, request).encode() + b"\n")
            answers.flush()
    except BrokenPipeError:
        # The server is gone. What is left to write would fail again.
        os._exit(0)


def limit_memory() -> None:
    """Bound the data of this process, where the system can."""
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    main()
