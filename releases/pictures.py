"""Pictures for the card, drawn without a display and equal byte for byte for equal rows.

Knows the columns that it draws; nothing of cards or files.
"""

from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from generators.long_cot_traces.behaviours import KINDS
from releases.draft import Picture

if TYPE_CHECKING:  # it takes half a second to load, and is needed when a release is made
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_MAX_POSITIONS = 30


def picture_of_labels(rows: pl.DataFrame) -> Picture:
    """Mean soft label and number of labelled steps, by the step's position in its solution."""
    places = _by_position(rows)
    figure = _figure()
    steps = figure.add_subplot()
    steps.bar(places["position"].to_list(), places["steps"].to_list(), color="#c9d6e3")
    steps.set_xlabel("position of the step")
    steps.set_ylabel("labelled steps")
    _count(steps.xaxis)
    mean = steps.twinx()
    mean.plot(places["position"].to_list(), places["mean"].to_list(), color="#b03a2e", marker="o")
    mean.set_ylim(0, 1)
    mean.set_ylabel("mean soft label")
    return Picture(
        name="labels_by_position.png",
        caption=f"Mean soft label (line) and number of labelled steps (bars) for the first {_MAX_POSITIONS} positions",
        png=_png(figure),
    )


def picture_of_margins(rows: pl.DataFrame) -> Picture:
    """How many pairs there are by what either step is worth, and by their margin."""
    figure = _figure()
    shown = figure.add_subplot()
    bins = [place / 20 for place in range(21)]
    sides = (("rejected_value", "#b03a2e"), ("chosen_value", "#2e7d4f"), ("margin", "#34495e"))
    for name, colour in sides:
        shown.hist(rows[name].to_list(), bins=bins, histtype="step", linewidth=2, color=colour, label=name)
    shown.set_xlabel("share of right rollouts")
    shown.set_ylabel("pairs")
    _count(shown.yaxis)
    shown.legend()
    return Picture(
        name="margins.png", caption="Pairs by the value of either step and by their margin", png=_png(figure)
    )


def picture_of_scores(rows: pl.DataFrame) -> Picture:
    """How many tokens of either solution there are by their contrastive score."""
    figure = _figure()
    shown = figure.add_subplot()
    bins = [place / 20 for place in range(21)]
    for side, colour in (("rejected", "#b03a2e"), ("chosen", "#2e7d4f")):
        scores = rows.select(pl.col(f"{side}_scores").list.slice(pl.col("response_start"))).explode(f"{side}_scores")
        values = scores.to_series().to_list()
        shown.hist(values, bins=bins, histtype="step", linewidth=2, color=colour, label=side)
    shown.set_xlabel("contrastive score")
    shown.set_ylabel("tokens")
    _count(shown.yaxis)
    shown.legend()
    return Picture(name="scores.png", caption="Tokens of either solution by their score", png=_png(figure))


def picture_of_behaviours(rows: pl.DataFrame) -> Picture:
    """For each behaviour, how many traces show it never, once, twice, or more often."""
    figure = _figure()
    shown = figure.add_subplot()
    times, width = ("never", "once", "twice", "more often"), 0.2
    for place, (word, colour) in enumerate(zip(times, ("#d5d8dc", "#a9c3dc", "#5d8fbf", "#1f4e79"), strict=True)):
        traces = [int((rows[f"n_{kind}"].clip(0, len(times) - 1) == place).sum()) for kind in KINDS]
        at = [number + (place - 1.5) * width for number in range(len(KINDS))]
        shown.bar(at, traces, width=width, color=colour, label=word)
    shown.set_xticks(range(len(KINDS)), [kind.replace("_", " ") for kind in KINDS])
    shown.set_ylabel("traces")
    _count(shown.yaxis)
    shown.legend()
    return Picture(
        name="behaviours.png", caption="Traces by how often their thoughts show each behaviour", png=_png(figure)
    )


def _by_position(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns `position` (from 1), `steps` and `mean` (of the soft labels)."""
    exploded = rows.select(
        pl.int_ranges(1, pl.col("soft_labels").list.len() + 1).alias("position"), "soft_labels"
    ).explode("position", "soft_labels")
    return (
        exploded.drop_nulls()
        .filter(pl.col("position") <= _MAX_POSITIONS)
        .group_by("position")
        .agg(pl.len().alias("steps"), pl.col("soft_labels").sort().mean().alias("mean"))
        .sort("position")
    )


def _figure() -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(7.0, 3.6), dpi=120, layout="constrained")


def _count(axis: "Axis") -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    target = BytesIO()
    figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()
