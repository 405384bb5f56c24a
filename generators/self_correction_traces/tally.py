"""What the corrections of a slice add up to, problem by problem: numbers and outcomes stay, responses do not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from filters.answers.verdicts import AnswerRule
from generators.records import Attempt
from generators.self_correction_traces.aggregation import Answered, by_majority, by_verifier
from generators.self_correction_traces.budgets import success_by_budget
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import NotCorrected, State, transitions
from generators.self_correction_traces.prefill import Prefill, prefill
from generators.self_correction_traces.recipe import CorrectedProblem
from generators.self_correction_traces.table import attempt_outcomes, deepened_outcomes

ATTEMPTS, WITH_TRIGGERS = "attempts", "with_triggers"
_FRAMES = 100  # that are kept apart: a small frame takes several times what its rows do


@dataclass(slots=True)
class Solved:
    """Of so many samples and problems: right samples, and problems that are right by majority or by the best sample."""

    samples: int = 0
    problems: int = 0
    right_samples: int = 0
    by_majority: int = 0
    by_best: int = 0

    def add(self, samples: Sequence[Answered]) -> None:
        """Add the samples of one problem."""
        self.samples += len(samples)
        self.problems += 1
        self.right_samples += sum(sample.verdict.is_right for sample in samples)
        self.by_majority += _is_right(by_majority(samples))
        self.by_best += _is_right(by_verifier(samples))

    def row(self) -> dict[str, float | int | None]:
        """The shares of one sample, of the majority and of the best of all; None without a sample or a problem."""
        return {
            "problems": self.problems,
            "one_sample": self.right_samples / self.samples if self.samples else None,
            "majority": self.by_majority / self.problems if self.problems else None,
            "best_of_n": self.by_best / self.problems if self.problems else None,
        }


def _is_right(chosen: Answered | None) -> bool:
    return chosen is not None and chosen.verdict.is_right


@dataclass(slots=True)
class Tally:
    """The counts of the problems that were added; `rule` says how answers count.

    `generated` are the tokens after the first boundary of every response, up to which it is an attempt.
    """

    config: SelfCorrectionConfig
    rule: AnswerRule
    responses: int = 0
    with_trigger: int = 0
    generated: int = 0
    prefill: Prefill = field(default_factory=Prefill)
    origins: Counter[str] = field(default_factory=Counter)
    transitions: Counter[tuple[State, State]] = field(default_factory=Counter)
    masked_shares: list[float] = field(default_factory=list)
    not_corrected: list[NotCorrected] = field(default_factory=list)
    solved: dict[str, Solved] = field(default_factory=lambda: {ATTEMPTS: Solved(), WITH_TRIGGERS: Solved()})
    _outcomes: list[pl.DataFrame] = field(default_factory=list)

    def add(self, problem: CorrectedProblem, attempts: Sequence[Attempt]) -> None:
        """Add one problem; as many of its `attempts` as there are samples are compared with the responses."""
        responses, alone = problem.responses, attempts[: self.config.settings.samples]
        self.responses += len(responses)
        self.with_trigger += sum(response.n_triggers > 0 for response in responses)
        self.generated += sum(
            response.boundaries[-1].generated - response.boundaries[0].generated for response in responses
        )
        self.prefill += prefill(responses)
        self.transitions += transitions(responses)
        self.not_corrected += problem.not_corrected
        for correction in problem.corrections:
            self.origins[correction.origin] += 1
            masked = sum(span.token_end - span.token_start for span in correction.masked)
            self.masked_shares.append(masked / len(correction.token_ids))
        self.solved[ATTEMPTS].add(alone)
        self.solved[WITH_TRIGGERS].add(responses)
        self._outcomes += [
            attempt_outcomes(alone, ATTEMPTS, self.rule),
            deepened_outcomes(responses, WITH_TRIGGERS, self.rule),
        ]
        if len(self._outcomes) > _FRAMES:
            self._outcomes = [pl.concat(self._outcomes, rechunk=True)]

    def success(self) -> pl.DataFrame:
        """Pass rate by tokens per sample, for attempts alone and for the same ones with triggers."""
        outcomes = pl.concat([attempt_outcomes((), ATTEMPTS, self.rule), *self._outcomes])
        return success_by_budget(outcomes, sorted({*self.config.budgets, self.config.max_tokens}))

    def one_of_several(self) -> pl.DataFrame:
        """How many problems one sample, the majority of all, and the best of them by the verifier (pass@N) solve."""
        return pl.DataFrame([{"method": method, **solved.row()} for method, solved in self.solved.items()])
