"""Process labels: what each step of a solution is worth, by rollouts from the ends of steps.

Which solutions of a problem are labelled, and how a strategy is set on them. Raw counts are kept; hard, soft and
first-error labels are derived at export. Knows nothing of servers, files or Dagster, and no strategy in particular.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, count, zip_longest

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict, extract_answer
from filters.answers.verdicts import DEFAULT_RULE
from generators.engine.protocol import Sampling
from generators.engine.tokenizer import Tokenizer
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends
from generators.search.rollouts import Rollouts, outcome_of
from generators.search.strategy import Path, Strategy
from generators.search.tree import Tree

VERSION = "3"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLabelsConfig:
    """Which solutions of a problem are labelled, and the law of the rollouts.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts, so that a continuation is what the
    policy would have written had it come this far.
    """

    sampling: Sampling
    max_tokens: int
    solutions_per_problem: int = 2
    min_steps: int = 2
    max_steps: int = 32

    def __post_init__(self) -> None:
        for field in ("max_tokens", "solutions_per_problem", "min_steps"):
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

    Wrong ones with answers that were not seen yet come first: another answer is another error.
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
    turns = [attempt for pair in zip_longest(_unlike(wrong), right) for attempt in pair if attempt]
    passed_over += [(attempt, "enough_per_problem") for attempt in turns[config.solutions_per_problem :]]
    return Chosen(tuple(turns[: config.solutions_per_problem]), tuple(passed_over))


def _unlike(wrong: Sequence[Attempt]) -> list[Attempt]:
    first = {attempt.extracted: attempt for attempt in reversed(wrong)}
    return sorted(wrong, key=lambda attempt: first[attempt.extracted] is not attempt)


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


@dataclass(frozen=True, slots=True)
class LabelledProblem:
    """The search tree of a problem and the labelled solutions in it."""

    tree: Tree
    solutions: tuple[LabelledSolution, ...]


async def label(
    problem: Problem,
    attempts: Sequence[Attempt],
    chosen: Sequence[Attempt],
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: ProcessLabelsConfig,
    strategy: Strategy,
) -> LabelledProblem:
    """The `chosen` ones among all `attempts` at a problem, each step with what `strategy` found out about it.

    The last step ends the solution: nothing continues it, and its one outcome is the attempt's own verdict. Raises
    EngineError.
    """
    tree = Tree(problem.problem_id, attempts[0].prompt_token_ids)
    for attempt in attempts:
        tree.root.tell(attempt.attempt_index, outcome_of(attempt.verdict))
    rollouts = Rollouts(
        problem=problem,
        tree=tree,
        sampler=sampler,
        checker=checker,
        rule=rule,
        sampling=config.sampling,
        max_tokens=config.max_tokens,
    )
    known = {rollouts.attempted(attempt)[-1].node_id: attempt for attempt in chosen}
    paths = [rollouts.attempted(attempt) for attempt in chosen]
    searched = await strategy.search(tree, paths, draw=rollouts.draw, cut=rollouts.cut)
    found = count(max((attempt.attempt_index for attempt in (*attempts, *chosen)), default=0) + 1)
    solutions = []
    for path in searched:
        attempt = known.get(path[-1].node_id) or _attempt(problem, tree, path, next(found), sampler)
        solutions.append(_labelled(problem, attempt, tree, path, strategy))
    return LabelledProblem(tree, tuple(solutions))


def _labelled(problem: Problem, attempt: Attempt, tree: Tree, path: Path, strategy: Strategy) -> LabelledSolution:
    concluded = strategy.conclude(tree, path)
    return LabelledSolution(
        problem=problem,
        attempt=attempt,
        steps=tuple(node.text for node in path),
        step_ends=tuple(accumulate(len(node.token_ids) for node in path)),
        node_ids=tuple(node.node_id for node in path),
        counts=tuple(node.counts for node in path),
        attempt_counts=tree.root.counts,
        values=concluded.values,
        sound=concluded.sound,
        stop_reasons=concluded.stop_reasons,
        strategy=strategy.name,
    )


def _attempt(problem: Problem, tree: Tree, path: Path, index: int, sampler: Sampler) -> Attempt:
    """A solution that the search itself came upon, numbered behind the attempts."""
    token_ids = path[-1].prefix[len(tree.root.token_ids) :]
    text = sampler.tokenizer.decode(token_ids)
    right = bool(path[-1].own_outcome)
    return Attempt(
        problem_id=problem.problem_id,
        attempt_index=index,
        prompt_token_ids=tree.root.token_ids,
        token_ids=token_ids,
        text=text,
        finish_reason="eos",
        verdict=Verdict.EQUAL if right else Verdict.DIFFERENT,
        extracted=extract_answer(text, DEFAULT_RULE),
    )
