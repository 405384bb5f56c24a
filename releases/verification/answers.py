"""Every answer verified again, by the rule of its source, and every problem's id by its prompt and gold answer.

Knows answers; which columns hold them, the dataset's verifier says.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from filters.answers.checker import AnswerChecker, AnswerRule, Decision, WorkerLimits
from generators.problems.loading import problem_id
from releases.manifest import FILE_NAME
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part
from releases.verification.tables import sound_rows
from releases.verification.verifier import Claim


def check_answers(release: OpenedRelease) -> Checked:
    """Each verdict and extracted answer is what verifying the row's text comes to; ids are those of their problems.

    Rows that break the schema are passed over.
    """
    rules = {source.name: source.answer_rule for source in release.manifest.facts.sources}
    findings: list[Finding] = []
    claimed: list[tuple[Part, Claim]] = []
    unknown: set[str] = set()
    for part, claims in _claims(release):
        claimed += [(part, claim) for claim in claims if claim.source in rules]
        unknown |= {claim.source for claim in claims} - rules.keys()
    for part in release.parts.get(release.main, {}).values():
        findings += _foreign_ids(part)
    findings += [
        Finding(file=FILE_NAME, complaint=f"it names no source {name}, by whose rule answers could be verified")
        for name in sorted(unknown)
    ]
    decisions = asyncio.run(_decide([claim for _, claim in claimed], rules))
    for (part, claim), decision in zip(claimed, decisions, strict=True):
        findings += _unlike(part, claim, decision)
    return Checked.of(len(claimed), "answers", findings)


def _claims(release: OpenedRelease) -> Iterator[tuple[Part, list[Claim]]]:
    """What the sound rows of every measured config claim, with their places in the part."""
    verifier, facts = release.verifier, release.manifest.facts
    for config in (release.main, *verifier.further):
        for part in release.parts.get(config, {}).values():
            rows, places = sound_rows(part, verifier.schemas[config])
            further = verifier.further.get(config)
            claims = further.claims(rows, facts) if further else verifier.claims(rows)
            yield part, [claim._replace(row=places[claim.row]) for claim in claims]


async def _decide(claims: Sequence[Claim], rules: Mapping[str, AnswerRule]) -> list[Decision]:
    with AnswerChecker(WorkerLimits()) as checker:
        return await asyncio.gather(
            *(checker.check(claim.text, claim.gold, rule=rules[claim.source]) for claim in claims)
        )


def _unlike(part: Part, claim: Claim, decision: Decision) -> Iterator[Finding]:
    verdict, extracted = claim.columns
    if claim.verdict != decision.verdict.value:
        yield part.finding(
            claim.row,
            verdict,
            f"it is {claim.verdict}; verifying the text against the answer {brief(claim.gold)} comes to "
            f"{decision.verdict.value}",
        )
    if extracted is not None and claim.extracted != decision.extracted:
        yield part.finding(
            claim.row, extracted, f"it is {brief(claim.extracted)}, the text ends in {brief(decision.extracted)}"
        )


def _foreign_ids(part: Part) -> Iterator[Finding]:
    if not {"problem_id", "prompt", "answer"} <= set(part.rows.columns):
        return
    for row, (named, prompt, answer) in enumerate(part.rows.select("problem_id", "prompt", "answer").iter_rows()):
        if None not in (named, prompt, answer) and named != (own := problem_id(prompt, answer)):
            yield part.finding(
                row, "problem_id", f"it is {named}; a problem with this prompt and the answer {brief(answer)} is {own}"
            )
