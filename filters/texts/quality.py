r"""Rules for text that is fit to train on: complete, in one script, within bounds, without the answer in the prompt.

Each function returns rules for `apply_rules`: drop reasons, each with an expression that is true of rows to keep.
"""

from collections.abc import Mapping

import polars as pl

Rules = Mapping[str, pl.Expr]


def not_truncated(finish_reason: str = "finish_reason") -> Rules:
    """The policy ended the text itself; it was not cut at the length limit."""
    return {"truncated": pl.col(finish_reason) != "length"}


def one_script(text: str, *, most_foreign: float = 0.02) -> Rules:
    """At most a share `most_foreign` of the letters is neither Latin nor Greek; digits and signs do not count."""
    if not 0 <= most_foreign <= 1:
        raise ValueError(f"most_foreign must be from 0 to 1, got {most_foreign}")
    letters = pl.col(text).str.count_matches(r"\p{L}")
    foreign = letters - pl.col(text).str.count_matches(r"[\p{Latin}\p{Greek}]")
    return {"foreign_script": foreign <= letters * most_foreign}


def sides_differ(chosen: str, rejected: str) -> Rules:
    """Neither side of a pair is blank, and they differ in more than white space."""
    left, right = (pl.col(side).str.replace_all(r"\s+", " ").str.strip_chars() for side in (chosen, rejected))
    return {"chosen_blank": left != "", "rejected_blank": right != "", "sides_equal": left != right}


def no_answer_in(prompt: str) -> Rules:
    r"""The prompt contains no marked answer: `\boxed{}`, `#### 5`, "the answer is 5".

    The bare gold answer is no sign of a leak: the answer is often a number that the problem states.
    """
    marked = pl.col(prompt).str.contains(r"\\boxed\s*\{\s*[^}\s]|(?m)^\s*####\s*\S|(?i)\bthe answer is:?\s*[-$\\0-9]")
    return {"answer_in_prompt": ~marked}


def lengths_within(text: str, *, least: int = 1, most: int) -> Rules:
    """The text has `least` to `most` characters."""
    if not 0 <= least <= most:
        raise ValueError(f"least must be from 0 to most ({most}), got {least}")
    length = pl.col(text).str.len_chars()
    return {"too_short": length >= least, "too_long": length <= most}


def steps_within(steps: str, *, least: int, most: int, longest: int) -> Rules:
    """There are `least` to `most` steps, none blank and none longer than `longest` characters."""
    if not 1 <= least <= most:
        raise ValueError(f"least must be from 1 to most ({most}), got {least}")
    if longest < 1:
        raise ValueError(f"longest must be at least 1, got {longest}")
    count = pl.col(steps).list.len()
    return {
        "too_few_steps": count >= least,
        "too_many_steps": count <= most,
        "blank_step": pl.col(steps).list.eval(pl.element().str.strip_chars() != "").list.all(),
        "step_too_long": pl.col(steps).list.eval(pl.element().str.len_chars() <= longest).list.all(),
    }


def pass_rate_within(least: float, most: float, *, column: str = "pass_rate") -> Rules:
    """The problem is neither too hard nor too easy for the policy: its pass rate is from `least` to `most`."""
    if not 0 <= least <= most <= 1:
        raise ValueError(f"least must be from 0 to most ({most}), and most at most 1, got {least}")
    return {"too_hard": pl.col(column) >= least, "too_easy": pl.col(column) <= most}
