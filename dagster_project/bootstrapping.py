"""The long chains of thought of one slice in the making: samples, the chosen ones, pairs.

Knows settings, workbench and recipes; nothing of assets, of which problems are asked, or of what a person sees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.long_cot_settings import LongCotTracesSettings
from dagster_project.workbench import Workbench
from filters.answers.checker import AnswerRule
from filters.texts.contamination import Match
from generators.engine.errors import EngineMisconfigured
from generators.engine.tokenizer import Tokenizer
from generators.long_cot_traces import recipe as bolt
from generators.long_cot_traces.copied_examples import example_passages, without_examples
from generators.long_cot_traces.pairs import LongCotPairsConfig, pair
from generators.long_cot_traces.prompt import LongCotPrompt, prompt_ids
from generators.long_cot_traces.records import LongCotPair, LongCotSample, LongCotTrace
from generators.long_cot_traces.selection import Selection, select_long_cot, with_fates
from generators.long_cot_traces.table import long_cot_samples_of, long_cot_samples_table
from generators.models.reward import RewardModel
from generators.problems import prompt as solve
from generators.records import Problem, Provenance
from generators.sampling.runner import Outcome, run_recipe

Sampled = tuple[Problem, tuple[LongCotSample, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a problem is asked: as `prompt` says, or as the attempts were, behind their `examples`."""

    prompt: LongCotPrompt | None
    examples: tuple[solve.Example, ...] = ()

    def ids(self, problem: Problem, tokenizer: Tokenizer) -> tuple[int, ...]:
        """What the policy goes on from; raises EngineMisconfigured where its template or tokens spoil the prompt."""
        if self.prompt is None:
            return tokenizer.chat(solve.messages(problem.prompt, examples=self.examples))
        try:
            return prompt_ids(problem.prompt, tokenizer=tokenizer, prompt=self.prompt)
        except ValueError as spoilt:
            raise EngineMisconfigured(f"long_cot_traces: {spoilt}") from spoilt


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrapped:
    """What became of a slice's samples (a `LONG_COT_SAMPLES` table): rows, pairs, and problems without a pair."""

    samples: pl.DataFrame
    selection: Selection
    traces: tuple[LongCotTrace, ...]
    pairs: tuple[LongCotPair, ...]
    unpaired: tuple[tuple[str, str], ...]


async def draw(
    problems: Sequence[Problem],
    bench: Workbench,
    *,
    asking: Asking,
    rule: AnswerRule,
    law: bolt.BoltConfig,
    reward: RewardModel | None,
    window: int,
) -> Outcome[Problem, Sampled]:
    """The samples of every problem; raises EngineError, at once where a problem can be scored by nothing."""
    open_ended = [problem.problem_id for problem in problems if not problem.has_answer]
    if open_ended and reward is None:
        raise EngineMisconfigured(
            f"long_cot_traces: {len(open_ended)} problems have no answer and nothing scores them, first "
            f"{open_ended[0]}: add a section [reward] to the settings, or leave such problems out"
        )

    async def one(problem: Problem) -> Sampled:
        asked = asking.ids(problem, bench.sampler.tokenizer)
        drawn = await bolt.sample(
            problem, asked, sampler=bench.sampler, checker=bench.checker, rule=rule, config=law, reward=reward
        )
        return problem, drawn

    return await run_recipe(one, problems, window=window, on_done=bench.progress.update)


def choose(
    sampled: Sequence[Sampled],
    *,
    asked: LongCotTracesSettings,
    match: Match,
    known: Mapping[str, tuple[str | None, str | None]],
    provenance: Provenance,
) -> Bootstrapped:
    """The best sample of each problem, and the pairs; `known` has topic and difficulty of every problem."""
    by_id = {problem.problem_id: problem for problem, _ in sampled}
    samples = long_cot_samples_table([(problem, one) for problem, drawn in sampled for one in drawn], provenance)
    selection = select_long_cot(samples, passages=example_passages(match), bounds=asked.bounds(match))
    traces = []
    for best in long_cot_samples_of(selection.kept):
        topic, difficulty = known[best.problem_id]
        problem = by_id[best.problem_id]
        traces.append(bolt.trace(problem, best, topic=topic, difficulty=difficulty, tags=asked.tags))
    pairs, unpaired = _paired(sampled, samples, asked=asked, match=match)
    return Bootstrapped(
        samples=with_fates(samples, selection),
        selection=selection,
        traces=tuple(traces),
        pairs=pairs,
        unpaired=unpaired,
    )


def _paired(
    sampled: Sequence[Sampled], samples: pl.DataFrame, *, asked: LongCotTracesSettings, match: Match
) -> tuple[tuple[LongCotPair, ...], tuple[tuple[str, str], ...]]:
    """Pairs of the samples that repeat no worked example; a pair is asked as it is to be learnt, without examples."""
    row = ("problem_id", "sample_index")
    texts = without_examples(samples.select(*row, "text"), row=row, columns=["text"], match=match)
    fit = set(texts.kept.select(row).iter_rows())
    config = LongCotPairsConfig(format_reward=asked.format_reward)
    pairs, unpaired = [], []
    for problem, drawn in sampled:
        chat = [{"role": "user", "content": problem.prompt}]
        own = [one for one in drawn if (problem.problem_id, one.sample_index) in fit]
        made = pair(problem, chat, own, config=config)
        if isinstance(made, LongCotPair):
            pairs.append(made)
        else:
            unpaired.append((problem.problem_id, made))
    return tuple(pairs), tuple(unpaired)
