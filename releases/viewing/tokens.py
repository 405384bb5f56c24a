"""The texts of tokens, from a tokenizer that is on this machine; nothing is downloaded unless it is named."""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from generators.engine.model_folder import models_folder
from generators.engine.tokenizer import HFTokenizer, Tokenizer
from generators.models.policy import SIMULATED, tokenizer_of
from releases.errors import UnknownTokenizer

Tokenizers = Callable[[str], Tokenizer | None]
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what bytes become that are no whole character


def tokenizers(model: str | None = None) -> Tokenizers:
    """A function that finds the tokenizer of a policy's name, None if it is not here; always that of `model`, if named.

    Raises UnknownTokenizer if `model` is neither a folder nor a Hub id with a tokenizer.
    """
    if model is None:
        return cache(_tokenizer_here)
    named = _loaded(model)
    return lambda _: named


def pieces(tokenizer: Tokenizer, ids: Sequence[int], text: str | None = None) -> list[str] | None:
    """The text of each token; None unless they join to a given `text`.

    A character over several tokens belongs to the last of them.
    """
    texts: list[str] = []
    pending: list[int] = []
    for token_id in ids:
        pending.append(token_id)
        piece = tokenizer.piece(token_id) if len(pending) == 1 else tokenizer.decode(pending)
        if _UNFINISHED in piece and len(texts) + 1 < len(ids):
            texts.append("")
        else:
            texts.append(piece)
            pending = []
    return texts if text is None or "".join(texts) == text else None


def _loaded(model: str) -> Tokenizer:
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it warns of each of its tries
    tokenizer = tokenizer_of(model, None)
    try:
        tokenizer.encode("")
    except (OSError, ValueError) as error:
        raise UnknownTokenizer(
            f"no tokenizer can be loaded from {model!r}: name a folder written by save_pretrained, or a Hub id that "
            "this user may read"
        ) from error
    return tokenizer


def _tokenizer_here(name: str) -> Tokenizer | None:
    """The tokenizer of the simulated policy, of a model that was built here, or of one in the Hub's cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if name == SIMULATED:
        return tokenizer_of(SIMULATED, None)
    model = name.split("@")[0]
    built = models_folder() / Path(model).name
    if (built / "tokenizer.json").is_file():
        return HFTokenizer(built)
    try:
        cached = try_to_load_from_cache(model.replace("--", "/", 1), "tokenizer.json")
    except HFValidationError:
        return None
    return HFTokenizer(Path(cached).parent) if isinstance(cached, str) else None
