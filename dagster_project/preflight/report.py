"""Everything that cannot work under some settings, before anything is drawn or a server is started."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.preflight.attempts import attempts_findings
from dagster_project.preflight.models import model_findings
from dagster_project.preflight.places import place_findings
from dagster_project.preflight.readers import preflight
from dagster_project.preflight.sources import ReadSource, evaluation_findings, read_source
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.settings.file import Settings
from filters.answers.checker import AnswerChecker
from generators.datasets import STAGES
from generators.engine.errors import EngineError
from generators.preflight import Finding
from generators.problems.settings import Source
from generators.stage import Stage

ALL = tuple(stage.name for stage in STAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The sources as they were read, and all findings, those that block first."""

    sources: tuple[ReadSource, ...]
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> list[Finding]:
        """The findings on what cannot work."""
        return [finding for finding in self.findings if finding.blocks]

    @property
    def warned(self) -> list[Finding]:
        """The findings that stop nothing."""
        return [finding for finding in self.findings if not finding.blocks]


class CannotWork(Exception):
    """What is asked for cannot work; the message has a sentence for each reason."""


def check(settings: Settings, *, stages: Collection[str] = ALL, slices: Collection[str] = ()) -> Report:
    """Read the sources of some slices, by default of all, and ask some stages.

    Problems are sampled, and their prompts are measured with the real tokenizers.
    """
    names = {settings.slices()[key][0].name for key in slices}
    chosen = [source for source in settings.sources if not names or source.name in names]
    return asyncio.run(_check(settings, chosen, [stage for stage in STAGES if stage.name in stages]))


def require(settings: Settings, *, stages: Collection[str] = ALL, slices: Collection[str] = ()) -> None:
    """Raise CannotWork if `check` finds anything that blocks."""
    if refused := check(settings, stages=stages, slices=slices).refused:
        raise CannotWork("\n  ".join(finding.sentence for finding in refused))


async def _check(settings: Settings, chosen: Sequence[Source], stages: Sequence[Stage[Any]]) -> Report:
    policy = PolicyResource(settings=settings.policy, log_folder=settings.data_root)
    judge, reward = JudgeResource(settings=settings.judge), RewardResource(settings=settings.reward)
    findings = [*place_findings(settings), *evaluation_findings(settings.evaluation_sets)]
    models = [
        finding async for finding in model_findings(policy, judge.server(policy), settings.judge, settings.reward)
    ]
    with AnswerChecker() as checker:
        sources = [
            await read_source(source, settings.quality, policy=settings.policy.model, checker=checker)
            for source in chosen
        ]
    if any(stage.continues_attempts for stage in stages):
        findings += attempts_findings(settings, chosen)
    findings += models + [finding for read in sources for finding in read.findings]
    for source, read in zip(chosen, sources, strict=True):
        try:
            findings += await _of_stages(source, read, settings, stages, policy, judge, reward)
        except EngineError:
            if not any(finding.blocks for finding in models):
                raise
    unique = dict.fromkeys(findings)
    return Report(sources=tuple(sources), findings=tuple(sorted(unique, key=lambda finding: not finding.blocks)))


async def _of_stages(
    source: Source,
    read: ReadSource,
    settings: Settings,
    stages: Sequence[Stage[Any]],
    policy: PolicyResource,
    judge: JudgeResource,
    reward: RewardResource,
) -> list[Finding]:
    if not read.problems:
        return []
    known = await preflight(
        source,
        read.problems,
        seed=0,
        most_failed=settings.checks.most_failed,
        settings=settings.section,
        policy=policy,
        judge=judge,
        reward=reward,
    )
    fitting = [stage for stage in stages if source.has_answers or not stage.needs_answers]
    return [finding for stage in fitting for finding in stage.preflight(known, settings.section(stage.name))]
