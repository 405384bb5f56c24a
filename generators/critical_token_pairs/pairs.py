"""The pairs of a slice: which there are, and what is read of one when its turn to be tested comes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from filters.answers.checker import AnswerRule
from filters.equations.rules import FALSE_EQUATION
from generators.by_problem import ByProblem
from generators.columns import ATTEMPT_KEY
from generators.critical_token_pairs.calibration import fitted_temperature
from generators.critical_token_pairs.choice import SolutionPair, choose_solutions
from generators.critical_token_pairs.folds import scoring_fold
from generators.critical_token_pairs.recipe import ScoredPair, token_ids
from generators.critical_token_pairs.stored_scores import StoredScores
from generators.critical_token_pairs.table import wrong_steps_of
from generators.process_labels.labels import LocatedSolutions, ProcessLabels
from generators.records import Attempt, Problem
from generators.search.tree import Tree
from generators.search.tree_table import trees_of
from generators.stage import Slice
from generators.tokens import Ids

Dropped = tuple[str, int | None, str, str]  # a row of the table of dropped pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A problem with the indexes of its right and its wrong attempt, and the token ids of either with the prompt."""

    problem: Problem
    chosen: int
    rejected: int
    sides: tuple[Ids, Ids]
    response_start: int


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
            pairs.append(_pair(problem, chosen.pair))
    return pairs, dropped


def _unfit(pair: SolutionPair, most: int) -> str | None:
    if max(len(token_ids(side)) for side in (pair.chosen, pair.rejected)) > most:
        return "too_long"
    if len(pair.rejected.token_ids) < 2:  # only the end-of-text token
        return "too_short"
    return None


def _pair(problem: Problem, chosen: SolutionPair) -> Pair:
    return Pair(
        problem=problem,
        chosen=chosen.chosen.attempt_index,
        rejected=chosen.rejected.attempt_index,
        sides=(token_ids(chosen.chosen), token_ids(chosen.rejected)),
        response_start=len(chosen.rejected.prompt_token_ids),
    )


class StoredPairs:
    """The pairs of a slice with the scores of their sides, chosen and rejected in turn.

    Attempts, labels and trees of a pair are read when it is asked for.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        scores: StoredScores,
        *,
        slice: Slice,
        attempts: Mapping[str, Sequence[Attempt]],
        labels: ProcessLabels,
    ) -> None:
        self._pairs, self._scores, self._attempts = pairs, scores, attempts
        self._trees, self._rule = ByProblem(slice.stored("search_trees")), slice.source.answer_rule
        first_errors = pl.concat(block.select(*ATTEMPT_KEY, "first_error") for block in labels.blocks(*ATTEMPT_KEY))
        self._labelled = LocatedSolutions(labels.table, first_errors)

    def __len__(self) -> int:
        return len(self._pairs)

    def length(self, number: int) -> int:
        """The tokens of the wrong solution of a pair."""
        return len(self._pairs[number].sides[1])

    def name(self, number: int) -> tuple[str, int]:
        """The problem of a pair and the index of its wrong solution."""
        return self._pairs[number].problem.problem_id, self._pairs[number].rejected

    def temperature(self) -> float:
        """The temperature of the weights, fitted to both solutions of all pairs: no model of a score saw its problem.

        The last token of a solution counts for nothing, since its weight is 1 anyway.
        """
        right, wrong = (
            np.concatenate(
                [
                    self._scores.log_ratios(2 * number + side)[pair.response_start : -1]
                    for number, pair in enumerate(self._pairs)
                ]
            )
            for side in (0, 1)
        )
        return fitted_temperature(right, wrong)

    def read(self, number: int) -> tuple[ScoredPair, Tree]:
        """A pair with its scores and its first wrong step where that is known, and its tree; raises StorageError."""
        pair = self._pairs[number]
        problem_id = pair.problem.problem_id
        attempts = self._attempts[problem_id]
        by_index = {attempt.attempt_index: attempt for attempt in attempts}
        rejected = by_index[pair.rejected]
        known = wrong_steps_of(self._labelled.of(problem_id)) if problem_id in self._labelled else {}
        scored = ScoredPair(
            problem=pair.problem,
            pair=SolutionPair(chosen=by_index[pair.chosen], rejected=rejected),
            chosen_scores=self._scores[2 * number],
            rejected_scores=self._scores[2 * number + 1],
            step_range=known.get((problem_id, pair.rejected, rejected.token_ids)),
        )
        of_labels = trees_of(self._trees.of(problem_id)).get(problem_id)
        return scored, tree_of(scored, of_labels, attempts, self._rule)


def tree_of(scored: ScoredPair, of_labels: Tree | None, attempts: Sequence[Attempt], rule: AnswerRule) -> Tree:
    """The tree of the problem's labels; where there is none for this prompt, one that knows the attempts alone."""
    prompt = scored.pair.rejected.prompt_token_ids
    if of_labels is not None and of_labels.root.token_ids == prompt:
        return of_labels
    tree = Tree(scored.problem.problem_id, prompt)
    for attempt in attempts:
        tree.root.record(attempt.attempt_index, rule.is_right(attempt.verdict))
    return tree
