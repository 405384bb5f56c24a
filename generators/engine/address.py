"""Addresses of servers: what may be printed of one, and the credentials in it, which may not.

`http://user:password@host` is sent as basic authentication. Only `Address.root` may stand in an error, a log, an event,
a recipe or a setting: nothing else here prints a URL, and `scrubbed` is for texts that may hold one.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiohttp

_CREDENTIALS_IN_TEXT = re.compile(r"(?<=//)[^/\s]*@|[^/\s'\"=,]+:[^/\s'\",]+@")
_FORM = "url must be an http:// or https:// address"
_kept: dict[str, aiohttp.BasicAuth] = {}  # by root, in the memory of this process only


@dataclass(frozen=True, slots=True)
class Address:
    """A server's root without credentials, and these; neither `repr` nor `root` shows them."""

    root: str
    auth: aiohttp.BasicAuth | None = field(default=None, repr=False)

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
        auth = aiohttp.BasicAuth(unquote(parts.username), unquote(parts.password or ""), encoding="utf-8")
        return cls(root, auth)


def keep_credentials(url: str) -> str:
    """The root of a URL; its credentials, if it has any, stay in the memory of this process for `Address.of`.

    So settings hold no credentials, whatever is printed or stored of them. Raises ValueError.
    """
    address = Address.of(url)
    if address.auth is not None:
        _kept[address.root] = address.auth
    return address.root


def scrubbed(text: str) -> str:
    """A text with the credentials of every URL in it replaced by ***."""
    return _CREDENTIALS_IN_TEXT.sub("***@", text)
