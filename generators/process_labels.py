"""Process labels: what each step of a solution is worth, by rollouts from its end.

The exhaustive strategy of Math-Shepherd (arXiv 2312.08935, section 3.3): n continuations from the end of every step,
each verified. Raw counts are kept; hard, soft and first-error labels are derived at export. Knows nothing of servers,
files or Dagster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from filters.answers import AnswerChecker, AnswerRule, Verdict
from generators.engine.protocol import Limits, Sampling
from generators.records import Attempt, LabelledSolution, Problem, StepCounts
from generators.sampler import Sampler
from generators.steps import step_ends, step_texts
from generators.tasks import gather
from generators.tokenizer import Tokenizer

VERSION = "2"  # bump when a change here would change the rows
STRATEGY = "exhaustive"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLabelsConfig:
    """How many rollouts judge each step, and which solutions of a problem are labelled.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts, so that a continuation is what the
    policy would have written had it come this far.
    """

    sampling: Sampling
    max_tokens: int
    rollouts_per_step: int = 8
    solutions_per_problem: int = 2
    min_steps: int = 2
    max_steps: int = 32

    def __post_init__(self) -> None:
        for field in ("max_tokens", "rollouts_per_step", "solutions_per_problem", "min_steps"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.max_steps < self.min_steps:
            raise ValueError(f"max_steps must be at least min_steps ({self.min_steps}), got {self.max_steps}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The attempts to label, and those passed over with the reason."""

    attempts: tuple[Attempt, ...]
    passed_over: tuple[tuple[Attempt, str], ...]


def choose(attempts: Sequence[Attempt], *, tokenizer: Tokenizer, config: ProcessLabelsConfig) -> Chosen:
    """Up to `solutions_per_problem` different solutions of one problem, wrong and right ones in turn.

    Only finished solutions with a decided verdict and a number of steps within bounds are labelled.
    """
    passed_over: list[tuple[Attempt, str]] = []
    wrong: list[Attempt] = []
    right: list[Attempt] = []
    seen: set[str] = set()
    for attempt in attempts:
        reason = _unfit(attempt, seen, tokenizer, config)
        if reason:
            passed_over.append((attempt, reason))
            continue
        seen.add(attempt.text)
        (right if attempt.verdict.is_right else wrong).append(attempt)
    turns = [attempt for pair in zip_longest(wrong, right) for attempt in pair if attempt]
    passed_over += [(attempt, "enough_per_problem") for attempt in turns[config.solutions_per_problem :]]
    return Chosen(tuple(turns[: config.solutions_per_problem]), tuple(passed_over))


def _unfit(attempt: Attempt, seen: set[str], tokenizer: Tokenizer, config: ProcessLabelsConfig) -> str | None:
    if attempt.finish_reason != "eos":
        return "truncated"
    if attempt.verdict.is_undecided:
        return f"verdict_{attempt.verdict}"
    if attempt.verdict is Verdict.NO_ANSWER:
        return "no_answer"
    if attempt.text in seen:
        return "duplicate_text"
    n_steps = len(step_ends(attempt.token_ids, tokenizer))
    if n_steps < config.min_steps:
        return "too_few_steps"
    return "too_many_steps" if n_steps > config.max_steps else None


async def label(
    problem: Problem,
    attempt: Attempt,
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: ProcessLabelsConfig,
) -> LabelledSolution:
    """`attempt` in steps, with the counts of `rollouts_per_step` continuations from the end of each.

    The last step ends the solution: nothing continues it, and its one outcome is the attempt's own verdict.
    """
    ends = step_ends(attempt.token_ids, sampler.tokenizer)

    async def counts(end: int) -> StepCounts:
        head = attempt.token_ids[:end]
        rollouts = await sampler.draw(
            attempt.prompt_token_ids + head,
            n=config.rollouts_per_step,
            sampling=config.sampling,
            limits=Limits(max_tokens=config.max_tokens - end),
        )
        texts = [sampler.tokenizer.decode(head + rollout.token_ids) for rollout in rollouts]
        return count_verdicts([(await checker.check(text, problem.answer, rule=rule)).verdict for text in texts])

    step_counts = await gather(counts(end) for end in ends[:-1])
    return LabelledSolution(
        problem=problem,
        attempt=attempt,
        steps=step_texts(attempt.token_ids, ends, sampler.tokenizer),
        step_ends=ends,
        counts=(*step_counts, count_verdicts([attempt.verdict])),
        strategy=STRATEGY,
    )


def count_verdicts(verdicts: Sequence[Verdict]) -> StepCounts:
    """Right, decided and undecided among `verdicts`."""
    undecided = sum(verdict.is_undecided for verdict in verdicts)
    right = sum(verdict.is_right for verdict in verdicts)
    return StepCounts(n_correct=right, n_rollouts=len(verdicts) - undecided, n_undecided=undecided)
