"""Corrections among deepened responses: the answer before a trigger wrong and after it right.

Says what every trigger did, picks the responses to learn from, and marks in them what is not to be learnt. Knows
nothing of how responses come to be.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal

from filters.answers.checker import Verdict
from generators.engine.tokenizer import Tokenizer
from generators.records import Problem
from generators.self_correction_traces.records import (
    Boundary,
    Correction,
    CorrectionOrigin,
    DeepenedResponse,
    FlawedSolution,
    MaskedSpan,
    Segment,
)

State = Literal["right", "wrong", "no_answer", "undecided"]
Mask = Literal["mistake", "attempt", "none"]


@dataclass(frozen=True, slots=True)
class Good:
    """How much of a response's beginning stands before its first wrong step."""

    characters: int
    tokens: int


NOTHING_GOOD = Good(0, 0)


def good_part(flawed: FlawedSolution, tokenizer: Tokenizer) -> Good:
    """What stands before the first wrong step of a solution."""
    n_tokens = flawed.step_ends[flawed.first_error - 1] if flawed.first_error else 0
    return Good(len(tokenizer.decode(flawed.attempt.token_ids[:n_tokens])), n_tokens)


@dataclass(frozen=True, slots=True)
class NotCorrected:
    """What gave no correction, and why."""

    problem_id: str
    origin: CorrectionOrigin
    attempt_index: int
    reason: str


def state(verdict: Verdict) -> State:
    """What a verdict says of the answer so far."""
    if verdict.is_undecided:
        return "undecided"
    if verdict is Verdict.NO_ANSWER:
        return "no_answer"
    return "right" if verdict.is_right else "wrong"


def transitions(responses: Iterable[DeepenedResponse]) -> Counter[tuple[State, State]]:
    """How often the answer before a trigger and the one behind it were what; a trigger that breaks answers is seen."""
    return verdict_transitions([boundary.verdict for boundary in response.boundaries] for response in responses)


def verdict_transitions(verdicts: Iterable[Sequence[Verdict]]) -> Counter[tuple[State, State]]:
    """The same of each response's verdicts, one a boundary."""
    return Counter((state(before), state(after)) for one in verdicts for before, after in pairwise(one))


def sampled(
    problem: Problem, response: DeepenedResponse, *, mask: Mask = "mistake", good: Good = NOTHING_GOOD
) -> Correction | NotCorrected:
    """The response up to its first right answer, where the answer before was wrong, or the reason why it is none.

    `good` is its beginning up to the first wrong step, where labels name that step: only what follows is masked then.
    """
    states = [state(boundary.verdict) for boundary in response.boundaries]
    reason = _unfit(states, response.boundaries)
    if reason:
        return NotCorrected(problem.problem_id, "sampled", response.sample_index, reason)
    last = states.index("right")
    boundaries, parts = response.boundaries[: last + 1], list(response.segments[: 2 * last + 1])
    end_of_text = boundaries[-1].end_of_text
    if end_of_text is not None and len(response.segments) > len(parts):  # a later trigger took its place
        parts[-1] = replace(parts[-1], token_ids=(*parts[-1].token_ids, end_of_text))
        boundaries = (*boundaries[:-1], replace(boundaries[-1], end=boundaries[-1].end + 1))
    return Correction(
        problem=problem,
        origin="sampled",
        attempt_index=response.sample_index,
        prompt_token_ids=response.prompt_token_ids,
        segments=tuple(parts),
        boundaries=boundaries,
        masked=masked(parts, mask, good=good),
    )


def _unfit(states: Sequence[State], boundaries: Sequence[Boundary]) -> str:
    """Why a response is no correction, or nothing."""
    if "right" not in states:
        return "never_right" if len(states) > 1 else "never_triggered"
    first = states.index("right")
    if first == 0:
        return "right_at_once"
    if states[first - 1] != "wrong":
        return f"{states[first - 1]}_before"
    return "unfinished" if boundaries[first].end_of_text is None else ""


def masked(parts: Sequence[Segment], mask: Mask, *, good: Good = NOTHING_GOOD) -> tuple[MaskedSpan, ...]:
    """What is not to be learnt of all that stands before the last trigger.

    `mistake`: what was written there, save its `good` beginning; `attempt`: all of it; `none`: nothing.
    """
    spans = list(_spans(parts))[:-2]
    if mask == "none":
        return ()
    if mask == "attempt":
        return (replace(spans[-1], start=0, token_start=0),)
    written = spans[::2]
    whole = written[0]
    if good.tokens < whole.token_end:
        written[0] = replace(whole, start=good.characters, token_start=good.tokens)
    elif len(written) > 1:  # the first wrong step stands behind the first trigger
        del written[0]
    return tuple(span for span in written if span.start < span.end)  # a policy may end its part with no word


def _spans(parts: Sequence[Segment]) -> Iterable[MaskedSpan]:
    ends = accumulate(len(part.text) for part in parts)
    token_ends = accumulate(len(part.token_ids) for part in parts)
    for part, end, token_end in zip(parts, ends, token_ends, strict=True):
        start, token_start = end - len(part.text), token_end - len(part.token_ids)
        yield MaskedSpan(start=start, end=end, token_start=token_start, token_end=token_end)
