"""The simulated policy's side of `/v1/completions`: JSON to requests, completions and errors to JSON.

The shapes are those of vLLM 0.32. What a real server supports and this one does not (streaming, echo, prompt
log-probabilities, several prompts at once) is refused, never ignored.
"""

import secrets
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator

from generators.engine.protocol import Completion, Generation, Limits, Request, Sampling
from generators.engine.simulated.cache import SimulatedCounts
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.engine.wire import EXCLUDED_BIAS

Json = dict[str, Any]
_SEED_BITS = 48


class BadRequest(Exception):
    """A request that a server answers with status 400; `param` names the field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class CompletionBody(BaseModel):
    """The supported fields of a completion request, with a real server's defaults."""

    model: str | None = None
    prompt: str | list[int]
    n: int = Field(default=1, ge=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    max_tokens: int = Field(default=16, ge=1)
    temperature: float = Field(default=1.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = 0
    logit_bias: dict[int, float] = {}
    stop: list[str] = []
    include_stop_str_in_output: bool = False
    logprobs: int | None = None
    return_token_ids: bool = False
    return_tokens_as_token_ids: bool = False
    stream: bool = False
    echo: bool = False
    prompt_logprobs: int | None = None

    @field_validator("stop", mode="before")
    @classmethod
    def _listed(cls, stop: Any) -> Any:
        return [] if stop is None else [stop] if isinstance(stop, str) else stop

    @field_validator("logit_bias", mode="before")
    @classmethod
    def _keyed(cls, bias: Any) -> Any:
        return {} if bias is None else bias

    @classmethod
    def read(cls, content: Any) -> "CompletionBody":
        """Parse a request body; raises BadRequest if it is malformed or asks for something not served here."""
        try:
            body = cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise BadRequest(f"{field or 'the body'}: {first['msg']}", field or None) from error
        for field in ("stream", "echo", "prompt_logprobs"):
            if getattr(body, field) not in (False, None):
                raise BadRequest(f"{field} is not served by the simulated policy", field)
        if (body.logprobs or 0) > 0 and (body.max_tokens, body.n, body.temperature) != (1, 1, 0.0):
            message = "logprobs above 0 (alternatives) are served by the simulated policy for one greedy token only"
            raise BadRequest(message, "logprobs")
        if any(bias > EXCLUDED_BIAS for bias in body.logit_bias.values()):
            raise BadRequest(f"logit_bias above {EXCLUDED_BIAS:g} is not served by the simulated policy", "logit_bias")
        return body

    def request(self, tokenizer: SimulatedTokenizer) -> Request:
        """The body as a `Request`; without a seed, one is drawn."""
        prefix = tokenizer.encode(self.prompt) if isinstance(self.prompt, str) else tuple(self.prompt)
        try:
            return Request(
                prefix=prefix,
                sampling=Sampling(
                    temperature=self.temperature,
                    top_p=self.top_p,
                    top_k=max(self.top_k, 0),
                    excluded=tuple(self.logit_bias),
                ),
                limits=Limits(max_tokens=self.max_tokens, stop=tuple(self.stop)),
                seed=secrets.randbits(_SEED_BITS) if self.seed is None else self.seed,
                n=self.n,
                logprobs=self.logprobs is not None,
            )
        except ValueError as error:
            raise BadRequest(str(error)) from error


def answer(
    body: CompletionBody,
    generation: Generation,
    *,
    tokenizer: SimulatedTokenizer,
    base: Json,
    likeliest: Mapping[int, float],
) -> Json:
    """The JSON of a response; `base` holds its id, creation time and model, `likeliest` the first token's rivals."""
    usage = generation.usage
    return base | {
        "object": "text_completion",
        "choices": [
            _choice(body, index, completion, tokenizer, likeliest)
            for index, completion in enumerate(generation.completions)
        ],
        "usage": {
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.generated,
            "total_tokens": usage.prompt + usage.generated,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
        },
    }


def _choice(
    body: CompletionBody,
    index: int,
    completion: Completion,
    tokenizer: SimulatedTokenizer,
    likeliest: Mapping[int, float],
) -> Json:
    stop_reason = _first_stop(completion.text, body.stop) if completion.finish_reason == "stop" else None
    text = completion.text
    if stop_reason is not None:
        text = text[: text.index(stop_reason) + (len(stop_reason) if body.include_stop_str_in_output else 0)]
    return {
        "index": index,
        "text": text,
        "logprobs": _logprobs(body, completion, tokenizer, likeliest) if body.logprobs is not None else None,
        "finish_reason": "length" if completion.finish_reason == "length" else "stop",
        "stop_reason": stop_reason,
        "token_ids": list(completion.token_ids) if body.return_token_ids else None,
        "prompt_token_ids": list(body.prompt) if body.return_token_ids and isinstance(body.prompt, list) else None,
    }


def _first_stop(text: str, stop: list[str]) -> str:
    return min((word for word in stop if word in text), key=lambda word: text.index(word) + len(word))


def _logprobs(
    body: CompletionBody, completion: Completion, tokenizer: SimulatedTokenizer, likeliest: Mapping[int, float]
) -> Json:
    def named(token_id: int) -> str:
        return f"token_id:{token_id}" if body.return_tokens_as_token_ids else tokenizer.piece(token_id)

    tokens = [named(token_id) for token_id in completion.token_ids]
    rivals = {named(token_id): value for token_id, value in likeliest.items()}
    values = list(completion.logprobs or ())
    return {
        "tokens": tokens,
        "token_logprobs": values,
        "top_logprobs": [rivals | {token: value} for token, value in zip(tokens, values, strict=True)],
        "text_offset": list(accumulate(map(len, tokens[:-1]), initial=0)),
    }


def error(status: int, kind: str, message: str, param: str | None = None) -> Json:
    """The body of an error response."""
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


def model_list(model: str, max_model_len: int, created: int) -> Json:
    """The response of `/v1/models`."""
    card = {
        "id": model,
        "object": "model",
        "created": created,
        "owned_by": "vllm",
        "root": model,
        "parent": None,
        "max_model_len": max_model_len,
    }
    return {"object": "list", "data": [card]}


def metrics(model: str, counts: SimulatedCounts) -> str:
    """The counters in Prometheus text, under the names that a real server uses."""
    values: Mapping[tuple[str, str], int] = {
        ("vllm:prompt_tokens_total", "counter"): counts.prompt_tokens,
        ("vllm:prompt_tokens_cached_total", "counter"): counts.cached_tokens,
        ("vllm:generation_tokens_total", "counter"): counts.generated_tokens,
        ("vllm:num_requests_running", "gauge"): counts.running,
    }
    lines: list[str] = []
    for (name, kind), value in values.items():
        lines += [f"# TYPE {name} {kind}", f'{name}{{engine="0",model_name="{model}"}} {float(value)}']
    return "\n".join(lines) + "\n"
