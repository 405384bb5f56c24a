"""A prompt as the string that a trainer tokenises, and whether that gives the same token ids back.

Trainers take strings, prepend the special tokens that the tokenizer adds by itself, and split prompt from completion
where the prompt's own tokens end.
"""

from collections.abc import Sequence

from generators.engine.tokenizer import Tokenizer


def templated(prompt_token_ids: Sequence[int], text: str, tokenizer: Tokenizer) -> str:
    """The prompt with its special tokens, except those that the tokenizer prepends by itself, followed by `text`."""
    added = tokenizer.encode_whole("")
    starts_with_added = tuple(prompt_token_ids[: len(added)]) == added
    own = prompt_token_ids[len(added) :] if starts_with_added else prompt_token_ids
    return tokenizer.decode_whole(own) + text


def is_stable(
    prompt: str,
    completion: str,
    *,
    prompt_token_ids: Sequence[int],
    completion_token_ids: Sequence[int],
    tokenizer: Tokenizer,
) -> bool:
    """Whether prompt, and prompt plus completion, tokenise to exactly the given token ids."""
    alone, together = tokenizer.encode_whole(prompt), tokenizer.encode_whole(prompt + completion)
    return alone == tuple(prompt_token_ids) and together == (*prompt_token_ids, *completion_token_ids)
