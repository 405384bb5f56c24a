"""What can go wrong between us and a policy engine, classified by who can fix it.

EngineError
├── RequestRefused       this request can never work (its prefix is too long); other requests continue
├── EngineMisconfigured  no request can work until a person changes a setting (unknown model, refused key)
├── EngineUnavailable    this try failed (connection lost, server died); another may succeed
│   ├── EngineErred      the server answered with an error of its own (5xx)
│   ├── EngineBusy       the server is there and takes no more right now (429); this request waits and tries again
│   └── EngineUnreadable the server answered 200 with something that cannot be read or cannot be believed
└── EngineLost           every retry that the settings allow has failed; the run must stop
"""


class EngineError(Exception):
    """Something went wrong between us and a policy engine."""


class RequestRefused(EngineError):
    """The engine will never serve this request; the message says why."""


class EngineMisconfigured(EngineError):
    """The engine serves nothing until someone changes the named setting."""


class EngineUnavailable(EngineError):
    """The engine did not serve the request this time."""


class EngineErred(EngineUnavailable):
    """The server answered this request with an error of its own; another request may succeed there."""


class EngineBusy(EngineUnavailable):
    """The server is well and takes no more requests right now; it may have said when to come back."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class EngineUnreadable(EngineUnavailable):
    """The server answered 200 with something that cannot be read or cannot be believed.

    The message says what is wrong with the answer; `said` is the beginning of the answer, for the person who must
    find out which server or proxy spoke.
    """

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class EngineLost(EngineError):
    """The engine could not be recovered within the settings' limits."""
