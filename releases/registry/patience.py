"""Asks the Hub again while the trouble is one that passes: lost connections, time-outs, rate limits, its own errors.

Knows nothing of what is asked. Waits double from try to try, with jitter; a wait that the Hub itself names is kept.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx2
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers

T = TypeVar("T")

_LOST = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
_PASSING = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a request is made at most, and how many seconds lie between two; `longest` is the Hub's own window."""

    tries: int = 6
    first: float = 1.0
    longest: float = 300.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError(f"tries must be at least 1, got {self.tries}")
        if not 0 <= self.first <= self.longest:
            raise ValueError(f"first must be from 0 to longest ({self.longest}), got {self.first}")

    def insist(self, call: Callable[[], T]) -> T:
        """The call's result; raises its last error when the tries are used up or the trouble is not one that passes."""
        for number in range(self.tries - 1):
            try:
                return call()
            except Exception as error:
                pause = self._pause(error, number)
                if pause is None:
                    raise
            self.sleep(pause)
        return call()

    def _pause(self, error: Exception, number: int) -> float | None:
        """Seconds to wait after try `number`, or None where it is no use or would be too long."""
        if not passes(error):
            return None
        named = _named_wait(error.response) if isinstance(error, HfHubHTTPError) else None
        if named is not None:
            return named + random.uniform(0, self.first) if named <= self.longest else None
        return min(self.longest, self.first * 2.0**number) * random.uniform(0.5, 1)


def passes(error: Exception) -> bool:
    """Whether the same request may go through later."""
    # The client reads the answer about the card's metadata before it looks at the status; an error page is no JSON.
    if isinstance(error, (*_LOST, json.JSONDecodeError)):
        return True
    return isinstance(error, HfHubHTTPError) and error.response.status_code in _PASSING


def _named_wait(response: httpx2.Response) -> float | None:
    limit = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = response.headers.get("retry-after", "").strip()
    return float(after) if after.isdigit() else None
