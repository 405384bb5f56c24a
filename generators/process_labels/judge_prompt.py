r"""The prompt of a judge: a problem, a solution in numbered paragraphs, and the question which one is wrong first.

The form is ProcessBench's (arXiv 2412.06559): paragraphs in tags counted from 0, the index in `\boxed{}`, -1 when every
one is right. It is a single user message, since not every model's template has a system message.
"""

from collections.abc import Sequence

INSTRUCTION = (
    "Below are a mathematical problem and a solution of it. The solution is cut into paragraphs, each between tags "
    "that carry its number, counted from 0. Go through the paragraphs in order. For each one, decide whether what it "
    "states follows from the problem and from the paragraphs before it: recompute every calculation, and see that "
    "every number is the one that the problem gives. Stop at the first paragraph that holds an error. On the last "
    "line, write the number of that paragraph inside \\boxed{}, or \\boxed{-1} if no paragraph holds one."
)


def messages(problem: str, steps: Sequence[str]) -> list[dict[str, str]]:
    """A chat that asks for the first wrong step."""
    paragraphs = "\n".join(
        f"<paragraph_{index}>\n{step.strip()}\n</paragraph_{index}>" for index, step in enumerate(steps)
    )
    content = f"{INSTRUCTION}\n\nProblem:\n{problem}\n\nSolution:\n{paragraphs}"
    return [{"role": "user", "content": content}]
