"""Training examples: token ids, and where in them the solution begins that the policy learns to write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.records import Attempt


class Item(Protocol):
    """Anything that a training learns from; its length is its number of tokens."""

    def __len__(self) -> int: ...


T = TypeVar("T", bound=Item)


@dataclass(frozen=True, slots=True)
class Example:
    """A templated prompt and a solution with its end-of-text token; the loss covers `solution_start` onwards.

    With `learnt`, one entry for each token of the solution, it covers those that are true.
    """

    token_ids: tuple[int, ...]
    solution_start: int
    learnt: tuple[bool, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.solution_start < len(self.token_ids):
            raise ValueError(
                f"solution_start must be above 0 and below the number of tokens ({len(self.token_ids)}), "
                f"got {self.solution_start}"
            )
        n_tokens = len(self.token_ids) - self.solution_start
        if self.learnt is not None and (len(self.learnt) != n_tokens or not any(self.learnt)):
            raise ValueError(
                f"learnt must have one entry per token of the solution ({n_tokens}), and one that is true, got "
                f"{len(self.learnt)} with {sum(self.learnt)} true"
            )

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self.token_ids)


def example(prompt: str, solution: str, tokenizer: HFTokenizer) -> Example:
    """The tokens of a problem and its solution, exactly as an attempt at it would have them."""
    head = tokenizer.chat(solve.messages(prompt))
    return Example((*head, *tokenizer.encode(solution), tokenizer.end_of_turn), len(head))


def of_attempt(attempt: Attempt) -> Example:
    """An attempt as it was drawn, token by token."""
    return Example((*attempt.prompt_token_ids, *attempt.token_ids), len(attempt.prompt_token_ids))


def batches(items: Sequence[T], *, order: Sequence[int], size: int) -> list[list[T]]:
    """`items` in `order`, in batches of `size`; each run of eight batches is sorted by length."""
    cut = []
    for start in range(0, len(order), 8 * size):
        group = sorted((items[index] for index in order[start : start + 8 * size]), key=len)
        cut += [group[begin : begin + size] for begin in range(0, len(group), size)]
    return cut


def shared_prefix(examples: Sequence[Example]) -> int:
    """How many leading tokens all the prompts share; the last token of a prompt is never counted as shared."""
    most = min(example.solution_start for example in examples) - 1
    columns = zip(*(example.token_ids[:most] for example in examples), strict=True)
    return next((index for index, column in enumerate(columns) if len(set(column)) > 1), most)
