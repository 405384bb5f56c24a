"""What can be told of a stage before anything is drawn: whether its prompts and answers fit the models that read them.

A stage's `preflight` yields findings on a sample of problems. `stepmill check` prints them for every stage, and a slice
stops at its start on those that block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # as in `stage`: an interface needs types alone
    from generators.engine.tokenizer import Message, Tokenizer
    from generators.models.judge import JudgeSampling
    from generators.problems.settings import Source
    from generators.records import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What cannot work, or without `blocks` what a user should know: the field, what is wrong with it, the remedy."""

    field: str
    why: str
    remedy: str = ""
    blocks: bool = True

    @property
    def sentence(self) -> str:
        """The finding in one sentence."""
        return ": ".join(part for part in (self.field, self.why, self.remedy) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A model that reads prompts; `context` is in tokens, None if unknown, and `bound` names what bounds it."""

    name: str
    tokenizer: Tokenizer
    context: int | None
    bound: str

    def length(self, chat: Sequence[Message]) -> int:
        """The tokens of a chat up to where the model's turn begins."""
        return len(self.tokenizer.chat(chat))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What is known before anything is drawn: a sample of a source's problems, and the models that will read them.

    `judge`, `judging` (how the judge is sampled) and `reward` are None where the settings have none. `settings` returns
    the section of a stage. `most_failed` is the share of prompts that may not fit; those problems are then dropped.
    """

    source: Source
    problems: Sequence[Problem]
    seed: int
    most_failed: float
    settings: Callable[[str], Any]
    policy: Reader
    judge: Reader | None = None
    judging: JudgeSampling | None = None
    reward: Reader | None = None

    def judged(self, chats: Sequence[Sequence[Message]], *, written: int, what: str) -> Iterator[Finding]:
        """Whether the judge has room for questions, given without the text of up to `written` tokens they are about."""
        if self.judge is None or self.judging is None:
            return
        lengths, reader, limit = [self.judge.length(chat) for chat in chats], self.judge, self.judging.max_tokens
        setting = ("judge.max_tokens", limit)
        found = list(self.fits(lengths, reader, field="judge", what=what, limit=setting, remedy="take another judge"))
        yield from found
        longest = max(lengths, default=0) + written + limit
        if not found and reader.context is not None and longest > reader.context:
            yield Finding(
                field="judge.max_tokens",
                why=f"{what} about the longest possible text take {longest} tokens with their answer, and "
                f"{reader.name}'s context has {reader.context} ({reader.bound}), so some may be cut or refused",
                remedy=f"lower it, or raise {reader.bound}",
                blocks=False,
            )

    def fits(
        self, lengths: Sequence[int], reader: Reader, *, field: str, what: str, limit: tuple[str, int], remedy: str
    ) -> Iterator[Finding]:
        """Whether prompts of `lengths` tokens, and up to `limit` tokens after each, fit the context of `reader`.

        `limit` is a setting with its value. More misfits than `most_failed` block; fewer are a warning.
        """
        name, most = limit
        context = reader.context
        if context is None or not lengths:
            return
        room = f"{reader.name}'s context of {context} tokens ({reader.bound})"
        whose = f"{what} of source {self.source.name}"
        longest = max(lengths)
        without_room = sum(length >= context for length in lengths)
        if without_room:
            yield Finding(
                field=field,
                why=f"{without_room} of {len(lengths)} {whose} leave no room for an answer in {room}; the longest has "
                f"{longest}",
                remedy=f"{remedy}, or raise {reader.bound}",
                blocks=without_room > self.most_failed * len(lengths),
            )
            if without_room > self.most_failed * len(lengths):
                return
        fitting = [length for length in lengths if length < context]
        cut = sum(length + most > context for length in fitting)
        if cut:
            yield Finding(
                field=name,
                why=f"{most} tokens after {cut} of {len(lengths)} {whose} go beyond {room}; the longest has "
                f"{max(fitting)}",
                remedy=f"set {name} to at most {context - max(fitting)}, {remedy}, or raise {reader.bound}",
                blocks=cut > self.most_failed * len(lengths),
            )


def no_findings(_: Preflight, __: Any) -> Iterator[Finding]:
    """Find nothing: the stage sends no prompts of its own."""
    return iter(())
