"""Rows, facts and drafts in the small, and registries on a disk and in an object store.

The rows of `true_draft` are true in everything that can be checked: ids, texts, verdicts, values and labels.
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import polars as pl
import pytest
from upath import UPath

from generators.problems.loading import problem_id
from generators.process_labels.dataset import DATASET as LABELS
from generators.process_labels.release import LabelParameters
from generators.process_labels.table import PROCESS_LABELS
from generators.records import StepCounts
from generators.search.belief import Belief
from generators.search.priors import Priors
from generators.search.shares import share_values
from releases.draft import Draft
from releases.drafting import drafted
from releases.facts import ReleaseFacts, SourceFacts, StageFacts
from releases.licences import joint_licence
from releases.registry.local import LocalRegistry
from releases.splits import SplitShares

PRIORS = Priors(rise=1.0)
PARAMETERS = LabelParameters(hard_threshold=0.0, confidence=0.94, label_ratio=None)
TRUE_PARAMETERS = replace(PARAMETERS, priors={"sums-0": PRIORS})


def labels_draft(
    rows: pl.DataFrame,
    facts: ReleaseFacts,
    parameters: LabelParameters = PARAMETERS,
    shares: SplitShares | None = None,
) -> Draft:
    return drafted(LABELS, {"process_labels": rows}, facts, parameters, shares)


def true_draft_of(rows: pl.DataFrame, facts: ReleaseFacts) -> Draft:
    """The draft of true rows, with the priors that their soundness follows from."""
    return labels_draft(rows, facts, TRUE_PARAMETERS, SplitShares(test=0.3))


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
        "also_accepted": [],
        "level": None,
        "attempt_index": attempt,
        "prompt_token_ids": [1, 2],
        "token_ids": list(range(3 * len(steps))),
        "steps": steps,
        "false_equations": [None] * len(steps),
        "step_ends": [3 * number + 3 for number in range(len(steps))],
        "n_correct": n_correct,
        "n_rollouts": n_rollouts,
        "n_undecided": [0] * len(steps),
        "n_no_answer": [0] * len(steps),
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
        "found_by": "box",
        "strategy": "exhaustive",
        "judge_first_error": None,
        "judge_outcome": None,
        "judge": None,
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


def true_solution(number: int, *, is_right: bool, by_belief: bool) -> dict[str, object]:
    """The solution of `number` + 2: two steps, wrong in the first one or nowhere, with counts to match."""
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    said = answer if is_right else str(number + 3)
    right, rollouts = ([7, 1], [8, 1]) if is_right else ([0, 0], [8, 1])
    row = solution(problem_id(prompt, answer), n_correct=right, n_rollouts=rollouts)
    row |= {
        "prompt": prompt,
        "answer": answer,
        "steps": [f"Adding 2 to {number} gives {said}.\n", f"The answer is \\boxed{{{said}}}."],
        "verdict": "equal" if is_right else "different",
        "extracted": said,
    }
    if by_belief:
        counts = [StepCounts(n_correct=k, n_rollouts=n, n_undecided=0) for k, n in zip(right, rollouts, strict=True)]
        belief = Belief.of(counts, n_right=2, n_attempts=4, priors=PRIORS)
        values = belief.values()
        row |= {
            "values": list(values.mean),
            "values_low": list(values.low),
            "values_high": list(values.high),
            "sound": list(belief.sound),
            "strategy": "sequential_test",
        }
    return row


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
        stated = {**plain, **changes}
        return ReleaseFacts(**{"licence": joint_licence(source.licence for source in stated["sources"]), **stated})

    return of


@pytest.fixture(scope="session")
def draft(rows, facts) -> Draft:
    return labels_draft(rows, facts())


@pytest.fixture(scope="session")
def true_rows() -> pl.DataFrame:
    rows = [true_solution(n, is_right=n % 2 == 0, by_belief=n % 3 == 0) for n in range(16)]
    return pl.DataFrame(rows, schema={name: column.dtype for name, column in PROCESS_LABELS.columns.items()})


@pytest.fixture(scope="session")
def true_draft(true_rows, facts) -> Draft:
    return true_draft_of(true_rows, facts())


@pytest.fixture
def registry(tmp_path) -> LocalRegistry:
    return LocalRegistry(UPath(tmp_path / "releases"))


@pytest.fixture
def store() -> LocalRegistry:
    return LocalRegistry(UPath(f"memory://{uuid4().hex}/releases"))


@pytest.fixture(params=["disk", "object store"])
def any_registry(request, registry, store) -> LocalRegistry:
    return registry if request.param == "disk" else store
