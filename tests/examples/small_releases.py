"""Small releases in a folder, written by the house's own builders and registry: what the examples train on."""

from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

import polars as pl
from upath import UPath

from filters.schema import Column, Schema
from generators.dataset import Parameters
from generators.datasets import dataset_of
from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.process_labels.table import PROCESS_LABELS
from generators.records import Evidence, StepCounts
from generators.sampling.templated import is_stable, templated
from generators.search.margins import margin_of
from generators.self_correction_traces.dataset import DATASET as TRACES
from generators.self_correction_traces.table import SELF_CORRECTION_TRACES
from generators.step_preference_pairs.dataset import DATASET as STEP_PAIRS
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS
from releases.draft import Draft, Table
from releases.drafting import drafted
from releases.facts import ReleaseFacts, SourceFacts
from releases.registry.local import LocalRegistry
from releases.splits import SplitShares, split_by_problem
from tests.releases.conftest import true_draft_of, true_solution
from tests.releases.corrected import corrected

FACTS = ReleaseFacts(
    policy="tiny",
    round="first",
    sources=(SourceFacts(name="sums", licence="apache-2.0", problems=8),),
    stages=(),
    tokens={},
    settings={},
    seeds={},
)


def publish(draft: Draft, root: Path) -> str:
    """The version's folder."""
    return str(LocalRegistry(UPath(root)).publish(draft).path.path)


def ids_of_prompt(problem: str, tokenizer: HFTokenizer) -> tuple[int, ...]:
    return tokenizer.chat(solve.messages(problem))


