r"""The prompt of a long chain of thought: what is wanted, worked examples of it, and the problem (BOLT, 2502.03860)."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from filters.texts.thoughts import Tags
from generators.engine.tokenizer import Message, Tokenizer
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.worked_examples import Example

_INSTRUCTION = (
    "Think before you answer. First write your thoughts between {opening} and {closing}: say what is asked, make a "
    "plan, try it, and where something looks wrong, say so, go back and try another way; check the result before you "
    "end. Behind {closing}, write the solution for a reader who does not see the thoughts, and end it with the final "
    "answer inside \\boxed{{}} where there is one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotPrompt:
    """The examples that prompts choose from, and the settings. Seed and problem decide which ones a prompt shows.

    The layout `one_message` puts the examples into the user's message, since some chat templates strip thoughts from
    the turns of an assistant. Without examples and instruction the prompt is the bare problem, as a policy gets it that
    was trained on the traces.
    """

    examples: tuple[Example, ...]
    seed: int
    settings: Settings


def draw_examples(problem: str, prompt: LongCotPrompt) -> tuple[Example, ...]:
    """The examples of a problem in the order of the collection, so that prompts that begin alike share a cache."""

    def rank(example: Example) -> bytes:
        return blake2b(f"{prompt.seed}/{example.name}/{problem}".encode("utf-8", "surrogatepass")).digest()

    drawn = set(sorted(prompt.examples, key=rank)[: prompt.settings.per_prompt])
    return tuple(example for example in prompt.examples if example in drawn)


def messages(problem: str, prompt: LongCotPrompt) -> list[Message]:
    """The chat that asks for thoughts and a solution of `problem`."""
    examples = draw_examples(problem, prompt)
    settings, tags = prompt.settings, prompt.settings.tags
    instruction = _INSTRUCTION.format(opening=tags.opening, closing=tags.closing) if settings.instruct else ""
    if settings.layout == "one_message":
        solved = [
            f"Problem:\n{example.problem}\n\nAnswer:\n{tags.join(example.thoughts, example.solution)}"
            for example in examples
        ]
        question = f"Problem:\n{problem}\n\nAnswer:" if examples else problem
        return [{"role": "user", "content": "\n\n".join(filter(None, [instruction, *solved, question]))}]
    chat = [{"role": "system", "content": instruction}] if instruction else []
    for example in examples:
        chat += [
            {"role": "user", "content": example.problem},
            {"role": "assistant", "content": tags.join(example.thoughts, example.solution)},
        ]
    return [*chat, {"role": "user", "content": problem}]


def prompt_ids(problem: str, *, tokenizer: Tokenizer, prompt: LongCotPrompt) -> tuple[int, ...]:
    """The prompt's token ids; raises ValueError if the chat template or the tokenizer loses part of it."""
    settings, tags = prompt.settings, prompt.settings.tags
    for field in ("opening", "closing"):
        tag = getattr(tags, field)
        if tag not in tokenizer.decode(tokenizer.encode(tag)):
            raise ValueError(f"tags.{field} must survive the tokenizer {tokenizer.name}, which drops {tag!r}")
    ids = tokenizer.chat(messages(problem, prompt))
    text = "".join(tokenizer.decode(ids).split())
    examples = draw_examples(problem, prompt)
    lost = [example.name for example in examples if "".join(example.thoughts.split()) not in text]
    if lost:
        raise ValueError(
            f"layout must be 'one_message' with the chat template of {tokenizer.name}, which strips the thoughts of "
            f"{', '.join(lost)}, got {settings.layout!r}"
        )
    if settings.prefill and not is_opened(ids, tokenizer=tokenizer, tags=tags):
        ids += tokenizer.encode(f"{tags.opening}\n")
    return ids


def is_opened(ids: Sequence[int], *, tokenizer: Tokenizer, tags: Tags) -> bool:
    """Whether a prompt ends with the opening tag, which we or the model's own chat template prefilled."""
    return tokenizer.decode(ids).rstrip().endswith(tags.opening)
