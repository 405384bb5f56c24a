"""Public cases of answers with their true relation, and how a verdict on one is counted.

A case compares an answer with a gold answer (`how` is `compare`), or checks a whole response (`check`). Facts only:
they come from public issues and test suites of answer checkers.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filters.answers.checker import AnswerChecker, Verdict

CASES = Path("tests/filters/answers/cases.jsonl")
Kind = Literal["right", "wrong_equal", "wrong_different", "undecided", "harmless", "raised"]
KINDS: tuple[Kind, ...] = ("right", "wrong_equal", "wrong_different", "undecided", "harmless", "raised")


@dataclass(frozen=True, slots=True)
class Case:
    """An answer or a response with its gold answer and their true relation."""

    text: str
    gold: str
    expected: Verdict
    is_response: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with a checker's verdict; `raised` stands for an exception."""

    case: Case
    verdict: str

    @property
    def kind(self) -> Kind:
        """How the verdict counts."""
        return kind_of(self.case.expected is Verdict.EQUAL, self.verdict)


def kind_of(is_equal: bool, verdict: str) -> Kind:
    """How a verdict counts where the answer is equal or is not; `harmless` is undecided on a different answer."""
    if verdict in ("raised", Verdict.ERROR):
        return "raised"
    if verdict == Verdict.EQUAL:
        return "right" if is_equal else "wrong_equal"
    if verdict == Verdict.DIFFERENT:
        return "wrong_different" if is_equal else "right"
    return "undecided" if is_equal else "harmless"


def read_cases(path: Path = CASES) -> list[Case]:
    """The cases of a JSONL file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Case(row.get("answer") or row["response"], row["gold"], Verdict(row["expected"]), row["how"] == "check")
        for row in rows
    ]


def counted(judged: Sequence[Judged]) -> Counter[Kind]:
    """How many cases are of each kind."""
    return Counter({kind: sum(one.kind == kind for one in judged) for kind in KINDS})


async def our_verdicts(checker: AnswerChecker, cases: Sequence[Case]) -> list[Judged]:
    """Our verdict on each case, by the default rule."""
    judged = []
    for case in cases:
        decide = checker.check if case.is_response else checker.compare
        try:
            verdict: str = (await decide(case.text, case.gold)).verdict
        except Exception as error:
            print(f"raised {error!r} on {case}")
            verdict = "raised"
        judged.append(Judged(case, verdict))
    return judged


def math_verify_verdicts(cases: Sequence[Case]) -> list[Judged]:
    """The verdict of plain math-verify on each case; what it cannot parse is undecided."""
    return [Judged(case, _math_verify_verdict(case)) for case in cases]


def _math_verify_verdict(case: Case) -> str:
    from math_verify import parse, verify

    try:
        gold = parse(_in_dollars(case.gold))
        answer = parse(case.text if case.is_response else _in_dollars(case.text))
        if not gold or not answer:
            return Verdict.UNPARSED
        return Verdict.EQUAL if verify(gold, answer) else Verdict.DIFFERENT
    except Exception:
        return "raised"


def _in_dollars(text: str) -> str:
    return text if "$" in text or "boxed" in text else f"${text}$"