def step_pair(number: int, tokenizer: HFTokenizer) -> dict[str, object]:
    """The pair of problem `number`: for odd numbers the chosen step is final, for each third one the rejected step."""
    problem, before = f"What is {number} + 2?", "First.\n"
    sides = {"chosen": (f"It is {number + 2}.", number % 2 == 1), "rejected": (f"It is {number}.", number % 3 == 0)}
    prefix = (*ids_of_prompt(problem, tokenizer), *tokenizer.encode(before))
    row: dict[str, object] = {}
    evidence = {}
    for side, (words, is_final) in sides.items():
        text = words if is_final else f"{words}\n"
        right, n = (0, 0) if is_final else ((8, 12) if side == "chosen" else (1, 12))
        counts = StepCounts(n_correct=right, n_rollouts=n, n_undecided=0)
        evidence[side] = Evidence(counts=counts, own_outcome=side == "chosen" if is_final else None)
        row[side] = text
        row[f"full_{side}"] = text if is_final else f"{text}The end."
        row[f"{side}_token_ids"] = (*tokenizer.encode(text), *[tokenizer.end_of_turn] * is_final)
        row[f"{side}_n_correct"], row[f"{side}_n_rollouts"] = right, n
    margin = margin_of(evidence["chosen"], evidence["rejected"])
    prompt = templated(ids_of_prompt(problem, tokenizer), before, tokenizer)
    stable = all(
        is_stable(
            prompt,
            str(row[side]),
            prompt_token_ids=prefix,
            completion_token_ids=tokenizer.encode(str(row[side])),
            tokenizer=tokenizer,
        )
        for side in sides
    )
    return {
        **row,
        "dataset": "sums",
        "prompt": problem,
        "initial_reason_steps": before,
        "answer": str(number + 2),
        "also_accepted": [],
        "problem_id": f"p{number:02d}",
        "attempt_index": 0,
        "step_index": 1,
        "chosen_index": 0,
        "value_margin": margin.value,
        "value_margin_low": margin.low,
        "value_margin_high": margin.high,
        "chosen_value": margin.chosen.value,
        "rejected_value": margin.rejected.value,
        **{f"test_{side}_{count}": row[f"{side}_{count}"] for side in sides for count in ("n_correct", "n_rollouts")},
        "test_margin": margin.value,
        "test_margin_low": margin.low,
        "n_rollouts": 2 * (evidence["chosen"].counts.n_rollouts + evidence["rejected"].counts.n_rollouts),
        "is_final_step": sides["chosen"][1],
        "rejected_is_final_step": sides["rejected"][1],
        "prefix_token_ids": prefix,
        "templated_prompt": prompt,
        "is_stable": stable,
        "pass_rate": 0.5,
        "localiser": "labels",
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


def step_pairs(root: Path, tokenizer: HFTokenizer, numbers: Iterable[int], *, test: float = 0.3) -> str:
    rows = STEP_PREFERENCE_PAIRS.frame([step_pair(number, tokenizer) for number in numbers])
    return publish(drafted(STEP_PAIRS, {STEP_PAIRS.name: rows}, FACTS, Parameters(), SplitShares(test=test)), root)


def process_labels(root: Path) -> str:
    """Four solutions of each of eight problems, half of them wrong in their first step."""
    rows = [
        true_solution(number, is_right=attempt % 2 == 0, by_belief=number % 3 == 0) | {"attempt_index": attempt}
        for number in range(8)
        for attempt in range(4)
    ]
    frame = pl.DataFrame(rows, schema={name: column.dtype for name, column in PROCESS_LABELS.columns.items()})
    return publish(true_draft_of(frame, FACTS), root)


CRITICAL_TOKEN_PAIRS = Schema(
    name="critical_token_pairs/full",
    columns={
        name: Column(dtype, name)
        for name, dtype in {
            "problem_id": pl.String,
            "prompt": pl.String,
            "chosen": pl.String,
            "rejected": pl.String,
            "chosen_token_ids": pl.List(pl.Int64),
            "rejected_token_ids": pl.List(pl.Int64),
            "response_start": pl.Int64,
            "chosen_weights": pl.List(pl.Float64),
            "rejected_weights": pl.List(pl.Float64),
        }.items()
    },
)
TOKENS = Schema(
    name="self_correction_traces/tokens",
    columns={
        name: Column(dtype, name)
        for name, dtype in {
            "problem_id": pl.String,
            "input_ids": pl.List(pl.Int64),
            "attention_mask": pl.List(pl.Int64),
            "labels": pl.List(pl.Int64),
        }.items()
    },
)


def critical_pair(number: int, tokenizer: HFTokenizer) -> dict[str, object]:
    """A right and a wrong solution of problem `number`; the weights of the wrong one are 0.0, 0.1, 0.2 and so on."""
    problem = f"What is {number} + 2?"
    head = ids_of_prompt(problem, tokenizer)
    sides = {"chosen": f"It is {number + 2}.", "rejected": f"Hm.\nIt is {number}."}
    row: dict[str, object] = {"problem_id": f"p{number:02d}", "prompt": problem, "response_start": len(head)}
    for side, text in sides.items():
        ids = (*tokenizer.encode(text), tokenizer.end_of_turn)
        weights = [1.0] * len(ids) if side == "chosen" else [place % 10 / 10 for place in range(len(ids))]
        row[side] = text
        row[f"{side}_token_ids"] = [*head, *ids]
        row[f"{side}_weights"] = [0.0] * len(head) + weights
    return row


def trace(number: int, tokenizer: HFTokenizer) -> dict[str, object]:
    """A solution whose first line is a mistake that is not to be learnt."""
    problem, wrong, right = f"What is {number} + 2?", f"It is {number}.\n", f"Wait. It is {number + 2}."
    head, mistake = ids_of_prompt(problem, tokenizer), tokenizer.encode(wrong)
    mended = (*tokenizer.encode(right), tokenizer.end_of_turn)
    masked = [-100] * (len(head) + len(mistake))
    return {
        "problem_id": f"p{number:02d}",
        "input_ids": [*head, *mistake, *mended],
        "attention_mask": [1] * len([*masked, *mended]),
        "labels": [*masked, *mended],
    }


def correction(number: int, tokenizer: HFTokenizer) -> dict[str, object]:
    """A whole row of self-correction traces in the tokenizer's ids."""
    row = corrected(number)
    parts = [row["attempts"][0], row["triggers"][0], row["attempts"][1]]
    ids = [tokenizer.encode(part) for part in parts]
    first, second, _ = accumulate(map(len, ids))
    token_ids = [*(token for part in ids for token in part), tokenizer.end_of_turn]
    head = ids_of_prompt(row["prompt"], tokenizer)
    return row | {
        "prompt_token_ids": list(head),
        "token_ids": token_ids,
        "attempt_starts": [0, second],
        "attempt_ends": [first, len(token_ids)],
        "loss_mask": [0] * first + [1] * (len(token_ids) - first),
        "masked_token_ends": [first],
        "templated_prompt": templated(head, "", tokenizer),
    }


def self_corrections(root: Path, tokenizer: HFTokenizer, numbers: Iterable[int]) -> str:
    rows = SELF_CORRECTION_TRACES.frame([correction(number, tokenizer) for number in numbers])
    return publish(drafted(TRACES, {TRACES.name: rows}, FACTS, Parameters(), SplitShares(test=0.3)), root)


def released(root: Path, schema: Schema, rows: Iterable[dict[str, object]], *, test: float = 0.3) -> str:
    """Rows of a dataset whose own builder wants more of them than a trainer reads."""
    name, config = schema.name.split("/")
    dataset = dataset_of(name)
    assert dataset is not None
    splits = {
        split: schema.validate(part)
        for split, part in split_by_problem(schema.frame(list(rows)), SplitShares(test=test)).items()
    }
    tables = {config: Table(schema=schema, purpose="", splits=splits)}
    return publish(Draft(dataset=name, card=dataset.card, tables=tables, facts=FACTS), root)
