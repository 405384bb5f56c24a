"""Which problems can be used: the prompt is not blank, not too long, in the right language and without its answer."""

from dataclasses import dataclass

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.texts.language import check_language, in_language
from filters.texts.quality import lengths_within, no_answer_in


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptBounds:
    """The most characters a prompt may have, and its language (an ISO 639 code); None allows any language."""

    longest: int = 8000
    language: str | None = None

    def __post_init__(self) -> None:
        if self.longest < 1:
            raise ValueError(f"longest must be at least 1, got {self.longest}")
        if self.language is not None:
            check_language(self.language)


DEFAULT_BOUNDS = PromptBounds()


def fit_to_ask(problems: pl.DataFrame, bounds: PromptBounds = DEFAULT_BOUNDS) -> Filtered:
    """Keep the problems whose prompt can be used; dropped rows have a reason."""
    fit = apply_rules(problems, {"blank_prompt": pl.col("prompt").str.strip_chars() != ""})
    fit = fit.then(lengths_within("prompt", most=bounds.longest)).then(no_answer_in("prompt"))
    return fit.then(in_language("prompt", bounds.language)) if bounds.language else fit
