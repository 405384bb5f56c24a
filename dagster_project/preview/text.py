"""A preview as a person reads it: rows in panels on a terminal, as plain lines elsewhere, and the forecast."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from dagster_project.planning import gpu_hours
from dagster_project.preview.making import DatasetPreview, Preview

_LONGEST = 2000  # characters of a value


def show(preview: Preview, console: Console) -> None:
    """Print every row, what was dropped and why, and what a round would cost."""
    for part in preview.datasets:
        console.rule(f"[bold]{part.dataset.name}", align="left") if console.is_terminal else console.print(
            f"\n{part.dataset.name}", highlight=False
        )
        for line in summary(part, sum(preview.order.given.values())):
            console.print(escape(line), highlight=False, soft_wrap=True)
        for number, row in enumerate(part.rows.iter_rows(named=True), start=1):
            _show_row(console, f"{part.dataset.name}, row {number} of {part.rows.height}", part, row)
    console.print()
    for line in (*answers(preview), *costs(preview)):
        console.print(escape(line), highlight=False, soft_wrap=True)


def summary(part: DatasetPreview, n_problems: int) -> Iterator[str]:
    """How many rows there are, why there are not more, and what was dropped at each stage."""
    solved = part.rows["problem_id"].n_unique()
    yield f"{part.rows.height} rows from {solved} of {n_problems} problems: {part.dataset.card.row}"
    if part.failed:
        yield f"Failed: {part.failed}"
    for stage, reasons in part.dropped.items():
        listed = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        yield f"dropped by {stage}: " + ", ".join(f"{count} {reason}" for reason, count in listed)


def row_lines(part: DatasetPreview, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The columns that a person reads, each with its value as text."""
    for column in part.dataset.sample_columns:
        yield column, _text(row[column])


def answers(preview: Preview) -> Iterator[str]:
    """How many attempts at each source's problems end without a recognised answer, and what to change if any do."""
    for lacking in preview.unanswered:
        yield f"{lacking.why} ({lacking.n} of {lacking.total}){f': {lacking.remedy}' if lacking.n else ''}."


def costs(preview: Preview) -> Iterator[str]:
    """The forecast of a whole round in tokens and time, by dataset and in all."""
    order, plan = preview.order, preview.forecast
    given = ", ".join(f"{n} of {order.usable[name]} of {name}" for name, n in order.given.items())
    yield f"Made in {preview.seconds:.0f} s from {given}."
    if not plan.tokens:
        yield "Nothing was drawn, so there is nothing to forecast a round by."
        return
    pace = plan.tokens_per_second
    seconds = gpu_hours(plan.tokens, pace) * 3600
    yield (
        f"A whole round of all {sum(order.usable[name] for name in order.given)} problems would draw about "
        f"{plan.rollouts:,.0f} rollouts with {plan.tokens:,.0f} tokens: {_time(seconds)} at the {pace:,.0f} tokens a "
        "second of this preview, less where more problems are in flight. Trainings and server starts come on top."
    )
    by_asset: dict[str, float] = {}
    for asset in plan.assets:
        by_asset[asset.asset] = by_asset.get(asset.asset, 0.0) + asset.tokens
    yield "by asset: " + ", ".join(f"{name} {tokens / plan.tokens:.0%}" for name, tokens in by_asset.items())
    if plan.unknown:
        yield f"Not previewed, and not in the forecast: {', '.join(plan.unknown)}; raise --n"
    yield (
        f"Tables and rollouts are in {order.settings.data_root}: the same preview draws nothing twice, and a round "
        "draws its own. Delete the folder when you like."
    )


def _show_row(console: Console, title: str, part: DatasetPreview, row: dict[str, Any]) -> None:
    lines = list(row_lines(part, row))
    if console.is_terminal:
        body = "\n".join(f"[bold]{name}[/bold]{_gap(text)}{escape(text)}" for name, text in lines)
        console.print(Panel(body, title=title, title_align="left"), highlight=False)
        return
    console.print(f"\n--- {title}", highlight=False)
    for name, text in lines:
        console.print(escape(f"{name}{_gap(text)}{text}"), highlight=False, soft_wrap=True)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.1f} hours"


def _gap(text: str) -> str:
    return ":\n" if "\n" in text else ": "


def _text(value: Any) -> str:
    """A value as text: a list of texts by numbered lines, and a dash for nothing."""
    if value is None or value == []:
        return "-"
    if isinstance(value, list) and any(isinstance(item, str) and len(item) > 20 for item in value):
        return "\n".join(f"{number}. {str(item).strip()}" for number, item in enumerate(value))
    if isinstance(value, list):
        return ", ".join("-" if item is None else _text(item) for item in value)
    text = f"{value:.3g}" if isinstance(value, float) else str(value).strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
