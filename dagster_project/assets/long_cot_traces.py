"""Long chains of thought of one slice: thoughts and solution in one answer, by a policy that is shown a few (BOLT)."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.behaviour_judging import Counted, count_by_judge
from dagster_project.bootstrapping import Asking, Bootstrapped, Sampled, choose
from dagster_project.bootstrapping import draw as draw_samples
from dagster_project.checks import failed_items, specs, timeouts
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.long_cot_settings import LongCotTracesSettings
from dagster_project.partitions import Cell, cell_of
from dagster_project.query_mixing import Mixed, mix
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.settings.sources import Source
from dagster_project.workbench import Workbench, workbench
from filters.answers.verdicts import VERIFIER
from generators.attempts.table import law_of
from generators.engine.protocol import Sampling
from generators.long_cot_traces import behaviour_judge
from generators.long_cot_traces import pairs as long_cot_pairs
from generators.long_cot_traces import query_rating as query_mix
from generators.long_cot_traces import recipe as bolt
from generators.long_cot_traces.behaviours import KINDS
from generators.long_cot_traces.behaviours import VERSION as BEHAVIOURS_VERSION
from generators.long_cot_traces.schema import LONG_COT_TRACES
from generators.long_cot_traces.table import generated_tokens, long_cot_pairs_table, long_cot_traces_table
from generators.problems.table import problems_of
from generators.records import Problem
from generators.sampling.ledger import sampling_json
from generators.sampling.runner import Outcome

NAME = "long_cot_traces"
DROPPED = {
    "problem_id": pl.String,
    "sample_index": pl.Int64,
    "stage": pl.String,
    "reason": pl.String,
    "detail": pl.String,
}
UNPAIRED = {"problem_id": pl.String, "reason": pl.String}


def long_cot_traces(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.long_cot_traces
    slices = settings.slices()

    class LongCotTracesRun(dg.Config):
        """How many samples of each problem, drawn how; which scores of a reward model are too low."""

        n: int = Field(defaults.n, ge=1, description="samples per problem")
        temperature: float = Field(defaults.temperature, ge=0, description="sampling temperature")
        max_tokens: int = Field(defaults.max_tokens, ge=1, description="tokens of a sample at most")
        percentile: float = Field(defaults.percentile, ge=0, lt=100, description="scores below it are dropped")

    @dg.asset(
        name=NAME,
        partitions_def=grid,
        deps=["problems", "attempts"],
        group_name="traces",
        kinds={"vllm", "parquet"},
        pool="gpu",
        code_version=".".join(
            [bolt.VERSION, query_mix.VERSION, long_cot_pairs.VERSION, BEHAVIOURS_VERSION, behaviour_judge.VERSION]
        ),
        check_specs=specs(NAME, blocking=["failed_items", "timeouts"]),
    )
    def asset(
        context: dg.AssetExecutionContext,
        config: LongCotTracesRun,
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
    ) -> dg.MaterializeResult:
        """A problem, internal thoughts, an external solution: the best verified sample of each problem."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        asked = LongCotTracesSettings.model_validate(defaults.model_dump() | config.model_dump())
        with explained():
            law, asking = law_over(asked, store, cell, source)
            mixed = mix(context, judge, policy, store, cell, source=source, asked=asked)
            problems = mixed.kept(problems_of(store.read(store.table("problems", cell))))
            made, bench = asyncio.run(
                draw(context, policy, reward, store, cell, problems=problems, source=source, law=law, asking=asking)
            )
            match = source.near_examples(asked)
            provenance = cell.provenance(bench.sampler.policy)
            provenance |= {"sampling": sampling_json(law.sampling), "max_tokens": law.max_tokens}
            chosen = choose(made.rows, asked=asked, match=match, known=known(store, cell, mixed), provenance=provenance)
            traces = long_cot_traces_table(chosen.traces, provenance)
            counted = (
                count_by_judge(context, judge, policy, store, cell, traces=traces)
                if asked.judge_behaviours
                else Counted(traces=traces)
            )
            frame = counted.traces
            plain = asked.model_dump(mode="json") | {"near_examples": match, "judge": mixed.plain() or None}
            store.write_recipe(NAME, cell, plain | {"behaviour_judge": counted.plain()})
            write(store, cell, frame, mixed=mixed, made=made, chosen=chosen, provenance=provenance)
            return finished(
                Table(asset=NAME, frame=frame, schema=LONG_COT_TRACES, asked=law.n, of=len(problems)),
                store,
                cell,
                settings.checks,
                checks=[
                    failed_items(len(made.failures), len(problems), settings.checks.most_failed),
                    timeouts(chosen.samples["verdict"], settings.checks.most_timeouts),
                ],
                metadata=metadata(store, cell, frame, mixed, chosen) | mixed.metadata() | counted.metadata(),
                bench=bench,
                policy=policy,
            )

    return asset


