"""The test of one nominated token: rollouts with it and without it, until it is known to be critical or not.

Without the token means that the policy draws another one in its place, with that id excluded, and goes on from there.
Knows nothing of who nominated the token.
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

NOT_LOST_WITH_TOKEN = "not_lost_with_token"  # rollouts behind the token still end right
LOST_WITHOUT_TOKEN = "lost_without_token"  # another token in its place saves nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """When a token is critical: worth less than `never` with it, at least `least` without it (`arms`).

    A token is confirmed where that has the probability `confidence`, and given up below `give_up`, which is smaller
    than one minus that: a few lucky rollouts must not end the test of a token behind which some still end right. The
    test ends at `cap` rollouts of both arms together; `lot` are under way at once, from the arm that tells more.
    """

    never: float = 0.05
    least: float = 0.1
    confidence: float = 0.95
    give_up: float = 0.01
    cap: int = 160
    lot: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.never < self.least <= 1:
            raise ValueError(f"never ({self.never}) must be above 0 and below least ({self.least}), which is at most 1")
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"confidence must be above 0.5 and below 1, got {self.confidence}")
        if not 0 < self.give_up < 1 - self.confidence:
            bound = f"1 - confidence ({1 - self.confidence:g})"
            raise ValueError(f"give_up must be above 0 and below {bound}, got {self.give_up}")
        for name in ("cap", "lot"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    async def tested(
        self, rollouts: Rollouts, response: tuple[int, ...], position: int, *, first: int, priors: Priors
    ) -> TwoArms:
        """Both arms at the end of the test; with the token, rollouts are drawn from index `first` on.

        Raises EngineError.
        """
        arms = self.arms(position, len(response), priors=priors, attempts=rollouts.tree.root.counts)
        arms.with_token.next_index = first
        spent = 0
        while spent < self.cap and self.give_up < arms.critical < self.confidence:
            arm = arms.most_informative()
            n = min(self.lot, self.cap - spent)
            draw = with_token if arm is arms.with_token else without_token
            for outcome in await draw(rollouts, response, position, start=arm.next_index, n=n):
                arm.tell(outcome)
            spent += n
        return arms

    def arms(self, position: int, length: int, *, priors: Priors, attempts: StepCounts) -> TwoArms:
        """The two values of a token of a response of `length` tokens, before any rollout."""
        return two_arms(position, length, priors=priors, attempts=attempts, never=self.never, least=self.least)

    def reason(self, arms: TwoArms) -> str | None:
        """Why the token is not confirmed; None where it is."""
        if arms.critical >= self.confidence:
            return None
        if arms.critical > self.give_up:
            return NOT_SURE
        return NOT_LOST_WITH_TOKEN if arms.lost_with < arms.alive_without else LOST_WITHOUT_TOKEN


async def with_token(
    rollouts: Rollouts, response: tuple[int, ...], position: int, *, start: int, n: int
) -> tuple[Outcome, ...]:
    """What rollouts `start` to `start + n - 1` behind the token at `position` come to; raises EngineError."""
    drawn = await rollouts.behind(response[: position + 1], start=start, n=n, ahead=n)
    return tuple(continuation.outcome for continuation in drawn)


async def without_token(
    rollouts: Rollouts, response: tuple[int, ...], position: int, *, start: int, n: int
) -> tuple[Outcome, ...]:
    """What rollouts `start` to `start + n - 1` come to where another token stands at `position`.

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
    begun = (*head, *alternative.token_ids)
    if alternative.finish_reason == "eos" or len(begun) == rollouts.max_tokens:
        return await rollouts.verdict(begun)
    (drawn,) = await rollouts.behind(begun, start=alternative.index, n=1)
    return drawn.outcome
