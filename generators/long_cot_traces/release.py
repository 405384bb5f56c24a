"""What a release of long chains of thought publishes: traces and pairs, and what follows from their texts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from filters.answers.verdicts import VERIFIER, Verdict
from filters.rules import REASON, Filtered, apply_rules, reason_counts
from filters.schema import MESSAGES, Column, Schema
from filters.texts.contamination import Match
from filters.texts.thoughts import Tags, parse
from generators.dataset import (
    IN_TWO_SLICES,
    Claim,
    Config,
    IncompleteParameters,
    MoreFacts,
    Parameters,
    Picture,
    Round,
    StageFacts,
    claims_of_texts,
)
from generators.formats import Format
from generators.long_cot_traces.behaviours import KINDS, behaviours, count_behaviours
from generators.long_cot_traces.copied_examples import without_examples
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_TRACES
from generators.long_cot_traces.selection import FILTERS
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import OF_GENERATED, generated_tokens
from generators.rows import Rows
from generators.section import stored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = ("chosen", "rejected")
_OF_TRACES = (
    *("messages", "score", "behaviours", "behaviour_starts", "behaviour_ends"),
    *(f"n_{kind}" for kind in KINDS),
)
_OF_PAIRS = (*(f"{side}_{column}" for side in SIDES for column in ("malformed", "score", "reward")), "reward_margin")

DEFAULT = Schema(
    name="long_cot_traces/default",
    columns={
        "prompt": Column(MESSAGES, "The problem as a chat, without the worked examples that the policy was shown."),
        "completion": Column(MESSAGES, "Thoughts between their tags and the solution, as the assistant's message."),
    },
)
CHAT = Schema(name="long_cot_traces/messages", columns=LONG_COT_TRACES.only("messages"))
PAIRS = Schema(name="long_cot_traces/pairs", columns=LONG_COT_PAIRS.only("prompt", "chosen", "rejected"))
_TIMES = {"never": "#d5d8dc", "once": "#a9c3dc", "twice": "#5d8fbf", "more often": "#1f4e79"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceParameters:
    """The tags around a slice's thoughts, its format reward, and how copies of worked examples are recognised."""

    tags: Tags
    format_reward: float
    near_examples: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotParameters(Parameters):
    """The parameters of each slice, by its key."""

    by_slice: Mapping[str, SliceParameters]

    def to_json(self) -> dict[str, Any]:
        """The parameters as JSON data."""
        return {"makings": {key: asdict(parameters) for key, parameters in sorted(self.by_slice.items())}}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError, TypeError or ValueError."""
        by_slice = {
            key: SliceParameters(**{**parameters, "tags": Tags(**parameters["tags"])})
            for key, parameters in data["makings"].items()
        }
        return cls(by_slice=by_slice)

    def slice(self, key: str) -> SliceParameters:
        """The parameters of a slice; raises IncompleteParameters."""
        if key not in self.by_slice:
            raise IncompleteParameters(f"settings.export.makings lacks the slice {key}, which has rows")
        return self.by_slice[key]


def parameters_of(round: Round) -> LongCotParameters:
    """The parameters of each slice, from its recipe."""
    by_slice = {}
    for key, recipe in round.recipes("long_cot_traces").items():
        settings = stored(Settings, recipe, "long_cot_traces")
        by_slice[key] = SliceParameters(
            tags=settings.tags,
            format_reward=settings.format_reward,
            near_examples=recipe["config"]["near_examples"],
        )
    return LongCotParameters(by_slice=by_slice)


def new_traces(rows: pl.DataFrame, parameters: LongCotParameters) -> Filtered:
    """The traces that repeat no worked example."""
    return _without_examples(rows, ("prompt", "internal_thoughts", "external_solution"), parameters)


def new_pairs(rows: pl.DataFrame, parameters: LongCotParameters) -> Filtered:
    """The pairs that repeat no worked example in prompt or answers."""
    texts = {part: f"{part}_text" for part in ("prompt", *SIDES)}
    with_texts = rows.with_columns(
        pl.col(part).list.eval(pl.element().struct.field("content")).list.join("\n\n").alias(text)
        for part, text in texts.items()
    )
    parted = _without_examples(with_texts, tuple(texts.values()), parameters)
    return Filtered(parted.kept.drop(texts.values()), parted.dropped.drop(texts.values()))


def recompute_traces(rows: pl.DataFrame, parameters: LongCotParameters) -> pl.DataFrame:
    """Messages, score and behaviours of every trace."""
    return _recomputed(rows, _OF_TRACES, _trace, parameters)


def recompute_pairs(rows: pl.DataFrame, parameters: LongCotParameters) -> pl.DataFrame:
    """Format, score and reward of both sides of every pair, and its margin."""
    return _recomputed(rows, _OF_PAIRS, _pair, parameters)


def claims_of_traces(rows: pl.DataFrame, _: LongCotParameters) -> Iterator[Claim]:
    """The verdict on the solution of each trace that the verifier scored."""
    verified = rows.with_row_index("number").filter(pl.col("scored_by") == VERIFIER)
    for claim in claims_of_texts(verified, text=pl.col("external_solution")):
        yield claim._replace(row=verified["number"][claim.row])


def claims_of_pairs(rows: pl.DataFrame, parameters: LongCotParameters) -> Iterator[Claim]:
    """The verdict on each well-formed side that the verifier scored."""
    for number, row in enumerate(rows.iter_rows(named=True)):
        for side in SIDES:
            solution = _solution(row, side, parameters)
            if row["scored_by"] == VERIFIER and solution is not None:
                golds, verdict = (row["answer"], *row["also_accepted"]), str(row[f"{side}_verdict"])
                yield Claim(number, (f"{side}_verdict", None, None), solution, golds, row["source"], verdict)


def prompts_and_answers(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The chat of every trace, cut before the answer."""
    answered = rows.select(
        "problem_id",
        prompt=pl.col("messages").list.head(pl.col("messages").list.len() - 1),
        completion=pl.col("messages").list.tail(1),
    )
    return apply_rules(answered, {})


