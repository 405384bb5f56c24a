"""A few random problems of every source, as settings of their own: what a preview makes."""

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.settings.file import Settings
from dagster_project.settings.operations import CheckSettings
from filters.rules import Filtered
from generators.datasets import STAGES
from generators.problems.source import ProblemSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Few:
    """`n` random problems of a source, as a source of their own; rows that cannot be read are left out."""

    source: ProblemSource
    n: int
    seed: int

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    @property
    def has_answers(self) -> bool:
        """Whether the source's problems have answers."""
        return self.source.has_answers

    def candidates(self) -> Filtered:
        """Read the source and draw from it; raises SourceError."""
        rows = self.source.candidates().kept
        return Filtered(rows.sample(min(self.n, rows.height), seed=self.seed), rows.clear())


def shares(n: int, sources: Mapping[str, int]) -> dict[str, int]:
    """How many of `n` problems each source gives, as evenly as their sizes allow."""
    given = dict.fromkeys(sources, 0)
    while sum(given.values()) < min(n, sum(sources.values())):
        open_ = [name for name in sources if given[name] < sources[name]]
        given[min(open_, key=lambda name: given[name])] += 1
    return {name: share for name, share in given.items() if share}


def previewed(settings: Settings, given: Mapping[str, int], *, seed: int) -> Settings:
    """The settings of a preview: a few problems of each source in one slice, tables below `preview` of the data root.

    The bounds of checks are open, since the shares of a few problems say little.
    """
    sources = [
        source.model_copy(
            update={"problems": Few(source=source.problems, n=given[source.name], seed=seed), "shards": 1}
        )
        for source in settings.sources
        if source.name in given
    ]
    root = f"{settings.data_root.rstrip('/')}/preview"
    return settings.model_copy(update={"sources": tuple(sources), "data_root": root, "checks": _OPEN})


_OPEN = CheckSettings(
    least_right=0.0,
    most_right=1.0,
    least_label=0.0,
    least_planted=0.0,
    most_contaminated=1.0,
    most_failed=1.0,
    max_no_answer_share=1.0,
    most_timeouts=1.0,
    least_yield={stage.name: 0.0 for stage in STAGES},
)
