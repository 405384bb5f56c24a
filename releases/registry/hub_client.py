"""Requests to the Hugging Face Hub in the name of one namespace: patient, and with errors that say what to do.

Knows nothing of releases. The token is read from the environment at each request and kept nowhere.
"""

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx2
from huggingface_hub import HfApi, constants, get_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import build_hf_headers

from releases.errors import HubDenied, HubError
from releases.registry.patience import Patience

TOKEN_VARIABLE = "HF_TOKEN"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
# The client waits for ever by default; a commit of many files may take the Hub minutes.
_TIMEOUT = httpx2.Timeout(300, connect=30)

T = TypeVar("T")
Answer = TypeVar("Answer")


class HubClient:
    """The Hub at HF_ENDPOINT, with the token in HF_TOKEN."""

    def __init__(self, namespace: str, patience: Patience) -> None:
        self.namespace = namespace
        self._patience = patience

    @property
    def endpoint(self) -> str:
        """The Hub's address, without a slash at its end."""
        return (os.environ.get(ENDPOINT_VARIABLE) or constants.ENDPOINT).rstrip("/")

    def ask(
        self, doing: str, call: Callable[[HfApi], T], *, answers: Mapping[int, Answer] | None = None, again: bool = True
    ) -> T | Answer:
        """What `call` gives, or what `answers` has for the status that the Hub refuses it with.

        `doing` says in an error what was tried; `again` is False where the client itself asks again. Raises HubDenied
        and HubError.
        """
        get_session().timeout = _TIMEOUT
        api = HfApi(endpoint=self.endpoint, token=_token() or False)
        try:
            return self._patience.insist(lambda: call(api)) if again else call(api)
        except (httpx2.HTTPError, OSError, ValueError, RuntimeError) as wrapped:  # all that the client raises
            error = _origin(wrapped)
            status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
            if answers and status is not None and status in answers:
                return answers[status]
            raise self._explained(doing, error, status) from wrapped

    def read(self, repository: str, path: str, revision: str) -> bytes | None:
        """A small file of a dataset repository, or None where there is no such file, revision or repository."""

        def get(api: HfApi) -> bytes:
            url = hf_hub_url(repository, path, repo_type="dataset", revision=revision, endpoint=api.endpoint)
            response = get_session().get(url, headers=build_hf_headers(token=api.token))
            hf_raise_for_status(response)
            return response.content

        return self.ask(f"read {path} of {repository} at {revision}", get, answers={404: None})

    def _explained(self, doing: str, error: Exception, status: int | None) -> HubError:
        token = _token()
        if status in (401, 403):
            remedy = "its token may not" if token else "it is not set"
            return HubDenied(
                f"the Hub at {self.endpoint} refused to {doing} ({status}): set {TOKEN_VARIABLE} to a token with write "
                f"access to {self.namespace}; {remedy}"
            )
        reason = getattr(error, "server_message", None) or str(error) or type(error).__name__
        if token:
            reason = reason.replace(token, "...")
        code = f"{status}: " if status else ""
        return HubError(
            f"the Hub at {self.endpoint} did not {doing} ({code}{' '.join(reason.split())}); what is uploaded stays "
            "there: publish again to go on"
        )


def _token() -> str | None:
    return os.environ.get(TOKEN_VARIABLE) or None


def _origin(error: Exception) -> Exception:
    """What the Hub or the network said: an upload wraps it in an error that tells the file only."""
    cause = error.__cause__
    return cause if isinstance(error, RuntimeError) and isinstance(cause, Exception) else error