CONFIGS: tuple[Config[LongCotParameters], ...] = (
    Config(
        name="full",
        purpose="everything: problem, thoughts and solution with behaviours, tokens and provenance",
        schema=LONG_COT_TRACES.published("long_cot_traces/full"),
        table=LONG_COT_TRACES.name,
        derive=new_traces,
        recompute=recompute_traces,
        claims=claims_of_traces,
    ),
    Config(
        name="default",
        purpose="problem and answer with its thoughts, as chats, for SFT on the answer alone",
        schema=DEFAULT,
        format=Format.COMPLETION,
        derive=prompts_and_answers,
    ),
    Config(
        name="messages",
        purpose="the same as one chat, for trainers that learn the assistant's messages of a chat",
        schema=CHAT,
        format=Format.MESSAGES,
    ),
    Config(
        name="full_pairs",
        purpose="the best answer to a problem against the worst, with rewards, verdicts and provenance",
        schema=LONG_COT_PAIRS.published("long_cot_traces/full_pairs"),
        table=LONG_COT_PAIRS.name,
        derive=new_pairs,
        recompute=recompute_pairs,
        claims=claims_of_pairs,
    ),
    Config(
        name="pairs",
        purpose="the same pairs as chats alone, for DPO and reward models",
        schema=PAIRS,
        format=Format.PREFERENCE,
        base="full_pairs",
    ),
)


def count_kinds(rows: pl.DataFrame) -> dict[str, int]:
    """How often the thoughts of all rows show each behaviour."""
    return {kind: int(rows[f"n_{kind}"].sum()) for kind in KINDS}


