"""Rows, facts and drafts in the small, and registries on a disk and in an object store."""

from collections.abc import Callable
from uuid import uuid4

import polars as pl
import pytest
from upath import UPath

from filters.schemas import PROCESS_LABELS
from generators.records import StepCounts
from generators.shares import share_values
from releases.draft import Draft
from releases.facts import ReleaseFacts, SourceFacts, StageFacts
from releases.local import LocalRegistry
from releases.process_labels import build_process_labels


def solution(problem: str, *, n_correct: list[int], n_rollouts: list[int], attempt: int = 0) -> dict[str, object]:
    steps = [f"Step {number}.\n" for number in range(len(n_correct))]
    counts = [
        StepCounts(n_correct=right, n_rollouts=n, n_undecided=0) for right, n in zip(n_correct, n_rollouts, strict=True)
    ]
    values = share_values(counts)
    return {
        "problem_id": problem,
        "source": "sums",
        "prompt": f"What is {problem}?",
        "answer": "4",
        "level": None,
        "attempt_index": attempt,
        "prompt_token_ids": [1, 2],
        "token_ids": list(range(3 * len(steps))),
        "steps": steps,
        "step_ends": [3 * number + 3 for number in range(len(steps))],
        "n_correct": n_correct,
        "n_rollouts": n_rollouts,
        "n_undecided": [0] * len(steps),
        "node_ids": [f"node {number}" for number in range(len(steps))],
        "n_attempts": 4,
        "n_attempts_right": 2,
        "values": list(values.mean),
        "values_low": list(values.low),
        "values_high": list(values.high),
        "sound": None,
        "stop_reasons": ["all_drawn"] * len(steps),
        "verdict": "different",
        "extracted": "5",
        "strategy": "exhaustive",
        "judge_first_error": None,
        "judge_outcome": None,
        "judge": None,
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


@pytest.fixture(scope="session")
def table() -> Callable[..., pl.DataFrame]:
    def of(*counts: tuple[list[int], list[int]]) -> pl.DataFrame:
        rows = [solution(f"p{number:02d}", n_correct=right, n_rollouts=n) for number, (right, n) in enumerate(counts)]
        return pl.DataFrame(rows, schema={name: column.dtype for name, column in PROCESS_LABELS.columns.items()})

    return of


@pytest.fixture(scope="session")
def rows(table) -> pl.DataFrame:
    return table(*[([4, 2, 0], [4, 4, 4]), ([3, 0], [4, 0]), ([0, 0], [4, 4]), ([1, 4], [4, 4])] * 8)


@pytest.fixture(scope="session")
def facts() -> Callable[..., ReleaseFacts]:
    def of(round: str = "first", **changes: object) -> ReleaseFacts:
        plain = {
            "policy": "tiny",
            "round": round,
            "sources": (SourceFacts(name="sums", licence="apache-2.0", problems=32),),
            "stages": (StageFacts(name="problems", kept=32, dropped={"duplicate": 2}),),
            "tokens": {"generated": 640, "prompt": 128},
            "settings": {"attempts": {"temperature": 0.7}},
            "seeds": {"attempts": 0},
        }
        return ReleaseFacts(**{**plain, **changes})

    return of


@pytest.fixture(scope="session")
def draft(rows, facts) -> Draft:
    return build_process_labels(rows, facts())


@pytest.fixture
def registry(tmp_path) -> LocalRegistry:
    return LocalRegistry(UPath(tmp_path / "releases"))


@pytest.fixture
def store() -> LocalRegistry:
    return LocalRegistry(UPath(f"memory://{uuid4().hex}/releases"))


@pytest.fixture(params=["disk", "object store"])
def any_registry(request, registry, store) -> LocalRegistry:
    return registry if request.param == "disk" else store
