"""Self-corrections of one problem: sampled after triggers, and composed of attempts whose first error is known.

Both start from the attempts, so the ledger already has those rollouts, and those of the search for the first error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.records import Problem
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather
from generators.self_correction_traces.composition import compose
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import NO_GOOD_PREFIX, NotCorrected, good_prefix, sampled
from generators.self_correction_traces.deepening import deepen
from generators.self_correction_traces.records import Correction, DeepenedResponse, FlawedSolution

VERSION = "3"  # bump when a change here, or in a part of it, would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedProblem:
    """All responses to a problem, their corrections, and the responses that gave none."""

    problem: Problem
    responses: tuple[DeepenedResponse, ...]
    corrections: tuple[Correction, ...]
    not_corrected: tuple[NotCorrected, ...]


async def correct(
    problem: Problem,
    flawed: Sequence[FlawedSolution],
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: SelfCorrectionConfig,
) -> CorrectedProblem:
    """Deepen responses to `problem` and mend its `flawed` attempts; raises EngineError."""
    responses = await deepen(problem, sampler=sampler, checker=checker, rule=rule, config=config)
    good = {solution.attempt.attempt_index: good_prefix(solution, sampler.tokenizer) for solution in flawed}
    mask = config.settings.mask
    results = [
        *(
            sampled(problem, response, mask=mask, good=good.get(response.sample_index, NO_GOOD_PREFIX))
            for response in responses
        ),
        *await gather(
            compose(problem, solution, sampler=sampler, checker=checker, rule=rule, config=config)
            for solution in flawed
        ),
    ]
    corrections, not_corrected = _distinct(results)
    return CorrectedProblem(problem=problem, responses=responses, corrections=corrections, not_corrected=not_corrected)


def _distinct(
    results: Sequence[Correction | NotCorrected],
) -> tuple[tuple[Correction, ...], tuple[NotCorrected, ...]]:
    """The corrections, each text once, and the rest with drop reasons."""
    by_text: dict[str, Correction] = {}
    not_corrected = []
    for result in results:
        if isinstance(result, NotCorrected):
            not_corrected.append(result)
        elif by_text.setdefault(result.text, result) is not result:
            repeated = NotCorrected(result.problem.problem_id, result.origin, result.attempt_index, "repeated")
            not_corrected.append(repeated)
    return tuple(by_text.values()), tuple(not_corrected)
