"""Text in another language than the asked one, told by a model of 140 languages that comes inside a package.

Gives rules for `apply_rules`. Letters decide, not words, so formulas and short texts are no certain case, and pass;
for other scripts see `quality.one_script`.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

OTHER_LANGUAGE = "other_language"


def in_language(text: str, language: str, *, certainty: float = 0.5) -> Mapping[str, pl.Expr]:
    """No other language is more probable than `language` (an ISO 639 code such as `en`), by `certainty` or more."""
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


def _lead(text: str, language: str) -> float:
    """By how much another language is more probable; 0 where none is."""
    ranked: list[tuple[str, float]] = _identifier().rank(text)
    return ranked[0][1] - dict(ranked)[language]


@cache
def _identifier() -> "LanguageIdentifier":
    """The model, which takes half a second to unpack: only who asks for a language waits for it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
