"""Checks every answer again by its source's rule, and every problem id against the prompt and gold answer.

A block's claims are checked together, each text and gold answers once, algebra on several worker processes.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence

from filters.answers.checker import AnswerChecker, AnswerRule, Decision, WorkerLimits
from generators.dataset import Claim, IncompleteParameters, Parameters
from generators.problems.loading import problem_id
from releases.drafting import parameters_in
from releases.errors import IncompleteManifest
from releases.manifest import FILE_NAME
from releases.verification.finding import Checked, Finding, brief
from releases.verification.streamed import Block, StreamedRelease
from releases.verification.tables import sound_rows

_MOST_WORKERS = 8
Asked = tuple[str, tuple[str, ...], str]


def check_answers(release: StreamedRelease) -> Checked:
    """Every verdict and extracted answer is what the checker says about the row's text, and every problem id is right.

    Rows that break the schema are skipped.
    """
    return asyncio.run(_checked(release))


async def _checked(release: StreamedRelease) -> Checked:
    rules = {source.name: source.answer_rule for source in release.manifest.facts.sources}
    parameters = parameters_in(release.dataset, release.manifest.facts)
    findings: list[Finding] = []
    unknown: set[str] = set()
    n = 0
    with AnswerChecker(WorkerLimits(processes=min(_MOST_WORKERS, os.cpu_count() or 1))) as checker:
        for config in release.dataset.measured:
            for block in release.blocks(config.name):
                claims = _claims(release, block, parameters)
                unknown |= {claim.source for claim in claims} - rules.keys()
                known = [claim for claim in claims if claim.source in rules]
                decisions = await _decide(checker, known, rules)
                for claim in known:
                    findings += _differences(block, claim, decisions[_asked(claim)])
                n += len(known)
    for block in release.blocks(release.main):
        findings += _wrong_ids(block)
    findings += [
        Finding(file=FILE_NAME, complaint=f"it names no source {name}, by whose rule answers could be verified")
        for name in sorted(unknown)
    ]
    return Checked.of(n, "answers", findings)


def _claims(release: StreamedRelease, block: Block, parameters: Parameters) -> list[Claim]:
    """The claims of the valid rows of a block, with row numbers in it."""
    config = next(one for one in release.dataset.measured if one.name == block.config)
    rows, row_numbers = sound_rows(block, config.schema)
    try:
        return [claim._replace(row=row_numbers[claim.row]) for claim in config.claims(rows, parameters)]
    except IncompleteParameters as missing:
        raise IncompleteManifest(str(missing)) from missing


def _asked(claim: Claim) -> Asked:
    return claim.text, claim.golds, claim.source


async def _decide(
    checker: AnswerChecker, claims: Sequence[Claim], rules: Mapping[str, AnswerRule]
) -> dict[Asked, Decision]:
    asked = list(dict.fromkeys(map(_asked, claims)))
    decisions = await asyncio.gather(*(checker.check(text, golds, rule=rules[source]) for text, golds, source in asked))
    return dict(zip(asked, decisions, strict=True))


def _differences(block: Block, claim: Claim, decision: Decision) -> Iterator[Finding]:
    verdict, extracted, found_by = claim.columns
    if claim.verdict != decision.verdict.value:
        yield block.finding(
            claim.row,
            verdict,
            f"it is {claim.verdict}; checking the text against {_named(claim.golds)} gives {decision.verdict.value}",
        )
    if extracted is not None and claim.extracted != decision.extracted:
        yield block.finding(
            claim.row, extracted, f"it is {brief(claim.extracted)}, the text ends in {brief(decision.extracted)}"
        )

    if found_by is not None and block.has(found_by) and claim.found_by != decision.found_by:
        yield block.finding(
            claim.row, found_by, f"it is {brief(claim.found_by)}, the answer is found by {brief(decision.found_by)}"
        )


def _named(golds: Sequence[str]) -> str:
    return f"the answer{'s' if len(golds) > 1 else ''} {', '.join(map(brief, golds))}"


def _wrong_ids(block: Block) -> Iterator[Finding]:
    columns = ("problem_id", "prompt", "answer", "also_accepted")
    if not set(columns) <= set(block.rows.columns):
        return
    for row, (stored, prompt, answer, others) in enumerate(block.rows.select(columns).iter_rows()):
        if None in (stored, prompt, answer, others):
            continue
        expected = problem_id(prompt, answer, others)
        if stored != expected:
            named = _named((answer, *others))
            yield block.finding(
                row, "problem_id", f"it is {stored}; a problem with this prompt and {named} is {expected}"
            )
