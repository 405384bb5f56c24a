"""What a release of self-correction traces publishes: columns, the configs for SFT, and what follows from the parts."""

from collections import Counter
from collections.abc import Iterator, Mapping

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.columns import COUNTS, GOLDS, IDS, each
from generators.dataset import Claim, Config, Figures, MoreFacts, Parameters, Round
from generators.formats import Format
from generators.rows import Rows
from generators.self_correction_traces.corrections import verdict_transitions
from generators.self_correction_traces.parts import derived, texts_up_to
from generators.self_correction_traces.table import DEEPENED_RESPONSES, SELF_CORRECTION_TRACES

IGNORED = -100  # the label of a token without loss, by torch's convention
ORIGINS = ("sampled", "composed")
TRANSITIONS = "The answer before a trigger (rows) and after it (columns)"
_LABELS, _INPUT = pl.col("labels"), pl.col("input_ids")

_CUT = pl.col("masked_ends").list.last().fill_null(0)

FULL = SELF_CORRECTION_TRACES.published("self_correction_traces/full")
DEFAULT = Schema(
    name="self_correction_traces/default",
    columns={
        "prompt": Column(
            pl.String,
            "`templated_prompt` and the response up to its last masked character: the mistake is given, not learnt.",
        ),
        "completion": Column(
            pl.String, "The rest of the response, which mends it; the end-of-text token belongs after."
        ),
    },
    rules={"completion: not_blank": pl.col("completion").str.strip_chars() != ""},
)
CHAT = Schema(name="self_correction_traces/messages", columns=SELF_CORRECTION_TRACES.only("messages"))
TOKENS = Schema(
    name="self_correction_traces/tokens",
    columns={
        "input_ids": Column(
            IDS, "`prompt_token_ids` and `token_ids`: what the policy was given, and the row.", tokenwise=True
        ),
        "attention_mask": Column(COUNTS, "1 for each of `input_ids`.", tokenwise=True),
        "labels": Column(
            COUNTS, f"`input_ids`, but {IGNORED} on the prompt and where `loss_mask` is 0.", tokenwise=True
        ),
    },
    rules={
        "attention_mask: one_per_token": pl.col("attention_mask").list.len() == _INPUT.list.len(),
        "attention_mask: all_ones": each("attention_mask", pl.element() == 1),
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
    columns = ("attempts", "triggers", GOLDS, "source", "verdicts", "answers")
    for number, (attempts, triggers, golds, source, verdicts, answers) in enumerate(rows.select(columns).iter_rows()):
        for text, verdict, answer in zip(texts_up_to(attempts, triggers), verdicts, answers, strict=True):
            yield Claim(number, ("verdicts", "answers", None), text, tuple(golds), source, verdict, answer)


def mendings(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The rows whose texts give their token ids back, cut where the last masked stretch ends."""
    stable = apply_rules(rows, {"unstable_boundary": pl.col("is_stable")})
    kept = stable.kept.select(
        "problem_id",
        prompt=pl.col("templated_prompt") + pl.col("text").str.slice(0, _CUT),
        completion=pl.col("text").str.slice(_CUT),
    )
    return Filtered(kept, stable.dropped)


def labelled_tokens(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """Tokens and labels of every row."""
    labels = [
        [IGNORED] * len(prompt) + [token_id if learnt else IGNORED for token_id, learnt in zip(ids, mask, strict=True)]
        for prompt, ids, mask in rows.select("prompt_token_ids", "token_ids", "loss_mask").iter_rows()
    ]
    ready = rows.select(
        "problem_id",
        pl.concat_list("prompt_token_ids", "token_ids").alias("input_ids"),
        pl.Series("attention_mask", [[1] * len(row) for row in labels], dtype=COUNTS),
        pl.Series("labels", labels, dtype=COUNTS),
    )
    return apply_rules(ready, {})


CONFIGS: tuple[Config[Parameters], ...] = (
    Config(
        name="full",
        purpose="everything: texts, tokens, verdicts, masks",
        schema=FULL,
        table=SELF_CORRECTION_TRACES.name,
        recompute=recompute,
        claims=claims,
    ),
    Config(
        name="default",
        purpose="the response up to the end of the mistake as prompt, its mending as completion, in templated text",
        schema=DEFAULT,
        format=Format.COMPLETION,
        derive=mendings,
    ),
    Config(
        name="tokens",
        purpose="the whole response in the policy's token ids, with the mistake masked",
        schema=TOKENS,
        format=Format.TOKENS,
        derive=labelled_tokens,
    ),
    Config(
        name="messages",
        purpose="the whole response as a chat without masks: a trainer that reads it learns the mistakes too",
        schema=CHAT,
        format=Format.MESSAGES,
        mislearnt="the mistakes too",
    ),
)


def count_origins(rows: pl.DataFrame) -> dict[str, int]:
    """How many rows were sampled, and how many composed."""
    counts = Counter(rows["origin"].to_list())
    return {origin: counts[origin] for origin in ORIGINS}


def more_facts(round: Round, _rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """What the triggers did in all responses of the round."""
    counts = transition_figures(round.rows(DEEPENED_RESPONSES.name).only("verdicts"))
    return MoreFacts(figures={TRANSITIONS: counts} if counts else {})


def transition_figures(responses: pl.DataFrame) -> Figures:
    """Count the triggers of all responses by the state of the answer before them (rows) and after them (columns)."""
    chains = ([Verdict(verdict) for verdict in verdicts] for verdicts in responses["verdicts"].to_list())
    counts = verdict_transitions(chains)
    states = sorted({state for pair in counts for state in pair})
    return {before: {after: counts[before, after] for after in states} for before in states}
