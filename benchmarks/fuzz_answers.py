"""Fuzzes the answer checker: extraction, the exact tiers, the workers and the text filters, on broken LaTeX.

Counts inputs and exceptions of every part by itself, so that none hides in the verdict `error`, and the longest time
that a part took for one input. Long inputs of one and two lengths show whether a part takes more than linear time.
The last line is JSON.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from benchmarks.answer_fuzz import Fuzz, long_answers
from filters.answers.algebra.symbolic import admits
from filters.answers.algebra.zeros import settle
from filters.answers.checker import AnswerChecker, AnswerRule, Verdict, WorkerLimits
from filters.answers.exact import compare_exactly
from filters.answers.extraction import extract_answer
from filters.texts.language import in_language
from filters.texts.loops import no_loops
from filters.texts.quality import one_script

RULES = (
    AnswerRule(),
    AnswerRule(bare_last_number=True, percent="number", lists="unordered", units="ignored"),
    AnswerRule(percent="fraction", lists="ordered", unfinished_thoughts="read", tolerance=0.01),
)
_LONG = 20_000
_BOUND_S = 1.0
T = TypeVar("T")


@dataclass
class Tally:
    """What a part did: inputs tried, what it raised on which input, and the slowest input."""

    tried: int = 0
    raised: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    slowest: str = ""

    def call(self, part: Callable[..., T], *arguments: object) -> T | None:
        """What a part returns; None if it raised."""
        self.tried += 1
        began = time.process_time()
        try:
            return part(*arguments)
        except Exception as error:
            self.raised.append(f"{type(error).__name__}: {error} on {arguments!r:.300}")
            return None
        finally:
            spent = time.process_time() - began
            if spent > self.longest_s:
                self.longest_s, self.slowest = spent, f"{arguments!r:.200}"


def fuzz_exactly(inputs: int, seed: int) -> dict[str, Tally]:
    """Extraction, comparison and exact settling on `inputs` answers."""
    fuzz = Fuzz(seed)
    tallies = {name: Tally() for name in ("extraction", "comparison", "settling", "admission")}
    for index, answer in enumerate(fuzz.answers(inputs)):
        rule = RULES[index % len(RULES)]
        tallies["extraction"].call(extract_answer, fuzz.response(answer), rule)
        outcome = tallies["comparison"].call(compare_exactly, answer, fuzz.gold(answer), rule)
        for pair in outcome.pending if outcome else ():
            tallies["settling"].call(settle, *pair)
            tallies["admission"].call(admits, pair[0])
    return tallies


async def fuzz_checker(inputs: int, seed: int, seconds: float) -> Counter[str]:
    """The verdicts of the whole checker with its workers; an exception counts as `raised`."""
    fuzz, verdicts = Fuzz(seed), Counter[str]()
    with AnswerChecker(WorkerLimits(seconds=seconds)) as checker:
        for answer in fuzz.answers(inputs):
            try:
                checked = await checker.check(fuzz.response(answer), fuzz.gold(answer))
                compared = await checker.compare(answer, [fuzz.gold(answer), fuzz.gold(answer)])
                verdicts.update(str(decision.verdict) for decision in (checked, compared))
            except Exception as error:
                print(f"raised {error!r} on {answer!r}", file=sys.stderr)
                verdicts["raised"] += 1
    return verdicts


def fuzz_filters(inputs: int, seed: int) -> Tally:
    """The text filters on a table of answers and responses."""
    fuzz, tally = Fuzz(seed), Tally()
    texts = [text for answer in fuzz.answers(inputs) for text in (answer, fuzz.response(answer) * 3)]
    # A table holds no half of a surrogate pair.
    table = pl.DataFrame({"text": [text.encode("utf-8", "replace").decode() for text in texts]})
    for rules in (no_loops("text"), one_script("text"), in_language("text", "en")):
        tally.call(lambda frame, rules: frame.select(**rules), table, rules)
    return Tally(len(texts), tally.raised, tally.longest_s, "a whole table")


def growth(length: int) -> dict[str, tuple[float, str]]:
    """For each part, the largest factor in time from long inputs to ones twice as long, among those that take long."""
    found = {}
    for name, part in (("extraction", extract_answer), ("comparison", lambda text: compare_exactly(text, "7"))):
        worst = (0.0, "")
        for short, long in zip(long_answers(length), long_answers(2 * length), strict=True):
            once, twice = (_fastest(part, text) for text in (short, long))
            if twice > 0.005:
                worst = max(worst, (twice / max(once, 1e-9), ascii(short[:20])))
        found[name] = worst
    return found


def _fastest(part: Callable[[str], object], text: str) -> float:
    return min(_timed(part, text) for _ in range(3))


def _timed(part: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    part(text)
    return time.process_time() - began


def shown(tallies: Iterable[tuple[str, Tally]]) -> None:
    """Print what each part did."""
    for name, tally in tallies:
        print(f"{name:<12} {tally.tried:>9} inputs  {len(tally.raised):>3} raised  longest {tally.longest_s:.4f} s")
        print(f"{'':<12} slowest: {tally.slowest}")
        for line in tally.raised[:5]:
            print(f"{'':<12} {line}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fuzz, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=200_000, help="answers for extraction and the exact tiers")
    parser.add_argument("--checked", type=int, default=1_000, help="answers for the whole checker with its workers")
    parser.add_argument("--filtered", type=int, default=2_000, help="answers for the text filters")
    parser.add_argument("--seconds", type=float, default=2.0, help="limit of one comparison in a worker")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    tallies = fuzz_exactly(options.inputs, options.seed)
    tallies["filters"] = fuzz_filters(options.filtered, options.seed)
    shown(tallies.items())
    began = time.monotonic()
    verdicts = asyncio.run(fuzz_checker(options.checked, options.seed + 1, options.seconds))
    print(f"checker      {dict(verdicts)} in {time.monotonic() - began:.0f} s")
    grown = growth(_LONG)
    print(f"growth from {_LONG} to {2 * _LONG} characters: {grown}")
    parts = [tallies[name] for name in ("extraction", "comparison", "settling", "admission")]
    figures = {
        "inputs": options.inputs,
        "raised": sum(len(tally.raised) for tally in tallies.values()) + verdicts["raised"],
        "errors": verdicts[Verdict.ERROR],
        "timeouts": verdicts[Verdict.TIMEOUT],
        "longest_ms": round(1000 * max(tally.longest_s for tally in parts), 1),
        "over_bound": sum(tally.longest_s > _BOUND_S for tally in parts),
        "largest_growth": round(max(factor for factor, _ in grown.values()), 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
