"""Addresses of servers: what may be printed of one, and the credentials in it, which may not.

`http://user:password@host` is sent as basic authentication. Only `Address.root` may stand in an error, a log, an event,
a recipe or a setting: nothing else here prints a URL, and `scrubbed` is for texts that may hold one.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_CREDENTIALS_IN_TEXT = re.compile(r"(?<=//)[^/\s]*@|[^/\s'\"=,]+:[^/\s'\",]+@")
_FORM = "url must be an http:// or https:// address"
_kept: dict[str, str] = {}  # by root, in the memory of this process only


@dataclass(frozen=True, slots=True)
class Address:
    """A server's root without credentials, and these as a header; neither `repr` nor `root` shows them."""

    root: str
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Address":
        """The address in a URL, which may end in /v1; with the credentials that `keep_credentials` took out of it.

        Raises ValueError, in a sentence without credentials.
        """
        shown = scrubbed(url)
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"{_FORM}, got {shown!r} ({scrubbed(str(error))})") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError(f"{_FORM}, got {shown!r}")
        if parts.query or parts.fragment:
            raise ValueError(f"{_FORM} without ? or #, for paths are added to it, got {shown.partition('?')[0]!r}")
        named = f"[{host}]" if ":" in host else host
        path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
        root = f"{parts.scheme}://{named}{'' if port is None else f':{port}'}{path}"
        if parts.username is None:
            return cls(root, _kept.get(root))
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(root, f"Basic {b64encode(credentials.encode()).decode()}")

    def headers(self, api_key: str | None) -> dict[str, str]:
        """The header of a request with the credentials, or else with the key; raises ValueError if both are set."""
        if self.authorization is not None and api_key:
            raise ValueError(f"api_key must not be set for {self.root}, whose url holds credentials already")
        value = self.authorization or (f"Bearer {api_key}" if api_key else None)
        return {} if value is None else {"Authorization": value}


def keep_credentials(url: str) -> str:
    """The root of a URL; its credentials, if it has any, stay in the memory of this process for `Address.of`.

    So settings hold no credentials, whatever is printed or stored of them. Raises ValueError.
    """
    address = Address.of(url)
    if address.authorization is not None:
        _kept[address.root] = address.authorization
    return address.root


def scrubbed(text: str) -> str:
    """A text with the credentials of every URL in it replaced by ***."""
    return _CREDENTIALS_IN_TEXT.sub("***@", text)
