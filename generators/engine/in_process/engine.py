"""The in-process engine: a small model of `transformers`, run in this process over whatever is waiting.

For models of a few million weights it is about as fast as a server, which it need not start. It serves any folder that
`save_pretrained` wrote.
Its draws are equal in distribution to those of vLLM, and not equal one by one.
"""

import asyncio
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from generators.engine.errors import EngineLost, EngineMisconfigured, RequestRefused
from generators.engine.in_process.row import Row
from generators.engine.protocol import Generation, Request, Usage
from generators.engine.tokenizer import HFTokenizer
from generators.engine.wire import is_greedy

if TYPE_CHECKING:
    from generators.engine.in_process.batch import Batch

JOINING_SHARE = 8  # a batch stops for new rows once there is one for so many that it has ...
LONGEST_WAIT = 16  # ... or after so many steps


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcessSettings:
    """The model, its number format, its context in tokens, and how many sequences are in the batch at once."""

    model: str
    revision: str | None = None
    dtype: str = "auto"
    max_model_len: int = 2048
    max_sequences: int = 64

    def __post_init__(self) -> None:
        for field in ("max_model_len", "max_sequences"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")


class InProcessEngine:
    """A `generators.engine.protocol.Engine`; an async context manager, which loads the model."""

    def __init__(self, settings: InProcessSettings) -> None:
        self._settings = settings
        self._tokenizer = HFTokenizer(settings.model, revision=settings.revision)
        self._waiting: list[Row] = []
        self._wake = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._serve(await asyncio.to_thread(self._load)))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix`; raises RequestRefused if it fills the context, EngineLost if the model fails."""
        if self._serving is None:
            raise RuntimeError("InProcessEngine is used inside `async with`")
        prefix = tuple(request.prefix)
        room = self._settings.max_model_len - len(prefix)
        if room < 1:
            raise RequestRefused(
                f"a prefix of {len(prefix)} tokens leaves no room in the model's context of "
                f"{self._settings.max_model_len} tokens: ask for shorter solutions, or raise policy.max_model_len"
            )
        limits = replace(request.limits, max_tokens=min(request.limits.max_tokens, room))
        rows = [
            Row(
                prefix=prefix,
                sampling=request.sampling,
                limits=limits,
                uniform=random.Random(request.seed + child),
                wants_logprobs=request.logprobs,
                done=asyncio.get_running_loop().create_future(),
            )
            for child in range(1 if is_greedy(request) else request.n)
        ]
        if self._failure is not None:
            raise EngineLost(f"the model failed before ({self._failure!r}): run again") from self._failure
        self._waiting += rows
        self._wake.set()
        try:
            completions = [await row.done for row in rows]
        finally:
            for row in rows:
                row.is_cancelled = row.finish_reason is None
        generated = sum(len(completion.token_ids) for completion in completions)
        if is_greedy(request):
            completions *= request.n
        return Generation(completions=tuple(completions), usage=Usage(prompt=len(prefix), generated=generated))

    async def _serve(self, batch: "Batch") -> None:
        steps = 0
        while True:
            self._waiting = [row for row in self._waiting if not row.is_cancelled]
            if not batch.rows and not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                await asyncio.sleep(0)  # whoever is about to ask joins at once
                continue
            joining = self._joining(len(batch.rows), steps)
            steps = 0 if joining else steps + 1
            try:
                finished = await asyncio.to_thread(batch.advance, joining)
            except Exception as error:  # whoever waits gets it, whatever it is
                self._fail([*batch.rows, *joining, *self._waiting], error)
                return
            for row in finished:
                if not row.done.done():
                    row.done.set_result(row.completion(self._tokenizer))

    def _joining(self, n_rows: int, steps: int) -> list[Row]:
        """The waiting rows that join now: reading their prefixes stops the others, so it is worth some of them."""
        room = self._settings.max_sequences - n_rows
        few = min(len(self._waiting), room) * JOINING_SHARE < n_rows
        if room < 1 or (few and steps < LONGEST_WAIT):
            return []
        joining, self._waiting = self._waiting[:room], self._waiting[room:]
        return joining

    def _fail(self, rows: list[Row], error: Exception) -> None:
        self._failure = error
        for row in rows:
            if not row.done.done():
                row.done.set_exception(EngineLost(f"the model {self._settings.model} failed ({error!r})"))

    def _load(self) -> "Batch":
        import torch
        from transformers import AutoModelForCausalLM

        from generators.engine.in_process.batch import Batch

        settings = self._settings
        dtype = settings.dtype if settings.dtype == "auto" else getattr(torch, settings.dtype)
        try:
            model = AutoModelForCausalLM.from_pretrained(
                settings.model, revision=settings.revision, dtype=dtype, attn_implementation="sdpa"
            )
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise EngineMisconfigured(
                f"the in-process engine cannot load {settings.model} ({reason}): set policy.engine to 'vllm'"
            ) from error
        if _has_windows(model.config.get_text_config()):
            raise EngineMisconfigured(
                f"{settings.model} attends within windows, which the in-process engine does not: set policy.engine to "
                "'vllm'"
            )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return Batch(model.to(device).eval(), self._tokenizer, _ends(model))


def _has_windows(config: Any) -> bool:
    kinds = set(getattr(config, "layer_types", None) or ())
    return bool(kinds - {"full_attention"}) or (not kinds and getattr(config, "sliding_window", None) is not None)


def _ends(model: Any) -> frozenset[int]:
    """The ids that end a text, by the generation config or by the model's."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        ends = model.config.eos_token_id
    return frozenset(ends if isinstance(ends, list) else [] if ends is None else [ends])
