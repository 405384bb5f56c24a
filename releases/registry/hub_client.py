"""Requests to the Hugging Face Hub for one namespace, with retries and with errors that say what to do.

The token is read from the environment for each request and never stored.
"""

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx2
from huggingface_hub import HfApi, constants, get_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import build_hf_headers

from releases.door.refusal import MORE, refused
from releases.errors import HubDenied, HubError
from releases.registry.retry import RetryPolicy

TOKEN_VARIABLE = "HF_TOKEN"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
# By default the client waits forever; the Hub may take minutes to commit many files.
_TIMEOUT = httpx2.Timeout(300, connect=30)
_MOST_DATASETS = 100
_MISSING = bytes(bytearray(b"no such file"))  # an object of its own: `is` tells it from a file that says so

T = TypeVar("T")
Answer = TypeVar("Answer")


class HubClient:
    """The Hub at HF_ENDPOINT, with the token in HF_TOKEN; `reads_only` if nothing is to be published."""

    def __init__(self, namespace: str, retry: RetryPolicy, *, reads_only: bool = False) -> None:
        self.namespace = namespace
        self._retry = retry
        self._reads_only = reads_only

    @property
    def has_token(self) -> bool:
        """Whether HF_TOKEN is set."""
        return _token() is not None

    @property
    def endpoint(self) -> str:
        """The Hub's address, without a trailing slash."""
        return (os.environ.get(ENDPOINT_VARIABLE) or constants.ENDPOINT).rstrip("/")

    def ask(
        self, doing: str, call: Callable[[HfApi], T], *, answers: Mapping[int, Answer] | None = None, again: bool = True
    ) -> T | Answer:
        """The result of `call`, or the entry of `answers` for the status that the Hub refuses it with.

        `doing` describes the request in error messages. `again` is False if the client retries by itself. Raises
        HubDenied and HubError.
        """
        get_session().timeout = _TIMEOUT
        api = HfApi(endpoint=self.endpoint, token=_token() or False)
        try:
            return self._retry.call(lambda: call(api)) if again else call(api)
        except (httpx2.HTTPError, OSError, ValueError, RuntimeError) as wrapped:  # everything the client raises
            error = _origin(wrapped)
            status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
            if self._reads_only and isinstance(error, RepositoryNotFoundError):
                status = 404  # without a token, the Hub answers 401 to whoever reads a repository that does not exist
            if answers and status is not None and status in answers:
                return answers[status]
            raise self._explained(doing, error, status) from wrapped

    def read(self, repository: str, path: str, revision: str, *, most: int) -> bytes | None:
        """A file of a dataset repository, or None if the file, revision or repository does not exist.

        Raises RefusedRelease if it has more than `most` bytes, as soon as it has.
        """

        def get(api: HfApi) -> bytes | None:
            url = hf_hub_url(repository, path, repo_type="dataset", revision=revision, endpoint=api.endpoint)
            headers = {**build_hf_headers(token=api.token), "Accept-Encoding": "identity"}
            with get_session().stream("GET", url, headers=headers) as response:
                if response.is_error:
                    response.read()
                hf_raise_for_status(response)
                return _body(response, most)

        content = self.ask(f"read {path} of {repository} at {revision}", get, answers={404: _MISSING})
        if content is None:
            where = f"{self.endpoint}/datasets/{repository}/resolve/{revision}/{path}"
            raise refused(where, "its size in bytes", f"it is at most {most}", MORE)
        return None if content is _MISSING else content

    def datasets(self) -> list[str]:
        """The names of the namespace's datasets, in alphabetical order; the first hundred if there are more."""

        def names(api: HfApi) -> list[str]:
            datasets = api.list_datasets(author=self.namespace, limit=_MOST_DATASETS)
            return sorted(dataset.id.removeprefix(f"{self.namespace}/") for dataset in datasets)

        return self.ask(f"list the datasets of {self.namespace}", names)

    def _explained(self, doing: str, error: Exception, status: int | None) -> HubError:
        token = _token()
        if status in (401, 403):
            remedy = "its token may not" if token else "it is not set"
            access = "read" if self._reads_only else "write"
            return HubDenied(
                f"the Hub at {self.endpoint} refused to {doing} ({status}): set {TOKEN_VARIABLE} to a token with "
                f"{access} access to {self.namespace}; {remedy}"
            )
        reason = getattr(error, "server_message", None) or str(error) or type(error).__name__
        if token:
            reason = reason.replace(token, "...")
        code = f"{status}: " if status else ""
        remedy = (
            "check the network and run the command again"
            if self._reads_only
            else "what is uploaded stays there: publish again to go on"
        )
        return HubError(f"the Hub at {self.endpoint} did not {doing} ({code}{' '.join(reason.split())}); {remedy}")


def _body(response: httpx2.Response, most: int) -> bytes | None:
    """What the Hub sends, or None if that is more than `most` bytes; the rest is not read."""
    content = bytearray()
    for block in response.iter_bytes():
        content += block
        if len(content) > most:
            return None
    return bytes(content)


def _token() -> str | None:
    return os.environ.get(TOKEN_VARIABLE) or None


def _origin(error: Exception) -> Exception:
    """The error of the Hub or the network; an upload wraps it in an error that only names the file."""
    cause = error.__cause__
    return cause if isinstance(error, RuntimeError) and isinstance(cause, Exception) else error
