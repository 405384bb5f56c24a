"""Every problem is in the split that the law gives it, in every config: so it is on one side only.

Knows the columns `problem_id` and `prompt`; a config without ids is judged by its prompts, which the first config has.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from releases.splits import SplitShares
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part


def check_splits(release: OpenedRelease) -> Checked:
    """No problem is in another split than its own."""
    shares = release.verifier.shares(release.manifest.facts)
    of_prompt = _splits_of_prompts(release, shares)
    named: set[str] = set()
    findings: list[Finding] = []
    for part in release.each_part():
        if "problem_id" in part.rows.columns:
            own = {problem: {shares.split_of(problem)} for problem in part.rows["problem_id"].unique()}
            findings += _strangers(part, "problem_id", own)
            named |= own.keys()
        elif "prompt" in part.rows.columns:
            findings += _strangers(part, "prompt", of_prompt)
    return Checked.of(len(named), "problems", findings)


def _splits_of_prompts(release: OpenedRelease, shares: SplitShares) -> Mapping[str, set[str]]:
    """The splits that a prompt may be in: two problems may share one, with different answers."""
    rows = release.rows(release.main)
    splits: dict[str, set[str]] = defaultdict(set)
    if {"problem_id", "prompt"} <= set(rows.columns):
        for problem, prompt in rows.select("problem_id", "prompt").unique().iter_rows():
            splits[prompt].add(shares.split_of(problem))
    return splits


def _strangers(part: Part, column: str, own: Mapping[str, set[str]]) -> Iterator[Finding]:
    """The first row of every problem that does not belong into the part's split."""
    seen: set[str] = set()
    for row, value in enumerate(part.rows[column]):
        splits = own.get(value)
        if splits and part.split not in splits and value not in seen:
            seen.add(value)
            yield part.finding(
                row,
                column,
                f"problem {brief(value)} stands in {part.split}, it belongs to {' and '.join(sorted(splits))}",
            )
