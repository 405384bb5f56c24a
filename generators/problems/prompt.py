r"""The prompt of an attempt: it asks for steps, one per line, then the final answer in `\\boxed{}`."""

INSTRUCTION = (
    "Solve the problem step by step. Write each step on its own line. "
    "On the last line, write the final answer inside \\boxed{}."
)

Example = tuple[str, str]


def messages(prompt: str, *, examples: tuple[Example, ...] = ()) -> list[dict[str, str]]:
    """Chat messages that ask for a solution of `prompt` in steps, after worked examples (question, solution)."""
    chat = [{"role": "system", "content": INSTRUCTION}]
    for question, solution in examples:
        chat += [{"role": "user", "content": question}, {"role": "assistant", "content": solution}]
    return [*chat, {"role": "user", "content": prompt}]
