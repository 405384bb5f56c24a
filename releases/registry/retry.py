"""Retries requests to the Hub after transient errors: lost connections, time-outs, rate limits, server errors.

The wait doubles after every try, with jitter. If the Hub names a wait, that wait is used instead.
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

_CONNECTION_ERRORS = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
_TRANSIENT = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The maximum number of tries, and the waits between them in seconds; `longest` is the Hub's rate-limit window."""

    tries: int = 6
    first: float = 1.0
    longest: float = 300.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError(f"tries must be at least 1, got {self.tries}")
        if not 0 <= self.first <= self.longest:
            raise ValueError(f"first must be from 0 to longest ({self.longest}), got {self.first}")

    def call(self, request: Callable[[], T]) -> T:
        """The result of `request`; raises its last error when the tries are used up or the error is not transient."""
        for number in range(self.tries - 1):
            try:
                return request()
            except Exception as error:
                pause = self._pause(error, number)
                if pause is None:
                    raise
            self.sleep(pause)
        return request()

    def _pause(self, error: Exception, number: int) -> float | None:
        """Seconds to wait after try `number`, or None if a retry is pointless or the wait would be too long."""
        if not is_transient(error):
            return None
        wait = _named_wait(error.response) if isinstance(error, HfHubHTTPError) else None
        if wait is not None:
            return wait + random.uniform(0, self.first) if wait <= self.longest else None
        return min(self.longest, self.first * 2.0**number) * random.uniform(0.5, 1)


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    # To validate the card's metadata the client parses JSON before it checks the status; an error page is not JSON.
    if isinstance(error, (*_CONNECTION_ERRORS, json.JSONDecodeError)):
        return True
    return isinstance(error, HfHubHTTPError) and error.response.status_code in _TRANSIENT


def _named_wait(response: httpx2.Response) -> float | None:
    limit = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = response.headers.get("retry-after", "").strip()
    return float(after) if after.isdigit() else None
