"""Critical tokens: which token of a wrong solution loses it, nominated by search or by scores, confirmed by rollouts.

After Critical Tokens Matter (arXiv 2411.19943), whose scan (`benchmarks.token_scan`) takes 64 rollouts from every
token. Here the search of the labels continues inside the first wrong step, scores nominate too, and each nominee is
tested with and without the token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.critical_token_pairs.settings import Settings
from generators.critical_token_pairs.tokens.arms import TwoArms
from generators.critical_token_pairs.tokens.paths import Span, known_outcomes
from generators.critical_token_pairs.tokens.search import TokenSearch, search_tokens
from generators.engine.protocol import Sampling
from generators.records import Attempt, Problem
from generators.sampling.sampler import Sampler
from generators.search.priors import Priors
from generators.search.rollouts import Rollouts
from generators.search.tree import Tree

VERSION = "3"  # bump when a change here would change the rows
BEHIND_CRITICAL_TOKEN = "behind_critical_token"  # not tested: the solution was lost before it
BEFORE_CRITICAL_TOKEN = "before_critical_token"  # not tested: the solution was not lost before that token
BUDGET_SPENT = "budget_spent"  # not tested: earlier nominees spent the budget
Nomination = Literal["score", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalTokensConfig:
    """The settings, how rollouts are sampled, and the prior beliefs about them.

    `sampling` and `max_tokens` are those of the attempts, `priors` those of the labels. Where the search finds no token
    that is the first wrong one with at least `settings.least_share`, it nominates the most probable.
    """

    sampling: Sampling
    max_tokens: int
    priors: Priors
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalToken:
    """A nominated token of a wrong response, and the outcomes of the rollouts with and without it.

    `value_with` is the share of right rollouts after the token, without those that nominated it. `value_without` is the
    share after another token that the policy draws in its place, a new one for each rollout. Both are None without a
    rollout. The last token of a response has one outcome with it: the attempt's own.
    """

    position: int
    token_id: int
    score: float | None
    nominated_by: tuple[Nomination, ...]
    value_with: float | None
    n_with_correct: int
    n_with: int
    value_without: float | None
    n_without_correct: int
    n_without: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class CriticalTokens:
    """The tested nominees of one response by position, at most one of them confirmed.

    `dropped` has the position and reason of every nominee that is not confirmed, tested or not.
    """

    tokens: tuple[CriticalToken, ...]
    dropped: tuple[tuple[int, str], ...]

    @property
    def critical(self) -> CriticalToken | None:
        """The confirmed token, where there is one."""
        return next((token for token in self.tokens if token.confirmed), None)


async def critical_tokens(
    problem: Problem,
    attempt: Attempt,
    *,
    step_range: Span | None,
    scores: Sequence[float] | None,
    tree: Tree,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: CriticalTokensConfig,
) -> CriticalTokens:
    """Nominate tokens of a finished wrong `attempt`, and test them, the lowest score first, until one is confirmed.

    `step_range` is the first wrong step as a span of tokens, `scores` has one number for each token of the response,
    and `tree` is the tree of the problem's labels, whose root knows the attempts. Without scores the first token comes
    first. After a critical token the solution is lost, and before it not yet, so no other is tested then. Where no step
    is given, or none of its tokens is confirmed, the whole response is searched. Raises EngineError, and ValueError for
    an attempt that is not finished and wrong.
    """
    _check(attempt, scores, tree, config)
    rollouts = Rollouts(
        problem=problem,
        tree=tree,
        sampler=sampler,
        checker=checker,
        rule=rule,
        sampling=config.sampling,
        max_tokens=config.max_tokens,
    )
    nominees = _Nominees(rollouts, attempt, scores, config)
    search = config.settings.token_search
    if search is None:
        await nominees.test(None)
        return nominees.concluded()
    for span in dict.fromkeys((step_range, None)):
        await nominees.test(await search_tokens(rollouts, attempt, span, search=search, priors=config.priors))
        if nominees.is_over:
            break
    return nominees.concluded()


def _check(attempt: Attempt, scores: Sequence[float] | None, tree: Tree, config: CriticalTokensConfig) -> None:
    name = f"attempt {attempt.attempt_index} at problem {attempt.problem_id}"
    if attempt.finish_reason != "eos" or attempt.verdict is not Verdict.DIFFERENT:
        ending = f"is {attempt.verdict} and ended by {attempt.finish_reason}"
        raise ValueError(f"{name} {ending}: pass finished wrong ones")
    if not 2 <= len(attempt.token_ids) <= config.max_tokens:
        raise ValueError(f"{name} has {len(attempt.token_ids)} tokens, outside 2 to max_tokens ({config.max_tokens})")
    if scores is not None and len(scores) != len(attempt.token_ids):
        raise ValueError(
            f"scores must have one number per token of the response ({len(attempt.token_ids)}), got {len(scores)}"
        )
    if tree.root.token_ids != attempt.prompt_token_ids:
        raise ValueError(f"{name} answers another prompt than the root of the tree of problem {tree.problem_id}")


class _Nominees:
    """The nominated tokens of one response and the results of their tests."""

    def __init__(
        self, rollouts: Rollouts, attempt: Attempt, scores: Sequence[float] | None, config: CriticalTokensConfig
    ) -> None:
        self._rollouts, self._attempt = rollouts, attempt
        self._priors, self._settings = config.priors, config.settings
        self._scores = None if scores is None else tuple(float(score) for score in scores)
        bound = self._settings.score_below
        low = [(score, position) for position, score in enumerate(self._scores or ()) if score < bound]
        self._by_score = [position for _, position in sorted(low)[: self._settings.n_scores]]
        self._tested: dict[int, CriticalToken] = {}
        self._dropped: dict[int, str] = {}
        self._budget_left = self._settings.budget
        self._critical: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether no further nominee will be tested."""
        return self._critical is not None or not self._budget_left

    async def test(self, search: TokenSearch | None) -> None:
        """Test the nominees of scores and search that were not tested before, until one is confirmed."""
        by_search = self._likely(search) if search else []
        for position in sorted({*self._by_score, *by_search} - self._tested.keys(), key=self._rank):
            if self.is_over:
                self._dropped[position] = self._why_untested(position)
                continue
            nominated_by: list[Nomination] = ["score"] if position in self._by_score else []
            nominated_by += ["search"] if position in by_search else []
            arms, reason = await self._arms(position, self._first_unseen(position, search))
            if reason is None:
                self._critical = position
            else:
                self._dropped[position] = reason
            self._tested[position] = self._token(position, arms, tuple(nominated_by), confirmed=reason is None)

    def _rank(self, position: int) -> tuple[float, int]:
        """The lowest score first, and of equal ones, or without scores, the first token."""
        return (0.0 if self._scores is None else self._scores[position], position)

    def _why_untested(self, position: int) -> str:
        if self._critical is None:
            return BUDGET_SPENT
        return BEHIND_CRITICAL_TOKEN if position > self._critical else BEFORE_CRITICAL_TOKEN

    async def _arms(self, position: int, first: int) -> tuple[TwoArms, str | None]:
        """Both arms of a token after its test, and why it is not confirmed."""
        test = self._settings.confirmation
        test = replace(test, cap=min(test.cap, self._budget_left))
        arms = await test.tested(self._rollouts, self._attempt.token_ids, position, first=first, priors=self._priors)
        self._budget_left -= arms.with_token.next_index - first + arms.without_token.next_index
        return arms, test.reason(arms)

    def concluded(self) -> CriticalTokens:
        """The tested and the dropped nominees by position."""
        return CriticalTokens(
            tuple(self._tested[position] for position in sorted(self._tested)), tuple(sorted(self._dropped.items()))
        )

    def _likely(self, search: TokenSearch) -> list[int]:
        likely = [position for position, share in enumerate(search.shares) if share >= self._settings.least_share]
        return likely or [max(range(len(search.shares)), key=search.shares.__getitem__)]

    def _first_unseen(self, position: int, search: TokenSearch | None) -> int:
        """The index of the first rollout after a token that no search saw: what nominates must not confirm."""
        prefix = self._attempt.prompt_token_ids + self._attempt.token_ids[: position + 1]
        by_labels = known_outcomes(self._rollouts.tree, prefix)
        return max(len(by_labels), search.drawn[position] if search else 0)

    def _token(
        self, position: int, arms: TwoArms, nominated_by: tuple[Nomination, ...], *, confirmed: bool
    ) -> CriticalToken:
        with_token, without = arms.with_token, arms.without_token
        return CriticalToken(
            position=position,
            token_id=self._attempt.token_ids[position],
            score=None if self._scores is None else self._scores[position],
            nominated_by=nominated_by,
            value_with=with_token.share,
            n_with_correct=with_token.n_right,
            n_with=with_token.n_right + with_token.n_wrong,
            value_without=without.share,
            n_without_correct=without.n_right,
            n_without=without.n_right + without.n_wrong,
            confirmed=confirmed,
        )
