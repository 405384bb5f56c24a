"""The likeliest next tokens after a prefix, as a server's `/v1/completions` gives them: what it is recognised by.

One token is generated, with the log-probabilities of the likeliest ones beside it. That is the ordinary way through an
engine: asking for the log-probabilities of a whole prompt skips the prefix cache, and has brought down servers with
adapters.
"""

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from generators.engine.errors import EngineMisconfigured

ALTERNATIVES = 5  # as many as every server of this interface gives

LogProbabilities = dict[str, float]  # by token


def payload(prefix: Sequence[int], model: str) -> dict[str, Any]:
    """The request's JSON."""
    return {
        "model": model,
        "prompt": list(prefix),
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": ALTERNATIVES,
        "return_tokens_as_token_ids": True,
    }


def log_probabilities(body: bytes) -> LogProbabilities:
    """The answer's log-probabilities by token; raises EngineMisconfigured if they were left out.

    Raises ValueError, KeyError, TypeError, AttributeError or IndexError if they cannot be read.
    """
    choice = json.loads(body)["choices"][0]
    if choice.get("logprobs") is None:
        raise EngineMisconfigured("the server gives no log-probabilities")
    top = choice["logprobs"]["top_logprobs"][0]
    given = {str(token): float(value) for token, value in top.items()}
    if not given or not all(isfinite(value) and value <= 1e-3 for value in given.values()):
        raise ValueError(f"log-probabilities of the next token are {given}")
    return given
