"""What a settings file must know of a model: its context, its size, and whether it would run on a GPU."""

from dataclasses import dataclass

from dagster_project.preflight.memory import free_gpu_memory
from generators.engine.errors import EngineUnavailable
from generators.engine.server_settings import cpu_dtype, is_cpu_build
from generators.engine.tokenizer import Tokenizer
from generators.models.footprint import Footprint, footprint, longest_context
from generators.models.policy import SIMULATED, identify
from generators.problems.source import SourceError

SMALL = 1_000_000_000  # parameters; smaller policies follow examples rather than instructions


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A policy as it would be served here; `context` and `size` are None if its config does not say."""

    setting: str
    tokenizer: Tokenizer
    context: int | None
    size: Footprint | None
    on_gpu: bool

    @property
    def is_small(self) -> bool:
        """Whether it is too small to go by instructions."""
        return self.size is not None and self.size.parameters < SMALL


def model_of(setting: str) -> Model:
    """Look a policy up, without its weights; raises EngineError, or SourceError for the simulated one."""
    if setting == SIMULATED:
        raise SourceError("the simulated policy continues its own problems only: name another --model")
    identity = identify(setting)
    on_gpu = not is_cpu_build() and bool(free_gpu_memory())
    try:
        size = footprint(identity.model, identity.revision, dtype="auto" if on_gpu else cpu_dtype("auto"))
    except EngineUnavailable:
        size = None
    return Model(
        setting=setting,
        tokenizer=identity.tokenizer,
        context=longest_context(identity.model, identity.revision),
        size=size,
        on_gpu=on_gpu,
    )
