"""What a release of self-correction traces publishes: columns, the config for SFT, and what follows from the parts."""

from collections import Counter
from collections.abc import Iterator

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import MESSAGES, Column, Schema
from generators.columns import IDS
from generators.dataset import Claim, Config, Figures, MoreFacts, Parameters, Round
from generators.self_correction_traces.corrections import verdict_transitions
from generators.self_correction_traces.parts import derived, texts_up_to
from generators.self_correction_traces.table import DEEPENED_RESPONSES, SELF_CORRECTION_TRACES

IGNORED = -100  # the label of a token without loss, by torch's convention
ORIGINS = ("sampled", "composed")
TRANSITIONS = "The answer before a trigger (rows) and after it (columns)"
_LABELS, _INPUT = pl.col("labels"), pl.col("input_ids")

DEFAULT = SELF_CORRECTION_TRACES.published("self_correction_traces/default")
SFT = Schema(
    name="self_correction_traces/sft",
    columns={
        "messages": Column(MESSAGES, "The chat, to read or to tokenize for another model."),
        "input_ids": Column(
            IDS, "`prompt_token_ids` and `token_ids`: what the policy was given, and the row.", tokenwise=True
        ),
        "labels": Column(IDS, f"`input_ids`, but {IGNORED} on the prompt and where `loss_mask` is 0.", tokenwise=True),
    },
    rules={
        "labels: one_per_token": _LABELS.list.len() == _INPUT.list.len(),
        "labels: the_token_or_ignored": ((_LABELS - _INPUT) * (_LABELS - IGNORED))
        .list.eval(pl.element() == 0)
        .list.all(),
        "labels: something_to_learn": _LABELS.list.eval(pl.element() != IGNORED).list.any(),
    },
)


def recompute(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """Text, chat and masks of every row from its parts."""
    return derived(rows)


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """A claim for every answer of a row: the answer before each trigger, and the last one."""
    columns = ("attempts", "triggers", "answer", "source", "verdicts", "answers")
    for number, (attempts, triggers, gold, source, verdicts, answers) in enumerate(rows.select(columns).iter_rows()):
        for text, verdict, answer in zip(texts_up_to(attempts, triggers), verdicts, answers, strict=True):
            yield Claim(number, ("verdicts", "answers"), text, gold, source, verdict, answer)


def for_sft(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """Chat, tokens and labels of every row."""
    labels = [
        [IGNORED] * len(prompt) + [token_id if learnt else IGNORED for token_id, learnt in zip(ids, mask, strict=True)]
        for prompt, ids, mask in rows.select("prompt_token_ids", "token_ids", "loss_mask").iter_rows()
    ]
    ready = rows.select(
        "problem_id",
        "messages",
        pl.concat_list("prompt_token_ids", "token_ids").alias("input_ids"),
        pl.Series("labels", labels, dtype=IDS),
    )
    return apply_rules(ready, {})


CONFIGS = (
    Config(
        name="default",
        purpose="everything: texts, tokens, verdicts, masks",
        schema=DEFAULT,
        table=SELF_CORRECTION_TRACES.name,
        recompute=recompute,
        claims=claims,
    ),
    Config(name="sft", purpose="ready for TRL's SFTTrainer", schema=SFT, derive=for_sft),
)


def count_origins(rows: pl.DataFrame) -> dict[str, int]:
    """How many rows were sampled, and how many composed."""
    counts = Counter(rows["origin"].to_list())
    return {origin: counts[origin] for origin in ORIGINS}


def more_facts(round: Round, _rows: pl.DataFrame) -> MoreFacts:
    """What the triggers did in all responses of the round."""
    counts = transition_figures(round.table(DEEPENED_RESPONSES.name))
    return MoreFacts(figures={TRANSITIONS: counts} if counts else {})


def transition_figures(responses: pl.DataFrame) -> Figures:
    """Count the triggers of all responses by the state of the answer before them (rows) and after them (columns)."""
    chains = ([Verdict(verdict) for verdict in verdicts] for verdicts in responses["verdicts"].to_list())
    counts = verdict_transitions(chains)
    states = sorted({state for pair in counts for state in pair})
    return {before: {after: counts[before, after] for after in states} for before in states}
