"""What going on behind triggers costs in prefill: tokens that the engine has to read before it writes.

Every boundary sends the whole response so far. Without a prefix cache all of it is computed anew; with one only what
the engine has not seen, which is the prompt once for each problem and the triggers. Knows no engine: what really came
out of its cache stands in its `Usage`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from generators.self_correction_traces.records import DeepenedResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """Tokens to read for `requests` requests, with nothing kept between them and with everything kept."""

    requests: int
    without_reuse: int
    with_reuse: int

    @property
    def saved(self) -> float:
        """The share that reuse saves."""
        return 1 - self.with_reuse / self.without_reuse if self.without_reuse else 0.0


def prefill(responses: Iterable[DeepenedResponse]) -> Prefill:
    """What sampling `responses` has the engine read."""
    prompts: dict[str, int] = {}
    requests = without_reuse = triggers = 0
    for response in responses:
        read = prompts[response.problem_id] = len(response.prompt_token_ids)
        for segment in response.segments:
            if segment.kind == "written":
                requests += 1
                without_reuse += read
            else:
                triggers += len(segment.token_ids)
            read += len(segment.token_ids)
    return Prefill(requests=requests, without_reuse=without_reuse, with_reuse=sum(prompts.values()) + triggers)
