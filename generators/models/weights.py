"""The weights of a policy on servers that somebody else runs: noted at first use, and recognised ever after.

The note is one JSON file per policy in the data root. A server with other weights under the same name is refused, so
that rollouts of two policies do not meet in one ledger.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from upath import UPath

from generators.engine.client import ModelInfo
from generators.engine.errors import EngineMisconfigured
from generators.engine.fingerprint import MOST_NOISE, AsksNextTokens, Probe, distance, fingerprint, probe_of
from generators.engine.next_tokens import LogProbabilities
from generators.engine.tokenizer import Tokenizer
from generators.sampling.storage import StorageError, write_bytes


class Server(AsksNextTokens, Protocol):
    """What is needed of a client."""

    url: str

    async def model_info(self) -> ModelInfo: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is known of a policy's weights: a probe, what the first server said to it, and what it said of itself."""

    probe: Probe
    said: tuple[LogProbabilities, ...]
    card: Mapping[str, str]
    noted_at: str


class Weights:
    """The weights of one policy, with the note of them in `file`; `setting` is what a person may set instead."""

    def __init__(self, policy: str, file: UPath, tokenizer: Tokenizer, *, setting: str) -> None:
        self._policy = policy
        self._file = file
        self._tokenizer = tokenizer
        self._setting = setting
        self._lock = asyncio.Lock()

    async def recognise(self, server: Server) -> None:
        """Raise EngineMisconfigured unless `server` has the policy's weights; note them if none are noted yet.

        Raises another of `generators.engine.errors` if the server does not answer, StorageError if the note cannot be
        read or written.
        """
        async with self._lock:
            note = self._read()
            probe = note.probe if note is not None else probe_of(self._tokenizer)
            said = await fingerprint(server, probe)
            if note is None:
                self._write(Note(probe=probe, said=said, card=dict((await server.model_info()).card), noted_at=_now()))
                note = self._read()  # another run may have been first
        if note is None or note.probe != probe:
            raise StorageError(f"{self._file} changed while it was written: run the same command again")
        if (far := distance(note.said, said)) > MOST_NOISE:
            raise EngineMisconfigured(
                f"{server.url} serves other weights than those that {self._policy} was first drawn from, on "
                f"{note.noted_at}: the log-probabilities of a fixed text differ by {far:.3f} nats, and numeric noise "
                f"moves them by at most {MOST_NOISE:g}: set {self._setting} to a name of the new weights, which gives "
                "them a ledger of their own, or serve the former ones"
            )

    def _read(self) -> Note | None:
        try:
            content = json.loads(self._file.read_bytes())
            probe = Probe(token_ids=tuple(content["probe"]["token_ids"]), places=tuple(content["probe"]["places"]))
            return Note(
                probe=probe, said=tuple(content["said"]), card=dict(content["card"]), noted_at=str(content["noted_at"])
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"{self._file}, by which the weights of {self._policy} are recognised, cannot be read ({error!r}): "
                "restore it, or delete it if the server still has the weights that the ledger was drawn from"
            ) from error

    def _write(self, note: Note) -> None:
        content: dict[str, Any] = {
            "policy": self._policy,
            "noted_at": note.noted_at,
            "card": dict(note.card),
            "probe": {"token_ids": note.probe.token_ids, "places": note.probe.places},
            "said": note.said,
        }
        write_bytes(self._file, json.dumps(content, indent=1).encode())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
