"""Process labels: the value of each step of a solution, by rollouts from the ends of steps.

Chooses the solutions of a problem that are labelled, and lets a strategy search them. The counts of the rollouts are
kept; soft, hard and first-error labels are derived from them in `labels`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, zip_longest

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from filters.answers.extraction import find_answer
from filters.equations.steps import false_equation, false_equations
from generators.engine.protocol import Sampling
from generators.engine.tokenizer import Tokenizer
from generators.process_labels.settings import Settings
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends
from generators.search.rollouts import Rollouts
from generators.search.strategy import Path, Strategy
from generators.search.tree import Tree

VERSION = "8"  # bump when a change here would change the rows

Held = Mapping[tuple[str, int], tuple[int, ...]]  # by problem and attempt, how many stored rollouts each step may use
NOTHING_HELD: Held = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLabelsConfig:
    """The settings, and how rollouts are sampled.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts, so a continuation is what the policy
    would have written after the same prefix.
    """

    sampling: Sampling
    max_tokens: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class Chosen:
    """The attempts to label with the number of steps of each, and the others with the reason why not."""

    attempts: tuple[Attempt, ...]
    n_steps: tuple[int, ...]
    passed_over: tuple[tuple[Attempt, str], ...]


def choose(attempts: Sequence[Attempt], *, tokenizer: Tokenizer, config: ProcessLabelsConfig) -> Chosen:
    """Choose up to `solutions_per_problem` different solutions of one problem, wrong and right ones in turn.

    Wrong ones whose answer differs from those before come first: another answer is another error. Only finished
    solutions with a decided verdict and a number of steps within bounds are labelled. "Before" is by attempt index.
    """
    passed_over: list[tuple[Attempt, str]] = []
    wrong: list[Attempt] = []
    right: list[Attempt] = []
    seen: set[str] = set()
    n_steps: dict[int, int] = {}
    for attempt in sorted(attempts, key=lambda attempt: attempt.attempt_index):
        reason = _unfit(attempt, seen) or _out_of_bounds(
            n_steps.setdefault(attempt.attempt_index, len(step_ends(attempt.token_ids, tokenizer))), config.settings
        )
        if reason:
            passed_over.append((attempt, reason))
            continue
        seen.add(attempt.text)
        (right if attempt.verdict.is_right else wrong).append(attempt)
    turns = [attempt for pair in zip_longest(_new_answers_first(wrong), right) for attempt in pair if attempt]
    most = config.settings.solutions_per_problem
    passed_over += [(attempt, "enough_per_problem") for attempt in turns[most:]]
    chosen = tuple(turns[:most])
    return Chosen(chosen, tuple(n_steps[attempt.attempt_index] for attempt in chosen), tuple(passed_over))


def _new_answers_first(wrong: Sequence[Attempt]) -> list[Attempt]:
    first = {attempt.extracted: attempt for attempt in reversed(wrong)}
    return sorted(wrong, key=lambda attempt: first[attempt.extracted] is not attempt)


def _unfit(attempt: Attempt, seen: set[str]) -> str | None:
    if attempt.finish_reason != "eos":
        return "truncated"
    if attempt.verdict.is_undecided:
        return f"verdict_{attempt.verdict}"
    if attempt.verdict is Verdict.NO_ANSWER:
        return "no_answer"
    return "duplicate_text" if attempt.text in seen else None


def _out_of_bounds(n_steps: int, settings: Settings) -> str | None:
    if n_steps < settings.min_steps:
        return "too_few_steps"
    return "too_many_steps" if n_steps > settings.max_steps else None


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
    held: Held = NOTHING_HELD,
) -> LabelledProblem:
    """Label the `chosen` ones among all `attempts` at a problem; raises EngineError.

    After the search, the rollouts that the ledger `held` count, too (`evidence`). The last step ends the
    solution: nothing continues it, and its one outcome is the attempt's own verdict. A step that states a false
    equation needs no rollout where the settings call it wrong.
    """

    def states_false(before: str, step: str) -> bool:
        return false_equation(step, given=f"{problem.prompt}\n{before}") is not None

    refutes = states_false if config.settings.refuted_steps == "wrong" else None
    tree = Tree(problem.problem_id, attempts[0].prompt_token_ids, refutes)
    for attempt in attempts:
        no_answer = attempt.verdict is Verdict.NO_ANSWER
        tree.root.record(attempt.attempt_index, rule.is_right(attempt.verdict), no_answer=no_answer)
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
    further: dict[str, int] = {}
    for attempt, path in zip(chosen, paths, strict=True):
        further |= await rollouts.take_in(path, held.get((problem.problem_id, attempt.attempt_index), ()))
    new_indexes = count(max((attempt.attempt_index for attempt in (*attempts, *chosen)), default=0) + 1)
    solutions = []
    for path in searched:
        attempt = known.get(path[-1].node_id) or _attempt(rollouts, path, next(new_indexes))
        solutions.append(_labelled(problem, attempt, tree, path, strategy, further))
    return LabelledProblem(tree, tuple(solutions))


def _labelled(
    problem: Problem, attempt: Attempt, tree: Tree, path: Path, strategy: Strategy, further: Mapping[str, int]
) -> LabelledSolution:
    conclusion = strategy.conclude(tree, path)
    steps = tuple(node.text for node in path)
    return LabelledSolution(
        problem=problem,
        attempt=attempt,
        steps=steps,
        false_equations=tuple(false_equations(steps, given=problem.prompt)),
        step_ends=tuple(accumulate(len(node.token_ids) for node in path)),
        node_ids=tuple(node.node_id for node in path),
        counts=tuple(node.counts for node in path),
        further=tuple(further.get(node.node_id, 0) for node in path),
        attempt_counts=tree.root.counts,
        values=conclusion.values,
        sound=conclusion.sound,
        stop_reasons=conclusion.stop_reasons,
        strategy=strategy.name,
    )


def _attempt(rollouts: Rollouts, path: Path, index: int) -> Attempt:
    """A solution that the search wrote itself, numbered after the attempts."""
    prompt = rollouts.tree.root.token_ids
    token_ids = path[-1].prefix[len(prompt) :]
    text = rollouts.sampler.tokenizer.decode(token_ids)
    is_right, found = bool(path[-1].own_outcome), find_answer(text, rollouts.rule)
    return Attempt(
        problem_id=rollouts.problem.problem_id,
        attempt_index=index,
        prompt_token_ids=prompt,
        token_ids=token_ids,
        text=text,
        finish_reason="eos",
        verdict=Verdict.EQUAL if is_right else Verdict.DIFFERENT,
        extracted=found.text if found else None,
        found_by=found.found_by if found else None,
    )
