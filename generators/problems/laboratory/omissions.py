"""Chains whose errors lie in what is left out: every line is a fact, and an operation is skipped."""

from dataclasses import dataclass, field

from generators.problems.laboratory.chains import Chain, Chains, Operation
from generators.problems.laboratory.facts import Beliefs
from generators.problems.laboratory.law import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Omissions(Chains):
    """Chains without false beliefs about facts; a belief is that the operation of a label may be skipped after a digit.

    Neither the last operation nor two in a row are skipped.
    """

    beliefs: Beliefs = field(default_factory=lambda: Beliefs(share=0.3, rate=0.6, seed=2))

    title = "Omission"
    word = "in"

    def moves(self, chain: Chain) -> tuple[Move[Chain], ...]:
        """The next fact, or the one after it where the next operation may be skipped."""
        if not chain.rest:
            return ()
        right, skipping = self._step(chain.digit, chain.rest), chain.rest[1:]
        if not skipping or not self.beliefs.is_held(f"{chain.rest[0][0]} after {chain.digit}"):
            return (right,)
        skip = self._step(chain.digit, skipping)
        rate = self.beliefs.rate
        return (
            Move(right.text, 1 - rate, right.state),
            Move(skip.text, rate, skip.state, is_right=False),
        )

    def read(self, chain: Chain, line: str) -> Chain | None:
        """A line about the next operation, or about the one after it, leads to the digit that it states."""
        following = Chains.read(self, chain, line)
        if following is None and len(chain.rest) > 1:
            following = Chains.read(self, Chain(chain.digit, chain.rest[1:]), line)
        return following

    def _step(self, digit: int, rest: tuple[Operation, ...]) -> Move[Chain]:
        label, term = rest[0]
        result = (digit + term) % 10
        return Move(f"{label}: {digit} {self.word} {term} is {result}", 1.0, Chain(result, rest[1:]))
