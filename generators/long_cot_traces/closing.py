"""Thoughts that the policy ended without their closing tag, closed for it: it then writes the solution itself.

A small policy often ends its whole answer where its thoughts end. The tag and the blank line behind it take the place
of the end-of-text token, and the solution continues the answer's own tokens; it may be anything but nothing. Knows a
sampler; nothing of problems, verdicts or filters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.texts.thoughts import Tags, are_open
from generators.engine.protocol import Limits, Sampling
from generators.engine.tokenizer import Tokenizer
from generators.records import FinishReason, Rollout
from generators.sampling.sampler import Sampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What stands behind a prompt; `token_ids[closing[0]:closing[1]]` was put in, all else the policy wrote."""

    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    closing: tuple[int, int] | None = None


def as_written(rollout: Rollout) -> Answer:
    """The answer of a rollout to which nothing was added."""
    return Answer(token_ids=rollout.token_ids, finish_reason=rollout.finish_reason)


def inner_ids(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """The ids of a text as they are where a word follows: at the end of a text some tokenizers join line breaks."""
    followed = tokenizer.encode(f"{text}The")
    ends = (end for end in range(len(followed)) if tokenizer.decode(followed[:end]) == text)
    return followed[: next(ends, 0)] or tokenizer.encode(text)


async def with_closed_thoughts(
    prompt: Sequence[int],
    rollout: Rollout,
    *,
    head: str,
    sampler: Sampler,
    sampling: Sampling,
    max_tokens: int,
    tags: Tags,
) -> Answer:
    """The rollout's answer, closed and gone on with where it ended inside of its thoughts; raises EngineError.

    `head` is what the prompt has prefilled of the answer. Without room for a token of solution, within `max_tokens` or
    in the policy's context, the answer stays as it was written.
    """
    answer = as_written(rollout)
    if rollout.finish_reason != "eos" or not are_open(head + rollout.text, tags=tags):
        return answer
    thoughts = rollout.unended_ids
    break_before = "" if rollout.text.endswith("\n") else "\n"
    begun = thoughts + inner_ids(f"{break_before}{tags.closing}\n\n", sampler.tokenizer)
    room = sampler.room((*prompt, *begun), max_tokens - len(begun))
    if room < 1:
        return answer
    closing = (len(thoughts), len(begun))
    end = rollout.token_ids[len(thoughts) :]
    begins = replace(sampling, excluded=(*sampling.excluded, *end))
    for law, most in ((begins, 1), (sampling, room - 1)):
        if most:
            prefix, limits = (*prompt, *begun), Limits(max_tokens=most)
            (part,) = await sampler.draw(prefix, n=1, start=rollout.index, sampling=law, limits=limits)
            begun += part.token_ids
    return replace(as_written(part), token_ids=begun, closing=closing)
