"""Where a loop stands and what is due, by the data root alone: `stepmill loop` and the sensor both go by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from dagster_project.partitions import Cell
from dagster_project.policies.evaluating import Evaluator
from dagster_project.policies.record import RoundPolicy, read_next
from dagster_project.policies.rounds import round_key, rounds_of
from dagster_project.policies.stopping import Progress, progress
from dagster_project.policies.training import made_from, versions_of
from dagster_project.resources.store import Store
from dagster_project.running.selection import Selection, select
from dagster_project.scorecard import Standing, standing
from dagster_project.settings.file import Settings, SettingsError, loop_of
from generators.evaluation.figures import Evaluation


class Due(StrEnum):
    """What comes next in a loop."""

    ROUND = "round"  # it must be opened
    SLICES = "slices"
    RELEASES = "releases"
    POLICY = "policy"  # it must be trained or evaluated
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a loop stands.

    `round` is the one that something is due for, or the last one. `rounds` has the records of all opened rounds.
    `policies` has the names of their policies and of the last round's next one, if it is made, `evaluations` theirs,
    or None. `state` is the standing of the round's tables; `progress` is None until a round is done.
    """

    due: Due
    round: str
    number: int
    rounds: tuple[RoundPolicy, ...]
    policies: tuple[str, ...]
    evaluations: tuple[Evaluation | None, ...]
    state: Standing | None = None
    progress: Progress | None = None
    next_folder: str | None = None

    @property
    def why(self) -> str | None:
        """Why the loop has ended, None if it goes on."""
        return None if self.progress is None else self.progress.why

    @property
    def known(self) -> list[Evaluation]:
        """The evaluations up to the first that is missing."""
        first_known = takewhile(lambda evaluation: evaluation is not None, self.evaluations)
        return [evaluation for evaluation in first_known if evaluation is not None]


def selection_of(settings: Settings) -> Selection:
    """What a round of the loop makes: the datasets that train, and the next policy."""
    return select(settings, only=loop_of(settings).datasets, policy=True)


def position(settings: Settings, store: Store) -> Position:
    """Where the loop of some settings stands.

    Raises SettingsError if its first round was drawn by another policy than that of the settings, EngineError if that
    policy is not known, and StorageError.
    """
    loop = loop_of(settings)
    rounds = rounds_of(loop, store)
    base = settings.policy.name_now()
    if not rounds:
        first = round_key(loop, 1)
        return Position(due=Due.ROUND, round=first, number=1, rounds=(), policies=(base,), evaluations=(None,))
    if rounds[0].policy != base:
        raise SettingsError(
            f"loop {loop.name} began with the policy {rounds[0].policy}, and policy.model is {base} now: set it back, "
            "or give a new loop another loop.name"
        )
    return _in_round(settings, store, rounds)


def _in_round(settings: Settings, store: Store, rounds: Sequence[RoundPolicy]) -> Position:
    """The position in the last round that was opened."""
    loop, current = loop_of(settings), rounds[-1]
    cells = [Cell(round=current.round, slice=key) for key in settings.slices()]
    state = standing(store, cells, selection_of(settings).stages)
    evaluator = Evaluator(settings=settings, loop=loop, store=store)
    made = read_next(store.root, current.round)
    if made is not None and not made.is_that_of(store.root, made_from(settings, store, current, rounds[0])):
        made = None
    policies = [drawing.policy for drawing in rounds] + ([] if made is None else [made.policy])
    evaluations = [evaluator.stored(policy) for policy in policies]
    known = [evaluation for evaluation in evaluations if evaluation is not None]
    judged = progress(known, loop) if made is not None and len(known) == len(policies) else None
    if not state.is_ready:
        due = Due.SLICES
    elif None in versions_of(store, loop, current.round).values():
        due = Due.RELEASES
    elif judged is None:
        due = Due.POLICY
    else:
        due = Due.ROUND if judged.why is None else Due.NOTHING
    opens = due is Due.ROUND
    return Position(
        due=due,
        round=round_key(loop, current.number + 1) if opens else current.round,
        number=current.number + 1 if opens else current.number,
        rounds=tuple(rounds),
        policies=tuple(policies),
        evaluations=tuple(evaluations),
        state=state,
        progress=judged if due in (Due.ROUND, Due.NOTHING) else None,
        next_folder=None if made is None else made.folder,
    )


def open_round(settings: Settings, store: Store, where: Position) -> RoundPolicy:
    """Record the policy of the round that is due; raises StorageError. Of several openers, the first one counts."""
    record = RoundPolicy(
        round=where.round,
        loop=loop_of(settings).name,
        number=where.number,
        policy=where.policies[-1],
        folder=where.next_folder,
    )
    return record.open(store.root)
