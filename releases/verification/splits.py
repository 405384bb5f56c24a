"""Checks that every problem is in its own split, in every config.

A config without a column `problem_id` is checked by its prompts, whose ids the main config has. Other configs, and
prompts in a template, are covered by their recomputation, which puts every row into its split.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b

import polars as pl

from filters.schema import MESSAGES
from releases.drafting import shares_in
from releases.splits import SplitShares
from releases.verification.finding import Checked, Finding, brief
from releases.verification.streamed import Block, StreamedRelease


def check_splits(release: StreamedRelease) -> Checked:
    """Every problem is in the split that its id belongs to."""
    shares = shares_in(release.manifest.facts)
    of_prompt = _splits_of_prompts(release, shares)
    problem_ids: set[str] = set()
    seen: set[tuple[str, str, str]] = set()  # what has a finding already
    findings: list[Finding] = []
    for block in release.blocks():
        if "problem_id" in block.rows.columns:
            split_of = {problem: (shares.split_of(problem),) for problem in block.rows["problem_id"].unique()}
            findings += _misplaced(block, block.rows["problem_id"], "problem_id", split_of, seen)
            problem_ids |= split_of.keys()
        elif "prompt" in block.rows.columns:
            asked = _asked(block.rows["prompt"])
            splits = {prompt: of_prompt.get(_digest(prompt), ()) for prompt in asked.unique()}
            findings += _misplaced(block, asked, "prompt", splits, seen)
    return Checked.of(len(problem_ids), "problems", findings)


def _splits_of_prompts(release: StreamedRelease, shares: SplitShares) -> Mapping[bytes, tuple[str, ...]]:
    """The splits that each prompt may be in; problems with different answers may share a prompt."""
    splits: dict[bytes, tuple[str, ...]] = {}
    if {"problem_id", "prompt"} <= release.schema(release.main).columns.keys():
        for rows in release.rows(release.main).blocks("problem_id", "prompt"):
            for problem, prompt in rows.unique(maintain_order=True).iter_rows():
                digest, split = _digest(prompt), shares.split_of(problem)
                if split not in splits.get(digest, ()):
                    splits[digest] = tuple(sorted((*splits.get(digest, ()), split)))
    return splits


def _digest(prompt: str | None) -> bytes:
    return blake2b((prompt or "").encode(), digest_size=16).digest()


def _asked(values: pl.Series) -> pl.Series:
    return values.list.last().struct.field("content") if values.dtype == MESSAGES else values


def _misplaced(
    block: Block,
    values: pl.Series,
    column: str,
    splits_of: Mapping[str, tuple[str, ...]],
    seen: set[tuple[str, str, str]],
) -> Iterator[Finding]:
    """A finding at the first row of every problem that does not belong in the block's split."""
    if all(not splits or block.split in splits for splits in splits_of.values()):
        return
    for row, value in enumerate(values):
        splits, place = splits_of.get(value), (block.config, block.split, value)
        if splits and block.split not in splits and place not in seen:
            seen.add(place)
            yield block.finding(
                row, column, f"problem {brief(value)} is in {block.split}, it belongs to {' and '.join(splits)}"
            )
