"""Labels a release's own solutions by the exhaustive strategy, at the token cost of the release's labels.

On both sides, a rollout from the end of a step costs as many tokens as the solution has left there. So a release's
cost follows from its counts.
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
    """The tokens of the rows' rollouts; a node shared by solutions counts once, and a last step has no rollouts."""
    spent: dict[tuple[str, str], int] = {}
    for row in rows:
        drawn = [decided + open_ for decided, open_ in zip(row["n_rollouts"], row["n_undecided"], strict=True)]
        for (node, left), rollouts in zip(_nodes(row), drawn, strict=False):
            spent[row["problem_id"], node] = rollouts * left
    return sum(spent.values())


def affordable(rows: Iterable[Row], *, rollouts_per_step: int, budget: int) -> list[Row]:
    """The first rows that can be labelled with `rollouts_per_step` within `budget` tokens; at least one."""
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
    """The node after each step except the last, with the tokens that the solution has left there."""
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

    async def label_row(row: Row) -> LabelledSolution:
        problem = Problem(
            **{name: row[name] for name in Problem.__slots__} | {"also_accepted": tuple(row["also_accepted"])}
        )
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

    done = await run_recipe(label_row, rows, window=window)
    return [
        {"prompt": solution.problem.prompt, "steps": list(solution.steps), "soft_labels": list(solution.values.mean)}
        for solution in done.rows
    ]


def attempt_of(row: Row) -> Attempt:
    """The labelled attempt of a row."""
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
