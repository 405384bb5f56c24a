"""The trainings that are compared: what each learns from, what that cost, and the grid that its settings come from."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import polars as pl

from benchmarks.laboratory_value.rounds import ATTEMPTS, Cost, Round
from generators.engine.tokenizer import HFTokenizer
from generators.training.examples import Example
from generators.training.phases import PhaseSettings
from generators.training.rows import Items, step_pairs, weighted_pairs
from generators.training.rows import corrections as correction_examples
from generators.training.rows import right_attempts as right_examples

BASE = "base"
LONG_COT = "long_cot_traces"
CORRECTIONS = "self_correction_traces"
STEP_PAIRS = "step_preference_pairs"
CRITICAL = "critical_token_pairs"
T = TypeVar("T")
SFT_BATCH = 16
SFT_RATES = (3e-4, 1e-3)
PAIR_BATCH = 8
PAIR_RATES = (1e-5, 3e-5, 1e-4)
BETAS = (0.1, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What an arm learns from, and what it cost."""

    items: Items
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A training: `learns` gives its lesson from a round, with at most so many pairs, and `against` is its baseline."""

    name: str
    title: str
    against: str
    takes_pairs: bool
    learns: Callable[[Round, HFTokenizer, int], Lesson]


def right_attempts(round: Round, _: HFTokenizer, __: int, *, cost_of: str | None) -> Lesson:
    """Right attempts at as many problems as cost what a stage cost, or with None the whole round."""
    budget = (round.whole if cost_of is None else round.cost(cost_of)).tokens
    attempts = pl.concat([round.table(ATTEMPTS), round.further()], how="vertical")
    of_problem = attempts.group_by("problem_id", maintain_order=True).agg(pl.col("token_ids").list.len().sum())
    affordable = of_problem.filter(pl.col("token_ids").cum_sum() <= budget)["problem_id"]
    within = attempts.filter(pl.col("problem_id").is_in(affordable.implode()))
    cost = Cost(rollouts=within.height, tokens=int(within["token_ids"].list.len().sum()))
    return Lesson(items=right_examples(within), cost=cost)


def long_cot(round: Round, tokenizer: HFTokenizer, _: int) -> Lesson:
    """Long chains of thought as the chats that they are released as."""
    rows = round.table(LONG_COT)
    items = [_of_chat(messages, tokenizer) for messages in rows["messages"].to_list()]
    return Lesson(items=items, cost=round.cost(LONG_COT))


def corrections(round: Round, _: HFTokenizer, __: int) -> Lesson:
    """Self-corrections, whose mistakes are read and not learnt."""
    return Lesson(items=correction_examples(round.table(CORRECTIONS)), cost=round.cost(CORRECTIONS))


def step_pairs_of(round: Round, _: HFTokenizer, most: int) -> Lesson:
    """Step pairs; as many as all arms with pairs have."""
    return Lesson(items=drawn(step_pairs(round.table(STEP_PAIRS)), round, most), cost=round.cost(STEP_PAIRS))


def weighted_pairs_of(round: Round, _: HFTokenizer, most: int) -> Lesson:
    """Whole solutions with weights on their tokens."""
    return Lesson(items=drawn(weighted_pairs(round.table(CRITICAL)), round, most), cost=round.cost(CRITICAL))


def whole_pairs(round: Round, _: HFTokenizer, most: int) -> Lesson:
    """The same pairs without weights: what DPO has, which costs the attempts alone."""
    pairs = drawn(weighted_pairs(round.table(CRITICAL)), round, most)
    items = [replace(pair, chosen_weights=None, rejected_weights=None) for pair in pairs]
    return Lesson(items=items, cost=round.cost(ATTEMPTS))


def confirmed_pairs(round: Round, _: HFTokenizer, most: int) -> Lesson:
    """Pairs with a token that rollouts confirmed, which gets all weight of the wrong side."""
    rows = round.table(CRITICAL)
    pairs = []
    for row, pair in zip(rows.iter_rows(named=True), weighted_pairs(rows), strict=True):
        tested = zip(row["critical_positions"], row["critical_confirmed"], strict=True)
        places = {place - row["response_start"] for place, is_confirmed in tested if is_confirmed}
        if places:
            n_tokens = len(pair.rejected) - pair.rejected.solution_start
            pairs.append(replace(pair, rejected_weights=tuple(float(place in places) for place in range(n_tokens))))
    return Lesson(items=drawn(pairs, round, most), cost=round.cost(CRITICAL))


ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(
            name="right_attempts",
            title="Right attempts, cost of the whole round",
            against=BASE,
            takes_pairs=False,
            learns=partial(right_attempts, cost_of=None),
        ),
        Arm(
            name="right_attempts_for_thoughts",
            title="Right attempts, cost of the long chains",
            against=BASE,
            takes_pairs=False,
            learns=partial(right_attempts, cost_of=LONG_COT),
        ),
        Arm(
            name=LONG_COT,
            title="Long chains of thought",
            against="right_attempts_for_thoughts",
            takes_pairs=False,
            learns=long_cot,
        ),
        Arm(
            name="right_attempts_for_corrections",
            title="Right attempts, cost of the self-corrections",
            against=BASE,
            takes_pairs=False,
            learns=partial(right_attempts, cost_of=CORRECTIONS),
        ),
        Arm(
            name=CORRECTIONS,
            title="Self-corrections",
            against="right_attempts_for_corrections",
            takes_pairs=False,
            learns=corrections,
        ),
        Arm(name="dpo", title="DPO on whole solutions", against=BASE, takes_pairs=True, learns=whole_pairs),
        Arm(name="step_dpo", title="Step-DPO", against="dpo", takes_pairs=True, learns=step_pairs_of),
        Arm(name="cdpo", title="cDPO", against="dpo", takes_pairs=True, learns=weighted_pairs_of),
        Arm(
            name="cdpo_confirmed",
            title="cDPO on confirmed tokens",
            against="dpo",
            takes_pairs=True,
            learns=confirmed_pairs,
        ),
    )
}


def n_pairs(round: Round, most: int) -> int:
    """How many pairs every arm with pairs trains on: as many as the smaller table has, at most `most`."""
    return min(most, *(round.table(name).height for name in (STEP_PAIRS, CRITICAL)))


def drawn(items: Sequence[T], round: Round, most: int) -> list[T]:
    """At most `most` of the items, the same ones every time."""
    order = list(range(len(items)))
    random.Random(round.folder.name).shuffle(order)
    return [items[index] for index in sorted(order[:most])]


def grid(arm: Arm, *, is_short: bool) -> list[PhaseSettings]:
    """The settings that an arm chooses from."""
    if not arm.takes_pairs:
        return [_phase(rate, 300 if is_short else 400, batch=SFT_BATCH) for rate in SFT_RATES]
    steps, rates = (100, PAIR_RATES[1:]) if is_short else (150, PAIR_RATES)
    with_likelihood = [
        _phase(rate, steps, batch=PAIR_BATCH, beta=beta, likelihood=1.0) for beta in BETAS for rate in rates
    ]
    without = [_phase(rate, steps, batch=PAIR_BATCH) for rate in rates[:2]]
    return without + with_likelihood[: 2 if is_short else None]


def _phase(rate: float, steps: int, *, batch: int, beta: float = 0.1, likelihood: float = 0.0) -> PhaseSettings:
    return PhaseSettings(
        dataset=ATTEMPTS,
        learning_rate=rate,
        steps=steps,
        batch_size=batch,
        beta=beta,
        likelihood=likelihood,
        save_every=steps,
    )


def _of_chat(messages: Sequence[Mapping[str, str]], tokenizer: HFTokenizer) -> Example:
    """The chat of a trace: its answer is learnt."""
    *before, answer = [dict(message) for message in messages]
    head = tokenizer.chat(before)
    return Example((*head, *tokenizer.encode(answer["content"]), tokenizer.end_of_turn), len(head))
