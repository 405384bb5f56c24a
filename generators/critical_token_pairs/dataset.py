"""Critical-token pairs (cDPO): a right and a wrong solution, a weight on every token, the critical one tested."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import chain

import numpy as np
import polars as pl

from filters.answers.checker import AnswerRule
from filters.equations.rules import FALSE_EQUATION
from generators.attempts.table import StoredAttempts, sampling_of
from generators.card import Card
from generators.checks import CheckSpec
from generators.critical_token_pairs import calibration, choice, folds, recipe, scores
from generators.critical_token_pairs.calibration import fitted_temperature
from generators.critical_token_pairs.choice import SolutionPair, choose_solutions
from generators.critical_token_pairs.contrast import count_contrast
from generators.critical_token_pairs.folds import scoring_fold
from generators.critical_token_pairs.recipe import CriticalTokenPair, ScoredPair, critical_token_pair, token_ids
from generators.critical_token_pairs.release import (
    CONFIGS,
    PICTURE,
    CriticalTokenParameters,
    count_tokens,
    exports,
    more_facts,
    parameters_of,
)
from generators.critical_token_pairs.report import critical_tokens_confirmed, shown
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS, DROPPED
from generators.critical_token_pairs.scores import ContrastiveScores
from generators.critical_token_pairs.scoring import score
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.critical_token_pairs.table import WrongSteps, critical_token_pairs_table, wrong_steps_of
from generators.critical_token_pairs.tokens import nominees
from generators.critical_token_pairs.tokens.nominees import CriticalTokensConfig
from generators.critical_token_pairs.trained_models import names_of
from generators.critical_token_pairs.view import VIEW
from generators.dataset import Dataset
from generators.process_labels.labels import ProcessLabels
from generators.records import Attempt, Problem
from generators.sampling.runner import Failure
from generators.search.priors import Priors
from generators.search.tree import Tree
from generators.search.tree_table import trees_of
from generators.section import stored
from generators.stage import Output, Slice, Stage

Pair = tuple[Problem, SolutionPair]
Item = tuple[ScoredPair, Tree]
Dropped = tuple[str, int | None, str, str]  # a row of the table of dropped pairs


async def make(slice: Slice, settings: Settings) -> Output:
    """Score a pair of solutions of each problem, and test the critical tokens of the wrong one."""
    attempts = StoredAttempts(slice.stored("attempts"))
    labels = ProcessLabels.of(slice)
    trained = slice.recipe("contrastive_models")
    today = slice.settings("contrastive_models")
    models = stored(ModelsSettings, trained, "contrastive_models")
    models = models.model_copy(update={"folder": today.folder, "weights": today.weights})
    with_models = names_of(trained["config"]).keys()
    pairs, dropped = pairs_of(
        slice.problems(), attempts, slice.source.answer_rule, most=models.max_tokens, with_models=with_models
    )
    scored: list[ScoredPair] = []
    scored_by = temperature = None
    if pairs:
        solutions = [side for _, pair in pairs for side in (pair.chosen, pair.rejected)]
        of_sides, scored_by = score(solutions, trained["config"], slice=slice, models=models, settings=settings)
        scored = scored_pairs(pairs, of_sides, wrong_steps_of(labels.with_labels()))
        temperature = temperature_of(scored)
    trees, rule = trees_of(slice.table("search_trees")), slice.source.answer_rule
    items = [(pair, tree_of(pair, trees, attempts[pair.problem.problem_id], rule)) for pair in scored]
    sampling, max_tokens = sampling_of(slice)
    config = CriticalTokensConfig(
        sampling=sampling, max_tokens=max_tokens, priors=labels.priors or Priors(), settings=settings
    )
    async with slice.workbench(unit="pairs", total=len(items)) as bench:

        async def test(item: Item) -> CriticalTokenPair:
            pair, tree = item
            return await critical_token_pair(
                pair,
                tree=tree,
                sampler=bench.sampler,
                checker=bench.checker,
                rule=rule,
                config=config,
            )

        tested = await bench.run(test, items)
    rows = CRITICAL_TOKEN_PAIRS.empty()
    if scored_by is not None and temperature is not None:
        rows = critical_token_pairs_table(tested.rows, scored_by, temperature, slice.origin)
    return Output(
        rows=rows,
        dropped=dropped_rows(dropped, tested.failures),
        config={
            "sampling": asdict(sampling),
            "max_tokens": max_tokens,
            "priors": config.priors.to_json(),
            "confirmation": asdict(settings.criterion),
            "weights_temperature": temperature,
            "models": trained["config"],
        },
        checks=[critical_tokens_confirmed(rows)],
        shown=shown(rows, tested.rows, slice.policy.tokenizer, temperature=temperature),
        n_items=len(items),
        n_failed=len(tested.failures),
    )


def pairs_of(
    problems: Sequence[Problem],
    attempts: Mapping[str, Sequence[Attempt]],
    rule: AnswerRule,
    *,
    most: int,
    with_models: Collection[int],
) -> tuple[list[Pair], list[Dropped]]:
    """The pair of every problem that has one of at most `most` tokens a side, and the other problems with reasons.

    `with_models` are the folds that models learnt from; a pair whose problem only models of its own fold could score is
    dropped.
    """
    pairs: list[Pair] = []
    dropped: list[Dropped] = []
    for problem in problems:
        chosen = choose_solutions(attempts.get(problem.problem_id, ()), rule=rule, given=problem.prompt)
        if chosen.all_refuted:
            dropped.append((problem.problem_id, None, FALSE_EQUATION, ""))
        elif chosen.pair is None:
            lacking = "no_right_solution" if chosen.positive is None else "no_wrong_solution"
            dropped.append((problem.problem_id, None, lacking, ""))
        elif (reason := _unfit(chosen.pair, most)) is not None:
            dropped.append((problem.problem_id, chosen.pair.rejected.attempt_index, reason, ""))
        elif (fold := scoring_fold(problem.problem_id)) not in with_models:
            why = f"no models learnt from fold {fold}, and those of its own fold may not score it"
            dropped.append((problem.problem_id, chosen.pair.rejected.attempt_index, "no_contrastive_models", why))
        else:
            pairs.append((problem, chosen.pair))
    return pairs, dropped


def _unfit(pair: SolutionPair, most: int) -> str | None:
    if max(len(token_ids(side)) for side in (pair.chosen, pair.rejected)) > most:
        return "too_long"
    if len(pair.rejected.token_ids) < 2:  # only the end-of-text token
        return "too_short"
    return None


def scored_pairs(
    pairs: Sequence[Pair], of_sides: Sequence[ContrastiveScores], wrong_steps: WrongSteps
) -> list[ScoredPair]:
    """The pairs with the scores of their sides, chosen and rejected in turn, and the first wrong steps where known."""
    return [
        ScoredPair(
            problem=problem,
            pair=pair,
            chosen_scores=chosen,
            rejected_scores=rejected,
            step_range=wrong_steps.get((problem.problem_id, pair.rejected.attempt_index, pair.rejected.token_ids)),
        )
        for (problem, pair), chosen, rejected in zip(pairs, of_sides[::2], of_sides[1::2], strict=True)
    ]


def temperature_of(scored: Sequence[ScoredPair]) -> float:
    """The temperature of the weights, fitted to both solutions of all pairs: no model of a score saw its problem."""
    right = chain.from_iterable(pair.weighed_ratios("chosen") for pair in scored)
    wrong = chain.from_iterable(pair.weighed_ratios("rejected") for pair in scored)
    return fitted_temperature(np.fromiter(right, dtype=np.float64), np.fromiter(wrong, dtype=np.float64))


def tree_of(scored: ScoredPair, trees: Mapping[str, Tree], attempts: Sequence[Attempt], rule: AnswerRule) -> Tree:
    """The tree of the problem's labels; where there is none for this prompt, one that knows the attempts alone."""
    prompt = scored.pair.rejected.prompt_token_ids
    of_labels = trees.get(scored.problem.problem_id)
    if of_labels is not None and of_labels.root.token_ids == prompt:
        return of_labels
    tree = Tree(scored.problem.problem_id, prompt)
    for attempt in attempts:
        tree.root.record(attempt.attempt_index, rule.is_right(attempt.verdict))
    return tree