def more_facts(round: Round, rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """What each filter kept and dropped, and the tokens of samples and ratings."""
    samples = round.rows("long_cot_samples")
    judges = [recipe["config"]["judge"] for recipe in round.recipes("long_cot_traces").values()]
    raters = {judge["judge"] for judge in judges if judge} - set(rows.only("policy")["policy"])
    of_judge = {f"judge_{kind}": count for kind, count in round.tokens(sorted(raters)).items()} if raters else {}
    generated = sum(map(generated_tokens, samples.blocks(*OF_GENERATED)))
    return MoreFacts(
        stages=tuple(_stages(round, samples.only("stage", REASON))),
        tokens={**of_judge, "generated_in_samples": generated},
    )


def draw_behaviours(rows: Rows, figure: "Figure") -> None:
    """Draw for each behaviour how many traces show it never, once, twice, or more often."""
    from matplotlib.ticker import MaxNLocator

    axes, width, counts = figure.add_subplot(), 0.2, rows.only(*(f"n_{kind}" for kind in KINDS))
    for times, (words, colour) in enumerate(_TIMES.items()):
        traces = [int((counts[f"n_{kind}"].clip(0, len(_TIMES) - 1) == times).sum()) for kind in KINDS]
        positions = [number + (times - 1.5) * width for number in range(len(KINDS))]
        axes.bar(positions, traces, width=width, color=colour, label=words)
    axes.set_xticks(range(len(KINDS)), [kind.replace("_", " ") for kind in KINDS])
    axes.set_ylabel("traces")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


PICTURE = Picture(
    name="behaviours.png", caption="Traces by how often their thoughts show each behaviour", draw=draw_behaviours
)


def _without_examples(rows: pl.DataFrame, columns: tuple[str, ...], parameters: LongCotParameters) -> Filtered:
    """The rows without a passage of a worked example; copies are recognised as when their slice was generated."""
    parts = [
        without_examples(part, row=("problem_id",), columns=columns, match=parameters.slice(str(key)).near_examples)
        for (key,), part in rows.partition_by("slice", as_dict=True, maintain_order=True).items()
    ]
    if not parts:
        return Filtered(rows, rows.with_columns(pl.lit(None, pl.String).alias(REASON)))
    return Filtered(pl.concat([part.kept for part in parts]), pl.concat([part.dropped for part in parts]))


def _stages(round: Round, samples: pl.DataFrame) -> Iterator[StageFacts]:
    """What the mix of problems, each filter of the samples, and the pairing kept and dropped."""
    mix = round.rows("query_mix").only("is_kept", "why")
    passed_over = mix.filter(~pl.col("is_kept")).select(pl.col("why").alias(REASON))
    yield StageFacts(
        name="problems of the mix", kept=mix.height - passed_over.height, dropped=reason_counts(passed_over)
    )
    left = samples.height
    for name in FILTERS:
        dropped = samples.filter(pl.col("stage") == name)
        left -= dropped.height
        yield StageFacts(name=f"samples: {name}", kept=left, dropped=reason_counts(dropped))
    unpaired = reason_counts(round.rows("long_cot_unpaired").only(REASON))
    repeated = round.repeated("long_cot_pairs") + round.repeated("long_cot_unpaired")
    dropped_pairs = unpaired | ({IN_TWO_SLICES: repeated} if repeated else {})
    yield StageFacts(name="long_cot_pairs", kept=round.rows("long_cot_pairs").height, dropped=dropped_pairs)


def _recomputed(
    rows: pl.DataFrame,
    columns: tuple[str, ...],
    recompute: Callable[[Mapping[str, Any], SliceParameters], dict[str, Any]],
    parameters: LongCotParameters,
) -> pl.DataFrame:
    derived = [recompute(row, parameters.slice(row["slice"])) for row in rows.iter_rows(named=True)]
    return pl.DataFrame(derived, schema={name: rows.schema[name] for name in columns})


def _trace(row: Mapping[str, Any], parameters: SliceParameters) -> dict[str, Any]:
    shown = behaviours(row["internal_thoughts"])
    answer = parameters.tags.join(row["internal_thoughts"], row["external_solution"])
    return {
        "messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": answer}],
        "score": _score(row["scored_by"], row["verdict"], row["score"]),
        **{f"n_{kind}": count for kind, count in count_behaviours(shown).items()},
        "behaviours": [behaviour.kind for behaviour in shown],
        "behaviour_starts": [behaviour.start for behaviour in shown],
        "behaviour_ends": [behaviour.end for behaviour in shown],
    }


def _pair(row: Mapping[str, Any], parameters: SliceParameters) -> dict[str, Any]:
    derived: dict[str, Any] = {}
    for side in SIDES:
        malformed = parse(row[side][0]["content"], tags=parameters.tags).reason if row[side] else "no_text"
        score = _score(row["scored_by"], row[f"{side}_verdict"], None if malformed else row[f"{side}_score"])
        derived[f"{side}_malformed"] = malformed
        derived[f"{side}_score"] = score
        derived[f"{side}_reward"] = _reward(row, side, score, parameters)
    derived["reward_margin"] = derived["chosen_reward"] - derived["rejected_reward"]
    return derived


def _reward(row: Mapping[str, Any], side: str, score: float | None, parameters: SliceParameters) -> float:
    """A malformed answer is not right to a verifier; beside a reward model its reward depends on other samples."""
    if score is not None:
        return score + (parameters.format_reward if row[f"{side}_thoughts_closed_by"] == "policy" else 0.0)
    return 0.0 if row["scored_by"] == VERIFIER else float(row[f"{side}_reward"])


def _score(scored_by: str, verdict: str | None, stated: float | None) -> float | None:
    """1 or 0 by the verdict; the score of a reward model follows from nothing and stays as stated."""
    if scored_by != VERIFIER:
        return stated
    return None if verdict is None else float(verdict == Verdict.EQUAL.value)


def _solution(row: Mapping[str, Any], side: str, parameters: LongCotParameters) -> str | None:
    """The external solution of a side; None if the answer is malformed."""
    tags = parameters.slice(row["slice"]).tags
    return parse(row[side][0]["content"], tags=tags).solution if row[side] else None
