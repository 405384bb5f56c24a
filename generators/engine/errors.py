"""What can go wrong between us and a policy engine, sorted by who can mend it.

EngineError
├── RequestRefused       this request can never work (its prefix is too long); other requests go on
├── EngineMisconfigured  no request can work until a person changes a setting (unknown model, refused key)
├── EngineUnavailable    this time it did not work (connection lost, overload, server died); asking again may
└── EngineLost           asking again was tried as often as the settings allow; the run must stop
"""


class EngineError(Exception):
    """Something between us and a policy engine went wrong."""


class RequestRefused(EngineError):
    """The engine will never serve this request; the message says why."""


class EngineMisconfigured(EngineError):
    """The engine serves nothing until the named setting is changed."""


class EngineUnavailable(EngineError):
    """The engine did not serve the request this time."""


class EngineLost(EngineError):
    """The engine could not be brought back within the settings' limits."""
