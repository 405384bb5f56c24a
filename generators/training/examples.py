"""What a policy is fine-tuned on: token ids, and where in them the part begins that it must learn to write.

Knows nothing of models or optimisers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.records import Attempt


@dataclass(frozen=True, slots=True)
class Example:
    """A templated prompt and a solution with its end-of-text token; the loss counts from `solution_start` on."""

    token_ids: tuple[int, ...]
    solution_start: int

    def __post_init__(self) -> None:
        if not 0 < self.solution_start < len(self.token_ids):
            raise ValueError(
                f"solution_start must be above 0 and below the number of tokens ({len(self.token_ids)}), "
                f"got {self.solution_start}"
            )


def example(prompt: str, solution: str, tokenizer: HFTokenizer) -> Example:
    """The tokens of a problem and its solution, as an attempt at it would have them."""
    head = tokenizer.chat(solve.messages(prompt))
    return Example((*head, *tokenizer.encode(solution), tokenizer.end_of_turn), len(head))


def of_attempt(attempt: Attempt) -> Example:
    """An attempt as it was drawn, token by token."""
    return Example((*attempt.prompt_token_ids, *attempt.token_ids), len(attempt.prompt_token_ids))


def batches(examples: Sequence[Example], *, order: Sequence[int], size: int) -> list[list[Example]]:
    """`examples` in `order`, cut in batches of `size`; within eight batches, those of like length stand together."""
    cut = []
    for start in range(0, len(order), 8 * size):
        near = sorted((examples[index] for index in order[start : start + 8 * size]), key=lambda e: len(e.token_ids))
        cut += [near[begin : begin + size] for begin in range(0, len(near), size)]
    return cut


def shared_prefix(examples: Sequence[Example]) -> int:
    """How many tokens all the prompts begin with alike; each keeps at least its last one to itself."""
    most = min(example.solution_start for example in examples) - 1
    columns = zip(*(example.token_ids[:most] for example in examples), strict=True)
    return next((place for place, column in enumerate(columns) if len(set(column)) > 1), most)
