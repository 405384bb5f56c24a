"""The numbers of a settings file that follow from measured tokens: contexts, token limits, worked examples, spans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.preflight.memory import GIB
from dagster_project.proposal.model import Model
from generators.engine.errors import EngineMisconfigured
from generators.engine.tokenizer import Tokenizer
from generators.long_cot_traces.prompt import LongCotPrompt, prompt_ids
from generators.long_cot_traces.settings import Settings as LongCotSettings
from generators.problems import prompt as solve

CPU_PROBLEMS = 24  # as many as a CPU gets through in a first round
PER_SLICE = 2000  # problems of a slice on a GPU
FEW = 50  # problems, below which shares say little
_CONTEXTS = (2048, 4096, 8192, 16384)
_EXAMPLES = (("general", 3), ("short", 6), ("short", 3), ("none", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCot:
    """The worked examples of long chains of thought that fit, and the longest prompt with them."""

    settings: LongCotSettings
    longest_prompt: int
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers that fit a model and some problems; `worked` is the 95th percentile of the worked solutions, if any."""

    longest_prompt: int
    worked: int | None
    max_model_len: int
    max_tokens: int
    kv_cache_gib: float
    long_cot: LongCot


def sizes_of(
    model: Model, prompts: Sequence[str], solutions: Sequence[str], *, examples: tuple[solve.Example, ...]
) -> Sizes:
    """Measure prompts and worked solutions with the model's tokenizer, and choose numbers that fit."""
    longest = max(len(model.tokenizer.chat(solve.messages(prompt, examples=examples))) for prompt in prompts)
    lengths = sorted(len(model.tokenizer.encode(solution)) for solution in solutions)
    worked = lengths[int(0.95 * (len(lengths) - 1))] if lengths else None
    wanted = _rounded(2 * worked if worked else 512, least=192, most=256) if not model.on_gpu else 2048
    most_context = model.context or _CONTEXTS[-1]
    thoughts = 320 if not model.on_gpu else 4096
    contexts = [context for context in _CONTEXTS if context <= most_context] or [most_context]
    if model.on_gpu:
        contexts = contexts[-1:]
    for context in contexts:
        long_cot = _long_cot(model.tokenizer, prompts, context, thoughts)
        if context - longest >= wanted and long_cot.settings.worked_examples:
            break
    room = max(1, context - longest)
    sequence = context * model.size.cache_per_token / GIB if model.size else 0.0
    return Sizes(
        longest_prompt=longest,
        worked=worked,
        max_model_len=context,
        max_tokens=min(wanted, room),
        kv_cache_gib=max(1.0, float(round(4 * sequence))),
        long_cot=long_cot,
    )


def _long_cot(tokenizer: Tokenizer, prompts: Sequence[str], context: int, wanted: int) -> LongCot:
    """The fullest worked examples that leave `wanted` tokens and are themselves no longer than that; else none."""
    for collection, per_prompt in _EXAMPLES:
        settings, longest = _measured({"examples": collection, "per_prompt": per_prompt}, tokenizer, prompts)
        written = [settings.tags.join(example.thoughts, example.solution) for example in settings.worked_examples]
        answers = [len(tokenizer.encode(text)) for text in written]
        if longest + wanted <= context and max(answers, default=0) <= wanted:
            break
    return LongCot(settings=settings, longest_prompt=longest, max_tokens=max(1, min(wanted, context - longest)))


def _measured(fields: Mapping[str, Any], tokenizer: Tokenizer, prompts: Sequence[str]) -> tuple[LongCotSettings, int]:
    """The settings, with examples in one message where the chat template strips thoughts, and the longest prompt."""
    for layout in ("turns", "one_message"):
        settings = LongCotSettings.model_validate({**fields, "layout": layout})
        prompt = LongCotPrompt(examples=settings.worked_examples, seed=0, settings=settings)
        try:
            lengths = [len(prompt_ids(problem, tokenizer=tokenizer, prompt=prompt)) for problem in prompts]
        except ValueError as lossy:
            reason = lossy
            continue
        return settings, max(lengths)
    raise EngineMisconfigured(f"long_cot_traces: {reason}") from reason


def _rounded(number: int, *, least: int, most: int) -> int:
    return max(least, min(most, -(-number // 64) * 64))
