r"""Residue classes: `x \equiv 2 \pmod 5`, `7 (mod 5)`. The same classes in other numbers are equal."""

import re
from math import lcm

from filters.answers.verdicts import Verdict

_CONGRUENCE = re.compile(r"(?:([a-zA-Z])\s*\\equiv\s*)?(-?[0-9]{1,9}(?:\s*,\s*-?[0-9]{1,9})*)\s*\\pmod\{([0-9]{1,4})\}")
MAX_MODULUS = 10_000


def compare_congruences(left: str, right: str) -> Verdict | None:
    """Compare two residue classes, or unions of classes of one modulus; None where neither side is one."""
    ours, theirs = _CONGRUENCE.fullmatch(left), _CONGRUENCE.fullmatch(right)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        return Verdict.UNPARSED
    if (ours[1] and theirs[1] and ours[1] != theirs[1]) or not (int(ours[3]) and int(theirs[3])):
        return Verdict.UNPARSED
    modulus = lcm(int(ours[3]), int(theirs[3]))
    if modulus > MAX_MODULUS:
        return Verdict.UNPARSED
    same = _classes(ours, modulus) == _classes(theirs, modulus)
    return Verdict.EQUAL if same else Verdict.DIFFERENT


def _classes(match: re.Match[str], modulus: int) -> frozenset[int]:
    """The classes as residues of a multiple of their modulus."""
    step = int(match[3])
    return frozenset(n for written in match[2].split(",") for n in range(int(written) % step, modulus, step))
