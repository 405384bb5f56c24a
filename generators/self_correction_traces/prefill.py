"""What triggers cost in prefill: the tokens that the engine must read before it writes.

Every request sends the whole response so far. Without a prefix cache the engine computes all of it again. With one it
computes only what it has not seen: the prompt once per problem, and the triggers. `Usage` says what the engine's cache
really kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from generators.self_correction_traces.records import DeepenedResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """Tokens to read for `requests` requests, with nothing kept between them and with everything kept.

    Those of different problems add up.
    """

    requests: int = 0
    without_reuse: int = 0
    with_reuse: int = 0

    def __add__(self, other: "Prefill") -> "Prefill":
        return Prefill(
            requests=self.requests + other.requests,
            without_reuse=self.without_reuse + other.without_reuse,
            with_reuse=self.with_reuse + other.with_reuse,
        )

    @property
    def saved(self) -> float:
        """The share that reuse saves."""
        return 1 - self.with_reuse / self.without_reuse if self.without_reuse else 0.0


def prefill(responses: Iterable[DeepenedResponse]) -> Prefill:
    """Count the prompt tokens that the engine must prefill to sample `responses`."""
    prompts: dict[str, int] = {}
    requests = without_reuse = triggers = 0
    for response in responses:
        prefix = prompts[response.problem_id] = len(response.prompt_token_ids)
        for segment in response.segments:
            if segment.kind == "written":
                requests += 1
                without_reuse += prefix
            else:
                triggers += len(segment.token_ids)
            prefix += len(segment.token_ids)
    return Prefill(requests=requests, without_reuse=without_reuse, with_reuse=sum(prompts.values()) + triggers)
