"""OmegaPRM: bisect wrong rollouts for their first error, the most promising first (arXiv 2406.06592, section 3).

One difference: a step is a line, as everywhere here, not a sixteenth of a solution. As in the paper, a searched rollout
leaves the pool, priorities follow the current counts, each prefix is one state, and the search begins with the rollouts
of the root filter (here the attempts).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from generators.search.shares import share_conclusion
from generators.search.strategy import ALL_DRAWN, NOT_NEEDED, Conclusion, Continuation, Cut, Draw, Path, open_steps
from generators.search.tree import Node, Tree


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A wrong rollout from a state, as a path; `length` is the rollout's own length in tokens."""

    state: Node
    path: Path
    length: int


@dataclass(slots=True)
class _Pool:
    """The rollouts still to be searched, and how often each state was visited."""

    candidates: list[_Candidate]
    visits: dict[Node, int]
    seen: set[str]

    def add(self, candidate: _Candidate) -> None:
        """Add a rollout, unless its path has been added before."""
        end = candidate.path[-1].node_id
        if end not in self.seen:
            self.seen.add(end)
            self.candidates.append(candidate)


@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaPRM:
    """`k` rollouts per state, and at most `search_limit` bisections and about `budget` rollouts per problem.

    `alpha`, `beta`, `length` (in tokens) and `c_puct` are those of Q and U in section 3.3 of the paper.
    """

    k: int = 8
    search_limit: int = 100
    budget: int = 200
    alpha: float = 0.5
    beta: float = 0.9
    length: int = 500
    c_puct: float = 0.125
    name: str = "omegaprm"

    def __post_init__(self) -> None:
        for field in ("k", "search_limit", "budget", "length"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        for field in ("alpha", "beta"):
            if not 0 < getattr(self, field) <= 1:
                raise ValueError(f"{field} must be above 0 and at most 1, got {getattr(self, field)}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        """Search from the wrong ones among `paths`, as rollouts from the root; right ones are not searched."""
        pool = _Pool([], {}, set())
        for path in paths:
            if not path[-1].counts.n_correct:
                length = sum(len(node.token_ids) for node in path)
                pool.add(_Candidate(tree.root, path, length))
        if not self._is_open(tree.root):
            return ()
        searched: list[Path] = []
        spent = 0
        while pool.candidates and len(searched) < self.search_limit and spent < self.budget:
            chosen = self._select(pool)
            pool.visits[chosen.state] = pool.visits.get(chosen.state, 0) + 1
            spent += await self._bisect(chosen, pool, draw, cut)
            searched.append(chosen.path)
        return tuple(searched)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        reasons = [ALL_DRAWN if node.outcomes else NOT_NEEDED for node in path[:-1]]
        return share_conclusion(path, reasons)

    def _select(self, pool: _Pool) -> _Candidate:
        total = sum(pool.visits.values())
        best = max(
            range(len(pool.candidates)), key=lambda index: (self._priority(pool.candidates[index], pool, total), -index)
        )
        return pool.candidates.pop(best)

    def _priority(self, candidate: _Candidate, pool: _Pool, total: int) -> float:
        counts = candidate.state.counts
        value = counts.n_correct / max(counts.n_rollouts, 1)
        quality = self.alpha ** (1 - value) * self.beta ** (candidate.length / self.length)
        return float(quality + self.c_puct * sqrt(total) / (1 + pool.visits.get(candidate.state, 0)))

    async def _bisect(self, chosen: _Candidate, pool: _Pool, draw: Draw, cut: Cut) -> int:
        """Halve the steps after the state until the first one without a right rollout is left."""
        low, high = chosen.state.depth, len(open_steps(chosen.path))  # the error is in the steps from low to high
        spent = 0
        while low < high:
            middle = (low + high) // 2
            node = chosen.path[middle]
            is_new = not node.outcomes
            continuations = await draw(node, start=0, n=self.k)
            spent += self.k if is_new else 0
            for continuation in continuations:
                continuation.record_on(node)
            if node.counts.n_correct:
                self._collect(node, continuations, pool, cut)
                low = middle + 1
            else:
                high = middle
        return spent

    def _collect(self, node: Node, continuations: Sequence[Continuation], pool: _Pool, cut: Cut) -> None:
        if not self._is_open(node):
            return
        for continuation in continuations:
            is_wrong = continuation.outcome is False and not continuation.no_answer
            if is_wrong and continuation.rollout.finish_reason == "eos":
                path = cut(node, continuation.rollout, continuation.outcome)
                pool.add(_Candidate(node, path, len(continuation.rollout.token_ids)))

    @staticmethod
    def _is_open(node: Node) -> bool:
        """Whether the state leads to both right and wrong answers."""
        counts = node.counts
        return 0 < counts.n_correct < counts.n_rollouts
