"""Critical-token pairs: a right and a wrong solution of a problem, a weight on every token, the critical one confirmed.

After Critical Tokens Matter (arXiv 2411.19943). A token of the wrong solution weighs the probability that it stands in
a wrong one, by the calibrated contrast of the models; the paper's weight is 1 less the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.critical_token_pairs.calibration import wrong_probability
from generators.critical_token_pairs.choice import SolutionPair
from generators.critical_token_pairs.contrastive_scores import ContrastiveScores
from generators.critical_token_pairs.tokens.nominees import CriticalTokens, CriticalTokensConfig, critical_tokens
from generators.critical_token_pairs.tokens.paths import Span
from generators.records import Attempt, Problem, StepCounts
from generators.sampling.sampler import Sampler
from generators.sampling.templated import is_stable, templated
from generators.search.tree import Tree
from generators.tokens import Ids

VERSION = "3"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPair:
    """A pair with the scores of prompt and response of each side, and the first wrong step where it is known."""

    problem: Problem
    pair: SolutionPair
    chosen_scores: ContrastiveScores
    rejected_scores: ContrastiveScores
    step_range: Span | None = None

    def __post_init__(self) -> None:
        sides = (
            ("chosen", self.pair.chosen, self.chosen_scores),
            ("rejected", self.pair.rejected, self.rejected_scores),
        )
        for side, attempt, scored in sides:
            length = len(token_ids(attempt))
            if len(scored.scores) != length:
                raise ValueError(f"{side}_scores must have one score per token ({length}), got {len(scored.scores)}")
        if self.pair.chosen.prompt_token_ids != self.pair.rejected.prompt_token_ids:
            raise ValueError(f"both solutions of problem {self.problem.problem_id} must answer one prompt")

    @property
    def response_start(self) -> int:
        """Where the responses begin in the token ids of either side."""
        return len(self.pair.rejected.prompt_token_ids)

    def log_ratios(self, side: Literal["chosen", "rejected"]) -> list[float]:
        """The log ratio of each token of one side, 0 on the prompt."""
        scores = self.chosen_scores if side == "chosen" else self.rejected_scores
        start = self.response_start
        return [0.0] * start + [ratio or 0.0 for ratio in scores.log_ratios[start:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalTokenPair:
    """A scored pair with the tests of its nominated tokens.

    `attempt_counts` are those of all attempts at the problem. `templated_prompt` is the prompt as the string that a
    trainer tokenises; `is_stable` says whether it gives the token ids back with either response after it.
    """

    scored: ScoredPair
    critical: CriticalTokens
    attempt_counts: StepCounts
    templated_prompt: str
    is_stable: bool


async def critical_token_pair(
    scored: ScoredPair,
    *,
    tree: Tree,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: CriticalTokensConfig,
) -> CriticalTokenPair:
    """Test the tokens that scores and search nominate in the wrong solution of a pair; raises EngineError."""
    rejected = scored.pair.rejected
    scores = [score or 0.0 for score in scored.rejected_scores.scores[scored.response_start :]]
    critical = await critical_tokens(
        scored.problem,
        rejected,
        step_range=scored.step_range,
        scores=scores,
        tree=tree,
        sampler=sampler,
        checker=checker,
        rule=rule,
        config=config,
    )
    prompt = templated(rejected.prompt_token_ids, "", sampler.tokenizer)
    return CriticalTokenPair(
        scored=scored,
        critical=critical,
        attempt_counts=tree.root.counts,
        templated_prompt=prompt,
        is_stable=all(
            is_stable(
                prompt,
                side.text,
                prompt_token_ids=side.prompt_token_ids,
                completion_token_ids=side.token_ids[:-1],
                tokenizer=sampler.tokenizer,
            )
            for side in (scored.pair.chosen, rejected)
        ),
    )


def token_ids(attempt: Attempt) -> Ids:
    """The ids of prompt and response, with the end-of-text token."""
    return attempt.prompt_token_ids + attempt.token_ids


def chosen_weights(length: int, response_start: int) -> list[float]:
    """The weights of a right solution of `length` tokens: 1 on the response, 0 on the prompt."""
    return [0.0] * response_start + [1.0] * (length - response_start)


def rejected_weights(log_ratios: Sequence[float], response_start: int, *, temperature: float) -> list[float]:
    """The weights of a wrong solution: how probably a token stands in a wrong one, 1 on the last, 0 on the prompt."""
    weights = [wrong_probability(ratio, temperature) for ratio in log_ratios[response_start:-1]]
    return [*[0.0] * response_start, *weights, 1.0]
