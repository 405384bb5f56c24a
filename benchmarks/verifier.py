r"""Measures speed, safety and accuracy of the answer checker, next to plain math-verify in the same run.

- Speed: responses like a model's, with gold answers. They are worked solutions of GSM8K's test set (72 %) and of
  MATH-500 (28 %). The final answer is in `\boxed{}` (60 % of GSM8K's, all of MATH's), after "The answer is" (20 %) or
  after `####` (20 %). Half of the answers are right; wrong ones are nearby numbers or another problem's answer. A tenth
  of the right expressions are written differently, so that algebra is needed. Every pair is new, so nothing is cached.
  Times are processor seconds including the worker processes, so the rate is per core. math-verify parses and verifies
  gold and response as in its documentation.
- Safety: hostile answers against the gold answer 5, with the seconds each takes, and the pool's speed afterwards.
- Event loop: ordinary and hostile answers (one in a hundred) at once, and the longest pause of a ticking task.
- Accuracy: a hand-made table of pairs, and public cases next to math-verify's verdicts on them.

The last line is JSON.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import time
from pathlib import Path

from benchmarks.answer_cases import CASES, KINDS, Judged, counted, math_verify_verdicts, our_verdicts, read_cases
from benchmarks.answer_pairs import answer_pairs, hostile_answers
from filters.answers.checker import AnswerChecker, Verdict, WorkerLimits
from filters.answers.extraction import after_hashes

LIMIT_S = 5.0
GRACE_S = 1.0
Pair = tuple[str, str]
ALGEBRA = (r"\sqrt{x+1}\sqrt{x+1}", "x+1")  # what only a worker can decide


def output_like_pairs(data: Path, *, n: int) -> list[Pair]:
    """`n` different responses, each with the gold answer to check against."""
    draw = random.Random(0)
    gsm8k = [json.loads(line) for line in (data / "gsm8k_test.jsonl").read_text().splitlines()]
    math = [json.loads(line) for line in (data / "math500.jsonl").read_text().splitlines()]
    pairs: list[Pair] = []
    while len(pairs) < n:
        if draw.random() < 0.72:
            row = draw.choice(gsm8k)
            gold = str(after_hashes(row["answer"]))
            answer = gold if draw.random() < 0.5 else str(int(gold.replace(",", "")) + draw.randint(1, 50))
            working, style = row["answer"].split("####")[0], draw.random()
            closing = (
                rf"\boxed{{{answer}}}"
                if style < 0.6
                else f"The answer is {answer}."
                if style < 0.8
                else f"#### {answer}"
            )
        else:
            row = draw.choice(math)
            gold = row["answer"]
            answer = gold if draw.random() < 0.5 else draw.choice(math)["answer"]
            if answer == gold and draw.random() < 0.1:
                answer = f"{answer} + 0"
            working, closing = row["solution"].replace(r"\boxed", ""), rf"So it is \boxed{{{answer}}}."
        pairs.append((f"Attempt {len(pairs)}. {working}\n{closing}", gold))
    return pairs


def processor_seconds() -> float:
    """Processor seconds of this process and its finished children."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def our_rate(pairs: list[Pair]) -> tuple[float, float]:
    """Pairs per processor second, and the share decided by algebra; the start of the worker does not count."""

    async def run(checker: AnswerChecker) -> list[str | None]:
        return [(await checker.check(response, gold)).tier for response, gold in pairs]

    with AnswerChecker(WorkerLimits(seconds=LIMIT_S)) as checker:
        asyncio.run(checker.compare(*ALGEBRA))
        began, workers = processor_seconds(), _worker_seconds()
        tiers = asyncio.run(run(checker))
        spent = processor_seconds() - began + _worker_seconds() - workers
    return len(pairs) / spent, tiers.count("symbolic") / len(pairs)


def _worker_seconds() -> float:
    """Processor seconds of the running worker processes."""
    import psutil

    seconds = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return seconds


def math_verify_rate(pairs: list[Pair]) -> float:
    """Pairs per processor second of plain math-verify; a pair that raises counts as done."""
    from math_verify import parse, verify

    parse("$1$")
    began = time.process_time()
    for response, gold in pairs:
        verify(parse(f"${gold}$"), parse(response))
    return len(pairs) / (time.process_time() - began)


async def longest_decisions(checker: AnswerChecker, answers: list[str]) -> list[float]:
    """The longest decision on each hostile answer in seconds, as a response, an answer and a gold answer."""
    longest = []
    for answer in answers:
        seconds = []
        for decide in (checker.check(answer, "5"), checker.compare(answer, "5"), checker.compare("5", answer)):
            began = time.monotonic()
            await decide
            seconds.append(time.monotonic() - began)
        longest.append(max(seconds))
    return longest


