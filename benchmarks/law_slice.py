"""A slice whose policy is a simulated law: every stage makes its table of it as in a run, and the truth is known."""

from dataclasses import dataclass, field

from benchmarks.engine_slice import EngineSlice
from generators.engine.simulated.policy import SimulatedPolicy
from generators.models.policy import SIMULATED, Policy, identify
from generators.problems.settings import Source


@dataclass(kw_only=True)
class LawSlice(EngineSlice):
    """A slice of the simulated policy's problems."""

    engine: SimulatedPolicy
    policy: Policy = field(default_factory=lambda: identify(SIMULATED))
    source: Source = field(
        default_factory=lambda: Source.model_validate({"kind": "simulated", "name": "simulated", "size": 1})
    )
    key: str = "simulated-0"
    round: str = "law"
