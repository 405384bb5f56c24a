"""What is wrong with a problem source: it is read, a sample of its answers is verified, its licence is looked up."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from filters.answers.checker import AnswerChecker
from filters.rules import Filtered
from generators.engine.errors import RequestRefused
from generators.engine.simulated.policy import SimulatedPolicy
from generators.models.policy import SIMULATED
from generators.preflight import Finding
from generators.problems import prompt as solve
from generators.problems.fit import fit_to_ask
from generators.problems.loading import example, load_problems
from generators.problems.settings import EvaluationSetSettings, QualitySettings, Source
from generators.problems.source import SourceError
from generators.problems.table import problems_of
from generators.problems.unread import shown
from generators.records import Problem
from releases.licences import forbidden, terms_of, words

VERIFIED = 200  # rows of a source whose answers are verified


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSource:
    """A source as it was read: its rows, a sample of usable problems, and what is wrong.

    `readable` counts the rows with prompt and answer, `sampled` those of them that were looked at closely, `set_aside`
    those that cannot be used, by reason.
    """

    name: str
    rows: int
    readable: int
    sampled: int
    set_aside: dict[str, int]
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> int:
        """How many problems of the source can be used, by the sample."""
        return self.readable * len(self.problems) // max(1, self.sampled)


async def read_source(source: Source, quality: QualitySettings, *, policy: str, checker: AnswerChecker) -> ReadSource:
    """Read a source as a run would, and verify a sample of its answers; `policy` is the model of the settings."""
    field = f"sources.{source.name}"
    findings = list(_licence(source))
    try:
        candidates = source.problems.candidates()
        sample = candidates.kept.sample(min(VERIFIED, candidates.kept.height), seed=0)
        loaded = await load_problems(
            _Sample(source.name, source.has_answers, Filtered(sample, candidates.dropped)),
            checker=checker,
            max_unverified_share=source.max_unverified_share,
            rule=source.answer_rule,
        )
    except SourceError as error:
        unread = Finding(field=field, why=str(error))
        return ReadSource(
            name=source.name, rows=0, readable=0, sampled=0, set_aside={}, problems=(), findings=(unread, *findings)
        )
    fit = fit_to_ask(loaded.kept, quality.prompt_bounds(source))
    set_aside = Filtered(fit.kept, pl.concat([loaded.dropped, fit.dropped], how="diagonal_relaxed")).counts()
    problems = tuple(problems_of(fit.kept))
    if set_aside:
        listed = ", ".join(f"{count} {reason}" for reason, count in set_aside.items())
        of = candidates.dropped.height + sample.height
        findings.append(
            Finding(
                field=field,
                why=f"{sum(set_aside.values())} of {of} rows that were looked at cannot be used ({listed})"
                f"{example(loaded.dropped)}",
                remedy="they are set aside; correct them, or the columns and answer_format, if there are too many",
                blocks=not problems,
            )
        )
    findings += _simulated(source, problems, policy)
    findings += _system_turns(field, sample)
    return ReadSource(
        name=source.name,
        rows=candidates.kept.height + candidates.dropped.height,
        readable=candidates.kept.height,
        sampled=sample.height,
        set_aside=set_aside,
        problems=problems,
        findings=tuple(findings),
    )


def evaluation_findings(sets: tuple[EvaluationSetSettings, ...]) -> Iterator[Finding]:
    """Evaluation sets that cannot be read."""
    for evaluation in sets:
        try:
            evaluation.problems.candidates()
        except SourceError as error:
            yield Finding(field=f"evaluation_sets.{evaluation.problems.name}", why=str(error))


@dataclass(frozen=True, slots=True)
class _Sample:
    """Some rows of a source, as a source of their own."""

    name: str
    has_answers: bool
    rows: Filtered

    def candidates(self) -> Filtered:
        return self.rows


def _licence(source: Source) -> Iterator[Finding]:
    field = f"sources.{source.name}.licence"
    if source.licence is None:
        yield Finding(
            field=field,
            why="no licence is set, so cards will call it unknown",
            remedy="set it to the SPDX id of the problems' licence, such as mit or cc-by-4.0",
            blocks=False,
        )
    elif terms_of(source.licence) == "unknown":
        yield Finding(
            field=field,
            why=f"the terms of {source.licence!r} are not known, so cards will call them unknown",
            remedy="set it to an SPDX id, such as mit or cc-by-4.0",
            blocks=False,
        )
    for terms in forbidden({source.name: source.licence}).values():
        yield Finding(
            field=field,
            why=f"{source.licence} allows {words(terms)}, and cards will say so (releases.licences is 'mark')",
            blocks=False,
        )


def _system_turns(field: str, sample: pl.DataFrame) -> Iterator[Finding]:
    """Conversations whose system turn is left out of the prompt."""
    said = sample["system"].drop_nulls() if "system" in sample.columns else pl.Series([])
    if not said.is_empty():
        yield Finding(
            field=field,
            why=f"the system turn of {len(said)} of {sample.height} prompts is left out, such as {shown(said[0])}",
            remedy="the policy is asked with stepmill's own instruction; write into the user turn what a problem needs",
            blocks=False,
        )


def _simulated(source: Source, problems: tuple[Problem, ...], policy: str) -> Iterator[Finding]:
    """The simulated policy continues its own problems only, and they are too simple for another one."""
    if policy != SIMULATED:
        if source.kind == "simulated":
            yield Finding(
                field=f"sources.{source.name}.kind",
                why=f"'simulated' gives the problems of the simulated policy, and policy.model is {policy!r}",
                remedy="set kind to 'file' or 'hub', or policy.model to 'simulated'",
                blocks=False,
            )
        return
    simulated = SimulatedPolicy()
    foreign = 0
    for problem in problems:
        try:
            simulated.value(simulated.tokenizer.chat(solve.messages(problem.prompt)))
        except RequestRefused:
            foreign += 1
    if foreign:
        yield Finding(
            field="policy.model",
            why=f"'simulated' continues its own problems only, and {foreign} of {len(problems)} problems of "
            f"source {source.name} are others",
            remedy="set it to 'embedded', a model folder or a Hub id, or the source's kind to 'simulated'",
        )
