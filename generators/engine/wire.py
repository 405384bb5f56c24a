"""The JSON of vLLM's `/v1/completions`: requests as we write them, answers as we read them.

The fields are those of vLLM 0.32.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from generators.engine.believed import Choice, Counts, completion, usage
from generators.engine.errors import EngineUnreadable, RequestRefused
from generators.engine.protocol import Generation, Request
from generators.tokens import TokenIds

GREEDY_BELOW = 1e-5  # vLLM's own threshold between greedy and random sampling
EXCLUDED_BIAS = (
    -100.0
)  # the lowest bias that vLLM accepts, added to a logit before temperature, top_k and top_p: in effect, never
_ENCODER = msgspec.json.Encoder()
_CONTEXT_LIMIT = re.compile(r"maximum (?:context|model) length\D{1,8}(\d+)")


def json_bytes(content: object) -> bytes:
    """The JSON of a request's content."""
    return _ENCODER.encode(content)


def payload(request: Request, model: str) -> dict[str, Any]:
    """The request's JSON; every sampling param is explicit, since a model folder may set defaults of its own."""
    limits, sampling = request.limits, request.sampling
    fields: dict[str, Any] = {
        "model": model,
        "prompt": _PREFIXES.json_of(request.prefix),
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


class _Prefixes:
    """The JSON of the prefixes that were sent last: rollouts of one prefix share it."""

    def __init__(self, size: int) -> None:
        self._known: OrderedDict[int, tuple[TokenIds | tuple[int, ...], msgspec.Raw]] = OrderedDict()
        self._size = size

    def json_of(self, prefix: TokenIds | tuple[int, ...]) -> msgspec.Raw:
        """The JSON of `prefix`; known by the object itself, since comparing its ids would cost as much as encoding."""
        known, encoded = self._known.get(id(prefix), (None, msgspec.Raw()))
        if known is not prefix:
            encoded = msgspec.Raw(_ENCODER.encode(list(prefix)))
            self._known[id(prefix)] = prefix, encoded
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return encoded


_PREFIXES = _Prefixes(256)


class _Answer(msgspec.Struct):
    choices: list[Choice]
    usage: Counts
    model: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


def generation(request: Request, body: bytes) -> Generation:
    """The server's answer as `request.n` completions, in the order of their seeds.

    Raises EngineUnreadable if the answer cannot be read or believed, EngineMisconfigured if it has no token ids, and
    EngineUnavailable if the engine gave up.
    """
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EngineUnreadable(f"the answer could not be read ({error})") from error
    expected = 1 if is_greedy(request) else request.n
    choices = sorted(answer.choices, key=lambda choice: choice.index)
    if [choice.index for choice in choices] != list(range(expected)):
        indexes = ", ".join(str(choice.index) for choice in choices[: expected + 3]) or "none"
        raise EngineUnreadable(f"expected {expected} completions, numbered from 0, got {len(choices)}: {indexes}")
    completions = tuple(completion(request, choice) for choice in choices)
    counted = usage(request, answer.usage, completions)
    if is_greedy(request):
        completions *= request.n
    return Generation(completions=completions, usage=counted, model=answer.model)


def names_of(model: str, cards: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The names of the weights of `model` in a server's list; vLLM answers under the first of a base model's names."""
    weights = {name: (card.get("root"), card.get("parent")) for name, card in cards.items()}
    if weights[model][0] is None:
        return frozenset({model})
    return frozenset(name for name, others in weights.items() if others == weights[model])


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
