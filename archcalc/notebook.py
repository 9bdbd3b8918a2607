"""The playground as a widget of a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.core.language import COMPLETE, ENGLISH

if TYPE_CHECKING:
    from archcalc.cli.serve.widget import Playground
    from archcalc.graph.layer_graph import LayerGraph


def widget(
    network: str | Path | LayerGraph,
    parameters: Mapping[str, Any] | None = None,
    input: str = "",  # noqa: A002 - the word that `load` and specs have for it
    view: str = "diagram",
    height: int = 640,
    lang: str = ENGLISH,
) -> Playground:
    """The playground with a network, in a notebook: its spec to change, and the diagram, table and derivations of it.

    It needs the package anywidget: `pip install 'archcalc[widget]'`.

    Args:
        network: A network, or a name, a pattern or a path as `load` takes them.
        parameters: Parameters of the network by name.
        input: The size of its input, height×width×channels.
        view: The pane that is open: diagram, table, charts, memory, lint, check, compare or exercise.
        height: The height of the widget in pixels.
        lang: The language of the page: en, ru, he or hy.

    Returns:
        A widget that shows itself. What is changed there is in its `text`, `parameters` and `input`; its `network` is
        the network as it is now, its `layer` the one that is chosen.

    Raises:
        UsageError: for an unknown network, view or language, and where anywidget is missing.
        SpecError: for a spec with faults.

    >>> import archcalc as ac
    >>> page = ac.widget("alexnet", view="table")
    >>> page.network.analyse().totals.params
    62378344

    """
    try:
        import anywidget  # noqa: F401 - the module below does nothing without it
    except ImportError:
        raise UsageError("the widget needs the package anywidget: pip install 'archcalc[widget]'") from None
    from archcalc.cli.serve.widget import VIEWS, Playground, text_for
    from archcalc.core.suggest import did_you_mean

    if view not in VIEWS:
        raise UsageError(f"there is no view {view!r}{did_you_mean(view, VIEWS)}; there are {', '.join(VIEWS)}")
    if lang not in COMPLETE:
        raise UsageError(f"the page is not in the language {lang!r}; it is in {', '.join(COMPLETE)}")
    made = Playground(
        text=text_for(network),
        parameters=dict(parameters or {}),
        input=input,
        view=view,
        height=height,
        lang="" if lang == ENGLISH else lang,
    )
    made.network  # noqa: B018 - what is wrong with it is said here, before it is shown
    return made
