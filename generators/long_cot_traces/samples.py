"""The samples of a slice: how they are drawn, which of them become traces, and their pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from filters.texts.contamination import MATCHES, Match
from generators.attempts.table import sampling_of
from generators.engine.errors import EngineMisconfigured
from generators.engine.protocol import Sampling
from generators.engine.tokenizer import Tokenizer
from generators.long_cot_traces.copied_examples import example_passages, without_examples
from generators.long_cot_traces.pairs import pair
from generators.long_cot_traces.prompt import LongCotPrompt, prompt_ids
from generators.long_cot_traces.recipe import BoltConfig, draw_samples, trace
from generators.long_cot_traces.records import LongCotPair, LongCotSample, LongCotTrace
from generators.long_cot_traces.selection import Selection, select_long_cot, with_drop_reasons
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import long_cot_samples_of, long_cot_samples_table
from generators.models.reward import RewardModel
from generators.preflight import Preflight
from generators.problems import prompt as solve
from generators.records import Problem, Provenance
from generators.sampling.runner import Outcome
from generators.stage import Slice

Sampled = tuple[Problem, tuple[LongCotSample, ...]]
Prompt = Callable[[Problem, Tokenizer], tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The outcome of a slice's samples (a `LONG_COT_SAMPLES` table): traces, pairs, and problems without a pair."""

    samples: pl.DataFrame
    selection: Selection
    traces: tuple[LongCotTrace, ...]
    pairs: tuple[LongCotPair, ...]
    unpaired: tuple[tuple[str, str], ...]


def prompt_of(slice: Slice | Preflight, settings: Settings) -> Prompt:
    """The prompt of a problem: with our worked examples, or that of the attempts if the settings say so."""
    if settings.examples == "attempts":
        return partial(_attempt_prompt, examples=slice.source.examples)
    prompt = LongCotPrompt(examples=settings.worked_examples, seed=slice.seed, settings=settings)
    return partial(_long_cot_prompt, prompt=prompt)


def sampling_params(slice: Slice, settings: Settings) -> Sampling:
    """The sampling params: those of the attempts if the prompt is theirs too."""
    if settings.examples == "attempts":
        return sampling_of(slice)[0]
    return Sampling(temperature=settings.temperature, top_p=settings.top_p, seed=slice.seed)


async def draw(
    problems: Sequence[Problem], slice: Slice, *, prompt: Prompt, config: BoltConfig
) -> Outcome[Problem, Sampled]:
    """Sample every problem; raises EngineError, before a token is drawn where nothing scores a problem."""
    async with slice.reward() as reward:
        _require_scores(problems, reward)
        async with slice.workbench(unit="problems", total=len(problems)) as bench:

            async def sampled(problem: Problem) -> Sampled:
                samples = await draw_samples(
                    problem,
                    prompt(problem, bench.sampler.tokenizer),
                    sampler=bench.sampler,
                    checker=bench.checker,
                    rule=slice.source.answer_rule,
                    config=config,
                    reward=reward,
                )
                return problem, samples

            return await bench.run(sampled, problems)


def choose(
    sampled: Sequence[Sampled],
    *,
    settings: Settings,
    match: Match,
    topics: Mapping[str, tuple[str | None, str | None]],
    provenance: Provenance,
) -> Chosen:
    """The best sample of each problem, and the pairs; `topics` has topic and difficulty of every problem."""
    by_id = {problem.problem_id: problem for problem, _ in sampled}
    rows = [(problem, sample) for problem, samples in sampled for sample in samples]
    table = long_cot_samples_table(rows, provenance)
    selection = select_long_cot(
        table, passages=example_passages(match), near=MATCHES[match], percentile=settings.percentile
    )
    traces = []
    for best in long_cot_samples_of(selection.kept):
        topic, difficulty = topics[best.problem_id]
        traces.append(trace(by_id[best.problem_id], best, topic=topic, difficulty=difficulty, tags=settings.tags))
    pairs, unpaired = _paired(sampled, table, settings=settings, match=match)
    return Chosen(
        samples=with_drop_reasons(table, selection),
        selection=selection,
        traces=tuple(traces),
        pairs=pairs,
        unpaired=unpaired,
    )


def _long_cot_prompt(problem: Problem, tokenizer: Tokenizer, *, prompt: LongCotPrompt) -> tuple[int, ...]:
    try:
        return prompt_ids(problem.prompt, tokenizer=tokenizer, prompt=prompt)
    except ValueError as lossy:
        raise EngineMisconfigured(f"long_cot_traces: {lossy}") from lossy


def _attempt_prompt(problem: Problem, tokenizer: Tokenizer, *, examples: tuple[solve.Example, ...]) -> tuple[int, ...]:
    return tokenizer.chat(solve.messages(problem.prompt, examples=examples))


def _require_scores(problems: Sequence[Problem], reward: RewardModel | None) -> None:
    open_ended = [problem.problem_id for problem in problems if not problem.has_answer]
    if open_ended and reward is None:
        raise EngineMisconfigured(
            f"long_cot_traces: {len(open_ended)} problems have no answer and nothing scores them, first "
            f"{open_ended[0]}: add a section [reward] to the settings, or leave such problems out"
        )


def _paired(
    sampled: Sequence[Sampled], table: pl.DataFrame, *, settings: Settings, match: Match
) -> tuple[tuple[LongCotPair, ...], tuple[tuple[str, str], ...]]:
    """Pairs of the samples that repeat no worked example; the prompt of a pair is the bare problem."""
    key = ("problem_id", "sample_index")
    texts = without_examples(table.select(*key, "text"), row=key, columns=["text"], match=match)
    fit = set(texts.kept.select(key).iter_rows())
    pairs, unpaired = [], []
    for problem, samples in sampled:
        chat = [{"role": "user", "content": problem.prompt}]
        own = [sample for sample in samples if (problem.problem_id, sample.sample_index) in fit]
        result = pair(problem, chat, own, format_reward=settings.format_reward)
        if isinstance(result, LongCotPair):
            pairs.append(result)
        else:
            unpaired.append((problem.problem_id, result))
    return tuple(pairs), tuple(unpaired)
