"""How many token ids a policy has: the bound below which an engine's ids are believed.

That is the model's number of rows, not the tokenizer's number of texts: models are padded to a round number of rows,
and now and then one draws an id of the padding.
"""

from pathlib import Path
from typing import Any

PADDING = 4096  # assumed where there is a tokenizer without its model; models are padded by less


def vocabulary_of(model: str | Path, revision: str | None, texts: int) -> int:
    """The number of ids of a model folder or Hub id whose tokenizer knows the ids below `texts`."""
    size = _rows(_config(model, revision))
    return texts + PADDING if size is None else max(texts, size)


def _config(model: str | Path, revision: str | None) -> dict[str, Any]:
    from transformers import PretrainedConfig

    try:
        return dict(PretrainedConfig.get_config_dict(str(model), revision=revision)[0])
    except OSError:  # a tokenizer on its own, or a cache without the model's configuration
        return {}


def _rows(config: dict[str, Any]) -> int | None:
    size = config.get("vocab_size")
    if size is None and isinstance(config.get("text_config"), dict):
        size = config["text_config"].get("vocab_size")
    return size if isinstance(size, int) else None
