"""`archcalc serve`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.output import note


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
              help="The port on 127.0.0.1; 0: a free one.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.option("--build", "folder", metavar="DIR",
              help="Write the page as static files into a new folder: its Python runs in the browser.")  # fmt: skip
def command(port: int, no_browser: bool, folder: str | None) -> None:
    """The playground: a page on this machine with an editor, diagrams, tables and derivations.

    It answers this machine alone, needs no network, and stops with Ctrl-C. With --build it becomes files for any web
    server; Pyodide and wheels are then fetched from the registries of npm and PyPI.
    """
    if folder is not None:
        from archcalc.cli.serve.build import build

        build(folder, note)
        return
    from archcalc.cli.serve.server import PAGE, serve

    def ready(address: str) -> None:
        note(f"{address} · stop with Ctrl-C")
        if not Path(PAGE, "dist", "index.html").is_file():
            note("the page was not built (npm run build in docs/playground); this is the plain one")
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    serve(port, ready)
