"""The bytes that a server answers: read up to a bound, and quoted so that they can be shown to a person.

A body that is larger than any honest answer, or compressed although that was not asked for, is refused before it is
held in memory.
"""

from collections.abc import Mapping

import aiohttp

from generators.engine.errors import EngineUnreadable
from generators.engine.protocol import Request

NOT_COMPRESSED = {"Accept-Encoding": "identity"}  # a few compressed bytes can stand for gigabytes
LARGEST_PROBE = 32 * 2**20
_SHOWN = 120
_BASE = 2**16
_PER_TOKEN = 1024  # the id, its text, and its log-probability in each form that vLLM writes
_PER_PREFIX_TOKEN = 16


def largest_answer(request: Request) -> int:
    """How many bytes an answer to `request` may have."""
    return _BASE + request.n * request.limits.max_tokens * _PER_TOKEN + len(request.prefix) * _PER_PREFIX_TOKEN


async def body_of(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """The body of a response whose session does not decompress; raises EngineUnreadable beyond `largest` bytes."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise EngineUnreadable(f"the answer is compressed ({quoted(encoding.encode())}), which was not asked for")
    if response.content_length is not None and response.content_length > largest:
        raise EngineUnreadable(f"the answer has {response.content_length:,} bytes, and at most {largest:,} can be true")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > largest:
            raise EngineUnreadable(
                f"the answer has more than {largest:,} bytes, which is all that can be true; {it_said(bytes(body))}"
            )
    return bytes(body)


def it_said(body: bytes) -> str:
    """The beginning of an answer as half a sentence."""
    return f"it began with {quoted(body)}" if body.strip() else "it was empty"


def quoted(body: bytes) -> str:
    """The first bytes of an answer in quotation marks, with everything that a terminal would obey written out."""
    text = body[: 4 * _SHOWN].decode(errors="replace").strip()
    return ascii(text[:_SHOWN] + "..." * (len(text) > _SHOWN))


def printable(text: str) -> str:
    """A text with everything that a terminal would obey written out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's value, printable; empty if there is none."""
    return printable(headers.get(name, ""))[:300]
