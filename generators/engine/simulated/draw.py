"""Draw continuations from the simulated policy's law, and score given ones.

The law is written twice: `Position.next_tokens` states it token by token, and `draw` samples whole lines from it, since
benchmarks draw millions of solutions.
"""

import math
from collections.abc import Sequence
from itertools import product
from random import Random

from generators.engine.errors import RequestRefused
from generators.engine.simulated.position import Phase, Position
from generators.engine.simulated.statement import MODULUS
from generators.engine.simulated.vocabulary import (
    ADDING,
    BARE,
    BOX_CLOSE,
    BOX_OPEN,
    CLOSING,
    EOS,
    FILLERS,
    GIVES,
    NEWLINE,
    SPACED,
)

_OPENINGS = tuple((ADDING, number) for number in SPACED)
_LINE_ENDS = tuple((GIVES, number, NEWLINE) for number in SPACED)
_LAST_LINES = tuple((BOX_OPEN, number, BOX_CLOSE, EOS) for number in BARE)
_RUN = 4
_FILLER_RUNS = tuple(tuple(product(FILLERS, repeat=length)) for length in range(_RUN + 1))


def draw(position: Position, rng: Random, max_tokens: int, *, excluded: Sequence[int] = ()) -> list[int]:
    """A continuation of at most `max_tokens` tokens, with the end-of-text token if it gets that far.

    With the same `rng` state, a smaller `max_tokens` gives a prefix of what a larger one gives.
    """
    current = position.copy()
    token_ids: list[int] = []
    # Whole lines are drawn only if nothing is excluded, since they ignore single tokens.
    while len(token_ids) < max_tokens and (excluded or current.phase is not Phase.LINE_START or current.restates):
        shares = next_shares(current, excluded)
        if not shares:
            return token_ids
        (token_id,) = rng.choices(tuple(shares), tuple(shares.values()))
        token_ids.append(token_id)
        current.advance(token_id)
    _draw_lines(current, rng, token_ids, max_tokens)
    return token_ids[:max_tokens]


def next_shares(position: Position, excluded: Sequence[int]) -> dict[int, float]:
    """The weights of the next token without the `excluded` ids; empty after the end-of-text token.

    If the law leaves no other token, a filler comes, which changes no total. Raises RequestRefused if the fillers are
    excluded too.
    """
    shares = position.next_tokens()
    if not excluded or not shares:
        return shares
    remaining = {token_id: share for token_id, share in shares.items() if token_id not in excluded}
    remaining = remaining or {token_id: 1 / len(FILLERS) for token_id in FILLERS if token_id not in excluded}
    if not remaining:
        raise RequestRefused("excluded leaves the simulated policy no token to write: exclude fewer ids")
    return remaining


def _draw_lines(position: Position, rng: Random, token_ids: list[int], max_tokens: int) -> None:
    """Append whole lines from the start of a line, to the end of the text or the first line past `max_tokens`."""
    task, random, stated, is_right = position.task, rng.random, position.stated, position.is_right
    log_filler_rates = [_log(task.one_more_filler(right=right)) for right in (False, True)]
    totals = task.statement.totals
    for step in range(position.step, len(task.statement.addends)):
        if len(token_ids) >= max_tokens:
            return
        addend = task.statement.addends[step]
        token_ids += _OPENINGS[addend]
        fillers = int(math.log(1 - random()) / log_filler_rates[is_right])
        while fillers:
            run = min(fillers, _RUN)
            runs = _FILLER_RUNS[run]
            token_ids += runs[int(random() * len(runs))]
            fillers -= run
        true = totals[step + 1]
        if task.late:
            stated = (stated + addend) % MODULUS
        elif is_right and random() < task.error_rate:
            is_right, stated = False, (true + 1 + int(random() * (MODULUS - 1))) % MODULUS
        elif is_right or random() < task.recovery_rate:
            is_right, stated = True, true
        else:
            stated = (stated + addend) % MODULUS
        token_ids += _LINE_ENDS[stated]
    if task.late:
        if is_right and random() < task.error_rate:
            stated = (stated + 1 + int(random() * (MODULUS - 1))) % MODULUS
        elif not is_right and random() < task.recovery_rate:
            stated = task.statement.answer
    token_ids += (CLOSING if position.thinks else ()) + _LAST_LINES[stated]


def _log(share: float) -> float:
    return math.log(share) if share else -math.inf


def score(position: Position, token_ids: Sequence[int]) -> tuple[float, ...]:
    """The natural-log probability of each token under the law; minus infinity for a token it never writes."""
    current = position.copy()
    scores: list[float] = []
    for token_id in token_ids:
        share = current.next_tokens().get(token_id, 0.0)
        scores.append(_log(share))
        current.advance(token_id)
    return tuple(scores)
