"""A judge's count of behaviours in the traces of a slice, beside the count of the rules."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from generators.engine.protocol import Sampling
from generators.long_cot_traces.behaviour_judge import BehaviourJudgeConfig, judge_behaviours
from generators.long_cot_traces.behaviours import KINDS, Kind
from generators.long_cot_traces.judging import JudgeRun, judge_sampling
from generators.long_cot_traces.table import with_judged_behaviours
from generators.shown import Records, Shown
from generators.stage import Slice

Counts = Mapping[Kind, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTraces:
    """A `LONG_COT_TRACES` table, with the judge's counts where a judge counted."""

    rows: pl.DataFrame
    judge: JudgeRun | None = None

    def shown(self) -> dict[str, Shown]:
        """Both counts, how many traces got no number from the judge, and what it cost."""
        if self.judge is None:
            return {}
        counts = [
            {
                "behaviour": kind,
                "by_rules": int(self.rows[f"n_{kind}"].sum()),
                "by_judge": int(self.rows[f"judge_n_{kind}"].sum()),
                "without_a_number": self.rows[f"judge_n_{kind}"].null_count(),
            }
            for kind in KINDS
        ]
        return {"judged_behaviours": Records(pl.DataFrame(counts)), **self.judge.shown("behaviour_judge")}


async def with_judgement(traces: pl.DataFrame, slice: Slice) -> JudgedTraces:
    """Have the judge count in the thoughts of every trace; a refused one has no count. Raises EngineError."""
    judge = judge_sampling(slice, "judge_behaviours of [long_cot_traces]")
    sampling = Sampling(temperature=judge.temperature, seed=slice.seed)
    config = BehaviourJudgeConfig(sampling=sampling, max_tokens=judge.max_tokens)
    thoughts = traces.select("problem_id", "prompt", "internal_thoughts").rows()
    async with slice.workbench(unit="counts", total=len(thoughts), by="judge") as bench:

        async def counts_of(trace: tuple[str, str, str]) -> tuple[str, Counts]:
            problem_id, prompt, internal_thoughts = trace
            return problem_id, await judge_behaviours(prompt, internal_thoughts, sampler=bench.sampler, config=config)

        counts = await bench.run(counts_of, thoughts)
    if counts.failures:
        slice.warn(f"the judge refused {len(counts.failures)} traces, the first: {counts.failures[0].message}")
    rows = with_judged_behaviours(traces, dict(counts.rows), bench.sampler.policy)
    return JudgedTraces(rows=rows, judge=JudgeRun.of(bench, sampling=sampling, max_tokens=judge.max_tokens))
