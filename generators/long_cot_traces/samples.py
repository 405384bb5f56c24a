"""The samples of a slice: how they are drawn, which of them become traces, and their pairs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import polars as pl

from filters.texts.contamination import MATCHES, Match
from filters.texts.passages import without_passages
from generators.attempts.table import sampling_of
from generators.engine.errors import EngineMisconfigured
from generators.engine.protocol import Sampling
from generators.engine.tokenizer import Tokenizer
from generators.long_cot_traces.copied_examples import example_passages
from generators.long_cot_traces.pairs import pair
from generators.long_cot_traces.prompt import LongCotPrompt, prompt_ids
from generators.long_cot_traces.recipe import BoltConfig, draw_samples, trace
from generators.long_cot_traces.records import LongCotPair, LongCotSample, LongCotTrace
from generators.long_cot_traces.selection import Selection, least_scores, rewarded, select_long_cot, with_drop_reasons
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import long_cot_samples_of
from generators.models.reward import RewardModel
from generators.preflight import Preflight
from generators.problems import prompt as solve
from generators.records import Problem
from generators.sampling.runner import Failure
from generators.stage import Slice

KEY = ("problem_id", "sample_index")
Sampled = tuple[Problem, tuple[LongCotSample, ...]]
Prompt = Callable[[Problem, Tokenizer], tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What becomes of samples (a `LONG_COT_SAMPLES` table): traces, pairs, and problems without a pair."""

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
    problems: Sequence[Problem],
    slice: Slice,
    *,
    prompt: Prompt,
    config: BoltConfig,
    take: Callable[[Sampled], None],
) -> tuple[Failure[Problem], ...]:
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

            return await bench.each(sampled, problems, take)


@dataclass(frozen=True, kw_only=True)
class Choosing:
    """How samples are chosen; `topics` has topic and difficulty of every problem, `least` the least score of each
    reward model.
    """

    problems: Mapping[str, Problem]
    topics: Mapping[str, tuple[str | None, str | None]]
    settings: Settings
    match: Match
    least: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def passages(self) -> pl.DataFrame:
        """The passages of the worked examples."""
        return example_passages(self.match)

    def scored(self, blocks: Iterable[pl.DataFrame]) -> "Choosing":
        """The same with the least scores by the samples of a slice, in blocks; there must be at least one."""
        scores = [rewarded(block, passages=self.passages, near=MATCHES[self.match]) for block in blocks]
        return replace(self, least=least_scores(pl.concat(scores), self.settings.percentile))

    def choose(self, samples: pl.DataFrame) -> Chosen:
        """The best sample of each problem, and the pairs, of a block of samples with all those of its problems."""
        selection = select_long_cot(samples, passages=self.passages, near=MATCHES[self.match], least=self.least)
        pairs, unpaired = self._paired(samples)
        return Chosen(
            samples=with_drop_reasons(samples, selection),
            selection=selection,
            traces=tuple(map(self._trace, long_cot_samples_of(selection.kept))),
            pairs=pairs,
            unpaired=unpaired,
        )

    def _trace(self, best: LongCotSample) -> LongCotTrace:
        topic, difficulty = self.topics[best.problem_id]
        problem = self.problems[best.problem_id]
        return trace(problem, best, topic=topic, difficulty=difficulty, tags=self.settings.tags)

    def _paired(self, samples: pl.DataFrame) -> tuple[tuple[LongCotPair, ...], tuple[tuple[str, str], ...]]:
        """Pairs of the samples that repeat no worked example; the prompt of a pair is the bare problem."""
        texts = without_passages(
            samples.select(*KEY, "text"), self.passages, row=KEY, columns=["text"], settings=MATCHES[self.match]
        )
        fit = set(texts.filtered.kept.select(KEY).iter_rows())
        by_problem: dict[str, list[LongCotSample]] = {name: [] for name in samples["problem_id"]}
        for sample in long_cot_samples_of(samples):
            if (sample.problem_id, sample.sample_index) in fit:
                by_problem[sample.problem_id].append(sample)
        pairs, unpaired = [], []
        for problem_id, own in by_problem.items():
            problem = self.problems[problem_id]
            chat = [{"role": "user", "content": problem.prompt}]
            result = pair(problem, chat, own, format_reward=self.settings.format_reward)
            if isinstance(result, LongCotPair):
                pairs.append(result)
            else:
                unpaired.append((problem_id, result))
        return tuple(pairs), tuple(unpaired)


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
