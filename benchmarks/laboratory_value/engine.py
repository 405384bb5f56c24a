"""The engine of the laboratory's policies: in this process, one thread."""

from generators.engine.in_process import InProcessEngine
from generators.engine.protocol import Engine
from generators.models.policy import Policy

CONTEXT = 1024


def engine_of(policy: Policy) -> Engine:
    """An engine over the weights of a policy."""
    return InProcessEngine(policy.model)
