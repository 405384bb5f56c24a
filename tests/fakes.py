"""Fakes that several tests share: a tokenizer of characters and an engine that answers from a script."""

import asyncio
from collections.abc import Callable, Sequence

from generators.engine.protocol import Completion, Generation, Request, Usage
from generators.engine.tokenizer import Message

EOS = 0


class CharTokenizer:
    """One id per character: its code point; 0 is the end-of-text token."""

    name = "characters"
    vocabulary = 0x110000

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(ord(letter) for letter in text)

    def chat(self, messages: Sequence[Message]) -> tuple[int, ...]:
        return self.encode("".join(message["content"] for message in messages) + "\n")

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(chr(token_id) for token_id in token_ids if token_id != EOS)

    def encode_whole(self, text: str) -> tuple[int, ...]:
        return self.encode(text)

    def decode_whole(self, token_ids: Sequence[int]) -> str:
        return "".join(map(chr, token_ids))

    def piece(self, token_id: int) -> str:
        return self.decode([token_id])

    def pieces(self, token_ids: Sequence[int]) -> list[str]:
        return [self.piece(token_id) for token_id in token_ids]


class ScriptedEngine:
    """Goes on with what `script(prefix text, seed)` says, whole texts ending in EOS; remembers what it was asked."""

    def __init__(self, script: Callable[[str, int], str]) -> None:
        self.requests: list[Request] = []
        self._script = script
        self._tokenizer = CharTokenizer()

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        await asyncio.sleep(0)
        completions = tuple(self._complete(request, request.seed + child) for child in range(request.n))
        generated = sum(len(completion.token_ids) for completion in completions)
        return Generation(completions=completions, usage=Usage(prompt=len(request.prefix), generated=generated))

    def _complete(self, request: Request, seed: int) -> Completion:
        text = self._script(self._tokenizer.decode(request.prefix), seed)
        ids = (*self._tokenizer.encode(text), EOS)
        ends = [text.index(stop) + len(stop) for stop in request.limits.stop if stop in text]
        end = min([*ends, len(ids)])
        if end > request.limits.max_tokens:
            kept, reason = ids[: request.limits.max_tokens], "length"
        else:
            kept, reason = ids[:end], "stop" if ends else "eos"
        return Completion(token_ids=kept, text=self._tokenizer.decode(kept), finish_reason=reason)
