"""Chains whose steps are repeated now and then: thoughts that the answer can do without.

The facts and the beliefs about them are those of `chains`.
"""

from dataclasses import dataclass, replace

from generators.problems.laboratory.chains import Chain, Chains
from generators.problems.laboratory.law import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Detours(Chains):
    """Chains, each of whose steps is repeated with probability `repeat`."""

    repeat: float = 0.5

    title = "Detour"

    def __post_init__(self) -> None:
        Chains.__post_init__(self)
        if not 0 <= self.repeat < 1:
            raise ValueError(f"repeat must be at least 0 and below 1, got {self.repeat}")

    def moves(self, chain: Chain) -> tuple[Move[Chain], ...]:
        """The next fact or what is believed instead, or the last line once more."""
        onwards = Chains.moves(self, chain)
        share = 1 - self.repeat if chain.last and onwards else 1.0
        moves = [
            replace(move, probability=share * move.probability, state=replace(move.state, last=move.text))
            for move in onwards
        ]
        if share < 1:
            repeated = Move(f"again {chain.last}", self.repeat, replace(chain, last=""), is_redundant=True)
            moves.append(repeated)
        return tuple(moves)

    def read(self, chain: Chain, line: str) -> Chain | None:
        """A line about the next operation leads to the digit that it states, and may be repeated."""
        following = Chains.read(self, chain, line)
        return None if following is None else replace(following, last=line)
