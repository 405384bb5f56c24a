"""The metadata of the stage `critical_token_pairs`, and its check."""

from collections import Counter
from collections.abc import Mapping

import polars as pl

from generators.blocks import StoredTable
from generators.checks import Check
from generators.critical_token_pairs.contrast import CONTRAST, contrast_figures, count_contrast
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from generators.engine.tokenizer import Tokenizer
from generators.shown import SAMPLES, Counts, Facts, Histogram, SampleRows, Shown

LEAST_CONFIRMED = 0.25
DRAWN_PAIRS = 100  # whose scores and weights are drawn


def shown(
    table: StoredTable, not_confirmed: Mapping[str, int], tokenizer: Tokenizer, *, temperature: float | None
) -> dict[str, Shown]:
    """Scores and weights of some pairs, what the contrast is worth, who nominated what and whether it was confirmed.

    `not_confirmed` counts nominees by the reason why they are not confirmed.
    """
    some = table.spread(DRAWN_PAIRS, ["response_start", "rejected_scores", "rejected_weights"])
    scores, weights = (
        some.select(pl.col(name).list.slice(pl.col("response_start"))).to_series()
        for name in ("rejected_scores", "rejected_weights")
    )
    small = table.frame(["critical_nominated_by", "critical_confirmed", "is_stable"])
    nominated = Counter(
        f"{name}, {'confirmed' if confirmed else 'not confirmed'}"
        for names, confirmations in small.select("critical_nominated_by", "critical_confirmed").iter_rows()
        for name, confirmed in zip(names, confirmations, strict=True)
    )
    contrast: Counter[str] = Counter()
    for block in table.blocks(CONTRAST):
        contrast.update(count_contrast(block))
    sample = table.spread(SAMPLES, list(CRITICAL_TOKEN_PAIRS.columns))
    with_token = sample.with_columns(pl.Series("critical_token", marked(sample, tokenizer), dtype=pl.String))
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
        "contrast_out_of_sample": Facts({"temperature": temperature, **contrast_figures(contrast)}),
        "confirmed_per_pair": n_confirmed(small) / max(1, small.height),
        "nominated_by": Counts(nominated),
        "not_confirmed": Counts(not_confirmed),
        "stable_tokens": int(small["is_stable"].sum()),
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
