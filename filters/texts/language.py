"""Which language texts are in, and rules against another one, by the 140-language model that ships with py3langid.

The model looks at letters, not words, so it is unsure about formulas and short texts, and those pass. For other
scripts see `quality.one_script`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

OTHER_LANGUAGE = "other_language"


def in_language(text: str, language: str, *, certainty: float = 0.5) -> Mapping[str, pl.Expr]:
    """No other language leads `language` (an ISO 639 code such as `en`) by a probability of `certainty` or more."""
    check_language(language)
    if not 0 < certainty < 1:
        raise ValueError(f"certainty must be above 0 and below 1, got {certainty}")

    def judge(texts: pl.Series) -> pl.Series:
        holds = [None if text is None else _lead(text, language) < certainty for text in texts]
        return pl.Series(holds, dtype=pl.Boolean)

    return {OTHER_LANGUAGE: pl.col(text).map_batches(judge, return_dtype=pl.Boolean)}


def check_language(language: str) -> None:
    """Raise ValueError unless the model knows the language."""
    if language not in _identifier().labels:
        raise ValueError(f"language must be one of {', '.join(sorted(_identifier().labels))}, got {language!r}")


def language_of(texts: Iterable[str]) -> str:
    """The most probable language of several texts together, such as `en`."""
    ranked: list[tuple[str, float]] = _identifier().rank("\n".join(texts))
    return ranked[0][0]


def _lead(text: str, language: str) -> float:
    """How much more probable the most probable language is; 0 if that is `language`."""
    ranked: list[tuple[str, float]] = _identifier().rank(text)
    return ranked[0][1] - dict(ranked)[language]


@cache
def _identifier() -> "LanguageIdentifier":
    """The model; unpacking it takes half a second, so it is loaded on first use."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
