"""Critical-token pairs of one slice: a right and a wrong solution, a weight on every token, the critical one tested."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.checks import check, failed_items, specs
from dagster_project.contrasting import NONE, adapters_folder, score
from dagster_project.dataset_settings import CriticalTokenPairsSettings
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.unanswered import nothing_to_verify, set_aside
from dagster_project.workbench import Workbench, workbench
from filters.answers.checker import AnswerRule
from generators.attempts.table import attempts_of, law_of
from generators.critical_token_pairs import choice as cdpo
from generators.critical_token_pairs import recipe
from generators.critical_token_pairs import scores as contrastive
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from generators.critical_token_pairs.table import ScoredBy, critical_token_pairs_table, wrong_steps_of
from generators.critical_token_pairs.tokens import nominees as critical_tokens
from generators.critical_token_pairs.tokens.paths import Span
from generators.engine.protocol import Sampling
from generators.engine.tokenizer import Tokenizer
from generators.problems.table import problems_of
from generators.process_labels.labels import with_labels
from generators.records import Attempt, Problem
from generators.sampling.runner import Outcome, run_recipe
from generators.search.priors import Priors
from generators.search.rollouts import outcome_of
from generators.search.sequential_test import SequentialTest
from generators.search.tree import Tree
from generators.search.tree_table import trees_of

DROPPED = {"problem_id": pl.String, "rejected_attempt_index": pl.Int64, "reason": pl.String, "detail": pl.String}
Pair = tuple[Problem, cdpo.SolutionPair]
Item = tuple[recipe.ScoredPair, Tree]
Made = Outcome[Item, recipe.CriticalTokenPair]
Dropped = tuple[str, int | None, str, str]
LEAST_CONFIRMED = 0.25


def critical_token_pairs(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults, models = settings.critical_token_pairs, settings.contrastive_models
    slices = settings.slices()

    class CriticalTokenPairsRun(dg.Config):
        """How tokens are scored, nominated and tested; rollouts follow the attempts' own law."""

        beta: float = Field(defaults.beta, ge=0, description="how much the negative model counts")
        n_scores: int = Field(defaults.n_scores, ge=1, description="tokens that scores nominate at most")
        search: bool = Field(defaults.search, description="whether a search by rollouts nominates tokens too")
        cap: int = Field(defaults.cap, ge=1, description="rollouts that test one token at most")
        budget: int = Field(defaults.budget, ge=1, description="rollouts that test all nominees of a solution at most")

    @dg.asset(
        name="critical_token_pairs",
        partitions_def=grid,
        deps=["problems", "attempts", "process_labels", "contrastive_models"],
        group_name="preferences",
        kinds={"vllm", "pytorch", "parquet"},
        pool="gpu",
        code_version=f"{recipe.VERSION}.{critical_tokens.VERSION}.{contrastive.VERSION}.{cdpo.VERSION}",
        check_specs=specs("critical_token_pairs", blocking=["failed_items"], warning=["critical_tokens_confirmed"]),
    )
    def asset(
        context: dg.AssetExecutionContext, config: CriticalTokenPairsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Two solutions with a score and a weight on every token, and what rollouts say of the critical ones."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        asked = CriticalTokenPairsSettings.model_validate(defaults.model_dump() | config.model_dump())
        with explained():
            problems = problems_of(store.read(store.table("problems", cell)))
            if nothing_to_verify(problems):
                return set_aside(context, store, cell, problems, CRITICAL_TOKEN_PAIRS, dropped=DROPPED)
            attempts = store.read(store.table("attempts", cell))
            tried = attempts_of(attempts)
            plain = store.read_recipe("contrastive_models", cell)
            pairs, dropped = pairs_of(problems, tried, source.answer_rule, most=models.max_tokens, models=plain)
            scored, by = [], None
            if pairs:
                scores, by = score(
                    [recipe.token_ids(side) for _, pair in pairs for side in (pair.chosen, pair.rejected)],
                    plain,
                    policy=policy,
                    models=models,
                    asked=asked,
                    folder=adapters_folder(models, store),
                    say=context.log.info,
                )
                scored = scored_pairs(pairs, scores, wrong_steps(store, cell, settings))
            trees = trees_of(store.read(store.table("search_trees", cell)))
            items = [(one, tree_of(one, trees, tried[one.problem.problem_id])) for one in scored]
            law = law_over(asked, law_of(attempts), store.read_recipe("process_labels", cell))
            made, bench = asyncio.run(draw(context, policy, store, cell, items=items, rule=source.answer_rule, law=law))
            store.write_recipe("critical_token_pairs", cell, recipe_of(law, asked, plain))
            frame = write(store, cell, made=made, dropped=dropped, by=by, policy=bench.sampler.policy)
            return finished(
                Table(asset="critical_token_pairs", frame=frame, schema=CRITICAL_TOKEN_PAIRS),
                store,
                cell,
                settings.checks,
                checks=[
                    critical_tokens_confirmed(frame),
                    failed_items(len(made.failures), len(items), settings.checks.most_failed),
                ],
                metadata=metadata(store, frame, made, policy.identity().tokenizer),
                bench=bench,
                policy=policy,
            )

    return asset


def pairs_of(
    problems: Sequence[Problem],
    attempts: Mapping[str, Sequence[Attempt]],
    rule: AnswerRule,
    *,
    most: int,
    models: Mapping[str, Any],
) -> tuple[list[Pair], list[Dropped]]:
    """The pair of every problem that has one of at most `most` tokens a side, and the other problems with reasons."""
    pairs: list[Pair] = []
    dropped: list[Dropped] = []
    for problem in problems:
        choice = cdpo.choose_solutions(attempts.get(problem.problem_id, ()), rule=rule)
        if choice.pair is None:
            lacking = "no_right_solution" if choice.positive is None else "no_wrong_solution"
            dropped.append((problem.problem_id, None, lacking, ""))
        elif (reason := _unfit(choice.pair, most, models)) is not None:
            dropped.append((problem.problem_id, choice.pair.rejected.attempt_index, reason, ""))
        else:
            pairs.append((problem, choice.pair))
    return pairs, dropped


def _unfit(pair: cdpo.SolutionPair, most: int, models: Mapping[str, Any]) -> str | None:
    if max(len(recipe.token_ids(side)) for side in (pair.chosen, pair.rejected)) > most:
        return "too_long"
    if len(pair.rejected.token_ids) < 2:  # nothing but its end
        return "too_short"
    return "no_contrastive_models" if models["models"] == NONE else None


def wrong_steps(store: Store, cell: Cell, settings: Settings) -> Mapping[tuple[str, int, tuple[int, ...]], Span | None]:
    """The first wrong step of every labelled solution of the slice."""
    labels = settings.process_labels
    frame = store.read(store.table("process_labels", cell))
    return wrong_steps_of(with_labels(frame, hard_threshold=labels.hard_threshold, confidence=labels.confidence))


def scored_pairs(
    pairs: Sequence[Pair],
    scores: Sequence[contrastive.ContrastiveScores],
    steps: Mapping[tuple[str, int, tuple[int, ...]], Span | None],
) -> list[recipe.ScoredPair]:
    """The pairs with their scores (chosen and rejected in turn), and the first wrong steps as far as they are known."""
    return [
        recipe.ScoredPair(
            problem=problem,
            pair=pair,
            chosen_scores=chosen,
            rejected_scores=rejected,
            step_range=steps.get((problem.problem_id, pair.rejected.attempt_index, pair.rejected.token_ids)),
        )
        for (problem, pair), chosen, rejected in zip(pairs, scores[::2], scores[1::2], strict=True)
    ]


def tree_of(scored: recipe.ScoredPair, trees: Mapping[str, Tree], attempts: Sequence[Attempt]) -> Tree:
    """The tree of the problem's labels; where they have none of this prompt, one that knows the attempts alone."""
    prompt = scored.pair.rejected.prompt_token_ids
    known = trees.get(scored.problem.problem_id)
    if known is not None and known.root.token_ids == prompt:
        return known
    tree = Tree(scored.problem.problem_id, prompt)
    for attempt in attempts:
        tree.root.tell(attempt.attempt_index, outcome_of(attempt.verdict))
    return tree


def law_over(
    asked: CriticalTokenPairsSettings, attempted: tuple[Sampling, int], labels: Mapping[str, Any]
) -> critical_tokens.CriticalTokensConfig:
    """The recipe's settings, over the law of the attempts and the priors of the labels, where there are any."""
    sampling, max_tokens = attempted
    priors = labels.get("strategy", {}).get("priors")
    return critical_tokens.CriticalTokensConfig(
        sampling=sampling,
        max_tokens=max_tokens,
        priors=Priors(**priors) if priors else Priors(),
        search=SequentialTest(confidence=0.99, cap=asked.search_cap) if asked.search else None,
        n_scores=asked.n_scores,
        score_below=asked.score_below,
        confirmation=asked.confirmation,
        budget=asked.budget,
    )


def recipe_of(
    law: critical_tokens.CriticalTokensConfig, asked: CriticalTokenPairsSettings, models: Mapping[str, Any]
) -> dict[str, Any]:
    """What the table was made with; the search runs under the same priors, which stand there once."""
    plain = asdict(law)
    if law.search is not None:
        del plain["search"]["priors"]
    return plain | {"beta": asked.beta, "models": dict(models)}


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    items: Sequence[Item],
    rule: AnswerRule,
    law: critical_tokens.CriticalTokensConfig,
) -> tuple[Made, Workbench]:
    """Test the nominated tokens of every pair of the slice through one workbench."""
    async with workbench(context, policy, store, cell, unit="pairs", total=len(items)) as bench:

        async def one(item: Item) -> recipe.CriticalTokenPair:
            scored, tree = item
            return await recipe.critical_token_pair(
                scored, tree=tree, sampler=bench.sampler, checker=bench.checker, rule=rule, config=law
            )

        window = policy.settings.in_flight
        return await run_recipe(one, items, window=window, on_done=bench.progress.update), bench


