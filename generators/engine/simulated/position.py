r"""Where in a solution a prefix stands, read from its token ids alone, and the law of the token that comes next.

Knows nothing of requests. A solution is lines "Adding <number> <fillers> gives <total>", one a step, then
"\boxed{<total>}" and the end-of-text token. A line that opens with a letter and gives no total is a trigger, wherever
it stands: behind it the policy starts over. A text that begins with the opening tag of thoughts has its lines as
thoughts: the closing tag stands behind the last of them, before the box. Tokens that fit nowhere in this form count as
fillers, so that any prefix can be continued.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, auto

from generators.engine.simulated.law import SimulatedLaw, chain_value
from generators.engine.simulated.statement import MODULUS, Statement
from generators.engine.simulated.vocabulary import (
    ADDING,
    BARE,
    BOX_CLOSE,
    BOX_OPEN,
    CLOSING,
    EOS,
    FILLERS,
    GIVES,
    NEWLINE,
    OPENING,
    SPACED,
    VALUES,
    is_letter,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A statement with the law that holds for it; `filler_rate` is the probability of one more filler token.

    Without `mend_rate` and `break_rate` all that is stated again behind a trigger stays as it was.
    """

    statement: Statement
    error_rate: float
    recovery_rate: float
    filler_rate: float
    late: bool = False
    mend_rate: float = 0.0
    break_rate: float = 0.0

    @classmethod
    def under(cls, law: SimulatedLaw, statement: Statement) -> "Task":
        return cls(
            statement=statement,
            error_rate=law.step_error_rate(statement.text, len(statement.addends)),
            recovery_rate=law.recovery_rate,
            filler_rate=law.mean_fillers / (law.mean_fillers + 1),
            late=law.late,
            mend_rate=law.mend_rate,
            break_rate=law.break_rate,
        )

    def value(self, *, right: bool, step: int) -> float:
        """The probability to end right behind `step` totals, the last of which was `right` or not."""
        remaining = len(self.statement.addends) - step
        return chain_value(
            right=right,
            error_rate=self.error_rate,
            recovery_rate=self.recovery_rate,
            remaining=1 if self.late else remaining,
        )

    def restated(self, *, right: bool) -> float:
        """The probability that what is stated again behind a trigger is right, as it was `right` or not before."""
        return 1 - self.break_rate if right else self.mend_rate


class Phase(IntEnum):
    """What the next token is about."""

    LINE_START = auto()
    OPERAND = auto()
    FILLERS = auto()
    TOTAL = auto()
    LINE_END = auto()
    CLOSING_TAG = auto()
    BOXED = auto()
    BOX_END = auto()
    CLOSED = auto()
    BEHIND = auto()  # at the start of a line behind the answer
    ENDED = auto()


