"""Checks every answer again by its source's rule, and every problem id against the prompt and gold answer."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from filters.answers.checker import AnswerChecker, AnswerRule, Decision, WorkerLimits
from generators.dataset import Claim, IncompleteParameters
from generators.problems.loading import problem_id
from releases.drafting import parameters_in
from releases.errors import IncompleteManifest
from releases.manifest import FILE_NAME
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part
from releases.verification.tables import sound_rows


def check_answers(release: OpenedRelease) -> Checked:
    """Every verdict and extracted answer is what the checker says about the row's text, and every problem id is right.

    Rows that break the schema are skipped.
    """
    rules = {source.name: source.answer_rule for source in release.manifest.facts.sources}
    findings: list[Finding] = []
    claimed: list[tuple[Part, Claim]] = []
    unknown: set[str] = set()
    for part, claims in _claims(release):
        claimed += [(part, claim) for claim in claims if claim.source in rules]
        unknown |= {claim.source for claim in claims} - rules.keys()
    for part in release.parts.get(release.main, {}).values():
        findings += _wrong_ids(part)
    findings += [
        Finding(file=FILE_NAME, complaint=f"it names no source {name}, by whose rule answers could be verified")
        for name in sorted(unknown)
    ]
    decisions = asyncio.run(_decide([claim for _, claim in claimed], rules))
    for (part, claim), decision in zip(claimed, decisions, strict=True):
        findings += _differences(part, claim, decision)
    return Checked.of(len(claimed), "answers", findings)


def _claims(release: OpenedRelease) -> Iterator[tuple[Part, list[Claim]]]:
    """The claims of the valid rows of every measured config, with row numbers in the part."""
    parameters = parameters_in(release.dataset, release.manifest.facts)
    for config in release.dataset.measured:
        for part in release.parts.get(config.name, {}).values():
            rows, row_numbers = sound_rows(part, config.schema)
            try:
                claims = list(config.claims(rows, parameters))
            except IncompleteParameters as missing:
                raise IncompleteManifest(str(missing)) from missing
            yield part, [claim._replace(row=row_numbers[claim.row]) for claim in claims]


async def _decide(claims: Sequence[Claim], rules: Mapping[str, AnswerRule]) -> list[Decision]:
    with AnswerChecker(WorkerLimits()) as checker:
        return await asyncio.gather(
            *(checker.check(claim.text, claim.golds, rule=rules[claim.source]) for claim in claims)
        )


def _differences(part: Part, claim: Claim, decision: Decision) -> Iterator[Finding]:
    verdict, extracted, found_by = claim.columns
    if claim.verdict != decision.verdict.value:
        yield part.finding(
            claim.row,
            verdict,
            f"it is {claim.verdict}; checking the text against {_named(claim.golds)} gives {decision.verdict.value}",
        )
    if extracted is not None and claim.extracted != decision.extracted:
        yield part.finding(
            claim.row, extracted, f"it is {brief(claim.extracted)}, the text ends in {brief(decision.extracted)}"
        )

    if found_by is not None and part.has(found_by) and claim.found_by != decision.found_by:
        yield part.finding(
            claim.row, found_by, f"it is {brief(claim.found_by)}, the answer is found by {brief(decision.found_by)}"
        )


def _named(golds: Sequence[str]) -> str:
    return f"the answer{'s' if len(golds) > 1 else ''} {', '.join(map(brief, golds))}"


def _wrong_ids(part: Part) -> Iterator[Finding]:
    columns = ("problem_id", "prompt", "answer", "also_accepted")
    if not set(columns) <= set(part.rows.columns):
        return
    for row, (stored, prompt, answer, others) in enumerate(part.rows.select(columns).iter_rows()):
        if None in (stored, prompt, answer, others):
            continue
        expected = problem_id(prompt, answer, others)
        if stored != expected:
            named = _named((answer, *others))
            yield part.finding(
                row, "problem_id", f"it is {stored}; a problem with this prompt and {named} is {expected}"
            )
