"""The prompt that rates a query by BOLT's seven yes-or-no criteria (arXiv 2502.03860); the wording is ours."""

CRITERIA: dict[str, str] = {
    "specificity": "it asks for one definite thing, so that an answer can be seen to meet it",
    "domain_knowledge": "it needs knowledge of a field, or a skill that has to be learnt",
    "complexity": "it has several parts, conditions or steps that depend on each other",
    "problem_solving": "it needs analysis or reasoning, and cannot be answered by recalling a fact",
    "creativity": "it needs an idea, an approach or a design that is not given in the question",
    "technical_accuracy": "it needs exact terms, numbers, code or facts, where a small slip makes the answer wrong",
    "real_world": "it stands for something that people do or need outside of an exercise",
}

INSTRUCTION = (
    "Below is a query that somebody put to an assistant. Do not answer it. Say for each of these criteria whether the "
    "query meets it:\n\n{criteria}\n\n"
    "Reply with {count} lines and nothing else, one for each criterion in this order: its name, a colon, and yes or no."
)


def messages(query: str) -> list[dict[str, str]]:
    """A chat that asks for the criteria that `query` meets."""
    listed = "\n".join(f"- {name}: {meaning}" for name, meaning in CRITERIA.items())
    instruction = INSTRUCTION.format(criteria=listed, count=len(CRITERIA))
    return [{"role": "user", "content": f"{instruction}\n\n<query>\n{query}\n</query>"}]