def law_over(asked: LongCotTracesSettings, store: Store, cell: Cell, source: Source) -> tuple[bolt.BoltConfig, Asking]:
    """How samples are drawn, and how problems are asked; both as the attempts were where the settings say so."""
    if asked.examples == "attempts":
        sampling, _ = law_of(store.read(store.table("attempts", cell)))
        asking = Asking(prompt=None, examples=source.examples)
    else:
        sampling = Sampling(temperature=asked.temperature, top_p=asked.top_p, seed=cell.seed)
        asking = Asking(prompt=asked.prompt(cell.seed))
    law = bolt.BoltConfig(
        sampling=sampling,
        max_tokens=asked.max_tokens,
        n=asked.n,
        tags=asked.tags,
        close_thoughts=asked.close_thoughts,
    )
    return law, asking


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    reward: RewardResource,
    store: Store,
    cell: Cell,
    *,
    problems: Sequence[Problem],
    source: Source,
    law: bolt.BoltConfig,
    asking: Asking,
) -> tuple[Outcome[Problem, Sampled], Workbench]:
    """Sample every problem of the mix through one workbench."""
    async with (
        workbench(context, policy, store, cell, unit="problems", total=len(problems)) as bench,
        reward.opened() as model,
    ):
        made = await draw_samples(
            problems,
            bench,
            asking=asking,
            rule=source.answer_rule,
            law=law,
            reward=model,
            window=policy.settings.in_flight,
        )
    return made, bench


def known(store: Store, cell: Cell, mixed: Mixed) -> dict[str, tuple[str | None, str | None]]:
    """Topic and difficulty of every problem of the mix."""
    rated = store.read(store.table("problem_difficulty", cell)).select("problem_id", "difficulty")
    told = mixed.table.drop("difficulty").join(rated, on="problem_id", how="left")
    return {name: (topic, band) for name, topic, band in told.select("problem_id", "topic", "difficulty").iter_rows()}


def write(
    store: Store,
    cell: Cell,
    frame: pl.DataFrame,
    *,
    mixed: Mixed,
    made: Outcome[Problem, Sampled],
    chosen: Bootstrapped,
    provenance: dict[str, str | int],
) -> None:
    """Write the traces of `frame`, pairs, all samples, the mix, and what was dropped with its stage."""
    passed_over = mixed.table.filter(~pl.col("is_kept")).select("problem_id", "why").iter_rows()
    dropped = [(problem, None, "mix", why, "") for problem, why in passed_over]
    dropped += [(one.item.problem_id, None, "sampling", "refused", one.message) for one in made.failures]
    samples = chosen.samples.filter(pl.col("reason").is_not_null())
    told = samples.select("problem_id", "sample_index", "stage", "reason").with_columns(detail=pl.lit(""))
    store.write(store.table(NAME, cell), frame)
    store.write(store.dropped(NAME, cell), pl.concat([pl.DataFrame(dropped, schema=DROPPED, orient="row"), told]))
    store.write(store.table("long_cot_samples", cell), chosen.samples)
    store.write(store.table("query_mix", cell), mixed.table)
    store.write(store.table("long_cot_pairs", cell), long_cot_pairs_table(chosen.pairs, provenance))
    store.write(store.dropped("long_cot_pairs", cell), pl.DataFrame(chosen.unpaired, schema=UNPAIRED, orient="row"))


def metadata(store: Store, cell: Cell, frame: pl.DataFrame, mixed: Mixed, chosen: Bootstrapped) -> dict[str, Any]:
    """What the UI shows of the traces: the yield of every stage, what a row cost, behaviours, lengths, sample rows."""
    spent = generated_tokens(chosen.samples)
    lengths = frame["token_ids"].list.len().to_list()
    counts = {kind.replace("_", " "): int(frame[f"n_{kind}"].sum()) for kind in KINDS}
    return {
        "release": dg.MetadataValue.path(str(store.releases / NAME)),
        "yields": report.records(chosen.selection.yields()),
        "query_mix": report.counts(Counter(mixed.table["why"].to_list())),
        "verified": frame.filter(pl.col("scored_by") == VERIFIER).height,
        "tokens_per_trace": spent / max(1, frame.height),
        "thoughts_closed_by": report.counts(Counter(frame["thoughts_closed_by"].to_list())),
        "pairs": len(chosen.pairs),
        "without_a_pair": report.dropped(store.read(store.dropped("long_cot_pairs", cell))),
        "behaviours": report.bars(counts, title="Behaviours in all thoughts"),
        "lengths": report.histogram(lengths, title="Length", x="tokens", y="traces", bounds=(0, max(1, *lengths, 0))),
        "sample_rows": report.sample_rows(
            frame, ("prompt", "internal_thoughts", "external_solution", "behaviours", "score", "topic", "difficulty")
        ),
    }
