"""Checks that every problem is in its own split, in every config.

A config without a column `problem_id` is checked by its prompts, whose ids the main config has. Other configs, and
prompts in a template, are covered by their recomputation, which puts every row into its split.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from filters.schema import MESSAGES
from releases.drafting import shares_in
from releases.splits import SplitShares
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part


def check_splits(release: OpenedRelease) -> Checked:
    """Every problem is in the split that its id belongs to."""
    shares = shares_in(release.manifest.facts)
    of_prompt = _splits_of_prompts(release, shares)
    problem_ids: set[str] = set()
    findings: list[Finding] = []
    for part in release.each_part():
        if "problem_id" in part.rows.columns:
            split_of = {problem: {shares.split_of(problem)} for problem in part.rows["problem_id"].unique()}
            findings += _misplaced(part, "problem_id", split_of)
            problem_ids |= split_of.keys()
        elif "prompt" in part.rows.columns:
            findings += _misplaced(part, "prompt", of_prompt)
    return Checked.of(len(problem_ids), "problems", findings)


def _splits_of_prompts(release: OpenedRelease, shares: SplitShares) -> Mapping[str, set[str]]:
    """The splits that each prompt may be in; problems with different answers may share a prompt."""
    rows = release.rows(release.main)
    splits: dict[str, set[str]] = defaultdict(set)
    if {"problem_id", "prompt"} <= set(rows.columns):
        for problem, prompt in rows.select("problem_id", "prompt").unique().iter_rows():
            splits[prompt].add(shares.split_of(problem))
    return splits


def _misplaced(part: Part, column: str, splits_of: Mapping[str, set[str]]) -> Iterator[Finding]:
    """A finding at the first row of every problem that does not belong in the part's split."""
    seen: set[str] = set()
    values = part.rows[column]
    asked = values.list.last().struct.field("content") if values.dtype == MESSAGES else values
    for row, value in enumerate(asked):
        splits = splits_of.get(value)
        if splits and part.split not in splits and value not in seen:
            seen.add(value)
            yield part.finding(
                row,
                column,
                f"problem {brief(value)} is in {part.split}, it belongs to {' and '.join(sorted(splits))}",
            )
