"""The JSON of vLLM's `/v1/completions`: requests as we write them, answers as we read them.

The fields are those of vLLM 0.32.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from generators.engine.errors import EngineMisconfigured, EngineUnavailable, RequestRefused
from generators.engine.protocol import Completion, Generation, Request, Usage
from generators.records import FinishReason

GREEDY_BELOW = 1e-5  # vLLM's own threshold between greedy and random sampling
EXCLUDED_BIAS = (
    -100.0
)  # the lowest bias that vLLM accepts, added to a logit before temperature, top_k and top_p: in effect, never
_CONTEXT_LIMIT = re.compile(r"maximum (?:context|model) length\D{1,8}(\d+)")


def payload(request: Request, model: str) -> dict[str, Any]:
    """The request's JSON; every sampling param is explicit, since a model folder may set defaults of its own."""
    limits, sampling = request.limits, request.sampling
    fields: dict[str, Any] = {
        "model": model,
        "prompt": list(request.prefix),
        "n": 1 if is_greedy(request) else request.n,
        "seed": request.seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "max_tokens": limits.max_tokens,
        "return_token_ids": True,
    }
    if sampling.excluded:
        fields["logit_bias"] = {str(token_id): EXCLUDED_BIAS for token_id in sampling.excluded}
    if limits.stop:
        fields |= {"stop": list(limits.stop), "include_stop_str_in_output": True}
    if request.logprobs:
        fields["logprobs"] = 0  # the sampled token's own, no alternatives
    return fields


def is_greedy(request: Request) -> bool:
    """Whether sampling is greedy; all draws are then equal, and vLLM refuses to make more than one."""
    return request.sampling.temperature < GREEDY_BELOW


def generation(request: Request, body: bytes) -> Generation:
    """The server's answer as `request.n` completions, in the order of their seeds.

    Raises EngineUnavailable if the answer cannot be read, EngineMisconfigured if it has no token ids.
    """
    try:
        answer = json.loads(body)
        choices = sorted(answer["choices"], key=lambda choice: int(choice["index"]))
        completions = tuple(_completion(request, choice) for choice in choices)
        usage = _usage(answer["usage"])
    except (KeyError, TypeError, ValueError) as error:
        raise EngineUnavailable(f"the answer could not be read ({error!r})") from error
    if is_greedy(request) and len(completions) == 1:
        completions *= request.n
    if len(completions) != request.n:
        raise EngineUnavailable(f"expected {request.n} completions, got {len(completions)}")
    return Generation(completions=completions, usage=usage)


def _completion(request: Request, choice: Mapping[str, Any]) -> Completion:
    if choice.get("token_ids") is None:
        raise EngineMisconfigured("the server returns no token ids: it must be a vLLM that supports return_token_ids")
    logprobs = tuple(map(float, choice["logprobs"]["token_logprobs"])) if request.logprobs else None
    token_ids = tuple(map(int, choice["token_ids"]))
    if logprobs is not None and len(logprobs) != len(token_ids):
        raise ValueError(f"{len(logprobs)} log-probabilities for {len(token_ids)} tokens")
    reason = _finish_reason(choice["finish_reason"], choice.get("stop_reason"))
    return Completion(token_ids=token_ids, text=str(choice["text"]), finish_reason=reason, logprobs=logprobs)


def _finish_reason(finish_reason: str, stop_reason: str | int | None) -> FinishReason:
    # The end-of-text token stops without a stop_reason; a model's further end tokens are named by id.
    match finish_reason:
        case "stop":
            return "stop" if isinstance(stop_reason, str) else "eos"
        case "length":
            return "length"
    raise EngineUnavailable(f"a completion broke off with finish_reason {finish_reason!r}")


def _usage(usage: Mapping[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        prompt=int(usage["prompt_tokens"]),
        cached=int(details.get("cached_tokens") or 0),
        generated=int(usage["completion_tokens"]),
    )


def error_message(body: bytes) -> str:
    """The message in an error's body, in any of the shapes that vLLM and its middleware write."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()[:300] or "no message"


def refusal(request: Request, message: str, max_model_len: int | None) -> RequestRefused:
    """Why the server will never serve `request`; if the prefix exceeds the context, with both lengths."""
    length = len(request.prefix)
    stated = _CONTEXT_LIMIT.search(message)
    limit = int(stated.group(1)) if stated else max_model_len
    if limit is not None and length >= limit:
        return RequestRefused(
            f"a prefix of {length} tokens leaves no room in the model's context of {limit} tokens: "
            "ask for shorter solutions, or serve the model with a longer context"
        )
    return RequestRefused(f"the server refused a request of {length} prefix tokens: {message}")


def counter(metrics: str, name: str) -> float | None:
    """The sum of a counter over its labels in Prometheus text; None if it does not occur."""
    lines = (line.split() for line in metrics.splitlines() if line.startswith((name + "{", name + " ")))
    values = [float(words[-1]) for words in lines]
    return sum(values) if values else None
