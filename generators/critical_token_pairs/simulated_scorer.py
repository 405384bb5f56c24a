"""Contrastive estimation of the simulated policy, which has no weights: two variants of its law replace the models.

The positive law's error rate is the policy's own divided by `factor`, the negative one's is multiplied by it. A score
contrasts the two laws' next tokens by the formula of `generators.critical_token_pairs.scores`. The laws write no
prompts, so a prompt's tokens have the score 1 and the log ratio 0. They learnt from no solution, so both folds have the
same two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

from generators.critical_token_pairs.contrastive_scores import ContrastiveScores
from generators.critical_token_pairs.scores import Progress
from generators.critical_token_pairs.stored_scores import StoredScores
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.position import Position, Task
from generators.engine.simulated.statement import Statement
from generators.engine.simulated.vocabulary import ASSISTANT, SimulatedTokenizer

FACTOR = 2.0
_MOST_WRONG = 0.99  # a step that must go wrong would leave the right total without any probability to contrast


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedScorer:
    """Satisfies `generators.critical_token_pairs.scores.TokenScorer` with two variants of `law`."""

    law: SimulatedLaw = field(default_factory=SimulatedLaw)
    beta: float
    factor: float = FACTOR

    def __post_init__(self) -> None:
        if self.factor <= 1:
            raise ValueError(f"factor must be above 1, got {self.factor}")

    def score(self, sequences: Sequence[Sequence[int]], folds: Sequence[int], *, progress: Progress) -> StoredScores:
        """Scores in the order of `sequences`; `progress` gets the number of scored tokens and of all tokens."""
        if len(folds) != len(sequences):
            raise ValueError(f"folds must have one fold for each of {len(sequences)} sequences, got {len(folds)}")
        scores = StoredScores(len(sequences))
        for number, sequence in enumerate(sequences):
            scores.add(number, self._scored(sequence))
        total = sum(map(len, sequences))
        progress(total, total)
        return scores

    def _scored(self, sequence: Sequence[int]) -> ContrastiveScores:
        start = _response_start(sequence)
        task = Task.under(self.law, _statement(sequence[:start]))
        positive = Position(replace(task, error_rate=task.error_rate / self.factor))
        negative = Position(replace(task, error_rate=min(_MOST_WRONG, task.error_rate * self.factor)))
        scores, log_ratios = [1.0] * start, [0.0] * start
        for token_id in sequence[start:]:
            by_positive, by_negative = positive.next_tokens(), negative.next_tokens()
            scores.append(contrasted(by_positive, by_negative, self.beta).get(token_id, 0.0))
            is_written = by_positive.get(token_id) and by_negative.get(token_id)
            log_ratios.append(log(by_positive[token_id] / by_negative[token_id]) if is_written else 0.0)
            positive.advance(token_id)
            negative.advance(token_id)
        return ContrastiveScores((None, *scores[1:]), (None, *log_ratios[1:]))


def contrasted(positive: Mapping[int, float], negative: Mapping[int, float], beta: float) -> dict[int, float]:
    """Shares proportional to positive ** (1 + beta) / negative ** beta, for the tokens that both laws write."""
    weights = {
        token_id: share ** (1 + beta) / negative[token_id] ** beta
        for token_id, share in positive.items()
        if negative.get(token_id)
    }
    total = sum(weights.values())
    return {token_id: weight / total for token_id, weight in weights.items()}


def law_names(factor: float) -> dict[str, str]:
    """The names of the two laws by the side that they stand for."""
    return {
        "positive": f"simulated law, error rate / {factor:g}",
        "negative": f"simulated law, error rate * {factor:g}",
    }


def _response_start(sequence: Sequence[int]) -> int:
    if ASSISTANT not in sequence:
        raise ValueError("sequences must hold an assistant's turn: take attempts of the simulated policy")
    return len(sequence) - tuple(sequence)[::-1].index(ASSISTANT)


def _statement(prompt: Sequence[int]) -> Statement:
    statement = Statement.find(SimulatedTokenizer().decode(prompt))
    if statement is None:
        raise ValueError("sequences must begin with a problem of the simulated policy, and one quotes none")
    return statement
