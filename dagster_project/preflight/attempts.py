"""What the attempts of earlier rounds say before more is drawn: whether most of them lack a recognised answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from generators.attempts.table import ATTEMPTS
from generators.attempts.unanswered import UNANSWERED_COLUMNS, Unanswered, unanswered
from generators.blocks import StoredTable
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
    stored = [StoredTable(path, ATTEMPTS) for path in paths if path.exists()]
    found = unanswered((block for table in stored for block in table.blocks(UNANSWERED_COLUMNS)), source)
    return found if found.total else None
