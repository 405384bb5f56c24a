"""What can go wrong between a client and the Hub, as a script: the first fault that fits a request happens to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Fault:
    """Happens to the next `times` requests whose method and path contain `where`, after letting `skip` of them pass.

    With a `status` the Hub answers that and does nothing; without one the connection is cut `before` or `after` the
    request is applied. `then` is called as it happens.
    """

    where: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    moment: Literal["before", "after"] = "before"
    times: int = 1
    skip: int = 0
    body: str = '{"error": "scripted"}'
    then: Callable[[], None] = lambda: None

    def strikes(self, request: str) -> bool:
        if self.where not in request or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True
