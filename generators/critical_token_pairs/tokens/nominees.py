"""Critical tokens: which token of a wrong solution loses it, nominated by search or by scores, confirmed by rollouts.

After Critical Tokens Matter (arXiv 2411.19943), whose scan (`benchmarks.token_scan`) takes 64 rollouts from every
token. Here the search of the labels goes on inside the first wrong step, scores nominate besides, and each nominee is
tested with and without the token. Knows nothing of servers, files or Dagster, nor where scores come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.critical_token_pairs.tokens.arms import TwoArms
from generators.critical_token_pairs.tokens.confirmation import Confirmation
from generators.critical_token_pairs.tokens.paths import Span, known_outcomes
from generators.critical_token_pairs.tokens.search import TokenSearch, search_tokens
from generators.engine.protocol import Sampling
from generators.records import Attempt, Problem
from generators.sampling.sampler import Sampler
from generators.search.priors import Priors
from generators.search.rollouts import Rollouts
from generators.search.sequential_test import SequentialTest
from generators.search.tree import Tree

VERSION = "2"  # bump when a change here would change the rows
BEHIND_CRITICAL_TOKEN = "behind_critical_token"  # the solution was lost before: not tested
BUDGET_SPENT = "budget_spent"  # the tests of earlier nominees took it all: not tested
Nomination = Literal["score", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalTokensConfig:
    """How tokens are nominated and confirmed; `sampling` and `max_tokens` are those of the attempts.

    `search` looks for the first wrong token (None: scores alone nominate), under `priors`, those of the labels, moved
    to its place; it nominates every token that is the first wrong one with at least `least_share`, or else the most
    probable. Scores nominate the `n_scores` lowest ones below `score_below`. The tests of all nominees of one response
    have `budget` rollouts together.
    """

    sampling: Sampling
    max_tokens: int
    priors: Priors = field(default_factory=Priors)
    search: SequentialTest | None = field(default_factory=lambda: SequentialTest(confidence=0.99, cap=96))
    least_share: float = 0.1
    n_scores: int = 3
    score_below: float = 0.5
    confirmation: Confirmation = field(default_factory=Confirmation)
    budget: int = 256

    def __post_init__(self) -> None:
        for name in ("max_tokens", "n_scores", "budget"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("least_share", "score_below"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalToken:
    """A nominated token of a wrong response and what the rollouts with and without it came to.

    `value_with` is the share of right rollouts behind the token, without those that nominated it; `value_without` that
    of rollouts behind another token that the policy draws in its place, a new one for each; None without a rollout.
    The last token of a response has one outcome with it: the attempt's own.
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

    `dropped` has position and reason of every nominee that is not confirmed, also of those that were not tested.
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
    """Nominate tokens of a finished wrong `attempt`, and test them from the first on until one is confirmed.

    `step_range` are the tokens of the first wrong step, `scores` one number a token of the response, `tree` the tree of
    the problem's labels, whose root knows the attempts. Behind a critical token the solution is lost already, so
    nothing is tested there. Where no step is given, or no token of it confirmed, the whole response is searched.
    Raises EngineError, and ValueError for an attempt that is not finished and wrong.
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
    if config.search is None:
        await nominees.test(None)
        return nominees.concluded()
    for span in dict.fromkeys((step_range, None)):
        await nominees.test(await search_tokens(rollouts, attempt, span, search=config.search, priors=config.priors))
        if nominees.is_over:
            break
    return nominees.concluded()


def _check(attempt: Attempt, scores: Sequence[float] | None, tree: Tree, config: CriticalTokensConfig) -> None:
    name = f"attempt {attempt.attempt_index} at problem {attempt.problem_id}"
    if attempt.finish_reason != "eos" or attempt.verdict is not Verdict.DIFFERENT:
        ending = f"is {attempt.verdict} and ended by {attempt.finish_reason}"
        raise ValueError(f"{name} {ending}: hand in finished wrong ones")
    if not 2 <= len(attempt.token_ids) <= config.max_tokens:
        raise ValueError(f"{name} has {len(attempt.token_ids)} tokens, outside 2 to max_tokens ({config.max_tokens})")
    if scores is not None and len(scores) != len(attempt.token_ids):
        raise ValueError(f"scores must be one a token of the response ({len(attempt.token_ids)}), got {len(scores)}")
    if tree.root.token_ids != attempt.prompt_token_ids:
        raise ValueError(f"{name} answers another prompt than the root of the tree of problem {tree.problem_id}")


class _Nominees:
    """The nominated tokens of one response and what became of them."""

    def __init__(
        self, rollouts: Rollouts, attempt: Attempt, scores: Sequence[float] | None, config: CriticalTokensConfig
    ) -> None:
        self._rollouts, self._attempt, self._config = rollouts, attempt, config
        self._scores = None if scores is None else tuple(float(score) for score in scores)
        low = [(score, place) for place, score in enumerate(self._scores or ()) if score < config.score_below]
        self._by_score = [place for _, place in sorted(low)[: config.n_scores]]
        self._tested: dict[int, CriticalToken] = {}
        self._dropped: dict[int, str] = {}
        self._left = config.budget
        self._is_found = False

    @property
    def is_over(self) -> bool:
        """No further nominee will be tested."""
        return self._is_found or not self._left

    async def test(self, found: TokenSearch | None) -> None:
        """Test what scores and search nominate and was not tested before, up to the first that is confirmed."""
        by_search = self._likely(found) if found else []
        for position in sorted({*self._by_score, *by_search} - self._tested.keys()):
            if self.is_over:
                self._dropped[position] = BEHIND_CRITICAL_TOKEN if self._is_found else BUDGET_SPENT
                continue
            by: list[Nomination] = ["score"] if position in self._by_score else []
            by += ["search"] if position in by_search else []
            arms, reason = await self._test_one(position, self._first_unseen(position, found))
            self._is_found = reason is None
            self._tested[position] = self._token(position, arms, tuple(by), confirmed=self._is_found)
            if reason is not None:
                self._dropped[position] = reason

    async def _test_one(self, position: int, first: int) -> tuple[TwoArms, str | None]:
        test = self._config.confirmation
        test = replace(test, cap=min(test.cap, self._left))
        response, priors = self._attempt.token_ids, self._config.priors
        arms = await test.tested(self._rollouts, response, position, first=first, priors=priors)
        self._left -= arms.with_token.next_index - first + arms.without_token.next_index
        return arms, test.reason(arms)

    def concluded(self) -> CriticalTokens:
        """What was tested and what was dropped, by position."""
        return CriticalTokens(
            tuple(self._tested[position] for position in sorted(self._tested)), tuple(sorted(self._dropped.items()))
        )

    def _likely(self, found: TokenSearch) -> list[int]:
        likely = [position for position, share in enumerate(found.shares) if share >= self._config.least_share]
        return likely or [max(range(len(found.shares)), key=found.shares.__getitem__)]

    def _first_unseen(self, position: int, found: TokenSearch | None) -> int:
        """The first rollout from the end of a token that no search saw: what nominated a token must not confirm it."""
        prefix = self._attempt.prompt_token_ids + self._attempt.token_ids[: position + 1]
        by_labels = known_outcomes(self._rollouts.tree, prefix)
        return max(len(by_labels), found.drawn[position] if found else 0)

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
