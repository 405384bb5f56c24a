"""Step pairs: after the last good prefix of a wrong solution, a right next step and the wrong one that was taken.

Step-DPO (arXiv 2406.18629) with both sides valued by rollouts. The first wrong step of a solution is given,
whatever located it. A test by rollouts keeps a pair, and held-out rollouts give the two values that are published.
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass

import polars as pl

from filters.answers.checker import AnswerChecker, AnswerRule
from filters.answers.writing.notation import spelling
from filters.equations.rules import FALSE_EQUATION
from filters.equations.stated import refuted
from filters.rules import REASON, apply_rules
from filters.texts.quality import lengths_within, one_script, sides_differ
from generators.engine.protocol import Sampling
from generators.records import Margin, Problem
from generators.sampling.sampler import Sampler
from generators.sampling.templated import is_stable, templated
from generators.search.margins import UNDECIDED, UNVERIFIED, measure, published
from generators.search.rollouts import Rollouts
from generators.search.strategy import Continuation, Path
from generators.search.tree import Node, Tree
from generators.step_preference_pairs.records import LocatedError, StepPair, StepSide
from generators.step_preference_pairs.settings import Settings

VERSION = "5"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPairsConfig:
    """The settings, and how rollouts are sampled.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts. So the attempts are the first
    continuations of the prompt, and the rollouts of the labels are those of the other prefixes.
    """

    sampling: Sampling
    max_tokens: int
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """An error that gave no pair, or one right continuation of its prefix by rollout index, and why."""

    error: LocatedError
    chosen_index: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class PairedProblem:
    """The pairs of one problem, and the errors and continuations that gave none."""

    pairs: tuple[StepPair, ...]
    passed_over: tuple[PassedOver, ...]


@dataclass(frozen=True, slots=True)
class _Site:
    """The first error of a solution: its path, and the node that the wrong step follows."""

    error: LocatedError
    path: Path
    prefix: Node

    @property
    def wrong(self) -> Node:
        return self.path[self.error.step_index]

    def passed_over(self, reason: str, chosen_index: int | None = None) -> PassedOver:
        return PassedOver(error=self.error, chosen_index=chosen_index, reason=reason)


async def pair_steps(
    problem: Problem,
    errors: Sequence[LocatedError],
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: StepPairsConfig,
) -> PairedProblem:
    """Pairs for the errors of one problem, one error after another; later ones reuse the rollouts of earlier ones.

    Raises EngineError.
    """
    rollouts = Rollouts(
        problem=problem,
        tree=Tree(problem.problem_id, errors[0].prompt_token_ids),
        sampler=sampler,
        checker=checker,
        rule=rule,
        sampling=config.sampling,
        max_tokens=config.max_tokens,
    )
    pairs: list[StepPair] = []
    passed_over: list[PassedOver] = []
    wrong: set[Node] = set()
    chosen: defaultdict[Node, set[str]] = defaultdict(set)  # after each prefix, the steps on the right side of a pair
    for error in errors:
        path = rollouts.solution(error.token_ids, outcome=False)
        site = _Site(error, path, path[error.step_index - 1] if error.step_index else rollouts.tree.root)
        if site.wrong in wrong:  # another solution went wrong by the very same step
            passed_over.append(site.passed_over("duplicate_error"))
            continue
        wrong.add(site.wrong)
        paired = await _pair_site(site, chosen[site.prefix], rollouts, config)
        chosen[site.prefix] |= {spelling(pair.chosen.text) for pair in paired.pairs}
        pairs += paired.pairs
        passed_over += paired.passed_over
    return PairedProblem(tuple(pairs), tuple(passed_over))


async def _pair_site(site: _Site, chosen: Set[str], rollouts: Rollouts, config: StepPairsConfig) -> PairedProblem:
    """Go through the continuations of the prefix until there are enough pairs, or enough misses.

    A step that was `chosen` for another error after this prefix makes no second pair.
    """

    def is_done() -> bool:
        misses = sum(refused.reason in UNVERIFIED for refused in passed_over)
        return len(pairs) == config.settings.pairs_per_error or misses == config.settings.misses

    pairs: list[StepPair] = []
    passed_over: list[PassedOver] = []
    seen = set(chosen)
    for start in range(0, config.settings.candidates, config.settings.lot):
        if is_done():
            break
        for continuation in await _right_continuations(site.prefix, start, rollouts, config):
            if not is_done():
                result = await _pair(site, continuation, seen, rollouts, config)
                if isinstance(result, StepPair):
                    pairs.append(result)
                else:
                    passed_over.append(result)
    if not pairs and not passed_over:
        passed_over.append(site.passed_over("no_right_continuation"))
    return PairedProblem(tuple(pairs), tuple(passed_over))


async def _right_continuations(
    prefix: Node, start: int, rollouts: Rollouts, config: StepPairsConfig
) -> list[Continuation]:
    """The next lot of continuations, without those that are unfinished or end wrong."""
    n = min(config.settings.lot, config.settings.candidates - start)
    drawn = await rollouts.draw(prefix, start=start, n=n, ahead=min(n, config.settings.candidates - start - n))
    return [
        continuation
        for continuation in drawn
        if continuation.outcome is True and continuation.rollout.finish_reason == "eos"
    ]


async def _pair(
    site: _Site, continuation: Continuation, seen: set[str], rollouts: Rollouts, config: StepPairsConfig
) -> StepPair | PassedOver:
    """The pair of a continuation's first step and the wrong one; `seen` are the steps that were tried before it."""
    index = continuation.rollout.index
    step = rollouts.next_step(site.prefix, continuation)
    if reason := _unfit(step.text, site.wrong.text, seen, config):
        return site.passed_over(reason, index)
    before = "".join(node.text for node in site.path[: site.error.step_index])
    full_chosen = rollouts.text_after(site.prefix, continuation.rollout.token_ids)
    if refuted(full_chosen, f"{rollouts.problem.prompt}\n{before}"):
        return site.passed_over(FALSE_EQUATION, index)
    seen.add(spelling(step.text))
    # The continuation was picked for its end and is no evidence: other rollouts measure the value of its first step.
    tested = await measure(step, site.wrong, draw=rollouts.draw, test=config.settings.margin_test)
    if tested is None:
        return site.passed_over(UNDECIDED, index)
    if reason := config.settings.margin_test.unfit(tested):
        return site.passed_over(reason, index)
    margin = await published(step, site.wrong, draw=rollouts.draw, n=config.settings.published_rollouts)
    if margin is None:
        return site.passed_over(UNDECIDED, index)
    return _step_pair(site, continuation, step, tested, margin, rollouts)


