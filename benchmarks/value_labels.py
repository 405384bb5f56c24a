"""Labels of the exhaustive strategy for as many tokens as a release of process labels cost, on its own solutions.

A rollout from the end of a step counts as what the solution has left there, on both sides alike: what a release cost
follows from its counts. Knows nothing of models.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from filters.answers.checker import AnswerChecker, AnswerRule
from filters.answers.verdicts import Verdict
from generators.process_labels.recipe import ProcessLabelsConfig, label
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive

Row = Mapping[str, Any]  # of the config `default` of process_labels


def tokens_spent(rows: Iterable[Row]) -> int:
    """What the rollouts behind rows cost; a node that solutions share counts once, a last step has none."""
    spent: dict[tuple[str, str], int] = {}
    for row in rows:
        drawn = [decided + open_ for decided, open_ in zip(row["n_rollouts"], row["n_undecided"], strict=True)]
        for (node, left), rollouts in zip(_nodes(row), drawn, strict=False):
            spent[row["problem_id"], node] = rollouts * left
    return sum(spent.values())


def affordable(rows: Iterable[Row], *, rollouts_per_step: int, budget: int) -> list[Row]:
    """The first rows that so many rollouts from every step may be spent on within `budget` tokens; at least one."""
    chosen: list[Row] = []
    seen: set[tuple[str, str]] = set()
    spent = 0
    for row in rows:
        new = {(row["problem_id"], node): left for node, left in _nodes(row)}
        spent += sum(rollouts_per_step * left for node, left in new.items() if node not in seen)
        if spent > budget and chosen:
            break
        chosen.append(row)
        seen |= new.keys()
    return chosen


def _nodes(row: Row) -> Iterator[tuple[str, int]]:
    """The node behind each step but the last, with the tokens that the solution has left there."""
    for node, end in zip(row["node_ids"][:-1], row["step_ends"], strict=False):
        yield node, len(row["token_ids"]) - end


async def exhaustive(
    rows: Sequence[Row],
    *,
    strategy: Exhaustive,
    config: ProcessLabelsConfig,
    rules: Mapping[str, AnswerRule],
    sampler: Sampler,
    checker: AnswerChecker,
    window: int,
) -> list[dict[str, Any]]:
    """The rows' solutions with `steps` and `soft_labels` by the strategy; `rules` are the sources' answer rules."""

    async def one(row: Row) -> LabelledSolution:
        problem = Problem(**{name: row[name] for name in ("problem_id", "source", "prompt", "answer", "level")})
        attempt = attempt_of(row)
        labelled = await label(
            problem,
            [attempt],
            [attempt],
            sampler=sampler,
            checker=checker,
            rule=rules[row["source"]],
            config=config,
            strategy=strategy,
        )
        return labelled.solutions[0]

    made = await run_recipe(one, rows, window=window)
    return [
        {"prompt": one.problem.prompt, "steps": list(one.steps), "soft_labels": list(one.values.mean)}
        for one in made.rows
    ]


def attempt_of(row: Row) -> Attempt:
    """The attempt that a row labels."""
    return Attempt(
        problem_id=row["problem_id"],
        attempt_index=row["attempt_index"],
        prompt_token_ids=tuple(row["prompt_token_ids"]),
        token_ids=tuple(row["token_ids"]),
        text="".join(row["steps"]),
        finish_reason="eos",
        verdict=Verdict(row["verdict"]),
        extracted=row["extracted"],
    )
