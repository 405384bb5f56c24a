"""Load a source into the `problems` table: add ids, drop duplicates, verify gold answers if there are any.

Every dropped row has a reason, and a source with too many wrong gold answers is refused.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

from filters.answers.checker import AnswerChecker, AnswerRule
from filters.answers.verdicts import DEFAULT_RULE
from filters.rules import REASON, Filtered
from generators.problems.gold import verify_gold
from generators.problems.source import FOUND, ProblemSource, SourceError
from generators.problems.table import PROBLEMS


async def load_problems(
    source: ProblemSource,
    *,
    checker: AnswerChecker,
    max_unverified_share: float = 0.05,
    rule: AnswerRule = DEFAULT_RULE,
) -> Filtered:
    """Return the source's problems in the `problems` schema, and the rows set aside with `origin` and `reason`.

    Raises SourceError if no problem is left, or if more than `max_unverified_share` of the gold answers do not verify
    under `rule`.
    """
    if not 0 <= max_unverified_share <= 1:
        raise ValueError(f"max_unverified_share must be from 0 to 1, got {max_unverified_share}")
    candidates = source.candidates()
    named = Filtered(_identified(candidates.kept, source.name), _identified(candidates.dropped, source.name))
    unique = named.then({"duplicate": pl.col("problem_id").is_first_distinct()})
    gold = Filtered(unique.kept, unique.kept.clear())
    if source.has_answers:
        gold = await verify_gold(unique.kept, checker, rule)
    _refuse_unverified(gold, source.name, max_unverified_share)
    result = Filtered(gold.kept, pl.concat([unique.dropped, gold.dropped], how="diagonal_relaxed"))
    if result.kept.is_empty():
        raise SourceError(
            f"source {source.name} has no usable problem, set aside {result.counts()}: check its columns"
            f"{example(result.dropped)}"
        )
    return Filtered(PROBLEMS.validate(result.kept.select(*PROBLEMS.columns)), result.dropped)


def example(dropped: pl.DataFrame) -> str:
    """Where a row that was set aside stands and what was found there, as the end of a sentence; blank if unknown."""
    if FOUND not in dropped.columns:
        return ""
    commonest = dropped.group_by(REASON).len().sort("len", REASON, descending=[True, False])[REASON]
    for reason in commonest:
        found = dropped.filter((pl.col(REASON) == reason) & pl.col(FOUND).is_not_null())
        if not found.is_empty():
            return f"; {found['origin'][0]} is {reason}: {found[FOUND][0]}"
    return ""


def problem_id(prompt: str, answer: str, also_accepted: Sequence[str] = ()) -> str:
    """Return the content hash that identifies a problem, whichever source it comes from.

    Further accepted answers enter it in any order; without them it is the hash of prompt and answer alone.
    """
    if also_accepted:
        content = json.dumps([prompt, answer, *sorted(also_accepted)]).encode()
        return blake2b(content, digest_size=12, person=b"also_accepted").hexdigest()
    # The length distinguishes problems whose prompt and answer only concatenate to the same text.
    content = f"{len(prompt)}:{prompt}{answer}".encode("utf-8", "surrogatepass")
    return blake2b(content, digest_size=12).hexdigest()


def _identified(rows: pl.DataFrame, source: str) -> pl.DataFrame:
    texts = rows.select("prompt", "answer", "also_accepted").rows()
    further = [_further(answer, others) for _, answer, others in texts]
    ids = [
        None if None in (prompt, answer) else problem_id(prompt, answer, others)
        for (prompt, answer, _), others in zip(texts, further, strict=True)
    ]
    return rows.with_columns(
        pl.Series("problem_id", ids, dtype=pl.String),
        pl.Series("also_accepted", further, dtype=pl.List(pl.String)),
        pl.lit(source).alias("source"),
    )


def _further(answer: str | None, others: Sequence[str | None] | None) -> list[str]:
    """The further answers without blank ones, repeats and the answer itself."""
    stripped = dict.fromkeys(other.strip() for other in others or () if other is not None)
    return [other for other in stripped if other not in ("", answer)]


def _refuse_unverified(gold: Filtered, source: str, allowed: float) -> None:
    failed, total = gold.dropped.height, gold.kept.height + gold.dropped.height
    if failed > allowed * total:
        first = gold.dropped["answer"][0]
        raise SourceError(
            f"source {source}: {failed} of {total} gold answers do not verify, such as {first!r}, above the share of "
            f"{allowed} that max_unverified_share allows: check the answer column and answer_format"
            f"{example(gold.dropped)}"
        )
