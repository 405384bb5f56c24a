"""Scores an answer by comparing it with the right one. An export of problems holds this file; it needs math-verify.

Each trainer calls the function of its own form. No time limit is set, since math-verify has one only in a main thread.
"""

from collections.abc import Sequence
from typing import Any

from math_verify import parse, verify


def is_right(response: str, answer: str, also_accepted: Sequence[str] = ()) -> bool:
    """Whether the final answer of a response equals the right one, or another that is accepted."""
    said = parse(response, parsing_timeout=None)
    golds = (parse(f"\\boxed{{{gold}}}", parsing_timeout=None) for gold in (answer, *also_accepted))
    return any(verify(gold, said, timeout_seconds=None) for gold in golds)


def compute_score(data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **_: Any) -> float:
    """The score of one response, as verl asks for it."""
    return float(is_right(solution_str, ground_truth, (extra_info or {}).get("also_accepted") or ()))


def accuracy(
    completions: Sequence[Sequence[dict[str, str]]],
    answer: Sequence[str],
    also_accepted: Sequence[Sequence[str]] | None = None,
    **_: Any,
) -> list[float]:
    """The scores of some chats, as GRPO of TRL and axolotl asks for them."""
    further = also_accepted or [()] * len(answer)
    chats = zip(completions, answer, further, strict=True)
    return [float(is_right(chat[-1]["content"], gold, others)) for chat, gold, others in chats]


def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str], **_: Any) -> dict[str, Any]:
    """The scores of some texts that begin with their prompts, as OpenRLHF asks for them."""
    import torch

    pairs = zip(queries, prompts, labels, strict=True)
    scores = torch.tensor([float(is_right(query[len(prompt) :], label)) for query, prompt, label in pairs])
    return {"rewards": scores, "scores": scores, "extra_logs": {"accuracy": scores.mean()}}