def dropped_rows(dropped: Sequence[Dropped], failures: Sequence[Failure[Item]]) -> pl.DataFrame:
    """Every problem without a pair, and every pair that the engine refused, with the reason."""
    refused = [
        (pair.problem.problem_id, pair.pair.rejected.attempt_index, "refused", failure.message)
        for failure in failures
        for pair, _ in (failure.item,)
    ]
    return DROPPED.validate(pl.DataFrame([*dropped, *refused], schema=DROPPED.empty().schema, orient="row"))


DATASET: Dataset[CriticalTokenParameters] = Dataset(
    stage=Stage(
        name="critical_token_pairs",
        title="A right and a wrong solution with a score and a weight on every token; rollouts test the critical ones.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts", "process_labels", "contrastive_models"),
        schema=CRITICAL_TOKEN_PAIRS,
        dropped=DROPPED,
        version=".".join(part.VERSION for part in (recipe, nominees, scores, calibration, choice, folds)),
        make=make,
        checks=(
            CheckSpec(
                "critical_tokens_confirmed",
                "Rollouts confirm a critical token in enough of the wrong solutions.",
                blocks=False,
            ),
        ),
        kinds=frozenset({"vllm", "pytorch", "parquet"}),
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    parameters=CriticalTokenParameters,
    parameters_of=parameters_of,
    label_counts=count_tokens,
    counts=count_contrast,
    more_facts=more_facts,
    picture=PICTURE,
    attachments=exports,
    lengths=("chosen_token_ids", "rejected_token_ids", "critical_positions"),
    sample_columns=("prompt", "chosen", "rejected", "critical_positions", "critical_confirmed"),
    view=VIEW,
)