def write(
    store: Store, cell: Cell, *, made: Made, dropped: Sequence[Dropped], by: ScoredBy | None, policy: str
) -> pl.DataFrame:
    """Write the pairs, and all problems that gave none with the reason; gives the pairs."""
    frame = CRITICAL_TOKEN_PAIRS.empty()
    if by is not None:
        frame = critical_token_pairs_table(made.rows, by, cell.provenance(policy))
    refused = [
        (scored.problem.problem_id, scored.pair.rejected.attempt_index, "refused", failed.message)
        for failed in made.failures
        for scored, _ in (failed.item,)
    ]
    store.write(store.table("critical_token_pairs", cell), frame)
    passed_over = pl.DataFrame([*dropped, *refused], schema=DROPPED, orient="row")
    store.write(store.dropped("critical_token_pairs", cell), passed_over)
    return frame


def metadata(store: Store, frame: pl.DataFrame, made: Made, tokenizer: Tokenizer) -> dict[str, Any]:
    """What the UI shows of the pairs: counts, scores, who nominated what, what became of it, sample rows."""
    scores = frame.select(pl.col("rejected_scores").list.slice(pl.col("response_start"))).to_series()
    reasons = Counter(reason for row in made.rows for _, reason in row.critical.dropped)
    nominated = Counter(
        f"{name}, {'confirmed' if confirmed else 'not confirmed'}"
        for names, told in frame.select("critical_nominated_by", "critical_confirmed").iter_rows()
        for name, confirmed in zip(names, told, strict=True)
    )
    shown = frame.with_columns(pl.Series("critical_token", marked(frame, tokenizer), dtype=pl.String))
    return {
        "release": dg.MetadataValue.path(str(store.releases / "critical_token_pairs")),
        "scores": report.histogram(
            scores.explode().drop_nulls().to_list(), title="Score per wrong solution's token", x="score", y="tokens"
        ),
        "confirmed_per_pair": n_confirmed(frame) / max(1, frame.height),
        "nominated_by": report.counts(nominated),
        "not_confirmed": report.counts(reasons),
        "stable_tokens": int(frame["is_stable"].sum()),
        "sample_rows": report.sample_rows(
            shown,
            (
                *("prompt", "chosen", "critical_token", "critical_nominated_by"),
                *("critical_value_with", "critical_value_without", "critical_confirmed"),
            ),
        ),
    }


