"""The engine of the laboratory's policies: in this process, one thread."""

from generators.engine.in_process.engine import InProcessEngine, InProcessSettings
from generators.models.policy import Policy

CONTEXT = 1024
IN_FLIGHT = 96  # sequences in the batch


def engine_of(policy: Policy) -> InProcessEngine:
    """An engine over the weights of a policy, to be opened."""
    return InProcessEngine(
        InProcessSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
    )
