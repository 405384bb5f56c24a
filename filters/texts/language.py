"""Which language texts are in, and rules against another one, by the 140-language model that ships with py3langid.

The model looks at letters, not words, so formulas are left out first. It is unsure about short texts, and those pass.
Languages that it cannot tell apart, such as Chinese and Cantonese, count together. For other scripts see
`quality.one_script`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

OTHER_LANGUAGE = "other_language"
# The probability of a text is split among the languages of a line.
_RELATED = """
zh wuu yue
no nn da
hr sr bs
id ms
ar ary arz
he hbo
el grc
uz uzs
es ext an
ku sdh
lv ltg
fr wa
ht gcf gcr
en pcm
xh zu
st nso
"""
_FAMILY = {code: line.split()[0] for line in _RELATED.strip().splitlines() for code in line.split()}
# All others are written in Latin letters.
_OTHERS = (
    "am ar ary arz as az ba be bg bn bs crh dz el fa gom grc gu he hbo hi hr hy ja ka kk km kn ko ku ky lo mk ml mn mr "
    "my ne or pa ps ru sa sdh si sr ta te tg th tk tt ug uk ur uz uzs wuu yue zh zxx"
)
_OTHER_SCRIPTS = frozenset(_OTHERS.split())
_MOST_READ = 50_000  # characters: more tell nothing new
_FORMULA = re.compile(
    r"\$\$[^$]*\$\$|\$[^$]*\$|\\\[[^\\]*(?:\\[^\[\]][^\\]*){0,500}\\\]|\\\([^\\]*(?:\\[^()][^\\]*){0,500}\\\)"
)
_PROSE = re.compile(r"[^\W\d_]{3,}\s+[^\W\d_]{3,}|[^\W\d_\u0000-\u024f\u0370-\u03ff]")
# LaTeX commands, variables, digits and signs.
_NO_WORD = re.compile(
    r"\\(?:begin|end)\s*\{[^{}]*\}|\\[A-Za-z]+|(?<![^\W\d_])[A-Za-z](?![^\W\d_])|[\d_^{}$&|=+*/<>()\[\]]+|\\"
)


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
    ranked: list[tuple[str, float]] = _identifier().rank("\n".join(prose(text) for text in texts))
    return _FAMILY.get(ranked[0][0], ranked[0][0])


def prose(text: str) -> str:
    """The text without formulas; what stands between two dollars is kept if it is words: two prices."""
    bare = _FORMULA.sub(lambda formula: formula[0] if _PROSE.search(formula[0]) else " ", text)
    return " ".join(_NO_WORD.sub(" ", bare).split())


def _lead(text: str, language: str) -> float:
    """How much more probable the most probable language is, with its relatives; 0 if that is `language`."""
    words = prose(text[:_MOST_READ])
    if language not in _OTHER_SCRIPTS and _is_in_other_script(words):
        return 1.0
    ranked: list[tuple[str, float]] = _identifier().rank(words)
    families: dict[str, float] = {}
    for code, probability in ranked:
        family = _FAMILY.get(code, code)
        families[family] = families.get(family, 0.0) + probability
    return max(families.values()) - families[_FAMILY.get(language, language)]


def _is_in_other_script(words: str) -> bool:
    """Whether most letters are neither Latin nor Greek."""
    if words.isascii():
        return False
    letters = [letter for letter in words if letter.isalpha()]
    return 2 * sum(letter > "\u03ff" and not "\u1e00" <= letter <= "\u1fff" for letter in letters) > len(letters)


@cache
def _identifier() -> "LanguageIdentifier":
    """The model; unpacking it takes half a second, so it is loaded on first use."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