def marked(frame: pl.DataFrame, tokenizer: Tokenizer) -> list[str]:
    """The wrong solution of each row with its critical token between brackets; with none, as it is."""
    texts = []
    for row in frame.iter_rows(named=True):
        places = [p for p, is_it in zip(row["critical_positions"], row["critical_confirmed"], strict=True) if is_it]
        response = row["rejected_token_ids"][row["response_start"] :]
        text = row["rejected"]
        if places:
            here = places[0] - row["response_start"]
            before, behind = (len(tokenizer.decode(response[:end])) for end in (here, here + 1))
            text = f"{text[:before]}⟦{text[before:behind]}⟧{text[behind:]}"
        texts.append(text)
    return texts


def n_confirmed(frame: pl.DataFrame) -> int:
    """The rows with a confirmed token."""
    return int(frame["critical_confirmed"].list.any().sum())


def critical_tokens_confirmed(frame: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether a quarter of the wrong solutions at least have a confirmed token; with fewer, nominations tell little."""
    confirmed = n_confirmed(frame)
    return check(
        "critical_tokens_confirmed",
        frame.height > 0 and confirmed >= LEAST_CONFIRMED * frame.height,
        f"{confirmed} of {frame.height} wrong solutions have a confirmed token, a share of {LEAST_CONFIRMED} is wanted",
        blocks=False,
        figures={"pairs": frame.height, "confirmed": confirmed},
    )
