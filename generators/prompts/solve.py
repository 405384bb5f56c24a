"""The prompt of a first attempt: steps, one per line, then the final answer in a box.

Knows nothing of sources, tokenizers or engines. The worked examples fix the layout, which small policies do not take
from an instruction alone.
"""

VERSION = "1"  # bump when the prompt changes

INSTRUCTION = (
    "Solve the problem step by step. Write each step on its own line. "
    "On the last line, write the final answer inside \\boxed{}."
)

EXAMPLES = (
    ("What is 6 + 3 - 5 + 8?", "6 + 3 = 9.\n9 - 5 = 4.\n4 + 8 = 12.\nThe answer is \\boxed{12}."),
    (
        "A baker fills 4 trays with 5 buns each. She sells 7 buns. How many buns are left?",
        "The trays hold 4 * 5 = 20 buns.\n20 - 7 = 13 buns are left.\nThe answer is \\boxed{13}.",
    ),
    ("Find the value of 2 - 9 + 4.", "2 - 9 = -7.\n-7 + 4 = -3.\nThe answer is \\boxed{-3}."),
)


def messages(prompt: str) -> list[dict[str, str]]:
    """Chat messages that ask for a solution of `prompt` in steps."""
    chat = [{"role": "system", "content": INSTRUCTION}]
    for question, solution in EXAMPLES:
        chat += [{"role": "user", "content": question}, {"role": "assistant", "content": solution}]
    return [*chat, {"role": "user", "content": prompt}]
