"""Text to token ids and back, exactly as the policy's own tokenizer does it.

`Tokenizer` is the protocol; `HFTokenizer` wraps a real one.
"""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

from generators.engine.byte_level import ByteTable
from generators.engine.vocabulary import vocabulary_of

Message = dict[str, str]


class Tokenizer(Protocol):
    """What the rest of the code may use of a tokenizer."""

    name: str

    @property
    def vocabulary(self) -> int:
        """One more than the largest id that the policy can give; some of the ids below may have no text."""
        ...

    def chat(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The ids of a chat in the model's template, up to where the assistant's turn begins."""
        ...

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of a text, without special tokens."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of the ids, without end-of-text and other special tokens."""
        ...

    def encode_whole(self, text: str) -> tuple[int, ...]:
        """The ids that a trainer gets: special tokens in the text are parsed, and the tokenizer adds its own."""
        ...

    def decode_whole(self, token_ids: Sequence[int]) -> str:
        """The text of the ids, with special tokens written out."""
        ...

    def piece(self, token_id: int) -> str:
        """The text that one id adds to the text before it; empty for special tokens."""
        ...

    def pieces(self, token_ids: Sequence[int]) -> list[str]:
        """The piece of each id."""
        ...


class HFTokenizer:
    """The tokenizer of a Hub model id or a local model folder, through `transformers`."""

    def __init__(self, model: str | Path, *, revision: str | None = None) -> None:
        self.name = str(model)
        self._model = model
        self._revision = revision
        self._pieces = _Pieces(self)

    @cached_property
    def _hf(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._model, revision=self._revision)

    @cached_property
    def _decode(self) -> Callable[[list[int]], str]:
        from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

        wrapper = type(self._hf)
        library = (PreTrainedTokenizerBase.decode, PreTrainedTokenizerFast._decode)
        if (wrapper.decode, getattr(wrapper, "_decode", None)) != library:  # it decodes in a way of its own
            return partial(self._hf.decode, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        # The wrapper's checks of every id cost as much as decoding does.
        tokenizer = self._hf.backend_tokenizer
        table = ByteTable.of(tokenizer)
        return table.decode if table else partial(tokenizer.decode, skip_special_tokens=True)

    @cached_property
    def vocabulary(self) -> int:
        """One more than the largest id that the model can give: it may have more ids than the tokenizer has texts."""
        return vocabulary_of(self._model, self._revision, max(self._hf.get_vocab().values()) + 1)

    @cached_property
    def _anchor(self) -> tuple[list[int], str]:
        ids = self._hf.encode("a", add_special_tokens=False)
        return ids, self.decode(ids)

    def chat(self, messages: Sequence[Message]) -> tuple[int, ...]:
        ids = self._hf.apply_chat_template(list(messages), add_generation_prompt=True, return_dict=False)
        return tuple(int(i) for i in ids)

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(int(i) for i in self._hf.encode(text, add_special_tokens=False))

    def encode_whole(self, text: str) -> tuple[int, ...]:
        return tuple(int(i) for i in self._hf(text)["input_ids"])

    def decode_whole(self, token_ids: Sequence[int]) -> str:
        return str(self._hf.decode(list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))

    @property
    def end_of_turn(self) -> int:
        """The id that ends the assistant's turn."""
        return int(self._hf.eos_token_id)

    def decode(self, token_ids: Sequence[int]) -> str:
        return str(self._decode(list(token_ids)))

    def piece(self, token_id: int) -> str:
        return self._pieces[token_id]

    def pieces(self, token_ids: Sequence[int]) -> list[str]:
        return list(map(self._pieces.__getitem__, token_ids))

    def _piece(self, token_id: int) -> str:
        # Decoded after an anchor, since some tokenizers drop the space before a text's first token.
        ids, text = self._anchor
        return self.decode([*ids, token_id])[len(text) :]


class _Pieces(dict[int, str]):
    """The pieces that were asked for so far; others are decoded on lookup."""

    def __init__(self, tokenizer: HFTokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, token_id: int) -> str:
        piece = self[token_id] = self._tokenizer._piece(token_id)
        return piece
