"""The test of one nominated token: rollouts with it and without it, until it is known to be critical or not.

Without the token means that the policy draws another one in its place, with that id excluded, and goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generators.critical_token_pairs.tokens.arms import TwoArms, two_arms
from generators.engine.protocol import Limits
from generators.records import Rollout, StepCounts
from generators.sampling.tasks import gather
from generators.search.priors import Priors
from generators.search.rollouts import Rollouts
from generators.search.strategy import NOT_SURE
from generators.search.tree import Outcome
from generators.tokens import Ids

NOT_LOST_WITH_TOKEN = "not_lost_with_token"  # rollouts with the token still end right
LOST_WITHOUT_TOKEN = "lost_without_token"  # another token instead does not help


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A token is critical if its value is below `never`, and the value without it at least `least`.

    It is confirmed where that has the probability `confidence`.
    """

    never: float
    least: float
    confidence: float

    def __post_init__(self) -> None:
        if not 0 < self.never < self.least <= 1:
            raise ValueError(f"never ({self.never}) must be above 0 and below least ({self.least}), which is at most 1")
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"confidence must be above 0.5 and below 1, got {self.confidence}")

    def arms(self, position: int, length: int, *, priors: Priors, attempts: StepCounts) -> TwoArms:
        """The two values of a token of a response of `length` tokens, before any rollout."""
        return two_arms(position, length, priors=priors, attempts=attempts, never=self.never, least=self.least)

    def confirms(self, arms: TwoArms) -> bool:
        """Whether the rollouts confirm the token."""
        return arms.critical >= self.confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How a token is tested by a criterion.

    The test ends below the probability `give_up`, which is smaller than one minus the criterion's confidence: a few
    lucky rollouts must not end the test of a token from which some still end right. It also ends at `cap` rollouts of
    both arms together. Each `lot` comes from the arm that is more informative.
    """

    criterion: Criterion
    give_up: float
    cap: int
    lot: int

    def __post_init__(self) -> None:
        unsure = 1 - self.criterion.confidence
        if not 0 < self.give_up < unsure:
            raise ValueError(f"give_up must be above 0 and below 1 - confidence ({unsure:g}), got {self.give_up}")
        for name in ("cap", "lot"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    async def tested(self, rollouts: Rollouts, response: Ids, position: int, *, first: int, priors: Priors) -> TwoArms:
        """Both arms at the end of the test; with the token, rollouts are drawn from index `first` on.

        Raises EngineError.
        """
        attempts = rollouts.tree.root.counts
        arms = self.criterion.arms(position, len(response), priors=priors, attempts=attempts)
        arms.with_token.next_index = first
        spent = 0
        while spent < self.cap and self.give_up < arms.critical < self.criterion.confidence:
            arm = arms.most_informative()
            n = min(self.lot, self.cap - spent)
            draw = with_token if arm is arms.with_token else without_token
            for outcome in await draw(rollouts, response, position, start=arm.next_index, n=n):
                arm.add(outcome)
            spent += n
        return arms

    def reason(self, arms: TwoArms) -> str | None:
        """Why the token is not confirmed; None if it is."""
        if self.criterion.confirms(arms):
            return None
        if arms.critical > self.give_up:
            return NOT_SURE
        return NOT_LOST_WITH_TOKEN if arms.lost_with < arms.alive_without else LOST_WITHOUT_TOKEN


async def with_token(rollouts: Rollouts, response: Ids, position: int, *, start: int, n: int) -> tuple[Outcome, ...]:
    """The outcomes of rollouts `start` to `start + n - 1` after the token at `position`; raises EngineError."""
    drawn = await rollouts.continuations_of(response[: position + 1], start=start, n=n, ahead=n)
    return tuple(continuation.outcome for continuation in drawn)


async def without_token(rollouts: Rollouts, response: Ids, position: int, *, start: int, n: int) -> tuple[Outcome, ...]:
    """The outcomes of rollouts `start` to `start + n - 1` with another token at `position`.

    Alternative i is one token drawn without the response's own, and rollout i goes on from it, so that equal
    alternatives have rollouts of their own. Raises EngineError.
    """
    head = response[:position]
    alternatives = await rollouts.sampler.draw(
        (*rollouts.tree.root.token_ids, *head),
        n=n,
        start=start,
        sampling=replace(rollouts.sampling, excluded=(*rollouts.sampling.excluded, response[position])),
        limits=Limits(max_tokens=1),
    )
    return await gather(_continued(rollouts, head, alternative) for alternative in alternatives)


async def _continued(rollouts: Rollouts, head: Sequence[int], alternative: Rollout) -> Outcome:
    prefix = (*head, *alternative.token_ids)
    if alternative.finish_reason == "eos" or len(prefix) == rollouts.max_tokens:
        return await rollouts.outcome(prefix)
    (continuation,) = await rollouts.continuations_of(prefix, start=alternative.index, n=1)
    return continuation.outcome
