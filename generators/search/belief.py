"""What rollouts from its prefixes say about one solution: its first error, and the value of every step.

It is the joint posterior over the states of the solution's prefixes (a hidden Markov model whose chain is
`generators.search.chain`), the problem's base rate and the solution's recovery rate. Given the two rates, messages from
the last step to the first and back give it exactly (forward-backward, Rabiner, Proceedings of the IEEE 77(2), 1989,
section III), so all cells of a grid of rates are solved at once.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generators.records import NO_ERROR, StepCounts, StepValues
from generators.search.chain import Chain
from generators.search.priors import BASE_RATES, RECOVERY_RATES, Priors, likelihood

Floats = NDArray[np.float64]
Indexes = NDArray[np.int64]
INTERVAL = 0.95
_CELLS = 256
MIDDLES = (np.arange(_CELLS) + 0.5) / _CELLS
_EDGES = np.arange(_CELLS + 1) / _CELLS
_LOG_MIDDLES, _LOG_REST = np.log(MIDDLES), np.log1p(-MIDDLES)
_PLACES = 512  # of the grid of values on which outcomes are weighed; it is finer towards 0 and 1
_LEAST_VALUE = 0.0005  # nothing that a rollout can show is impossible
_VALUES = _LEAST_VALUE + (1 - 2 * _LEAST_VALUE) * np.sin(np.pi / 2 * (np.arange(_PLACES) + 0.5) / _PLACES) ** 2
_LEAST_BASE = 1e-4  # base rates that attempts make less likely than this, against the likeliest, are left out
_THOUGHT_THROUGH = 0.99  # of the posterior: the next rollout is thought through for the likeliest cells with that share
_LEAST_SHARE = 1e-5  # of the posterior: places with less are left out of densities
_STEPS_AT_ONCE = 32  # of expected outcomes: earlier first errors cost two products of matrices for so many steps
_TINY = 1e-300


class Belief:
    """The posterior over one solution of `n_steps` steps; `n_right` of `n_attempts` at its problem ended right.

    `ends_right` is the solution's own outcome. The solution was selected by it, so it restricts the states and does
    not count as a rollout. `counts` are the right and wrong rollouts from the end of each step but the last;
    `log_evidence` is their log-probability under the priors. `whole` is the number of steps of the whole
    solution, where these end at a refuted one.
    """

    def __init__(
        self,
        n_steps: int,
        *,
        ends_right: bool,
        n_right: int,
        n_attempts: int,
        priors: Priors,
        counts: Sequence[tuple[int, int]] = (),
        whole: int | None = None,
    ) -> None:
        if n_steps < 1:
            raise ValueError(f"n_steps must be at least 1, got {n_steps}")
        if not 0 <= n_right <= n_attempts:
            raise ValueError(f"n_right must be from 0 to n_attempts ({n_attempts}), got {n_right}")
        self.n_steps = n_steps
        self._ends_right = ends_right
        base = priors.base_of(whole or n_steps) * likelihood(BASE_RATES, n_right, n_attempts)
        self._bases: Indexes = np.flatnonzero(base >= _LEAST_BASE * base.max())
        base = base[self._bases] / base[self._bases].sum()
        self._chain = Chain.of(n_steps, priors, self._bases)
        self._base = np.repeat(base, len(RECOVERY_RATES))
        self._prior = np.outer(base, priors.recovery).ravel() / self._outcome(self._chain.first)
        self._spread, self._own_spread = min(priors.spread, priors.trust), priors.spread
        self._right_places, self._wrong_places = _places(self._chain.right), _places(self._chain.wrong)
        self.counts = [[0, 0] for _ in range(n_steps - 1)]
        self._log_right, self._log_wrong = np.zeros_like(self._chain.right), np.zeros_like(self._chain.wrong)
        for step, (seen_right, seen_wrong) in enumerate(counts):
            self._count(step, seen_right, seen_wrong)
        self._solve()

    @classmethod
    def of(
        cls, counts: Sequence[StepCounts], *, n_right: int, n_attempts: int, priors: Priors, whole: int | None = None
    ) -> "Belief":
        """The posterior given all counts at once; the last step's count is the solution's own outcome."""
        return cls(
            len(counts),
            ends_right=bool(counts[-1].n_correct),
            n_right=n_right,
            n_attempts=n_attempts,
            priors=priors,
            counts=[(seen.n_correct, seen.n_rollouts - seen.n_correct) for seen in counts[:-1]],
            whole=whole,
        )

    def add(self, step: int, ended_right: bool) -> None:
        """Take one more rollout from the end of `step` into account."""
        n_right, n_wrong = self.counts[step]
        self._count(step, n_right + ended_right, n_wrong + (not ended_right))
        self._solve()

    @property
    def first_error(self) -> int:
        """The most probable first wrong step; -1 if a solution without error is most probable."""
        first = int(self._errors.argmax())
        return NO_ERROR if first == self.n_steps else first

    @property
    def confidence(self) -> float:
        """The probability of `first_error`."""
        return float(self._errors.max())

    @property
    def unknown(self) -> float:
        """The entropy of the first error, in nats."""
        positive = self._errors[self._errors > 0]
        return float(-(positive * np.log(positive)).sum())

    @property
    def sound(self) -> tuple[float, ...]:
        """For each step, the probability that nothing up to its end is wrong."""
        return tuple(float(share) for share in np.clip(1 - self._errors[:-1].cumsum(), 0, 1))

    @property
    def base_weights(self) -> Floats:
        """The posterior over `BASE_RATES`."""
        weights = np.zeros(len(BASE_RATES))
        weights[self._bases] = self._joint.sum(0).reshape(len(self._bases), -1).sum(1)
        return weights

    def log_recovery(self, evens: Sequence[float]) -> Floats:
        """The log-probability of the counts for each share `even` and each of `RECOVERY_RATES` (evens x rates).

        Counts and outcome are linear in that share, so what is solved for one tells all.
        """
        decided, anywhere = self._chain.decided, np.broadcast_to(self._chain.anywhere, self._chain.decided.shape)
        seen, outcome = ([part(decided), part(anywhere)] for part in (self._seen, self._outcome))
        base = self._base * np.exp(self._logs - self._highest)
        by_even = []
        for even in evens:
            mixture = np.array([1 - even, even])
            likelihood = base * (mixture @ np.array(seen)) / (mixture @ np.array(outcome))
            by_even.append(likelihood.reshape(len(self._bases), -1).sum(0))
        return self._highest + np.log(np.array(by_even) + _TINY)

    def most_informative(self) -> tuple[int, float]:
        """The step from whose end one more rollout is most informative about the first error, and its gain in nats.

        Only the likeliest rates are thought through.
        """
        by_cell = self._joint.sum(0)
        likeliest = np.argsort(-by_cell, kind="stable")
        chosen = likeliest[: 1 + int(np.searchsorted(by_cell[likeliest].cumsum(), _THOUGHT_THROUGH))]
        joint = self._joint[:, chosen]
        joint = joint / joint.sum()
        errors = joint.sum(1)
        outcomes = self._expected(joint, chosen) / np.maximum(errors, _TINY)[:, None]
        gains = _entropy(errors @ outcomes) - errors @ _entropy(outcomes)
        best = int(gains.argmax())
        return best, float(gains[best])

    def values(self) -> StepValues:
        """The value of each step with its shortest 95 % interval, marginal over its state and its own value.

        Equal tails would hold too much where a value is near 0 or 1, since nothing lies beyond these. The last step's
        value is its outcome.
        """
        own = float(self._ends_right)
        density = self.densities()
        intervals = [_shortest(row) for row in density]
        low, high = [low for low, _ in intervals], [high for _, high in intervals]
        mean = [float(share) for share in density @ MIDDLES]
        return StepValues((*mean, own), (*low, own), (*high, own))

    def densities(self) -> Floats:
        """The posterior of the value of each step but the last, over equal cells of [0, 1] (steps - 1 x cells)."""
        by_right, by_wrong = self._states()
        rows = [self._density(step, by_right[step], by_wrong[step]) for step in range(self.n_steps - 1)]
        return np.array(rows).reshape(self.n_steps - 1, _CELLS)

    def _outcome(self, first: Floats) -> Floats:
        """For each cell, the probability of the solution's own outcome if first errors are where `first` says."""
        wrong, ends_right = self._chain.wrong, float(self._ends_right)
        ends = np.vstack((wrong if self._ends_right else 1 - wrong, np.full(first.shape[1], 1 - ends_right)))
        return np.asarray((first * ends).sum(0) + ends_right * (1 - first.sum(0)))

    def _seen(self, first: Floats) -> Floats:
        """For each cell, the scaled probability of all that is seen if first errors are where `first` says."""
        return np.asarray(self._joint_with(first).sum(0))

    def _joint_with(self, first: Floats) -> Floats:
        """For each cell, those of each first error; the last row is a solution without error."""
        joint = np.empty((self.n_steps + 1, first.shape[1]))
        joint[:-1] = first * self._before * self._from_wrong
        joint[-1] = (1 - first.sum(0)) * self._before[-1] * self._ends_right
        return joint

    def _count(self, step: int, n_right: int, n_wrong: int) -> None:
        """Set the outcomes of one step; only their numbers matter, so their order does not."""
        self.counts[step] = [n_right, n_wrong]
        logs = _log_outcomes(n_right, n_wrong, self._spread)
        self._log_right[step] = logs[self._right_places[step]]
        self._log_wrong[step] = logs[self._wrong_places[step]]

    def _solve(self) -> None:
        """The joint posterior (first errors x cells; the last row is a solution without error)."""
        most = np.maximum(self._log_right, self._log_wrong)
        # Of the last step, nothing is seen but the outcome.
        self._seen_right = np.vstack((np.exp(self._log_right - most), np.ones(most.shape[1])))
        self._seen_wrong = np.vstack((np.exp(self._log_wrong - most), np.ones(most.shape[1])))
        self._behind()
        seen_right = np.cumprod(self._seen_right, axis=0)
        self._before = np.vstack((np.ones(most.shape[1]), seen_right[:-1]))
        joint = self._joint_with(self._chain.first)
        self._logs = most.sum(0)
        self._highest = float(self._logs.max())
        scale = self._prior * np.exp(self._logs - self._highest)
        total = float((joint.sum(0) * scale).sum())
        self.log_evidence = self._highest + float(np.log(total))
        self._joint = joint * (scale / total)
        self._errors: Floats = self._joint.sum(1)

    def _behind(self) -> None:
        """For a right and a wrong state of each step: the probability of what is seen from there on, the step's own
        rollouts included.
        """
        right, wrong = np.empty_like(self._seen_right), np.empty_like(self._seen_wrong)
        right[-1], wrong[-1] = float(self._ends_right), float(not self._ends_right)
        breaks, mends = self._chain.breaks, self._chain.mends
        for step in range(self.n_steps - 2, -1, -1):
            later_right, later_wrong = right[step + 1], wrong[step + 1]
            less = later_wrong - later_right
            right[step] = self._seen_right[step] * (later_right + breaks[step + 1] * less)
            wrong[step] = self._seen_wrong[step] * (later_wrong - mends[step + 1] * less)
        self._from_right, self._from_wrong = right, wrong

    def _turns(self, chosen: Indexes | slice) -> tuple[Floats, Floats]:
        """Given all that is seen, the probabilities that a right state turned wrong and a wrong one right in a step."""
        right, wrong = self._from_right[:, chosen], self._from_wrong[:, chosen]
        breaks, mends = self._chain.breaks[:, chosen], self._chain.mends[:, chosen]
        broken, stayed_right = breaks * wrong, (1 - breaks) * right
        mended, stayed_wrong = mends * right, (1 - mends) * wrong
        return broken / (broken + stayed_right + _TINY), mended / (mended + stayed_wrong + _TINY)

    def _expected(self, joint: Floats, chosen: Indexes) -> Floats:
        """For each first error, its probability times that of a right rollout from each step (errors x steps - 1).

        Right and wrong of one first error add up to its `joint`, so the right share alone is carried on. Within a block
        of steps it is linear in that before the block: earlier first errors take two products of matrices a block.
        """
        broken, mended = self._turns(chosen)
        counts = np.array(self.counts, dtype=np.float64).reshape(-1, 2)
        total = self._spread + counts.sum(1)[:, None]
        right = (self._spread * self._chain.right[:, chosen] + counts[:, :1]) / total
        wrong = (self._spread * self._chain.wrong[:, chosen] + counts[:, :1]) / total
        kept, gap = 1 - broken - mended, right - wrong
        expected: Floats = np.asarray(joint @ right.T)  # as long as no error has come
        is_right = np.zeros_like(joint)
        for start in range(0, self.n_steps - 1, _STEPS_AT_ONCE):
            end = min(self.n_steps - 1, start + _STEPS_AT_ONCE)
            inside = slice(start, end)
            passed = np.cumprod(kept[inside], axis=0)
            gained, gain = np.empty_like(passed), np.zeros(passed.shape[1])
            for step in range(start, end):
                gain = gain * kept[step] + mended[step]
                gained[step - start] = gain
            earlier = joint[:start]
            if start:
                expected[:start, inside] = (
                    is_right[:start] @ (passed * gap[inside]).T + earlier @ (gained * gap[inside] + wrong[inside]).T
                )
                is_right[:start] = is_right[:start] * passed[-1] + earlier * gained[-1]
            for step in range(start, end):
                past, now = slice(start, step), slice(start, step + 1)
                is_right[past] = is_right[past] * kept[step] + joint[past] * mended[step]
                is_right[step] = 0.0
                expected[now, step] = is_right[now] @ gap[step] + joint[now] @ wrong[step]
        return expected

    def _states(self) -> tuple[Floats, Floats]:
        """The joint posterior of a right and a wrong state of each step but the last with the cells."""
        broken, mended = self._turns(slice(None))
        right, wrong = np.empty_like(self._chain.right), np.empty_like(self._chain.wrong)
        no_error_yet = self._joint[::-1].cumsum(0)[::-1]
        recovered = is_wrong = np.zeros(self._joint.shape[1])
        for step in range(self.n_steps - 1):
            lost, mended_now = recovered * broken[step], is_wrong * mended[step]
            recovered = recovered + mended_now - lost
            is_wrong = is_wrong + lost - mended_now + self._joint[step]
            right[step], wrong[step] = no_error_yet[step + 1] + recovered, is_wrong
        return right, wrong

    def _density(self, step: int, by_right: Floats, by_wrong: Floats) -> Floats:
        """The density of a step's own value over the cells of [0, 1]."""
        weights = np.bincount(self._right_places[step], by_right, _PLACES)
        weights += np.bincount(self._wrong_places[step], by_wrong, _PLACES)
        weights = weights.reshape(-1, 2).sum(1)  # a grid half as fine is fine enough here
        likely = np.flatnonzero(weights > weights.sum() * _LEAST_SHARE)
        values = _VALUES.reshape(-1, 2).mean(1)[likely]
        n_right, n_wrong = self.counts[step]
        alpha = (self._own_spread * values + n_right)[:, None]
        beta = (self._own_spread * (1 - values) + n_wrong)[:, None]
        logs = (alpha - 1) * _LOG_MIDDLES + (beta - 1) * _LOG_REST
        shares = np.exp(logs - logs.max(1, keepdims=True))
        mixed = (weights[likely] / shares.sum(1)) @ shares
        return np.asarray(mixed / mixed.sum())


