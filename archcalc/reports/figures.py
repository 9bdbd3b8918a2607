"""The figures that papers print, beside the computed ones."""

from __future__ import annotations

from archcalc.analysis import Analysis

NAMES = {
    "params": "parameters",
    "multiplications": "multiplications",
    "top1_accuracy": "top-1 accuracy",
    "top5_accuracy": "top-5 accuracy",
    "top1_error": "top-1 error",
    "top5_error": "top-5 error",
    "error": "error",
    "neurons": "neurons",
    "depth": "depth",
}


def compare_figures(analysis: Analysis) -> list[str]:
    """A sentence for each reported figure: what is printed where, what is computed here, and why they differ."""
    totals = analysis.totals
    computed = {"params": totals.params, "multiplications": totals.multiplications}
    sentences = []
    for figure in analysis.graph.reported:
        value = f"{figure.value:,}" if isinstance(figure.value, int) else str(figure.value)
        percent = " %" if "accuracy" in figure.quantity or "error" in figure.quantity else ""
        if percent and value.endswith("%"):
            percent = ""
        here = f"; computed {computed[figure.quantity]:,}" if figure.quantity in computed else ""
        # A note that begins with γ is no sentence about Γ.
        note = figure.note or ""
        note = f". {note[0].upper() if note[0].isascii() else note[0]}{note[1:]}" if note else ""
        text = f"Reported {NAMES[figure.quantity]}: {value}{percent} ({figure.source}){here}{note}"
        sentences.append(text if text.endswith(".") else text + ".")
    return sentences
