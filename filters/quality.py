r"""Named expressions on text that is fit to train on: whole, in the asked format, in one script, not caught in a loop.

Each function gives rules for `apply_rules`: reason and an expression that is true of rows to keep. Knows no table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

Rules = Mapping[str, pl.Expr]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBounds:
    """How much of a text may repeat itself.

    `word_share` is the least share of different word n-grams of length `n` in a text of at least `min_words` words;
    `tail` the most times that one short unit may stand at the end, over at least `tail_characters` characters.
    """

    n: int = 4
    word_share: float = 0.3
    min_words: int = 40
    tail: int = 8
    tail_characters: int = 40

    def __post_init__(self) -> None:
        for field in ("n", "min_words", "tail", "tail_characters"):
            if getattr(self, field) < 2:
                raise ValueError(f"{field} must be at least 2, got {getattr(self, field)}")
        if not 0 < self.word_share < 1:
            raise ValueError(f"word_share must be above 0 and below 1, got {self.word_share}")


def not_truncated(finish_reason: str = "finish_reason") -> Rules:
    """The policy ended the text itself."""
    return {"truncated": pl.col(finish_reason) != "length"}


def one_script(text: str, *, most_foreign: float = 0.02) -> Rules:
    """At most a share `most_foreign` of the letters is outside of Latin and Greek; numbers and signs do not count."""
    if not 0 <= most_foreign <= 1:
        raise ValueError(f"most_foreign must be from 0 to 1, got {most_foreign}")
    letters = pl.col(text).str.count_matches(r"\p{L}")
    foreign = letters - pl.col(text).str.count_matches(r"[\p{Latin}\p{Greek}]")
    return {"foreign_script": foreign <= letters * most_foreign}


def no_loops(text: str, bounds: LoopBounds | None = None) -> Rules:
    """Neither the words nor the characters of the text run in a circle."""
    return {
        "word_loop": pl.col(text).map_batches(
            lambda texts: _judged(texts, _has_varied_words, bounds or LoopBounds()), return_dtype=pl.Boolean
        ),
        "character_loop": pl.col(text).map_batches(
            lambda texts: _judged(texts, _ends_freely, bounds or LoopBounds()), return_dtype=pl.Boolean
        ),
    }


def sides_differ(chosen: str, rejected: str) -> Rules:
    """Neither side of a pair is blank, and they differ in more than white space."""
    one, other = (pl.col(side).str.replace_all(r"\s+", " ").str.strip_chars() for side in (chosen, rejected))
    return {"chosen_blank": one != "", "rejected_blank": other != "", "sides_equal": one != other}


def no_answer_in(prompt: str) -> Rules:
    r"""The prompt holds no marked answer: `\boxed{}`, `#### 5`, "the answer is 5".

    The bare gold answer is no sign of a leak: the numbers of a problem are often its answer too.
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
    """There are `least` to `most` steps, none blank, none of more than `longest` characters."""
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
    """The problem is neither too hard nor too easy for the policy, by its absolute pass rate."""
    if not 0 <= least <= most <= 1:
        raise ValueError(f"least must be from 0 to most ({most}), and most at most 1, got {least}")
    return {"too_hard": pl.col(column) >= least, "too_easy": pl.col(column) <= most}


def _judged(texts: pl.Series, holds: Callable[[str, LoopBounds], bool], bounds: LoopBounds) -> pl.Series:
    return pl.Series([None if text is None else holds(text, bounds) for text in texts], dtype=pl.Boolean)


def _has_varied_words(text: str, bounds: LoopBounds) -> bool:
    words = text.split()
    if len(words) < bounds.min_words:
        return True
    grams = {tuple(words[start : start + bounds.n]) for start in range(len(words) - bounds.n + 1)}
    return len(grams) >= bounds.word_share * (len(words) - bounds.n + 1)


def _ends_freely(text: str, bounds: LoopBounds) -> bool:
    """Whether no unit of up to 40 characters fills the end of the text `tail` times or more."""
    tail = text.rstrip()
    for size in range(1, 41):
        repeated = max(bounds.tail, -(-bounds.tail_characters // size))
        unit = tail[-size:]
        if len(tail) >= size * repeated and tail.endswith(unit * repeated):
            return False
    return True
