r"""The law of a task: which lines may follow, how probable each is, and whether it is right.

A task has states, and moves from one to the next; a line of a solution is a move. From its moves alone follow the
solutions that a policy learns from, the worked solution, the truth of any solution step by step, and the value of a
prefix: the probability that a solution which goes on by the law ends right.
"""

import random
import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

State = TypeVar("State", bound=Hashable)

WAIT = "Wait."  # takes back the line before it
AGAIN = "Again from the start."
_ANSWER = re.compile(r"The answer is \\boxed\{(\d+)\}\.")
_TAGS = ("<think>", "</think>")
_STATEMENTS = ("(", "again ", "The answer")  # how lines begin that state something


@dataclass(frozen=True, slots=True)
class Move(Generic[State]):
    """A line that may follow a state, its probability, and the state after it."""

    text: str
    probability: float
    state: State
    is_right: bool = True
    is_redundant: bool = False


class Task(Protocol[State]):
    """A family of problems with a law.

    `notice` is the probability that a wrong line is taken back by the next one.
    """

    @property
    def notice(self) -> float: ...

    def draw(self, draw: random.Random) -> str:
        """A problem's prompt."""
        ...

    def begin(self, prompt: str) -> State:
        """The state before the first line."""
        ...

    def moves(self, state: State) -> tuple[Move[State], ...]:
        """The lines that may follow, with probabilities that sum to 1; none where only the answer is left."""
        ...

    def read(self, state: State, line: str) -> State | None:
        """The state after a line that is none of the moves; None if it cannot be followed."""
        ...

    def answer(self, state: State) -> str:
        """The answer of a state without moves."""
        ...

    def level(self, prompt: str) -> str:
        """How difficult a problem is: its number of steps."""
        ...


@dataclass(frozen=True, slots=True)
class Position(Generic[State]):
    """A state; `before` is the state that a retraction leads back to, and `is_wrong` says that it would be right to.

    `is_noticed` follows a retraction: the next line is a right one. `state` is None after a statement that cannot be
    followed, `stated` is the answer after an answer's line.
    """

    state: State | None
    before: State | None = None
    is_wrong: bool = False
    is_noticed: bool = False
    stated: str | None = None


@dataclass(frozen=True, slots=True)
class Line(Generic[State]):
    """A line that may follow a position, and the position after it."""

    text: str
    probability: float
    position: Position[State]
    is_right: bool
    is_redundant: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The truth of one line.

    `is_right`: it follows from the lines before it. `is_sound`: after it, right lines lead to the right answer.
    `is_redundant`: the answer can do without it.
    """

    is_right: bool
    is_sound: bool
    is_redundant: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a solution: its steps, which are its lines with text, and the index of the first wrong one."""

    steps: tuple[Step, ...]

    @property
    def first_error(self) -> int | None:
        """The first step that is not right; None if all are."""
        return next((index for index, step in enumerate(self.steps) if not step.is_right), None)

    @property
    def is_right(self) -> bool:
        """Whether the solution ends at the right answer."""
        return bool(self.steps) and self.steps[-1].is_sound


def answer_line(answer: str) -> str:
    """The last line of a solution."""
    return f"The answer is \\boxed{{{answer}}}."


def outcome(task: Task[State], state: State) -> str:
    """The answer that right lines lead to."""
    while moves := task.moves(state):
        state = next(move.state for move in moves if move.is_right and not move.is_redundant)
    return task.answer(state)


def worked(task: Task[State], prompt: str) -> tuple[str, ...]:
    """The right lines without redundant ones, the answer's included."""
    state, lines = task.begin(prompt), list[str]()
    while moves := task.moves(state):
        move = next(move for move in moves if move.is_right and not move.is_redundant)
        state = move.state
        lines.append(move.text)
    return (*lines, answer_line(task.answer(state)))


