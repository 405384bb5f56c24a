"""Long chains of thought (BOLT): thoughts and solution in one answer, by a policy that is shown a few examples."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import polars as pl

from filters.answers.verdicts import VERIFIER
from generators.blocks import StoredTable
from generators.card import Card
from generators.checks import TIMEOUTS, timeouts
from generators.dataset import Dataset
from generators.long_cot_traces import behaviour_judge, behaviours, pairs, query_rating, recipe
from generators.long_cot_traces.behaviours import KINDS
from generators.long_cot_traces.copied_examples import match_of
from generators.long_cot_traces.judged_behaviours import JudgedTraces, with_judgement
from generators.long_cot_traces.preflight import preflight
from generators.long_cot_traces.query_mix import QueryMix, query_mix
from generators.long_cot_traces.recipe import BoltConfig
from generators.long_cot_traces.release import (
    CONFIGS,
    PICTURE,
    LongCotParameters,
    count_kinds,
    more_facts,
    parameters_of,
)
from generators.long_cot_traces.samples import Choosing, Sampled, draw, prompt_of, sampling_params
from generators.long_cot_traces.schema import (
    DROPPED,
    LONG_COT_PAIRS,
    LONG_COT_SAMPLES,
    LONG_COT_TRACES,
    LONG_COT_UNPAIRED,
    QUERY_MIX,
)
from generators.long_cot_traces.selection import REWARDED_BY, Yields
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import OF_GENERATED, generated_tokens, pair_row, sample_rows, trace_row
from generators.long_cot_traces.view import VIEW
from generators.records import Problem, Provenance
from generators.sampling.ledger import sampling_json
from generators.sampling.runner import Failure
from generators.shown import SAMPLES, Bars, Counts, Records, SampleRows, Shown, lengths
from generators.stage import Output, Slice, Stage

VERSION = ".".join(module.VERSION for module in (recipe, query_rating, pairs, behaviours, behaviour_judge))


SHOWN = ("scored_by", "thoughts_closed_by", *(f"n_{kind}" for kind in KINDS))
SAMPLE_COLUMNS = ("prompt", "internal_thoughts", "external_solution", "behaviours", "score", "topic", "difficulty")


async def make(slice: Slice, settings: Settings) -> Output:
    """Mix the slice's problems, sample them, and keep the best sample of each."""
    match = match_of(slice.source, settings)
    mix = await query_mix(slice, settings, match)
    problems = mix.kept(slice.problems())
    config = BoltConfig(sampling=sampling_params(slice, settings), settings=settings)
    provenance = slice.origin | {"sampling": sampling_json(config.sampling), "max_tokens": settings.max_tokens}
    writer = slice.writer(LONG_COT_SAMPLES)

    def take(sampled: Sampled) -> None:
        writer.add(sample_rows(*sampled, provenance))

    failures = await draw(problems, slice, prompt=prompt_of(slice, settings), config=config, take=take)
    choosing = Choosing(
        problems={problem.problem_id: problem for problem in problems},
        topics=topics_of(mix, slice.table("problem_difficulty")),
        settings=settings,
        match=match,
    )
    chosen = chosen_of(writer.table(), choosing, slice=slice, provenance=provenance)
    traces = JudgedTraces(rows=chosen.traces)
    if settings.judge_behaviours:
        traces = await with_judgement(chosen.traces, slice)
    unpaired = [{"problem_id": problem, "reason": reason} for problem, reason in chosen.unpaired]
    return Output(
        rows=traces.rows,
        dropped=dropped_rows(mix, failures, chosen.samples),
        beside={
            "query_mix": mix.table,
            "long_cot_samples": chosen.samples,
            "long_cot_pairs": chosen.pairs,
            "long_cot_unpaired": LONG_COT_UNPAIRED.frame(unpaired),
        },
        config={
            "sampling": asdict(config.sampling),
            "max_tokens": settings.max_tokens,
            "near_examples": match,
            "judge": mix.judge and mix.judge.config() | {"topics": list(settings.topics)},
            "behaviour_judge": traces.judge and traces.judge.config(),
        },
        checks=[timeouts(chosen.samples.frame(["verdict"])["verdict"], slice.bounds.most_timeouts)],
        shown=shown(mix, chosen, traces),
        n_items=len(problems),
        n_failed=len(failures),
        of=len(problems),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTables:
    """The tables of what was chosen of a slice's samples, the yield of each filter, and problems without a pair."""

    samples: StoredTable
    traces: StoredTable
    pairs: StoredTable
    yields: Yields
    unpaired: Sequence[tuple[str, str]]


def chosen_of(drawn: StoredTable, choosing: Choosing, *, slice: Slice, provenance: Provenance) -> ChosenTables:
    """Choose among the samples that were drawn, and write what becomes of them, both block by block."""
    choosing = choosing.scored(drawn.blocks(REWARDED_BY))
    samples, traces, pairs = map(slice.writer, (LONG_COT_SAMPLES, LONG_COT_TRACES, LONG_COT_PAIRS))
    yields, unpaired = Yields(), list[tuple[str, str]]()
    for block in drawn.blocks():
        chosen = choosing.choose(block)
        samples.add_block(chosen.samples)
        traces.add(trace_row(trace, provenance) for trace in chosen.traces)
        pairs.add(pair_row(pair, provenance) for pair in chosen.pairs)
        yields.add(chosen.selection)
        unpaired += chosen.unpaired
    return ChosenTables(
        samples=samples.table(), traces=traces.table(), pairs=pairs.table(), yields=yields, unpaired=unpaired
    )


def topics_of(mix: QueryMix, difficulty: pl.DataFrame) -> dict[str, tuple[str | None, str | None]]:
    """Topic and difficulty of every problem of the mix."""
    rated = difficulty.select("problem_id", "difficulty")
    rows = mix.table.drop("difficulty").join(rated, on="problem_id", how="left")
    return {name: (topic, band) for name, topic, band in rows.select("problem_id", "topic", "difficulty").iter_rows()}


def dropped_rows(mix: QueryMix, failures: Sequence[Failure[Problem]], samples: StoredTable) -> pl.DataFrame:
    """Every problem and sample that gave no trace, with the stage and the reason that dropped it."""
    passed_over = mix.table.filter(~pl.col("is_kept")).select("problem_id", "why").iter_rows()
    problems = [(problem, None, "mix", why, "") for problem, why in passed_over]
    problems += [(failed.item.problem_id, None, "sampling", "refused", failed.message) for failed in failures]
    by_problem = pl.DataFrame(problems, schema=DROPPED.empty().schema, orient="row")
    columns = list(DROPPED.columns)
    rows = samples.frame([name for name in columns if name in LONG_COT_SAMPLES.columns])
    of_samples = rows.filter(pl.col("reason").is_not_null()).with_columns(detail=pl.lit(""))
    return DROPPED.validate(pl.concat([by_problem, of_samples.select(columns)]))


def shown(mix: QueryMix, chosen: ChosenTables, traces: JudgedTraces) -> dict[str, Shown]:
    """What each filter kept, the cost of a row, behaviours, lengths, and rows to read."""
    table = traces.rows
    rows = table.frame(SHOWN)
    kinds = {kind.replace("_", " "): int(rows[f"n_{kind}"].sum()) for kind in KINDS}
    generated = sum(map(generated_tokens, chosen.samples.blocks(OF_GENERATED)))
    n_tokens = [n for block in table.blocks(["token_ids"]) for n in block["token_ids"].list.len().to_list()]
    return {
        "yields": Records(chosen.yields.table()),
        "query_mix": Counts(Counter(mix.table["why"].to_list())),
        "verified": rows.filter(pl.col("scored_by") == VERIFIER).height,
        "tokens_per_trace": generated / max(1, rows.height),
        "thoughts_closed_by": Counts(Counter(rows["thoughts_closed_by"].to_list())),
        "pairs": chosen.pairs.height,
        "without_a_pair": Counts(Counter(reason for _, reason in chosen.unpaired)),
        "behaviours": Bars(counts=kinds, title="Behaviours in all thoughts"),
        "lengths": lengths(n_tokens, title="Length", x="tokens", y="traces"),
        "sample_rows": SampleRows(table.spread(SAMPLES, SAMPLE_COLUMNS), SAMPLE_COLUMNS),
        **(mix.judge.shown("judge") if mix.judge else {}),
        **traces.shown(),
    }


DATASET: Dataset[LongCotParameters] = Dataset(
    stage=Stage(
        name="long_cot_traces",
        title="A problem, internal thoughts, an external solution: the best verified sample of each problem.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts"),
        schema=LONG_COT_TRACES,
        dropped=DROPPED,
        beside=(QUERY_MIX, LONG_COT_SAMPLES, LONG_COT_PAIRS, LONG_COT_UNPAIRED),
        version=VERSION,
        make=make,
        checks=(TIMEOUTS,),
        per_problem=lambda settings: settings.n,
        preflight=preflight,
        least_yield=0.1,
        needs_answers=False,
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    parameters=LongCotParameters,
    parameters_of=parameters_of,
    label_counts=count_kinds,
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("internal_thoughts", "external_solution", "token_ids"),
    sample_columns=("prompt", "internal_thoughts", "external_solution", "behaviours", "score"),
    view=VIEW,
)
