"""A slice whose policy is a simulated law: every stage makes its table of it as in a run, and the truth is known."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from benchmarks.engine_slice import EngineSlice
from generators.engine.protocol import Engine
from generators.engine.simulated.policy import SimulatedPolicy
from generators.models.policy import SIMULATED, Policy, identify
from generators.problems.settings import Source


@dataclass(kw_only=True)
class LawSlice(EngineSlice):
    """A slice of the problems of a simulated policy, `engine`."""

    engine: SimulatedPolicy
    serving: Callable[[], AbstractAsyncContextManager[Engine]] = field(init=False)
    policy: Policy = field(default_factory=lambda: identify(SIMULATED))
    source: Source = field(
        default_factory=lambda: Source.model_validate({"kind": "simulated", "name": "simulated", "size": 1})
    )
    key: str = "simulated-0"
    round: str = "law"

    def __post_init__(self) -> None:
        self.serving = lambda: nullcontext(self.engine)
