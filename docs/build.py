"""Build the documentation site into site/: the pages of docs/, the commands from their help, the catalogue.

    python docs/build.py            # everything; a few minutes
    python docs/build.py --quick    # with reports/ as it is, in place of the pages and diagrams of the catalogue

It needs the extra `docs`. The site loads nothing from the network, and its search works on files too. A broken link, a
missing page or a file that is loaded from elsewhere ends the build with exit code 1.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path
from typing import Any

import click

import archcalc
from archcalc.cli.app import COMMANDS, app

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
#: Pages of the repository that are not in docs/, and where they are in the site.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "explanation/contributing.md",
    "CHANGELOG.md": "explanation/changelog.md",
    "benchmarks/README.md": "explanation/benchmarks.md",
    "reports/README.md": "catalogue/index.md",
    "LICENSE": "LICENSE.txt",
}
#: Files of reports/ that `archcalc report --all` does not make.
AUDIT = ("lecture_audit.md", "lecture_claims.yaml")
#: The target of a link or picture, in Markdown and in HTML.
_LINK = re.compile(r"""(\]\(|\bsrc(?:set)?=")([^)"\s:#]+)(?=[#)"])""")
#: A file that a page loads when it is opened, on another host.
_LOADED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^\"'\s>]+", re.IGNORECASE
)
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Stage the pages in a temporary folder, build them there, and put the result into site/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="take reports/ as it is")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        stage_pages(stage / "pages")
        stage_catalogue(stage / "pages" / "catalogue", quick)
        for name in ("mkdocs.yml", "doctests.py"):
            shutil.copy(ROOT / "docs" / name, stage)
        if subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=stage, check=False).returncode:
            sys.exit("the site has broken links or unknown names; see above")
        outside = list(loaded_from_elsewhere(stage / "site"))
        if outside:
            sys.exit("the site loads files from elsewhere:\n" + "\n".join(outside))
        shutil.rmtree(SITE, ignore_errors=True)
        shutil.copytree(stage / "site", SITE)
    print(f"built: {SITE / 'index.html'}")


def stage_pages(pages: Path) -> None:
    """Copy the pages of docs/ and `ELSEWHERE`, with their links as they are in the site; write the reference."""
    no_pages = shutil.ignore_patterns("*.py", "mkdocs.yml", "__pycache__", "playground")
    shutil.copytree(ROOT / "docs", pages, ignore=no_pages)
    for source, target in ELSEWHERE.items():
        (pages / target).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / source, pages / target)
    sources = {pages / target: ROOT / source for source, target in ELSEWHERE.items()}
    for page in pages.rglob("*.md"):
        source = sources.get(page, ROOT / "docs" / page.relative_to(pages))
        page.write_text(with_links_of_site(page.read_text(encoding="utf-8"), source, page.relative_to(pages)), "utf-8")
    (pages / "reference" / "commands.md").write_text(commands_page(), encoding="utf-8")
    with (pages / "reference" / "api.md").open("a", encoding="utf-8") as page:
        page.writelines(f"\n::: archcalc.{name}\n" for name in archcalc.__all__ if name != "__version__")


def stage_catalogue(target: Path, quick: bool) -> None:
    """The pages and diagrams of every network, an index, and the audit of lecture notes."""
    if quick:
        shutil.copytree(ROOT / "reports", target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md"))
        return
    from archcalc.render.pages.everything import catalogue_files

    for name, text in catalogue_files():
        if name == "README.md":  # its links lead to the page of a network, which has the table too
            (target / "index.md").write_text(text.replace(".md)", ".html)"), encoding="utf-8")
        elif not name.endswith(".md"):
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).write_text(text, encoding="utf-8")
    for name in AUDIT:
        shutil.copy(ROOT / "reports" / name, target)


def with_links_of_site(text: str, source: Path, page: Path) -> str:
    """A page's text with each relative link as it must be in the site; code blocks stay as they are.

    >>> with_links_of_site("[c](../../benchmarks/README.md)", ROOT / "docs/how-to/run.md", Path("how-to/run.md"))
    '[c](../explanation/benchmarks.md)'
    """

    def link(match: re.Match[str]) -> str:
        named = (source.parent / match[2]).resolve().relative_to(ROOT)
        return f"{match[1]}{Path(relpath(site_path(named), page.parent)).as_posix()}"

    pieces = _FENCE.split(text)  # text, fence, text, …
    return "".join(piece if number % 2 else _LINK.sub(link, piece) for number, piece in enumerate(pieces))


def site_path(named: Path) -> Path:
    """Where a file of the repository is in the site."""
    if named.as_posix() in ELSEWHERE:
        return Path(ELSEWHERE[named.as_posix()])
    first, *rest = named.parts
    if first == "docs":
        return Path(*rest)
    if first == "reports":
        return Path("catalogue", *rest)
    sys.exit(f"a page links to {named}, which is not in the site")


def loaded_from_elsewhere(site: Path) -> Iterator[str]:
    """Each file on another host that a page of the site loads."""
    for page in sorted(site.rglob("*.html")):
        for match in _LOADED.finditer(page.read_text(encoding="utf-8")):
            if 'rel="canonical"' not in match[0]:
                yield f"{page.relative_to(site)}: {match[0]}"


def commands_page() -> str:
    """Every command with its help, options and examples, as click prints them."""
    lines = ["# Commands", "", *description(app, context(app, "archcalc"))]
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        assert command is not None
        lines += command_section(command, context(command, f"archcalc {name}"), 2)
    return "\n".join(lines)


def context(command: click.Command, name: str) -> click.Context:
    """Where a command is called: with the settings of the program, which a command keeps once it is asked for them."""
    return click.Context(command, info_name=name, **app.context_settings)


def command_section(command: click.Command, ctx: click.Context, level: int) -> list[str]:
    """The section of a command, and those of its own commands."""
    lines = [f"{'#' * level} {ctx.info_name}", "", "```text", *usage(command, ctx), "```", ""]
    lines += description(command, ctx)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            lines += command_section(inner, context(inner, f"{ctx.info_name} {name}"), level + 1)
    return lines


def usage(command: click.Command, ctx: click.Context) -> list[str]:
    """How a command is called."""
    return [" ".join([str(ctx.info_name), *command.collect_usage_pieces(ctx)])]


def description(command: click.Command, ctx: click.Context) -> list[str]:
    """The help of a command, its options and its examples."""
    lines = [escaped(paragraph) + "\n" for paragraph in (command.help or "").replace("\b", "").split("\n\n")]
    for option in command.get_params(ctx):
        record: Any = option.get_help_record(ctx)
        if record and record[1] and option.name != "help":
            lines += [f"`{record[0]}`", f":   {escaped(record[1])}", ""]
    examples = (command.epilog or "").replace("\b", "").replace("Examples:", "").strip("\n")
    if examples:
        lines += ["Examples:", "", "```sh", *(line.strip() for line in examples.splitlines()), "```", ""]
    return lines


def escaped(text: str) -> str:
    """A text of the command line as a paragraph in Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))


if __name__ == "__main__":
    main()
