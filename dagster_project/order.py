"""An order for one stage of a slice: its settings, and where it works."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dagster_project.slice import RunSlice
from generators.engine.errors import EngineMisconfigured
from generators.preflight import no_findings
from generators.section import Section
from generators.stage import Output, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceOrder:
    """A stage that is to be made under the settings of `section`."""

    stage: Stage[Any]
    work: RunSlice
    section: Section

    @property
    def is_without_answers(self) -> bool:
        """Whether nothing is drawn, for the stage needs answers and no problem of the slice has one."""
        if not self.stage.needs_answers:
            return False
        problems = self.work.problems()
        return bool(problems) and not any(problem.has_answer for problem in problems)

    async def made(self) -> Output:
        """The output of the stage, unless it is known before anything is drawn that the stage cannot work."""
        stage, work = self.stage, self.work
        found = list(work.unanswered()) if stage.continues_attempts else []
        if stage.preflight is not no_findings:
            found += stage.preflight(await work.preflight(), self.section)
        for finding in found:
            if not finding.blocks:
                work.warn(finding.sentence)
        if refused := [finding.sentence for finding in found if finding.blocks]:
            raise EngineMisconfigured("; ".join(refused))
        return await stage.make(work, self.section)

    @contextmanager
    def discarding(self) -> Iterator[None]:
        """At the end, delete the tables that are still under a temporary name."""
        try:
            yield
        finally:
            self.discard()

    def discard(self) -> None:
        """Delete the tables that are still under a temporary name."""
        self.work.discard()
