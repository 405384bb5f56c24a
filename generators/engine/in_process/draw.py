"""Drawing the next token of every row: excluded ids, temperature, top-k and top-p, in the order of vLLM.

A row takes the token at which the cumulative probability passes the row's next uniform number. So what it draws follows
from its seed and its own logits.
"""

from collections.abc import Sequence
from typing import Any

from generators.engine.in_process.row import Row
from generators.engine.wire import GREEDY_BELOW


def draw(logits: Any, rows: Sequence[Row]) -> tuple[list[int], list[float | None]]:
    """The next id of each row and its log-probability, where one is wanted; `logits` is rows by vocabulary."""
    import torch

    logits = logits.float()
    raw = torch.log_softmax(logits, dim=-1) if any(row.wants_logprobs for row in rows) else None
    if any(row.sampling.excluded for row in rows):
        logits = logits.clone()
        for place, row in enumerate(rows):
            logits[place, [token_id for token_id in row.sampling.excluded if token_id < logits.shape[1]]] = -torch.inf
    temperatures = [row.sampling.temperature for row in rows]
    is_greedy = [temperature < GREEDY_BELOW for temperature in temperatures]
    divisors = [1.0 if greedy else temperature for greedy, temperature in zip(is_greedy, temperatures, strict=True)]
    probabilities = torch.softmax(logits / torch.tensor(divisors, device=logits.device)[:, None], dim=-1)
    if any(row.sampling.top_k or row.sampling.top_p < 1 for row in rows):
        probabilities = _restricted(probabilities, rows)
    cumulative = probabilities.double().cumsum(dim=-1)
    uniform = torch.tensor([row.uniform.random() for row in rows], dtype=torch.float64, device=logits.device)
    drawn = torch.searchsorted(cumulative, (uniform * cumulative[:, -1])[:, None], right=True)[:, 0]
    if any(is_greedy):
        drawn = torch.where(torch.tensor(is_greedy, device=logits.device), logits.argmax(dim=-1), drawn)
    ids: list[int] = drawn.tolist()
    if raw is None:
        return ids, [None] * len(rows)
    found: list[float] = raw.gather(1, drawn[:, None])[:, 0].tolist()
    return ids, [value if row.wants_logprobs else None for row, value in zip(rows, found, strict=True)]


def _restricted(probabilities: Any, rows: Sequence[Row]) -> Any:
    """Zero outside the `top_k` likeliest ids, and of those outside the fewest whose share reaches `top_p`."""
    import torch

    size, device = probabilities.shape[1], probabilities.device
    most = torch.tensor([row.sampling.top_k or size for row in rows], device=device)[:, None]
    share = torch.tensor([row.sampling.top_p for row in rows], dtype=probabilities.dtype, device=device)[:, None]
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    ordered = torch.where(torch.arange(size, device=device)[None] < most, ordered, 0.0)
    before = ordered.cumsum(dim=-1) - ordered
    ordered = torch.where((before < share * ordered.sum(dim=-1, keepdim=True)) | (share >= 1), ordered, 0.0)
    return torch.zeros_like(probabilities).scatter(1, places, ordered)