def _shortest(density: Floats) -> tuple[float, float]:
    """The shortest interval that holds 0.95 of a density over equal cells; an end in an outermost cell is 0 or 1.

    At least one of its ends is an edge of a cell. Of intervals of one length it is the lowest.
    """
    below = np.append(0.0, density.cumsum())
    lows, highs = _EDGES[below <= 1 - INTERVAL], _EDGES[below >= INTERVAL]
    low = np.append(lows, np.interp(below[-len(highs) :] - INTERVAL, below, _EDGES))
    high = np.append(np.interp(below[: len(lows)] + INTERVAL, below, _EDGES), highs)
    best = int((high - low).round(9).argmin())
    return (
        0.0 if low[best] < _EDGES[1] else float(low[best]),
        1.0 if high[best] > _EDGES[-2] else float(high[best]),
    )


def _places(values: Floats) -> NDArray[np.int16]:
    """The nearest places of the grid of values."""
    places = np.floor(np.arcsin(np.sqrt(np.clip(values, 0, 1))) * (2 / np.pi) * _PLACES)
    return np.asarray(np.minimum(places, _PLACES - 1), dtype=np.int16)  # of every step and cell: memory counts


@lru_cache(maxsize=8192)
def _log_outcomes(n_right: int, n_wrong: int, spread: float) -> Floats:
    """The log-probability of outcomes in a given order for each place; beta-binomial around its value."""
    logs = _log_rising(spread * _VALUES, n_right) + _log_rising(spread * (1 - _VALUES), n_wrong)
    return np.asarray(logs - _log_rising(np.array([spread]), n_right + n_wrong))


def _log_rising(start: Floats, n: int) -> Floats:
    """The log of start * (start + 1) * ... with `n` factors."""
    return np.asarray(np.log(start[:, None] + np.arange(n)).sum(1))


def _entropy(shares: Floats) -> Floats:
    clipped = np.clip(shares, 1e-9, 1 - 1e-9)
    return np.asarray(-(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped)))
