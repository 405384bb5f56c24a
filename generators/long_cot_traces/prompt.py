r"""The prompt of a long chain of thought: what is wanted, worked examples of it, and the problem (BOLT, 2502.03860).

The examples are Markdown files, one each, in the folder beside this module: `# Problem`, `# Thoughts`, `# Solution`
and, where the answer can be checked, `# Answer`. Knows a tokenizer's protocol, and nothing of engines or sources.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Literal, get_args

from filters.texts.thoughts import DEFAULT_TAGS, Tags
from generators.engine.tokenizer import Message, Tokenizer

Collection = Literal["general", "short"]
Layout = Literal["turns", "one_message"]

_FOLDERS: dict[Collection, str] = {"general": "examples", "short": "examples/short"}
_HEADING = re.compile(r"^# (Problem|Thoughts|Solution|Answer)[ \t]*$", re.MULTILINE)
_INSTRUCTION = (
    "Think before you answer. First write your thoughts between {opening} and {closing}: say what is asked, make a "
    "plan, try it, and where something looks wrong, say so, go back and try another way; check the result before you "
    "end. Behind {closing}, write the solution for a reader who does not see the thoughts, and end it with the final "
    "answer inside \\boxed{{}} where there is one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A problem with thoughts and a solution; `answer` is what the solution comes to, where that can be checked."""

    name: str
    problem: str
    thoughts: str
    solution: str
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotPrompt:
    """How a problem is asked: with or without the instruction, behind `per_prompt` of the `examples`.

    Which ones is drawn by `seed` and the problem. With `prefill` the prompt ends with the opening tag. `one_message`
    puts the examples into the user's message: some chat templates strip thoughts from the turns of an assistant.
    Without examples and instruction it is the bare problem, as a policy is asked that was trained on the traces.
    """

    examples: tuple[Example, ...] = ()
    per_prompt: int = 3
    seed: int = 0
    tags: Tags = DEFAULT_TAGS
    instruct: bool = True
    prefill: bool = True
    layout: Layout = "turns"

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}, got {self.layout!r}")
        if self.examples and not 1 <= self.per_prompt <= len(self.examples):
            raise ValueError(
                f"per_prompt must be from 1 to the number of examples ({len(self.examples)}), got {self.per_prompt}"
            )
        if len({example.name for example in self.examples}) < len(self.examples):
            raise ValueError(f"examples must have different names, got {[example.name for example in self.examples]}")


@cache
def load_examples(collection: Collection) -> tuple[Example, ...]:
    """Our own examples in the order of their names: ten of many fields, or short ones of sums for small contexts."""
    folder = files("generators.long_cot_traces").joinpath(_FOLDERS[collection])
    named = {entry.name.removesuffix(".md"): entry for entry in folder.iterdir() if entry.name.endswith(".md")}
    return tuple(read_example(name, named[name].read_text(encoding="utf-8")) for name in sorted(named))


def read_example(name: str, text: str) -> Example:
    """The example in a Markdown text; raises ValueError where a part is missing, blank or not in its place."""
    before, *parts = _HEADING.split(text)
    headings, bodies = parts[::2], [body.strip() for body in parts[1::2]]
    wanted = ["Problem", "Thoughts", "Solution", "Answer"]
    if before.strip() or headings not in (wanted, wanted[:3]) or not all(bodies):
        raise ValueError(
            f"example {name} must be # Problem, # Thoughts, # Solution and perhaps # Answer in this order, each with "
            f"text, got {', '.join(headings) or 'no heading'}"
        )
    return Example(name=name, **{heading.lower(): body for heading, body in zip(headings, bodies, strict=True)})


def texts_of(examples: Sequence[Example]) -> list[tuple[str, str]]:
    """Every part of every example with its name: what `filters.texts.passages` finds in rows and evaluation sets."""
    return [
        (f"{one.name}: {part}", getattr(one, part)) for one in examples for part in ("problem", "thoughts", "solution")
    ]


def draw_examples(problem: str, prompt: LongCotPrompt) -> tuple[Example, ...]:
    """The examples of a problem, drawn by the seed, in their own order: prompts that begin alike share a cache."""

    def rank(example: Example) -> bytes:
        return blake2b(f"{prompt.seed}/{example.name}/{problem}".encode("utf-8", "surrogatepass")).digest()

    drawn = set(sorted(prompt.examples, key=rank)[: prompt.per_prompt])
    return tuple(example for example in prompt.examples if example in drawn)


def messages(problem: str, prompt: LongCotPrompt) -> list[Message]:
    """The chat that asks for thoughts and a solution of `problem`."""
    drawn = draw_examples(problem, prompt)
    tags = prompt.tags
    instruction = _INSTRUCTION.format(opening=tags.opening, closing=tags.closing) if prompt.instruct else ""
    if prompt.layout == "one_message":
        shown = [f"Problem:\n{one.problem}\n\nAnswer:\n{tags.join(one.thoughts, one.solution)}" for one in drawn]
        asked = f"Problem:\n{problem}\n\nAnswer:" if drawn else problem
        return [{"role": "user", "content": "\n\n".join(filter(None, [instruction, *shown, asked]))}]
    chat = [{"role": "system", "content": instruction}] if instruction else []
    for one in drawn:
        chat += [
            {"role": "user", "content": one.problem},
            {"role": "assistant", "content": tags.join(one.thoughts, one.solution)},
        ]
    return [*chat, {"role": "user", "content": problem}]


def prompt_ids(problem: str, *, tokenizer: Tokenizer, prompt: LongCotPrompt) -> tuple[int, ...]:
    """The token ids that the policy goes on from; raises ValueError where its chat template or tokens spoil them."""
    tags = prompt.tags
    for field in ("opening", "closing"):
        tag = getattr(tags, field)
        if tag not in tokenizer.decode(tokenizer.encode(tag)):
            raise ValueError(f"tags.{field} must survive the tokenizer {tokenizer.name}, which drops {tag!r}")
    ids = tokenizer.chat(messages(problem, prompt))
    text = "".join(tokenizer.decode(ids).split())
    lost = [one.name for one in draw_examples(problem, prompt) if "".join(one.thoughts.split()) not in text]
    if lost:
        raise ValueError(
            f"layout must be 'one_message' with the chat template of {tokenizer.name}, which strips the thoughts of "
            f"{', '.join(lost)}, got {prompt.layout!r}"
        )
    if prompt.prefill and not is_opened(ids, tokenizer=tokenizer, tags=tags):
        ids += tokenizer.encode(f"{tags.opening}\n")
    return ids


def is_opened(ids: Sequence[int], *, tokenizer: Tokenizer, tags: Tags) -> bool:
    """Whether a prompt ends with the opening tag, prefilled by us or by the model's own chat template."""
    return tokenizer.decode(ids).rstrip().endswith(tags.opening)
