"""A second opinion on behaviours: a language model counts them, without places.

The rules of `generators.long_cot_traces.behaviours` go by words.
"""

import re
from dataclasses import dataclass

from generators.engine.protocol import Limits, Sampling
from generators.long_cot_traces import behaviour_prompt as prompt
from generators.long_cot_traces.behaviours import KINDS, Kind
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather

VERSION = "1"  # bump when a change here would change the counts

_COUNT = re.compile(r"<count>\s*([0-9]{1,3})\s*</count>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourJudgeConfig:
    """How the judge is sampled; it replies once for each kind of behaviour."""

    sampling: Sampling
    max_tokens: int


async def judge_behaviours(
    problem: str, thoughts: str, *, sampler: Sampler, config: BehaviourJudgeConfig
) -> dict[Kind, int | None]:
    """How often `thoughts` show each behaviour; None if the judge names no number. Raises EngineError."""
    limits = Limits(max_tokens=config.max_tokens)

    async def count(kind: Kind) -> int | None:
        question = sampler.tokenizer.chat(prompt.messages(problem, thoughts, kind))
        (reply,) = await sampler.draw(question, n=1, sampling=config.sampling, limits=limits)
        return None if reply.finish_reason == "length" else read_count(reply.text)

    return dict(zip(KINDS, await gather(count(kind) for kind in KINDS), strict=True))


def read_count(text: str) -> int | None:
    """The last count in a judgement; None if it has none."""
    counts = _COUNT.findall(text)
    return int(counts[-1]) if counts else None
