"""Passages that many texts of a source share at their start or end: a prompt template, an instruction.

They say nothing about the problem, so texts are compared by what is left without them. Time and memory are linear:
passages are counted in a sample of evenly spaced texts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from filters.texts.words import ngrams

_SAMPLE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """Runs of `words` words count as common if a `share` of the texts, and at least `rows` of them, contain them."""

    share: float = 0.2
    rows: int = 10
    words: int = 4

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")
        for field in ("rows", "words"):
            if getattr(self, field) < 2:
                raise ValueError(f"{field} must be at least 2, got {getattr(self, field)}")


DEFAULT_SETTINGS = CommonSettings()


@dataclass(frozen=True, slots=True)
class Common:
    """The common runs of `words` words."""

    runs: frozenset[str] = frozenset()
    words: int = 4

    def left(self, tokens: list[str]) -> list[str]:
        """The words without common runs at the start and at the end; all of them if nothing is left."""
        if not self.runs or len(tokens) < self.words:
            return tokens
        grams = ngrams(tokens, self.words)
        start = self._length(grams)
        end = len(tokens) - self._length(grams[::-1])
        return tokens[start:end] or tokens

    def _length(self, grams: Sequence[str]) -> int:
        """How many words the common runs cover from the first one on."""
        if grams[0] not in self.runs:
            return 0
        covered = self.words
        for at, gram in enumerate(grams):
            if at > covered:
                break
            if gram in self.runs:
                covered = at + self.words
        return covered


def common_of(
    texts: Sequence[str | None], split: Callable[[str], list[str]], settings: CommonSettings | None = DEFAULT_SETTINGS
) -> Common:
    """The common runs of texts that `split` cuts into words; none without settings."""
    if settings is None or len(texts) < settings.rows:
        return Common()
    sample = texts[:: -(-len(texts) // _SAMPLE)]
    counts = Counter(run for text in sample if text for run in _runs(split(text), settings.words))
    least = max(settings.share * len(sample), settings.rows * len(sample) / len(texts), 2)
    return Common(frozenset(run for run, count in counts.items() if count >= least), settings.words)


def _runs(tokens: list[str], words: int) -> Iterable[str]:
    return set(ngrams(tokens, words))
