"""Self-corrections of one problem: sampled behind triggers, and composed out of attempts whose first error is known.

Both start from the attempts, so what the ledger has of those, and of the search for the first error, is not drawn
again. Knows nothing of servers, files or Dagster, nor of how a first error was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.records import Problem
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather
from generators.self_correction_traces.composition import CompositionConfig, compose
from generators.self_correction_traces.corrections import NOTHING_GOOD, NotCorrected, good_part, sampled
from generators.self_correction_traces.deepening import IdSamplingConfig, deepen
from generators.self_correction_traces.records import Correction, DeepenedResponse, FlawedSolution

VERSION = "1"  # bump when a change here, or in a part of it, would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCorrectionConfig:
    """How responses are deepened, and how corrections are composed; both mask what the composition says."""

    deepening: IdSamplingConfig
    composition: CompositionConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedProblem:
    """All responses to a problem, the corrections that came of it, and what gave none."""

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
    responses = await deepen(problem, sampler=sampler, checker=checker, rule=rule, config=config.deepening)
    good = {one.attempt.attempt_index: good_part(one, sampler.tokenizer) for one in flawed}
    mask = config.composition.mask
    mended = [
        *(sampled(problem, one, mask=mask, good=good.get(one.sample_index, NOTHING_GOOD)) for one in responses),
        *await gather(
            compose(problem, one, sampler=sampler, checker=checker, rule=rule, config=config.composition)
            for one in flawed
        ),
    ]
    corrections, not_corrected = _distinct(mended)
    return CorrectedProblem(problem=problem, responses=responses, corrections=corrections, not_corrected=not_corrected)


def _distinct(
    mended: Sequence[Correction | NotCorrected],
) -> tuple[tuple[Correction, ...], tuple[NotCorrected, ...]]:
    """The corrections, each text once, and all else with its reason."""
    by_text: dict[str, Correction] = {}
    not_corrected = []
    for one in mended:
        if isinstance(one, NotCorrected):
            not_corrected.append(one)
        elif by_text.setdefault(one.text, one) is not one:
            not_corrected.append(NotCorrected(one.problem.problem_id, one.origin, one.attempt_index, "repeated"))
    return tuple(by_text.values()), tuple(not_corrected)
