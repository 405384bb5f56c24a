"""A judge's count of behaviours in the traces of a slice, beside the count of the rules."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from generators.blocks import StoredTable
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

    rows: StoredTable
    judge: JudgeRun | None = None

    def shown(self) -> dict[str, Shown]:
        """Both counts, how many traces got no number from the judge, and what it cost."""
        if self.judge is None:
            return {}
        rows = self.rows.frame([f"{prefix}n_{kind}" for prefix in ("", "judge_") for kind in KINDS])
        counts = [
            {
                "behaviour": kind,
                "by_rules": int(rows[f"n_{kind}"].sum()),
                "by_judge": int(rows[f"judge_n_{kind}"].sum()),
                "without_a_number": rows[f"judge_n_{kind}"].null_count(),
            }
            for kind in KINDS
        ]
        return {"judged_behaviours": Records(pl.DataFrame(counts)), **self.judge.shown("behaviour_judge")}


async def with_judgement(traces: StoredTable, slice: Slice) -> JudgedTraces:
    """Have the judge count in the thoughts of every trace; a refused one has no count. Raises EngineError."""
    judge = judge_sampling(slice, "judge_behaviours of [long_cot_traces]")
    sampling = Sampling(temperature=judge.temperature, seed=slice.seed)
    config = BehaviourJudgeConfig(sampling=sampling, max_tokens=judge.max_tokens)
    async with slice.workbench(unit="counts", total=traces.height, by="judge") as bench:

        async def counts_of(number: int) -> tuple[str, Counts]:
            trace = traces.rows(number, number + 1).select("problem_id", "prompt", "internal_thoughts")
            problem_id, prompt, internal_thoughts = trace.row(0)
            return problem_id, await judge_behaviours(prompt, internal_thoughts, sampler=bench.sampler, config=config)

        counts = await bench.run(counts_of, range(traces.height))
    if counts.failures:
        slice.warn(f"the judge refused {len(counts.failures)} traces, the first: {counts.failures[0].message}")
    writer, by_problem = slice.writer(traces.schema), dict(counts.rows)
    for block in traces.blocks():
        writer.add_block(with_judged_behaviours(block, by_problem, bench.sampler.policy))
    run = JudgeRun.of(bench, sampling=sampling, max_tokens=judge.max_tokens)
    return JudgedTraces(rows=writer.table(), judge=run)
