"""The page around contents of any kind: one file that loads nothing, with a policy that forbids it to."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from archcalc.render.pages.markup import Html, fill


def page(title: str, style: str, script: str, body: Html, lang: str = "en", direction: str = "ltr") -> str:
    """A whole page; its style sheet and its script are the only ones that the policy allows."""
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # `Html` as it is: style and script know no escapes. Nothing of a spec is in them.
    return fill(
        "shell.html", policy=policy, title=title, style=Html(style), body=body, script=Html(script), lang=lang,
        direction=direction,
    )  # fmt: skip


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
