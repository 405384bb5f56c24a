"""What the attempts of earlier rounds say before more is drawn: whether most of them lack a recognised answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from generators.attempts.table import ATTEMPTS
from generators.attempts.unanswered import Unanswered, unanswered
from generators.datasets import completed
from generators.preflight import Finding
from generators.problems.settings import Source


def attempts_findings(settings: Settings, sources: Sequence[Source]) -> Iterator[Finding]:
    """Warn of each source whose attempts in its last round mostly lack an answer; raises StorageError.

    It never blocks: the settings may have been mended since.
    """
    store = Store(data_root=settings.data_root)
    for source in sources:
        for round_key in reversed(store.rounds(ATTEMPTS.name)):
            last = unanswered_in(store, settings, source, round_key)
            if last is not None:
                for finding in last.findings(settings.checks.max_no_answer_share):
                    yield replace(finding, why=f"in round {round_key}, {finding.why}", blocks=False)
                break


def unanswered_in(store: Store, settings: Settings, source: Source, round_key: str) -> Unanswered | None:
    """The attempts of a round at a source's problems that lack an answer; None if it has no attempt at them."""
    slices = [key for key, (owner, _) in settings.slices().items() if owner.name == source.name]
    paths = [store.table(ATTEMPTS.name, Cell(round=round_key, slice=key)) for key in slices]
    frames = [completed(ATTEMPTS.name, store.read(path)) for path in paths if path.exists()]
    attempts = pl.concat([ATTEMPTS.empty(), *frames])
    return None if attempts.is_empty() else unanswered(attempts, source)