async def longest_pause(checker: AnswerChecker, pairs: list[Pair], hostile: list[str]) -> float:
    """The longest time in seconds that a ticking task had to wait."""
    longest, stopped = 0.0, False

    async def tick() -> None:
        nonlocal longest
        last = time.monotonic()
        while not stopped:
            await asyncio.sleep(0)
            now = time.monotonic()
            longest, last = max(longest, now - last), now

    async def decide(index: int, pair: Pair) -> None:
        if index % 100 == 0:
            await checker.compare(hostile[index // 100 % len(hostile)], str(index))
        else:
            await checker.check(*pair)

    ticking = asyncio.ensure_future(tick())
    slots = asyncio.Semaphore(64)

    async def bounded(index: int, pair: Pair) -> None:
        async with slots:
            await decide(index, pair)

    async with asyncio.TaskGroup() as group:
        for index, pair in enumerate(pairs):
            group.create_task(bounded(index, pair))
            await asyncio.sleep(0)
    stopped = True
    await ticking
    return longest


async def judged(checker: AnswerChecker) -> tuple[int, float, int]:
    """Wrong `equal` verdicts, agreement with the table, and its number of pairs; prints disagreements."""
    wrong = agreed = 0
    pairs = answer_pairs()
    for answer, gold, truth in pairs:
        verdict = (await checker.compare(answer, gold)).verdict
        agreed += verdict is truth
        wrong += verdict is Verdict.EQUAL and truth is not Verdict.EQUAL
        if verdict is not truth:
            print(f"table says {truth}, ours {verdict}: {answer}  against  {gold}", file=sys.stderr)
    return wrong, agreed / len(pairs), len(pairs)


def print_side_by_side(judged: dict[str, list[Judged]]) -> None:
    """Print a table of kinds by checker, then what either of them got wrong."""
    print(f"\n{'public cases':<14}" + "".join(f"{name:>14}" for name in judged))
    for kind in KINDS:
        print(f"{kind:<14}" + "".join(f"{counted(cases)[kind]:>14}" for cases in judged.values()))
    for name, cases in judged.items():
        for one in cases:
            if one.kind in ("wrong_equal", "wrong_different", "raised"):
                print(f"{name}, {one.kind}: {one.case.text!r}  against  {one.case.gold!r}", file=sys.stderr)


def main() -> None:
    """Measure, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the two JSONL files")
    arguments.add_argument("--pairs", type=int, default=10_000)
    arguments.add_argument("--math-verify-pairs", type=int, default=1_000)
    arguments.add_argument("--cases", type=Path, default=CASES, help="JSONL file of public cases")
    options = arguments.parse_args()
    if not options.cases.is_file():
        sys.exit(f"{options.cases} does not exist: run from the repository's root, or name the cases with --cases")
    if not (options.data / "math500.jsonl").is_file():
        sys.exit(f"{options.data} has no gsm8k_test.jsonl and math500.jsonl: name their folder with --data")
    pairs = output_like_pairs(options.data, n=options.pairs)
    hostile = hostile_answers()
    with AnswerChecker(WorkerLimits(seconds=LIMIT_S)) as checker:
        wrong_equal, agreement, n_table = asyncio.run(judged(checker))
        cases = read_cases(options.cases)
        judged_cases = {"stepmill": asyncio.run(our_verdicts(checker, cases))}
        print(f"table: {n_table} pairs, agreement {agreement:.4f}, wrong equal {wrong_equal}", flush=True)
        seconds = asyncio.run(longest_decisions(checker, hostile))
        over = [
            repr(answer[:40]) for answer, duration in zip(hostile, seconds, strict=True) if duration > LIMIT_S + GRACE_S
        ]
        print(f"hostile: {len(hostile)} inputs, slowest {max(seconds):.2f} s, over the limit {over}", flush=True)
        began = time.monotonic()
        alive = asyncio.run(checker.compare(*ALGEBRA)).verdict is Verdict.EQUAL
        after = time.monotonic() - began
        print(f"afterwards: alive {alive}, one symbolic comparison in {after:.2f} s", flush=True)
    with AnswerChecker(WorkerLimits(seconds=LIMIT_S)) as checker:
        pause = asyncio.run(longest_pause(checker, pairs, hostile))
    judged_cases["math_verify"] = math_verify_verdicts(cases)
    print_side_by_side(judged_cases)
    rate, symbolic_share = our_rate(pairs)
    reference = math_verify_rate(pairs[: options.math_verify_pairs])
    figures = {
        "pairs_per_s": round(rate),
        "math_verify_pairs_per_s": round(reference, 1),
        "speedup": round(rate / reference, 1),
        "wrong_equal": wrong_equal,
        "agreement": round(agreement, 4),
        "hostile_inputs": len(hostile),
        "hostile_over_limit": len(over),
        "alive_after": alive,
        "symbolic_share": round(symbolic_share, 4),
        "longest_pause_ms": round(1000 * pause, 1),
        "pairs_in_table": n_table,
        "cases": len(cases),
        **{f"cases_{kind}": counted(judged_cases["stepmill"])[kind] for kind in KINDS},
        **{f"math_verify_{kind}": counted(judged_cases["math_verify"])[kind] for kind in KINDS},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
