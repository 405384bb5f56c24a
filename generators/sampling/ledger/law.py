"""The law of the ledger: a table that was made of it stays true of it.

1. First written wins. Of the rollouts under one key and index, the first in the order of parts stands.
2. A continuation replaces it: a longer rollout that begins with the same tokens, of one that had not ended. What a
   table took of the shorter one is still the beginning of the longer one.
3. Nothing else replaces anything. A different rollout is never read, however long it is.
4. A part counts only if whoever held the lease when it was written held it until it was written: the next holder
   records which parts were there when it began, and later ones of earlier holders are late (`lease.py`). So a holder
   has read everything that counts before its own parts, and nothing that appears later can come before them.
5. Merging keeps what 1 to 3 say of all parts: it drops a row only if another one replaced it (`compaction.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generators.records import FinishReason
from generators.tokens import TokenIds


@dataclass(frozen=True, slots=True)
class Stored:
    """A rollout as the ledger keeps it: its token ids, and why it ended."""

    token_ids: TokenIds
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class Extent:
    """The length of a stored rollout in tokens, and why it ended."""

    length: int
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class Version:
    """One row of a key and index: its length, the length that it continues (0 for none), and how to read it."""

    length: int
    extends: int
    read: Callable[[], Stored]


def continues(later: Stored, earlier: Stored) -> bool:
    """Whether `later` replaces `earlier` under the same key and index."""
    length = len(earlier.token_ids)
    return (
        earlier.finish_reason != "eos"
        and len(later.token_ids) > length
        and later.token_ids[:length] == earlier.token_ids
    )


def standing(versions: Sequence[Version]) -> tuple[int, bool]:
    """Which of several versions stands, in the order of their parts, and whether some differ.

    A row that says it continues one of the standing length does: its writer held the lease and had compared them.
    """
    best, differ = 0, False
    for number, version in enumerate(versions[1:], start=1):
        stands = versions[best]
        if version.extends == stands.length < version.length:
            best = number
            continue
        earlier, later = stands.read(), version.read()
        if continues(later, earlier):
            best = number
        elif earlier.token_ids[: len(later.token_ids)] != later.token_ids:
            differ = True
    return best, differ
