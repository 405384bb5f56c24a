"""What found the final answers of attempts, and the attempts that end without a recognised one.

A policy may be right in words that no rule reads. Its attempts then count as not right, and the labels of their steps
are worth nothing, so the share of such attempts is measured, and stated before more rollouts are drawn.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from filters.answers.extraction import extract_answer
from filters.answers.verdicts import Verdict
from generators.checks import Check, CheckSpec, share_in_bounds
from generators.preflight import Finding
from generators.problems.settings import Source

UNANSWERED_COLUMNS = ("problem_id", "verdict", "text", "finish_reason", "max_tokens")  # what `unanswered` reads
RECOGNISED = CheckSpec("answers_recognised", "Few enough attempts end without a recognised answer.")
MOSTLY = 0.5  # from this share on, a slice says that its attempts lack answers, whatever its bound
NOTHING, NOT_KEPT = "nothing", "not kept"
_TRIED = 100  # attempts that are read once more, by other rules
_ENDS = 2
_END = 60  # characters of an end


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """How many attempts at a source's problems end without a recognised answer, how two of them end, and remedies."""

    source: str
    n: int
    total: int
    ends: tuple[str, ...]
    remedies: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of the attempts; 0 of none."""
        return self.n / self.total if self.total else 0.0

    @property
    def why(self) -> str:
        """The share in a sentence, with the ends."""
        like = f", such as {' and '.join(repr(end) for end in self.ends)}" if self.ends else ""
        return f"{self.share:.0%} of the attempts of source {self.source} end without a recognised answer{like}"

    @property
    def remedy(self) -> str:
        """What to change, in words."""
        return _either(self.remedies)

    def check(self, most: float) -> Check:
        """Passes while the share is at most `most`."""
        remedy = _either((*self.remedies, "raise `max_no_answer_share` of [checks]"))
        bounded = share_in_bounds(
            RECOGNISED.name,
            self.n,
            self.total,
            most=most,
            what="attempts without a recognised answer",
            remedy=f"{remedy[:1].upper()}{remedy[1:]}.",
        )
        return bounded if bounded.passed else replace(bounded, why=f"{bounded.why}: {self.why}")

    def findings(self, most: float) -> Iterator[Finding]:
        """What to know before more rollouts are drawn: a share above `most` blocks, one above a half warns."""
        if self.share > min(most, MOSTLY):
            why = f"{self.why}, and more rollouts would mostly end so too"
            yield Finding(field=f"sources.{self.source}", why=why, remedy=self.remedy, blocks=self.share > most)


def unanswered(blocks: Iterable[pl.DataFrame], source: Source) -> Unanswered:
    """The attempts of a table, read block by block, that end without a recognised answer."""
    end = pl.col("text").str.strip_chars().str.tail(_END).str.replace_all(r"\s+", " ")
    total = 0
    texts: list[str] = []
    ends: list[pl.DataFrame] = []
    for block in blocks:
        without = block.filter(pl.col("verdict") == Verdict.NO_ANSWER.value)
        total += block.height
        texts += without["text"].head(_TRIED - len(texts)).to_list()
        ends.append(without.select("finish_reason", "max_tokens", end=end))
    found = pl.concat(ends) if ends else pl.DataFrame(schema=["finish_reason", "max_tokens", "end"])
    return Unanswered(
        source=source.name,
        n=found.height,
        total=total,
        ends=tuple(found["end"].unique(maintain_order=True).head(_ENDS)),
        remedies=tuple(_remedies(found, texts, source)),
    )


def _remedies(without: pl.DataFrame, texts: Sequence[str], source: Source) -> Iterator[str]:
    """What to change: only what the source does not do yet, and what would find an answer in some of the attempts."""
    rule = source.answer_rule
    if without.filter(pl.col("finish_reason") == "length").height > without.height / 2:
        most = without.select(pl.col("max_tokens").max()).item()
        yield f"raise max_tokens of [attempts] ({most}), since most of them are cut off"
    for setting, other in (
        ("unfinished_thoughts = 'read'", replace(rule, unfinished_thoughts="read")),
        ("bare_last_number = true", replace(rule, bare_last_number=True)),
    ):
        if found := sum(extract_answer(text, other) is not None for text in texts):
            yield f"set {setting} of the source, which finds an answer in {found / len(texts):.0%} of them"
    if source.worked_examples == "none":
        yield "set worked_examples of the source"
    yield "take a policy that writes its answer in \\boxed{} as the prompt asks"


def _either(ways: Sequence[str]) -> str:
    return ", or ".join([*([", ".join(ways[:-1])] if ways[1:] else []), ways[-1]])


def found_by(attempts: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    """How many attempts there are by what found their answer, and of those by verdict."""
    counted = attempts.group_by(_finder(), "verdict").len().sort("found_by", "verdict")
    verdicts = [verdict.value for verdict in Verdict if verdict.value in set(counted["verdict"])]
    rows: dict[str, dict[str, float | None]] = {}
    for finder, verdict, count in counted.iter_rows():
        rows.setdefault(finder, dict.fromkeys(verdicts, 0))[verdict] = count
    return rows


def _finder() -> pl.Expr:
    """What found the answer, also where there is none and where an older stepmill did not keep it."""
    absent = pl.when(pl.col("extracted").is_null()).then(pl.lit(NOTHING)).otherwise(pl.lit(NOT_KEPT))
    return pl.coalesce("found_by", absent).alias("found_by")
