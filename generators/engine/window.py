"""How many sequences one server is given at once, learned from the requests that it refuses for want of room.

A server may refuse a few requests whatever it is given (a limit on another client's account, a router with one full
replica), so a share of refusals up to `TOLERATED` shrinks nothing: the refused requests just wait. Above it the window
shrinks in proportion to the share. It grows by a tenth in each round of answers, and by one with each answer once a
whole window has been answered without a refusal. A server that refuses although it is given nothing else is left alone
for a pause that doubles.
"""

import math

TOLERATED = 0.3
_ROUND = (20, 500)  # the fewest and the most answers that are judged together
_GROWTH = 0.1
_PAUSE_AFTER = 5  # refusals in a row while nothing else was in flight
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0


class Window:
    """The most sequences that a server gets at once, and until when it gets none; `taken` counts those in flight."""

    def __init__(self) -> None:
        self.limit = math.inf
        self.paused_until = -math.inf
        self._answers = 0
        self._refusals = 0
        self._peak = 0
        self._clean = 0
        self._lonely_refusals = 0

    def has_room(self, n: int, *, taken: int, now: float) -> bool:
        """Whether `n` more sequences may be sent; a request wider than the window goes alone."""
        return now >= self.paused_until and (taken == 0 or taken + n <= self.limit)

    def answered(self, *, taken: int) -> None:
        """Note a request that was served."""
        self._lonely_refusals = 0
        self.paused_until = -math.inf
        self._clean += 1
        if self._clean > self.limit:
            self.limit += 1
        self._note(taken, refused=False)

    def refused(self, *, taken: int, now: float, retry_after_s: float | None) -> None:
        """Note a request that was refused for want of room; `taken` counts it."""
        self._clean = 0
        self._note(taken, refused=True)
        if taken > 1:
            return
        self._lonely_refusals += 1
        if (beyond := self._lonely_refusals - _PAUSE_AFTER) >= 0:
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(beyond, 30))
            self.paused_until = now + max(pause_s, retry_after_s or 0.0)

    def start_again(self) -> None:
        """Give the server one request at first, after it was out."""
        self.limit = 1
        self._clean = 0
        self._new_round()

    def _note(self, taken: int, *, refused: bool) -> None:
        self._peak = max(self._peak, taken)
        self._answers += 1
        self._refusals += refused
        fewest, most = _ROUND
        if self._answers < min(most, max(fewest, self._peak)):
            return
        share = self._refusals / self._answers
        if share > TOLERATED:
            self.limit = max(1.0, min(self.limit, self._peak) * (1 - share / 2))
        elif self._peak >= self.limit - 1:
            self.limit += max(1.0, self.limit * _GROWTH)
        self._new_round()

    def _new_round(self) -> None:
        self._answers = self._refusals = self._peak = 0