def _unfit(chosen: str, rejected: str, seen: Set[str], config: StepPairsConfig) -> str | None:
    """Why the texts alone rule out a pair; None if they do not."""
    rules = {
        **sides_differ("chosen", "rejected"),
        **one_script("chosen"),
        **lengths_within("chosen", most=config.settings.longest_step),
    }
    dropped = apply_rules(pl.DataFrame({"chosen": [chosen], "rejected": [rejected]}), rules).dropped
    if dropped.height:
        return str(dropped[REASON][0])
    if spelling(chosen) == spelling(rejected):
        return "sides_equal"
    return "duplicate_chosen" if spelling(chosen) in seen else None


def _step_pair(
    site: _Site, continuation: Continuation, step: Node, tested: Margin, margin: Margin, rollouts: Rollouts
) -> StepPair:
    tokenizer = rollouts.sampler.tokenizer
    before, after = site.path[: site.error.step_index], site.path[site.error.step_index :]
    initial = "".join(node.text for node in before)
    prompt = templated(rollouts.tree.root.token_ids, initial, tokenizer)
    chosen = _side(step, rollouts.text_after(site.prefix, continuation.rollout.token_ids))
    rejected = _side(site.wrong, "".join(node.text for node in after))
    prefix = site.prefix.prefix
    return StepPair(
        problem=rollouts.problem,
        error=site.error,
        chosen_index=continuation.rollout.index,
        prefix_token_ids=prefix,
        templated_prompt=prompt,
        initial_reason_steps=initial,
        chosen=chosen,
        rejected=rejected,
        tested=tested,
        margin=margin,
        is_stable=all(
            is_stable(
                prompt,
                side.text,
                prompt_token_ids=prefix,
                completion_token_ids=side.token_ids[:-1] if side.is_final else side.token_ids,
                tokenizer=tokenizer,
            )
            for side in (chosen, rejected)
        ),
    )


def _side(node: Node, full_text: str) -> StepSide:
    return StepSide(text=node.text, full_text=full_text, token_ids=node.token_ids, is_final=node.is_end)
