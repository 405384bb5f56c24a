"""Close thoughts that the policy ended without their closing tag, and have it write the solution.

A small policy often ends its whole answer where its thoughts end. The tag and a blank line replace the end-of-text
token, and the policy continues from there; it must write at least one token of solution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.texts.thoughts import Tags, are_open
from generators.engine.protocol import Limits, Sampling
from generators.engine.tokenizer import Tokenizer
from generators.records import FinishReason, Rollout
from generators.sampling.sampler import Sampler
from generators.tokens import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What follows a prompt; the recipe put `token_ids[closing[0]:closing[1]]` in, and the policy wrote all else."""

    token_ids: Ids
    finish_reason: FinishReason
    closing: tuple[int, int] | None = None


def as_written(rollout: Rollout) -> Answer:
    """The answer of a rollout to which nothing was added."""
    return Answer(token_ids=rollout.token_ids, finish_reason=rollout.finish_reason)


def inner_ids(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """The ids that a text has before a word: at the end of a text some tokenizers join line breaks."""
    with_word = tokenizer.encode(f"{text}The")
    ends = (end for end in range(len(with_word)) if tokenizer.decode(with_word[:end]) == text)
    return with_word[: next(ends, 0)] or tokenizer.encode(text)


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
    """The rollout's answer, closed and continued if it ended inside its thoughts; raises EngineError.

    `head` is the part of the answer that the prompt prefilled. The answer is unchanged if `max_tokens` or the policy's
    context leaves no room for a token of solution.
    """
    answer = as_written(rollout)
    if rollout.finish_reason != "eos" or not are_open(head + rollout.text, tags=tags):
        return answer
    thoughts = rollout.unended_ids
    break_before = "" if rollout.text.endswith("\n") else "\n"
    token_ids = thoughts + inner_ids(f"{break_before}{tags.closing}\n\n", sampler.tokenizer)
    room = sampler.room((*prompt, *token_ids), max_tokens - len(token_ids))
    if room < 1:
        return answer
    closing = (len(thoughts), len(token_ids))
    end = rollout.token_ids[len(thoughts) :]
    without_end = replace(sampling, excluded=(*sampling.excluded, *end))
    for part_sampling, most in ((without_end, 1), (sampling, room - 1)):
        if most:
            prefix, limits = (*prompt, *token_ids), Limits(max_tokens=most)
            (part,) = await sampler.draw(prefix, n=1, start=rollout.index, sampling=part_sampling, limits=limits)
            token_ids += part.token_ids
    return replace(as_written(part), token_ids=token_ids, closing=closing)