class Position:
    """A place in a solution of `task`; moves with every token.

    `step` counts the totals that were stated, `stated` is the last of them (at first the start), `boxed` the final
    answer once it is there, `first_error` the index of the first step whose total is not the true one. The boxed
    line counts as the step behind the last. `remarks` says that the line so far may be a trigger, which starts the
    count of steps over; `earlier` keeps the totals from before it, and `earlier_boxed` the answer: they are stated
    again. `opened` counts the tokens of the opening tag that the text begins with (-1 once it is no such text), and
    `closed` those of the closing tag.
    """

    __slots__ = (
        *("boxed", "closed", "earlier", "earlier_boxed", "first_error", "opened", "phase", "remarks"),
        *("said", "stated", "step", "task"),
    )

    def __init__(self, task: Task) -> None:
        self.task = task
        self.phase = Phase.LINE_START
        self.step = 0
        self.stated = task.statement.start
        self.boxed: int | None = None
        self.first_error: int | None = None
        self.said: tuple[int, ...] = ()
        self.earlier: tuple[int, ...] = ()
        self.earlier_boxed: int | None = None
        self.remarks = False
        self.opened = 0
        self.closed = 0

    def copy(self) -> "Position":
        """An independent position at the same place."""
        twin = Position(self.task)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    @property
    def is_right(self) -> bool:
        """The last stated total is the true one."""
        return self.stated == self.task.statement.totals[self.step]

    @property
    def thinks(self) -> bool:
        """The lines are thoughts, which a closing tag has to end."""
        return self.opened == len(OPENING) and self.closed < len(CLOSING)

    @property
    def restates(self) -> bool:
        """What comes next was stated before a trigger."""
        return self.step < len(self.earlier) or (self.task.late and self.earlier_boxed is not None)

    @property
    def value(self) -> float:
        """The probability that a continuation from here ends right."""
        if self.boxed is not None or self.phase is Phase.ENDED:
            return float(self.boxed == self.task.statement.answer)
        if self.phase is Phase.BOXED and not self.task.late:
            return float(self.stated == self.task.statement.answer)
        if self.remarks and self.step == len(self.task.statement.addends):  # nothing but the line's end can follow
            return self.copy().read([NEWLINE]).value
        if self.restates and (self.phase is not Phase.BOXED or self.earlier_boxed is not None):
            return self._restating_value()
        return self.task.value(right=self.is_right, step=self.step)

    def _restating_value(self) -> float:
        task, step = self.task, len(self.earlier)
        if task.late and self.earlier_boxed is not None:
            return task.restated(right=self.earlier_boxed == task.statement.answer)
        right = self.earlier[-1] == task.statement.totals[step]
        share = float(right) if task.late else task.restated(right=right)
        return share * task.value(right=True, step=step) + (1 - share) * task.value(right=False, step=step)

    def read(self, token_ids: Iterable[int]) -> "Position":
        """Moves past every token; gives itself back."""
        for token_id in token_ids:
            self.advance(token_id)
        return self

    def advance(self, token_id: int) -> None:
        """Moves past one token."""
        phase = self.phase
        if self.opened not in (-1, len(OPENING)):
            self.opened = self.opened + 1 if token_id == OPENING[self.opened] else -1
        if self._closes(token_id):
            return
        if token_id == NEWLINE and self.remarks:
            self._start_over()
            return
        opens = phase in (Phase.LINE_START, Phase.BEHIND)
        self.remarks = is_letter(token_id) if opens else self.remarks and token_id not in (GIVES, BOX_OPEN, EOS)
        if token_id == EOS:
            self.phase = Phase.ENDED
        elif token_id == BOX_OPEN:
            self.phase, self.boxed = Phase.BOXED, None
        elif phase is Phase.BOXED and token_id in VALUES:
            self._box(VALUES[token_id])
        elif self.boxed is not None:
            self.phase = Phase.BEHIND if token_id == NEWLINE else Phase.CLOSED
        elif phase is Phase.TOTAL and token_id in VALUES:
            self._state(VALUES[token_id])
        elif token_id == NEWLINE:
            self.phase = Phase.LINE_START
        elif token_id == GIVES:
            self.phase = Phase.TOTAL
        elif token_id == ADDING and phase is Phase.LINE_START:
            self.phase = Phase.OPERAND
        else:
            self.phase = Phase.FILLERS

    def _closes(self, token_id: int) -> bool:
        """Whether the token belongs to the closing tag at the start of a line; moves past it where it does."""
        begins = self.thinks and self.phase is Phase.LINE_START
        if (begins or self.phase is Phase.CLOSING_TAG) and token_id == CLOSING[self.closed]:
            self.closed += 1
            self.phase = Phase.CLOSING_TAG if self.thinks else Phase.LINE_START
            return True
        self.closed = self.closed if self.closed == len(CLOSING) else 0
        return False

    def _state(self, total: int) -> None:
        self.phase = Phase.LINE_END
        self.stated = total
        self.step = min(self.step + 1, len(self.task.statement.addends))
        self.said = (*self.said[: self.step - 1], total)
        if self.first_error is None and not self.is_right:
            self.first_error = self.step - 1

    def _box(self, answer: int) -> None:
        self.phase = Phase.BOX_END
        self.boxed = answer
        if self.first_error is None and answer != self.task.statement.answer:
            self.first_error = self.step

    def _start_over(self) -> None:
        """What was said last of every step is what will be stated again."""
        self.earlier = self.said + self.earlier[len(self.said) :]
        if self.boxed is not None:
            self.earlier_boxed = self.boxed
        self.said, self.step, self.stated, self.boxed = (), 0, self.task.statement.start, None
        self.phase, self.remarks = Phase.LINE_START, False

    def next_tokens(self) -> dict[int, float]:
        """The probability of every token that may come next; empty behind the end-of-text token."""
        more_steps = self.step < len(self.task.statement.addends)
        match self.phase:
            case Phase.LINE_START:
                return {ADDING if more_steps else CLOSING[0] if self.thinks else BOX_OPEN: 1.0}
            case Phase.CLOSING_TAG:
                return {CLOSING[self.closed]: 1.0}
            case Phase.OPERAND if more_steps:
                return {SPACED[self.task.statement.addends[self.step]]: 1.0}
            case Phase.FILLERS if more_steps:
                share = self.task.filler_rate / len(FILLERS)
                fillers = dict.fromkeys(FILLERS, share) if share else {}
                return {GIVES: 1 - self.task.filler_rate} | fillers
            case Phase.TOTAL:
                return {SPACED[total]: share for total, share in self.next_totals().items()}
            case Phase.BOXED:
                return {BARE[answer]: share for answer, share in self.next_answers().items()}
            case Phase.BOX_END:
                return {BOX_CLOSE: 1.0}
            case Phase.CLOSED | Phase.BEHIND:
                return {EOS: 1.0}
            case Phase.ENDED:
                return {}
            case _:  # a step is over, or a foreign line stands behind the last one
                return {NEWLINE: 1.0}

    def next_totals(self) -> dict[int, float]:
        """The probability of every total that the present step may state."""
        statement, task = self.task.statement, self.task
        if self.step == len(statement.addends):
            return {self.stated: 1.0}
        true = statement.totals[self.step + 1]
        if self.step < len(self.earlier):
            is_last, before = self.step + 1 == len(self.earlier), self.earlier[self.step]
            return self._restated(true, before) if is_last and not task.late else {before: 1.0}
        carried = (self.stated + statement.addends[self.step]) % MODULUS
        return {carried: 1.0} if task.late else self._moved(true, carried)

    def next_answers(self) -> dict[int, float]:
        """The probability of every number that the box may hold."""
        if not self.task.late:
            return {self.stated: 1.0}
        answer = self.task.statement.answer
        return (
            self._moved(answer, self.stated)
            if self.earlier_boxed is None
            else self._restated(answer, self.earlier_boxed)
        )

    def _moved(self, true: int, carried: int) -> dict[int, float]:
        """Where a right total may go wrong, and a wrong one recover."""
        return _shares(
            true, carried, right=self.is_right, breaking=self.task.error_rate, mending=self.task.recovery_rate
        )

    def _restated(self, true: int, before: int) -> dict[int, float]:
        """Where the number `before` a trigger may be broken or mended."""
        task = self.task
        return _shares(true, before, right=before == true, breaking=task.break_rate, mending=task.mend_rate)


def _shares(true: int, kept: int, *, right: bool, breaking: float, mending: float) -> dict[int, float]:
    if right:
        shares = dict.fromkeys(range(MODULUS), breaking / (MODULUS - 1)) | {true: 1 - breaking}
    else:
        shares = {true: mending, kept: 1 - mending}
    return {total: share for total, share in shares.items() if share}
