"""The metadata of the stage `critical_token_pairs`, and its check."""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from generators.checks import Check
from generators.critical_token_pairs.contrast import contrast_figures, count_contrast
from generators.critical_token_pairs.recipe import CriticalTokenPair
from generators.engine.tokenizer import Tokenizer
from generators.shown import Counts, Facts, Histogram, SampleRows, Shown

LEAST_CONFIRMED = 0.25


def shown(
    rows: pl.DataFrame, pairs: Sequence[CriticalTokenPair], tokenizer: Tokenizer, *, temperature: float | None
) -> dict[str, Shown]:
    """Scores and weights, what the contrast is worth, who nominated what and whether it was confirmed, rows to read."""
    scores, weights = (
        rows.select(pl.col(name).list.slice(pl.col("response_start"))).to_series()
        for name in ("rejected_scores", "rejected_weights")
    )
    nominated = Counter(
        f"{name}, {'confirmed' if confirmed else 'not confirmed'}"
        for names, confirmations in rows.select("critical_nominated_by", "critical_confirmed").iter_rows()
        for name, confirmed in zip(names, confirmations, strict=True)
    )
    with_token = rows.with_columns(pl.Series("critical_token", marked(rows, tokenizer), dtype=pl.String))
    return {
        "scores": Histogram(
            values=scores.explode().drop_nulls().to_list(),
            title="Score per wrong solution's token",
            x="score",
            y="tokens",
        ),
        "weights": Histogram(
            values=weights.explode().drop_nulls().to_list(),
            title="Weight per wrong solution's token",
            x="weight",
            y="tokens",
        ),
        "contrast_out_of_sample": Facts({"temperature": temperature, **contrast_figures(count_contrast(rows))}),
        "confirmed_per_pair": n_confirmed(rows) / max(1, rows.height),
        "nominated_by": Counts(nominated),
        "not_confirmed": Counts(Counter(reason for pair in pairs for _, reason in pair.critical.dropped)),
        "stable_tokens": int(rows["is_stable"].sum()),
        "sample_rows": SampleRows(
            with_token,
            (
                *("prompt", "chosen", "critical_token", "critical_nominated_by"),
                *("critical_value_with", "critical_value_without", "critical_confirmed"),
            ),
        ),
    }


def marked(rows: pl.DataFrame, tokenizer: Tokenizer) -> list[str]:
    """The wrong solution of each row, with its critical token between brackets where it has one."""
    texts = []
    for row in rows.iter_rows(named=True):
        tested = zip(row["critical_positions"], row["critical_confirmed"], strict=True)
        critical = next((position for position, confirmed in tested if confirmed), None)
        text = row["rejected"]
        if critical is not None:
            response = row["rejected_token_ids"][row["response_start"] :]
            index = critical - row["response_start"]
            start, end = (len(tokenizer.decode(response[:length])) for length in (index, index + 1))
            text = f"{text[:start]}⟦{text[start:end]}⟧{text[end:]}"
        texts.append(text)
    return texts


def n_confirmed(rows: pl.DataFrame) -> int:
    """The number of rows with a confirmed token."""
    return int(rows["critical_confirmed"].list.any().sum())


def critical_tokens_confirmed(rows: pl.DataFrame) -> Check:
    """Passes if at least a quarter of the wrong solutions have a confirmed token; if not, nominations say little."""
    confirmed = n_confirmed(rows)
    return Check(
        name="critical_tokens_confirmed",
        passed=rows.height > 0 and confirmed >= LEAST_CONFIRMED * rows.height,
        why=f"{confirmed} of {rows.height} wrong solutions have a confirmed token, a share of {LEAST_CONFIRMED} is "
        "wanted",
        remedy="Raise `cap` and `budget` of [critical_token_pairs], or train the contrastive models on more solutions.",
        blocks=False,
        figures={"pairs": rows.height, "confirmed": confirmed},
    )
