"""Worked examples of chain sums: a small policy learns a layout from examples, not from an instruction.

They are ordered from short to long, since the last one is imitated most.
"""

from generators.problems.prompt import Example

EXAMPLES: tuple[Example, ...] = (
    (
        "State the final answer to the following arithmetic problem: 5 + 7 =",
        "The terms are 5, + 7.\n5 + 7 = 12\nThe answer is \\boxed{12}.",
    ),
    (
        "State the final answer to the following arithmetic problem: 4 - 9 + 2 =",
        "The terms are 4, - 9, + 2.\n4 - 9 = -5\n-5 + 2 = -3\nThe answer is \\boxed{-3}.",
    ),
    (
        "State the final answer to the following arithmetic problem: 3 + 5 + 2 =",
        "The terms are 3, + 5, + 2.\n3 + 5 = 8\n8 + 2 = 10\nThe answer is \\boxed{10}.",
    ),
    (
        "State the final answer to the following arithmetic problem: 8 - 2 - 3 =",
        "The terms are 8, - 2, - 3.\n8 - 2 = 6\n6 - 3 = 3\nThe answer is \\boxed{3}.",
    ),
    (
        "State the final answer to the following arithmetic problem: 6 + 3 - 5 + 8 =",
        "The terms are 6, + 3, - 5, + 8.\n6 + 3 = 9\n9 - 5 = 4\n4 + 8 = 12\nThe answer is \\boxed{12}.",
    ),
    (
        "State the final answer to the following arithmetic problem: 2 + 6 + 1 - 4 =",
        "The terms are 2, + 6, + 1, - 4.\n2 + 6 = 8\n8 + 1 = 9\n9 - 4 = 5\nThe answer is \\boxed{5}.",
    ),
)
