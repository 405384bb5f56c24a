"""A judge at work on a slice: which model it is, how it is sampled, and what it cost."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from generators.engine.errors import EngineMisconfigured
from generators.engine.protocol import Sampling
from generators.models.judge import JudgeSampling
from generators.sampling.workbench import Workbench
from generators.shown import Shown
from generators.stage import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRun:
    """The judge of a slice, its sampling params, and its usage of ledger and engine."""

    judge: str
    sampling: Sampling
    max_tokens: int
    usage: Mapping[str, str | float | int]

    @classmethod
    def of(cls, bench: Workbench, *, sampling: Sampling, max_tokens: int) -> Self:
        """Read what a workbench of the judge has done."""
        usage = {name: value for name, value in bench.usage().items() if name != "policy"}
        return cls(judge=bench.sampler.policy, sampling=sampling, max_tokens=max_tokens, usage=usage)

    def config(self) -> dict[str, Any]:
        """Who judged and how it was sampled, as JSON."""
        return {"judge": self.judge, "sampling": asdict(self.sampling), "max_tokens": self.max_tokens}

    def shown(self, name: str) -> dict[str, Shown]:
        """Who judged and what it cost, under the name of its task."""
        return {name: self.judge, **{f"{name}_{what}": value for what, value in self.usage.items()}}


def judge_sampling(slice: Slice, task: str) -> JudgeSampling:
    """How the judge of a slice is sampled; raises EngineMisconfigured if there is none for the task."""
    if slice.judge is None:
        raise EngineMisconfigured(f"{task} needs a section [judge] in the settings")
    return slice.judge
