"""The release of long chains of thought: every slice of one round, validated again and published as one version."""

from dataclasses import replace

import dagster as dg
import polars as pl

from dagster_project.releasing import Round, release_asset
from dagster_project.report import reason_counts
from dagster_project.settings.file import Settings
from filters.texts.thoughts import Tags
from generators.long_cot_traces.table import generated_tokens
from releases.draft import Draft
from releases.facts import StageFacts
from releases.long_cot_recomputation import Export, Making
from releases.long_cot_traces import build_long_cot_traces

NAME = "long_cot_traces"
STAGES = ("problems", "attempts", NAME)
FILTERS = ("format", "examples", "score", "best")


def long_cot_traces_release(settings: Settings) -> dg.AssetsDefinition:
    """The asset over all slices of the settings' sources."""
    return release_asset(
        NAME,
        settings=settings,
        stages=STAGES,
        draft=draft,
        sample_columns=("prompt", "internal_thoughts", "external_solution", "behaviours", "score"),
    )


def draft(made: Round, rows: pl.DataFrame) -> Draft:
    """The round's traces and pairs as a draft, with the yield of every stage and what the samples cost."""
    samples = made.table("long_cot_samples")
    facts = made.facts(rows, stages=STAGES)
    raters = {one["judge"]["judge"] for one in made.recipes(NAME).values() if one.get("judge")} - set(rows["policy"])
    judged = {f"judge_{kind}": count for kind, count in made.tokens(sorted(raters)).items()} if raters else {}
    spent = {"generated_in_samples": generated_tokens(samples)}
    stages = (*facts.stages[:-1], *yields(made, samples))
    facts = replace(facts, tokens={**facts.tokens, **judged, **spent}, stages=stages)
    return build_long_cot_traces(rows, made.table("long_cot_pairs"), facts, export_of(made))


def yields(made: Round, samples: pl.DataFrame) -> list[StageFacts]:
    """What the mix of problems, every filter of the samples, and the pairing kept and dropped."""
    mixed = made.table("query_mix")
    stages = [_stage("problems of the mix", mixed.filter("is_kept").height, mixed.filter(~pl.col("is_kept")), "why")]
    left = samples.height
    for name in FILTERS:
        dropped = samples.filter(pl.col("stage") == name)
        left -= dropped.height
        stages.append(_stage(f"samples: {name}", left, dropped, "reason"))
    return [*stages, made.stage("long_cot_pairs")]


def _stage(name: str, kept: int, dropped: pl.DataFrame, column: str) -> StageFacts:
    return StageFacts(name=name, kept=kept, dropped=reason_counts(dropped.select(pl.col(column).alias("reason"))))


def export_of(made: Round) -> Export:
    """What each slice was made with, as its recipe has it."""
    return Export(
        makings={
            key: Making(
                tags=Tags(opening=recipe["opening"], closing=recipe["closing"]),
                format_reward=recipe["format_reward"],
                near_examples=recipe["near_examples"],
            )
            for key, recipe in made.recipes(NAME).items()
        }
    )
