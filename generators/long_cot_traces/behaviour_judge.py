"""A second opinion on behaviours: a language model counts them.

The rules of `generators.long_cot_traces.behaviours` go by words. It gives no spans. Knows nothing of servers, files or
Dagster: it is handed a sampler of the judge's own.
"""

import re
from dataclasses import dataclass

from generators.engine.protocol import Limits, Sampling
from generators.long_cot_traces import behaviour_prompt as prompt
from generators.long_cot_traces.behaviours import KINDS, Kind
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather

VERSION = "1"  # bump when a change here would change the counts

_GREEDY = Sampling(temperature=0.0)
_COUNT = re.compile(r"<count>\s*([0-9]{1,3})\s*</count>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourJudgeConfig:
    """How the judge is sampled, for each kind of behaviour once."""

    sampling: Sampling = _GREEDY
    max_tokens: int = 512

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")


async def judge_behaviours(
    problem: str, thoughts: str, *, sampler: Sampler, config: BehaviourJudgeConfig
) -> dict[Kind, int | None]:
    """How often `thoughts` show each behaviour; None where the judge names no number. Raises EngineError."""
    limits = Limits(max_tokens=config.max_tokens)

    async def count(kind: Kind) -> int | None:
        asked = sampler.tokenizer.chat(prompt.messages(problem, thoughts, kind))
        (said,) = await sampler.draw(asked, n=1, sampling=config.sampling, limits=limits)
        return None if said.finish_reason == "length" else read_count(said.text)

    return dict(zip(KINDS, await gather(count(kind) for kind in KINDS), strict=True))


def read_count(text: str) -> int | None:
    """The last count of a judgement."""
    counts = _COUNT.findall(text)
    return int(counts[-1]) if counts else None
