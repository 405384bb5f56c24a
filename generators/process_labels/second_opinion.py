"""The second opinion: a judge reads every labelled solution of one slice."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from generators.blocks import StoredTable
from generators.engine.protocol import Sampling
from generators.problems.table import problems_of
from generators.process_labels.consensus import agreement
from generators.process_labels.judge import JudgeConfig, Judgement, judge
from generators.shown import Counts, Shown
from generators.stage import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """A judgement of each solution in their order, None if the engine refused it, and what they cost."""

    judge: str
    config: JudgeConfig
    judgements: tuple[Judgement | None, ...]
    usage: dict[str, str | float | int]

    def to_json(self) -> dict[str, Any]:
        """Who judged, and how judgements were sampled, as plain JSON data."""
        return {"judge": self.judge, **asdict(self.config)}

    def shown(self, labels: pl.DataFrame) -> dict[str, Shown]:
        """Outcomes, how often judge and `labels` agree, and what the judgements cost."""
        return {
            "judge": self.judge,
            "judge_outcomes": Counts(Counter(labels["judge_outcome"].to_list())),
            "judge_agreement": Counts(agreement(labels)),
            **{f"judge_{name}": value for name, value in self.usage.items() if name != "policy"},
        }


async def second_opinion(slice: Slice, labels: StoredTable) -> SecondOpinion | None:
    """Have the judge read every solution; None if the settings name no judge. Raises EngineError."""
    if slice.judge is None:
        return None
    config = JudgeConfig(
        sampling=Sampling(temperature=slice.judge.temperature, seed=slice.seed),
        max_tokens=slice.judge.max_tokens,
        votes=slice.judge.votes,
    )
    async with slice.workbench(unit="judgements", total=labels.height, by="judge") as bench:

        async def judged(index: int) -> tuple[int, Judgement]:
            solution = labels.rows(index, index + 1)
            (problem,), (steps,) = problems_of(solution), solution["steps"].to_list()
            said = await judge(problem, steps, sampler=bench.sampler, config=config)
            return index, replace(said, texts=())  # only what becomes of them is kept

        outcome = await bench.run(judged, range(labels.height))
    if outcome.failures:
        slice.warn(f"{len(outcome.failures)} judgements were refused, the first: {outcome.failures[0].message}")
    by_index = dict(outcome.rows)
    return SecondOpinion(
        judge=bench.sampler.policy,
        config=config,
        judgements=tuple(by_index.get(index) for index in range(labels.height)),
        usage=bench.usage(),
    )