def lines_after(task: Task[State], position: Position[State], notice: float) -> tuple[Line[State], ...]:
    """The lines that may follow a position, with probabilities that sum to 1; none after the answer."""
    if position.state is None or position.stated is not None:
        return ()
    if position.is_wrong and position.before is not None and notice > 0:
        back = Line(WAIT, notice, Position(position.before, is_noticed=True), True)
        others = lines_after(task, replace(position, is_wrong=False), notice)
        return (back, *(replace(line, probability=(1 - notice) * line.probability) for line in others))
    moves = task.moves(position.state)
    if not moves:
        answer = task.answer(position.state)
        return (Line(answer_line(answer), 1.0, replace(position, stated=answer), True),)
    if position.is_noticed:
        moves = tuple(move for move in moves if move.is_right)
    total = sum(move.probability for move in moves)
    return tuple(
        Line(
            move.text,
            move.probability / total,
            Position(move.state, before=position.state, is_wrong=not move.is_right),
            move.is_right,
            move.is_redundant,
        )
        for move in moves
    )


def attempt(
    task: Task[State], prompt: str, draw: random.Random, *, notice: float | None = None
) -> Iterator[Line[State]]:
    """The lines of a solution as the law draws it, the answer's included; `notice` overrides the task's."""
    rate = task.notice if notice is None else notice
    position = Position(task.begin(prompt))
    while lines := lines_after(task, position, rate):
        (line,) = draw.choices(lines, [line.probability for line in lines])
        position = line.position
        yield line


def kept(lines: Iterable[Line[State]]) -> list[str]:
    """The lines that are neither taken back nor redundant."""
    texts: list[str] = []
    for line in lines:
        if line.text == WAIT:
            texts.pop()
        elif not line.is_redundant:
            texts.append(line.text)
    return texts


def truth(task: Task[State], prompt: str, text: str) -> Truth:
    """The truth of a solution, whoever wrote it.

    A line that states nothing (`Wait, that is not right.`) is right and redundant; the line after it may take up any
    earlier state.
    """
    right = outcome(task, task.begin(prompt))
    lines = _read(task, prompt, text)
    return Truth(tuple(Step(line.is_right, _is_sound(task, line.position, right), line.is_redundant) for line in lines))


def value(task: Task[State], prompt: str, text: str) -> float:
    """The probability that a solution which begins with the lines of `text` ends right, if the law goes on."""
    right = outcome(task, task.begin(prompt))
    lines = _read(task, prompt, text)
    return _value(task, lines[-1].position if lines else Position(task.begin(prompt)), right, {})


def _value(task: Task[State], position: Position[State], right: str, known: dict[Position[State], float]) -> float:
    if position not in known:
        lines = lines_after(task, position, task.notice)
        ends_right = float(position.stated == right)
        followed = sum(line.probability * _value(task, line.position, right, known) for line in lines)
        known[position] = followed if lines else ends_right
    return known[position]


def _read(task: Task[State], prompt: str, text: str) -> list[Line[State]]:
    """What the lines of a text are, whether or not the law would draw them."""
    begin = task.begin(prompt)
    lines, position, earlier, may_go_back = list[Line[State]](), Position(begin), [begin], False
    for written in filter(None, map(str.strip, text.split("\n"))):
        if written == AGAIN or written in _TAGS:
            line = Line(written, 0.0, Position(begin), True)
        elif written == WAIT:
            state = position.state if position.before is None else position.before
            line = Line(WAIT, 0.0, Position(state, is_noticed=True), True, is_redundant=not position.is_wrong)
        elif not written.startswith(_STATEMENTS):
            line = Line(written, 0.0, replace(position, stated=None), True, is_redundant=True)
        else:
            states = [position.state, *(reversed(earlier) if may_go_back else ())]
            readings = (_line(task, state, written) for state in states if state is not None)
            read = next((reading for reading in readings if reading.position.state is not None), None)
            line = read or Line(written, 0.0, Position(None, position.state, True), False)
        may_go_back = not written.startswith(_STATEMENTS)
        position = line.position
        if position.state is not None:
            earlier.append(position.state)
        lines.append(line)
    return lines


def _line(task: Task[State], state: State, written: str) -> Line[State]:
    """What a line is after a state."""
    lawful = {line.text: line for line in lines_after(task, Position(state), 0.0)}
    if written in lawful:
        return lawful[written]
    if stated := _ANSWER.fullmatch(written):
        return Line(written, 0.0, Position(state, state, True, stated=stated[1]), False)
    return Line(written, 0.0, Position(task.read(state, written), state, True), False)


def _is_sound(task: Task[State], position: Position[State], right: str) -> bool:
    if position.stated is not None:
        return position.stated == right
    return position.state is not None and outcome(task, position.state) == right
