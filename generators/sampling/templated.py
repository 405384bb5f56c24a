"""A prompt as the string that a trainer tokenises again, and whether prompt and completion then part where they did.

Knows tokenizers only. Trainers take strings, put in front what the tokenizer adds by itself, and cut prompt and
completion apart where the tokens of the one end.
"""

from collections.abc import Sequence

from generators.engine.tokenizer import Tokenizer


def templated(prompt_token_ids: Sequence[int], text: str, tokenizer: Tokenizer) -> str:
    """The prompt with its special tokens, save those that the tokenizer puts in front by itself, and text behind it."""
    added = tokenizer.encode_whole("")
    starts_with_them = tuple(prompt_token_ids[: len(added)]) == added
    own = prompt_token_ids[len(added) :] if starts_with_them else prompt_token_ids
    return tokenizer.decode_whole(own) + text


def is_stable(
    prompt: str,
    completion: str,
    *,
    prompt_token_ids: Sequence[int],
    completion_token_ids: Sequence[int],
    tokenizer: Tokenizer,
) -> bool:
    """Whether the strings give the token ids back: the prompt alone its own, both together one behind the other."""
    alone, together = tokenizer.encode_whole(prompt), tokenizer.encode_whole(prompt + completion)
    return alone == tuple(prompt_token_ids) and together == (*prompt_token_ids, *completion_token_ids)
