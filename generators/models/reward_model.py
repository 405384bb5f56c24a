"""A reward model in this process: a sequence classifier with one label, through `transformers`.

The solutions of one call are sorted by length and padded to the longest of their batch. A batch never spans two calls,
so that a score does not depend, even in its last digits, on which other problems are being scored.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any

from generators.engine.errors import EngineMisconfigured, EngineUnavailable, RequestRefused
from generators.models.reward import conversation

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardModelSettings:
    """Which reward model to load, and how to batch.

    `model` is a folder or a Hub id. A batch has at most `batch_tokens` tokens, including padding, or a single text.
    `device` is a PyTorch device; it defaults to the first GPU if there is one, else to the CPU.
    """

    model: str
    revision: str | None = None
    batch_tokens: int = 16_384
    device: str | None = None

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model must name a folder or a Hub id, got ''")
        if self.batch_tokens < 1:
            raise ValueError(f"batch_tokens must be at least 1, got {self.batch_tokens}")


class LocalRewardModel:
    """A `RewardModel` that loads its weights on the first call; calls run one at a time, each in a thread."""

    def __init__(self, settings: RewardModelSettings) -> None:
        self.name = Path(settings.model).name if Path(settings.model).is_dir() else settings.model
        self._settings = settings
        self._lock = asyncio.Lock()

    async def score(self, prompt: str, solutions: Sequence[str]) -> tuple[float, ...]:
        """One number per solution, in order; raises one of `generators.engine.errors`."""
        async with self._lock:
            return await asyncio.to_thread(self._score, prompt, tuple(solutions))

    def _score(self, prompt: str, solutions: tuple[str, ...]) -> tuple[float, ...]:
        texts = [self._ids(prompt, solution) for solution in solutions]
        scores = [0.0] * len(texts)
        for batch in batches([len(ids) for ids in texts], self._settings.batch_tokens):
            for index, score in zip(batch, self._forward([texts[index] for index in batch]), strict=True):
                scores[index] = score
        if not all(map(isfinite, scores)):
            raise EngineUnavailable(f"the reward model {self.name} gives {scores}: its numbers must be finite")
        return tuple(scores)

    def _ids(self, prompt: str, solution: str) -> Ids:
        ids = self._tokenizer.apply_chat_template(conversation(prompt, solution), return_dict=False)
        most = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        if most is not None and len(ids) > most:
            raise RequestRefused(
                f"problem and solution have {len(ids)} tokens and the reward model {self.name} reads {most} at most: "
                "ask for shorter solutions, or take a reward model with a longer context"
            )
        return tuple(int(token_id) for token_id in ids)

    def _forward(self, texts: Sequence[Ids]) -> list[float]:
        import torch

        longest = max(map(len, texts))
        pad = pad_id(texts, self._tokenizer.pad_token_id)
        self._model.config.get_text_config().pad_token_id = pad
        ids = torch.tensor([[*text, *[pad] * (longest - len(text))] for text in texts], device=self._model.device)
        mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts], device=ids.device)
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=mask).logits
        return [float(number) for number in logits[:, 0]]

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self._settings.model, revision=self._settings.revision)
        if tokenizer.chat_template is None:
            raise EngineMisconfigured(
                f"the reward model {self.name} has no chat template: model must be one that was trained on chats"
            )
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModelForSequenceClassification

        device = self._settings.device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.float32 if device == "cpu" else "auto"
        model = AutoModelForSequenceClassification.from_pretrained(
            self._settings.model, revision=self._settings.revision, dtype=dtype
        )
        if model.config.num_labels != 1:
            raise EngineMisconfigured(
                f"the reward model {self.name} has {model.config.num_labels} labels: model must be one with one label"
            )
        return model.to(device).eval()


def batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indexes of the texts, shortest first, in batches of at most `batch_tokens` when padded to their longest."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        if batch and lengths[index] * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def pad_id(texts: Sequence[Ids], preferred: int | None) -> int:
    """An id to pad with: the tokenizer's own, unless a text ends with it.

    The classifier reads its score at the last token that is not padding. If end-of-text and padding are the same token,
    it would read before the end.
    """
    ends = {text[-1] for text in texts}
    if preferred is not None and preferred not in ends:
        return preferred
    return next(candidate for candidate in count() if candidate not in ends)
