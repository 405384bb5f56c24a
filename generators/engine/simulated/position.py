r"""Where in a solution a prefix ends, parsed from its token ids, and the distribution of the next token.

A solution is one line "Adding <number> <fillers> gives <total>" per step, then "\boxed{<total>}" and the end-of-text
token. A line that begins with a letter and gives no total is a trigger, wherever it occurs: after it the policy starts
over. If the text begins with the opening tag of thoughts, its lines are thoughts, and the closing tag comes between the
last of them and the box. Tokens that fit nowhere count as fillers, so that any prefix can be continued.
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
    """A statement with its rates; `filler_rate` is the probability of one more filler token.

    After a wrong total it is `wrong_filler_rate`, if there is one.
    With `mend_rate` and `break_rate` 0, everything stated again after a trigger stays as it was.
    """

    statement: Statement
    error_rate: float
    recovery_rate: float
    filler_rate: float
    late: bool = False
    mend_rate: float = 0.0
    break_rate: float = 0.0
    wrong_filler_rate: float | None = None

    @classmethod
    def under(cls, law: SimulatedLaw, statement: Statement) -> "Task":
        return cls(
            statement=statement,
            error_rate=law.step_error_rate(statement.text, len(statement.addends)),
            recovery_rate=law.recovery_rate,
            filler_rate=law.filler_rate(right=True),
            late=law.late,
            mend_rate=law.mend_rate,
            break_rate=law.break_rate,
            wrong_filler_rate=law.filler_rate(right=False),
        )

    def one_more_filler(self, *, right: bool) -> float:
        """The probability of one more filler token in a step, if the total before it was `right`, or was not."""
        return self.filler_rate if right or self.wrong_filler_rate is None else self.wrong_filler_rate

    def value(self, *, right: bool, step: int) -> float:
        """The probability of ending right after `step` totals, if the last of them was `right`, or was not."""
        remaining = len(self.statement.addends) - step
        return chain_value(
            right=right,
            error_rate=self.error_rate,
            recovery_rate=self.recovery_rate,
            remaining=1 if self.late else remaining,
        )

    def restated(self, *, right: bool) -> float:
        """The probability that what is stated again after a trigger is right, if it was `right` before, or was not."""
        return 1 - self.break_rate if right else self.mend_rate


class Phase(IntEnum):
    """Which part of a solution the next token belongs to."""

    LINE_START = auto()
    OPERAND = auto()
    FILLERS = auto()
    TOTAL = auto()
    LINE_END = auto()
    CLOSING_TAG = auto()
    BOXED = auto()
    BOX_END = auto()
    CLOSED = auto()
    AFTER_ANSWER = auto()  # at the start of a line after the answer
    ENDED = auto()


class Position:
    """A position in a solution of `task`; every token advances it.

    step: how many totals have been stated.
    stated: the last stated total; initially the start.
    boxed: the final answer, once it is there.
    first_error: the index of the first step whose total is wrong; the boxed line counts as one more step.
    remarks: whether the line so far may be a trigger, which resets `step`.
    said: the totals stated since the last trigger.
    earlier, earlier_boxed: the totals and the answer from before the trigger, which are stated again.
    opened: how many tokens of the opening tag the text begins with; -1 once it cannot begin with the tag.
    closed: how many tokens of the closing tag have come.
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
        """An independent copy."""
        copy = Position(self.task)
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        return copy

    @property
    def is_right(self) -> bool:
        """Whether the last stated total is the true one."""
        return self.stated == self.task.statement.totals[self.step]

    @property
    def thinks(self) -> bool:
        """Whether the lines are thoughts that a closing tag must still end."""
        return self.opened == len(OPENING) and self.closed < len(CLOSING)

    @property
    def restates(self) -> bool:
        """Whether the next number was already stated before a trigger."""
        return self.step < len(self.earlier) or (self.task.late and self.earlier_boxed is not None)

    @property
    def value(self) -> float:
        """The probability that a continuation from here ends right."""
        if self.boxed is not None or self.phase is Phase.ENDED:
            return float(self.boxed == self.task.statement.answer)
        if self.phase is Phase.BOXED and not self.task.late:
            return float(self.stated == self.task.statement.answer)
        if self.remarks and self.step == len(self.task.statement.addends):  # only the end of the line can follow
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
        """Advance past every token; returns the position itself."""
        for token_id in token_ids:
            self.advance(token_id)
        return self

    def advance(self, token_id: int) -> None:
        """Advance past one token."""
        phase = self.phase
        if self.opened not in (-1, len(OPENING)):
            self.opened = self.opened + 1 if token_id == OPENING[self.opened] else -1
        if self._closes(token_id):
            return
        if token_id == NEWLINE and self.remarks:
            self._start_over()
            return
        opens = phase in (Phase.LINE_START, Phase.AFTER_ANSWER)
        self.remarks = is_letter(token_id) if opens else self.remarks and token_id not in (GIVES, BOX_OPEN, EOS)
        if token_id == EOS:
            self.phase = Phase.ENDED
        elif token_id == BOX_OPEN:
            self.phase, self.boxed = Phase.BOXED, None
        elif phase is Phase.BOXED and token_id in VALUES:
            self._box(VALUES[token_id])
        elif self.boxed is not None:
            self.phase = Phase.AFTER_ANSWER if token_id == NEWLINE else Phase.CLOSED
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
        """Advance past a token of the closing tag at the start of a line; returns whether it was one."""
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
        """Keep the last total of every step as what will be stated again."""
        self.earlier = self.said + self.earlier[len(self.said) :]
        if self.boxed is not None:
            self.earlier_boxed = self.boxed
        self.said, self.step, self.stated, self.boxed = (), 0, self.task.statement.start, None
        self.phase, self.remarks = Phase.LINE_START, False

    def next_tokens(self) -> dict[int, float]:
        """The probability of every token that may come next; empty after the end-of-text token."""
        more_steps = self.step < len(self.task.statement.addends)
        match self.phase:
            case Phase.LINE_START:
                return {ADDING if more_steps else CLOSING[0] if self.thinks else BOX_OPEN: 1.0}
            case Phase.CLOSING_TAG:
                return {CLOSING[self.closed]: 1.0}
            case Phase.OPERAND if more_steps:
                return {SPACED[self.task.statement.addends[self.step]]: 1.0}
            case Phase.FILLERS if more_steps:
                one_more = self.task.one_more_filler(right=self.is_right)
                fillers = dict.fromkeys(FILLERS, one_more / len(FILLERS)) if one_more else {}
                return {GIVES: 1 - one_more} | fillers
            case Phase.TOTAL:
                return {SPACED[total]: share for total, share in self.next_totals().items()}
            case Phase.BOXED:
                return {BARE[answer]: share for answer, share in self.next_answers().items()}
            case Phase.BOX_END:
                return {BOX_CLOSE: 1.0}
            case Phase.CLOSED | Phase.AFTER_ANSWER:
                return {EOS: 1.0}
            case Phase.ENDED:
                return {}
            case _:  # a step has ended, or a foreign line follows the last one
                return {NEWLINE: 1.0}

    def next_totals(self) -> dict[int, float]:
        """The probability of every total that the current step may state."""
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
        """The shares of the next number: a right one may go wrong, a wrong one may recover."""
        return _shares(
            true, carried, right=self.is_right, breaking=self.task.error_rate, mending=self.task.recovery_rate
        )

    def _restated(self, true: int, before: int) -> dict[int, float]:
        """The shares of the number stated again: the one from `before` the trigger may be broken or mended."""
        task = self.task
        return _shares(true, before, right=before == true, breaking=task.break_rate, mending=task.mend_rate)


def _shares(true: int, kept: int, *, right: bool, breaking: float, mending: float) -> dict[int, float]:
    if right:
        shares = dict.fromkeys(range(MODULUS), breaking / (MODULUS - 1)) | {true: 1 - breaking}
    else:
        shares = {true: mending, kept: 1 - mending}
    return {total: share for total, share in shares.items() if share}
