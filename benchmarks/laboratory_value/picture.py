"""The picture of the figures: each with its interval, in panels that share no axis."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_GAIN, _NONE, _LOSS = "#2e7d4f", "#7f8c8d", "#b03a2e"
Bars = Sequence[tuple[str, Mapping[str, float]]]  # a label, and `mean`, `low`, `high`


def draw(panels: Mapping[str, Bars], path: Path) -> None:
    """Write a PNG with one panel for each title; a line at 0 where a panel crosses or touches it."""
    from matplotlib.figure import Figure

    heights = [len(bars) + 1 for bars in panels.values()]
    figure = Figure(figsize=(8, 0.32 * sum(heights) + 0.6 * len(panels)), layout="constrained")
    rows: Any = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)
    for axes, (title, bars) in zip(rows[:, 0], panels.items(), strict=True):
        for place, (_, bar) in enumerate(bars):
            colour = _GAIN if bar["low"] > 0 else _LOSS if bar["high"] < 0 else _NONE
            axes.plot([bar["low"], bar["high"]], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
            axes.plot([bar["mean"]], [place], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(bars)), [label for label, _ in bars], fontsize=8)
        axes.invert_yaxis()
        axes.set_title(title, fontsize=9, loc="left")
        axes.tick_params(axis="x", labelsize=8)
        axes.axvline(0, color="black", linewidth=0.8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
