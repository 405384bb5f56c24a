"""The topics of queries, and the prompt that gives a query one of them."""

import re
from collections.abc import Sequence

TOPICS: tuple[str, ...] = (
    *("arithmetic", "algebra", "geometry", "number theory", "combinatorics", "probability and statistics", "calculus"),
    *("logic and puzzles", "coding", "physics", "chemistry", "biology and medicine", "economics and business"),
    *("law and society", "history and culture", "language and writing", "planning and everyday advice", "other"),
)

INSTRUCTION = (
    "Below is a query that somebody put to an assistant. Do not answer it. Which of these topics is it about most?\n\n"
    "{topics}\n\nReply with one line and nothing else: the word topic, a colon, and one topic as it is written above."
)


def bare_name(text: str) -> str:
    """A name without case, numbering and punctuation."""
    return " ".join(re.findall(r"[^\W\d_]+", text.casefold()))


def messages(query: str, topics: Sequence[str]) -> list[dict[str, str]]:
    """A chat that asks for the topic of `query` among `topics`."""
    instruction = INSTRUCTION.format(topics="\n".join(f"- {topic}" for topic in topics))
    return [{"role": "user", "content": f"{instruction}\n\n<query>\n{query}\n</query>"}]
