"""What can go wrong between us and a policy engine, classified by who can fix it.

EngineError
├── RequestRefused       this request can never work (its prefix is too long); other requests continue
├── EngineMisconfigured  no request can work until a person changes a setting (unknown model, refused key)
├── EngineUnavailable    this try failed (connection lost, overload, server died); another may succeed
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


class EngineLost(EngineError):
    """The engine could not be recovered within the settings' limits."""
