"""What k attempts at a problem give, by how one of their answers is chosen.

Coverage (pass@k) is the probability that one of k attempts is right (Large Language Monkeys, arXiv 2407.21787). A
majority takes the most frequent answer, first finish the answer of the attempt with the fewest tokens (First Finish
Search, arXiv 2505.18149), and the shortest-k majority the most frequent answer of the k attempts with the fewest
tokens of all. The others are means over every choice of k of the n attempts, so none is biased by n. Ties are broken at
random: they count by the share of right ones among the tied.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from math import comb

import numpy as np
import numpy.typing as npt

RIGHT, NO_ANSWER = 0, -1  # in place of the number of a wrong answer
BY_K = (
    *("pass_at_k", "majority_at_k", "first_finish_at_k", "shortest_k_majority"),
    *("tokens_at_k", "first_finish_tokens_at_k"),
)
_Ways = npt.NDArray[np.float64]  # at j, in how many ways j attempts can be taken


def sizes_up_to(n: int) -> list[int]:
    """The powers of two up to n."""
    return [2**power for power in range(n.bit_length())] if n else []


def curves_of(answers: Sequence[int], n_tokens: Sequence[int]) -> dict[str, list[float]]:
    """The curves of one problem over `sizes_up_to(n)`, by the names in `BY_K`.

    Of each attempt, in the order of their indexes: `RIGHT`, `NO_ANSWER` or the number of its wrong answer, which equal
    answers share; and its tokens.
    """
    n, counts = len(answers), Counter(answers)
    sizes = sizes_up_to(n)
    wrong = [count for answer, count in counts.items() if answer not in (RIGHT, NO_ANSWER)]
    majority = majority_curve(n, counts[RIGHT], wrong)
    ranked = sorted(range(n), key=lambda index: (n_tokens[index], index))
    rights = [answers[index] == RIGHT for index in ranked]
    tokens = [float(n_tokens[index]) for index in ranked]
    at_first = _shared_by_ties(rights, tokens)
    return {
        "pass_at_k": [pass_at_k(n, counts[RIGHT], k) for k in sizes],
        "majority_at_k": [majority[k] for k in sizes],
        "first_finish_at_k": [_mean_of_first(at_first, k) for k in sizes],
        "shortest_k_majority": [_majority([answers[index] for index in ranked[:k]]) for k in sizes],
        "tokens_at_k": [k * sum(tokens) / n for k in sizes],
        "first_finish_tokens_at_k": [k * _mean_of_first(tokens, k) for k in sizes],
    }


def pass_at_k(n: int, n_right: int, k: int) -> float:
    """The share of all choices of k of n attempts that have a right one; raises ValueError unless 1 <= k <= n."""
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to the number of attempts ({n}), got {k}")
    return 1 - comb(n - n_right, k) / comb(n, k)


def majority_curve(n: int, n_right: int, wrong: Sequence[int]) -> list[float]:
    """For k from 0 to n, the share of all choices of k of n attempts whose most frequent answer is right.

    `wrong` has the frequency of each wrong answer; the remaining attempts have no answer and no vote. For each number
    of right votes, the choices are counted in which no wrong answer has more, by how many have as many.
    """
    won = np.zeros(n + 1)
    for votes in range(1, n_right + 1):
        rivals = [size for size in wrong if size >= votes]
        tied: list[_Ways] = [_choices(n - n_right - sum(rivals))]  # one for each number of tied rivals
        for size in rivals:
            below, as_many = _choices(size)[:votes], np.eye(1, votes + 1, votes)[0] * comb(size, votes)
            fewer = [*(_product(ways, below) for ways in tied), np.zeros(1)]
            more = [np.zeros(1), *(_product(ways, as_many) for ways in tied)]
            tied = [_sum(one, other) for one, other in zip(fewer, more, strict=True)]
        for n_tied, ways in enumerate(tied):
            won[votes : votes + len(ways)] += comb(n_right, votes) * ways / (1 + n_tied)
    return [float(ways / comb(n, k)) for k, ways in enumerate(won)]


def _choices(size: int) -> _Ways:
    return np.array([float(comb(size, taken)) for taken in range(size + 1)])


def _product(one: _Ways, other: _Ways) -> _Ways:
    return np.convolve(one, other).astype(np.float64)


def _sum(one: _Ways, other: _Ways) -> _Ways:
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return longer + np.pad(shorter, (0, len(longer) - len(shorter)))


def _mean_of_first(ranked: Sequence[float], k: int) -> float:
    """The mean value of the first of k items over all choices of k of the ranked ones."""
    n = len(ranked)
    return sum(value * comb(n - 1 - place, k - 1) for place, value in enumerate(ranked)) / comb(n, k)


def _shared_by_ties(values: Sequence[float], keys: Sequence[float]) -> list[float]:
    """Each value as the mean of those with its key; equal keys stand together."""
    shared: list[float] = []
    for _, items in groupby(zip(keys, values, strict=True), key=lambda item: item[0]):
        of_key = [value for _, value in items]
        shared += [sum(of_key) / len(of_key)] * len(of_key)
    return shared


def _majority(answers: Sequence[int]) -> float:
    """1 where the most frequent answer is right, less where it is tied, else 0."""
    votes = Counter(answer for answer in answers if answer != NO_ANSWER)
    most = max(votes.values(), default=0)
    return 1 / list(votes.values()).count(most) if most and votes[RIGHT] == most else 0.0
