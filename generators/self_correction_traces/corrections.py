"""Corrections among deepened responses: the answer before a trigger is wrong, and the one after it right.

Counts what every trigger did, picks the responses to learn from, and masks the mistakes in them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal

from filters.answers.checker import Verdict
from filters.equations.rules import FALSE_EQUATION
from filters.equations.stated import refuted
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
from generators.self_correction_traces.settings import Mask

State = Literal["right", "wrong", "no_answer", "undecided"]


@dataclass(frozen=True, slots=True)
class GoodPrefix:
    """How much of a response comes before its first wrong step."""

    characters: int
    tokens: int


NO_GOOD_PREFIX = GoodPrefix(0, 0)


def good_prefix(flawed: FlawedSolution, tokenizer: Tokenizer) -> GoodPrefix:
    """The part of a solution before its first wrong step."""
    n_tokens = flawed.step_ends[flawed.first_error - 1] if flawed.first_error else 0
    return GoodPrefix(len(tokenizer.decode(flawed.attempt.token_ids[:n_tokens])), n_tokens)


@dataclass(frozen=True, slots=True)
class NotCorrected:
    """A response or an attempt that gave no correction, and why."""

    problem_id: str
    origin: CorrectionOrigin
    attempt_index: int
    reason: str


def state(verdict: Verdict) -> State:
    """The state of the answer so far, by its verdict."""
    if verdict.is_undecided:
        return "undecided"
    if verdict is Verdict.NO_ANSWER:
        return "no_answer"
    return "right" if verdict.is_right else "wrong"


def transitions(responses: Iterable[DeepenedResponse]) -> Counter[tuple[State, State]]:
    """Count the triggers by the state of the answer before and after each of them."""
    return verdict_transitions([boundary.verdict for boundary in response.boundaries] for response in responses)


def verdict_transitions(verdicts: Iterable[Sequence[Verdict]]) -> Counter[tuple[State, State]]:
    """Count the same from the verdicts of each response, one per boundary."""
    return Counter((state(before), state(after)) for chain in verdicts for before, after in pairwise(chain))


def sampled(
    problem: Problem, response: DeepenedResponse, *, mask: Mask = "mistake", good: GoodPrefix = NO_GOOD_PREFIX
) -> Correction | NotCorrected:
    """The response up to its first right answer if the answer before was wrong, or else why it is no correction.

    `good` is its beginning up to the first wrong step, where labels name that step; only what follows is masked then.
    """
    states = [state(boundary.verdict) for boundary in response.boundaries]
    reason = _unfit(states, response.boundaries)
    if reason:
        return NotCorrected(problem.problem_id, "sampled", response.sample_index, reason)
    last = states.index("right")
    boundaries, parts = response.boundaries[: last + 1], list(response.segments[: 2 * last + 1])
    if learns_falsehood(problem, parts, good):
        return NotCorrected(problem.problem_id, "sampled", response.sample_index, FALSE_EQUATION)
    end_of_text = boundaries[-1].end_of_text
    if end_of_text is not None and len(response.segments) > len(parts):  # a later trigger replaced the end
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


def learns_falsehood(problem: Problem, parts: Sequence[Segment], good: GoodPrefix) -> bool:
    """Whether what the response gets right states a false equation: its good prefix, or all after the last trigger."""
    kept = "".join(part.text for part in parts[:-1])[: good.characters]
    return any(refuted(text, problem.prompt) is not None for text in (kept, parts[-1].text))


def _unfit(states: Sequence[State], boundaries: Sequence[Boundary]) -> str:
    """Why a response is no correction; empty if it is one."""
    if "right" not in states:
        return "never_right" if len(states) > 1 else "never_triggered"
    first = states.index("right")
    if first == 0:
        return "right_at_once"
    if states[first - 1] != "wrong":
        return f"{states[first - 1]}_before"
    return "unfinished" if boundaries[first].end_of_text is None else ""


def masked(parts: Sequence[Segment], mask: Mask, *, good: GoodPrefix = NO_GOOD_PREFIX) -> tuple[MaskedSpan, ...]:
    """The spans before the last trigger that a model must not learn.

    `mistake` masks what the policy wrote there, except the `good` prefix. `attempt` also masks the prefix and the
    triggers. `none` masks nothing.
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
    elif len(written) > 1:  # the first wrong step comes after the first trigger
        del written[0]
    return tuple(span for span in written if span.start < span.end)  # a policy may write nothing after a trigger


def _spans(parts: Sequence[Segment]) -> Iterable[MaskedSpan]:
    ends = accumulate(len(part.text) for part in parts)
    token_ends = accumulate(len(part.token_ids) for part in parts)
    for part, end, token_end in zip(parts, ends, token_ends, strict=True):
        start, token_start = end - len(part.text), token_end - len(part.token_ids)
        yield MaskedSpan(start=start, end=end, token_start=token_start, token_end=token_end)
