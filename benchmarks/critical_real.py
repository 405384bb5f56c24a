"""The real part of `benchmarks.critical_tokens`: short wrong solutions of a real model, through a vLLM server.

The embedded policy solves chain sums of one-digit terms, given worked examples. The warmed-up policy (`--policy`)
solves unseen problems of four to five steps without examples. Each problem that the policy solves sometimes offers its
shortest wrong solution, and the shortest of these are used, because the scan draws 64 rollouts from every token. All
rollouts are stored in `--folder`: an interrupted run resumes there, and a larger run reuses a smaller one.

`--scores module:name` names a function that scores every token of the chosen solutions, such as
`benchmarks.critical_scores:contrastive_scores`. Without it, the methods that need scores are skipped.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from upath import UPath

from benchmarks.critical_methods import Bench, Case, CountedSampler
from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.critical_token_pairs.settings import Settings as CriticalTokenSettings
from generators.critical_token_pairs.tokens.nominees import CriticalTokensConfig
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.slots import Slots
from generators.engine.worker import Worker
from generators.models.policy import EMBEDDED, WARMED_UP, Policy, identify
from generators.problems.chain_sum import EXAMPLES
from generators.problems.loading import load_problems
from generators.problems.multi_step import MultiStepProblems
from generators.problems.procedural import ProceduralProblems
from generators.problems.prompt import Example
from generators.problems.table import problems_of
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import ProcessLabelsConfig
from generators.process_labels.settings import Settings
from generators.records import Attempt, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.prior_fit import Attempted
from generators.search.priors import Priors
from generators.search.sequential_test import SequentialTest

SAMPLING = Sampling(temperature=0.7, seed=1)
MAX_TOKENS = 160
CONTEXT = 1024
IN_FLIGHT = 64
LABEL_CAP = 128
N_ATTEMPTS = 16
LABELS = ProcessLabelsConfig(sampling=SAMPLING, max_tokens=MAX_TOKENS, settings=Settings(min_steps=1))
Tried = tuple[Problem, tuple[Attempt, ...]]


class TokenScores(Protocol):
    """A function that scores the tokens of solutions; low scores mark likely critical tokens."""

    def __call__(
        self, policy: Policy, folder: Path, tried: Sequence[Tried], cases: Sequence[Case]
    ) -> Sequence[Sequence[float]]:
        """One score per response token of each case; intermediate files may stay in `folder`."""
        ...


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    """Add the options of the real part."""
    arguments.add_argument("--solutions", type=int, default=12, help="wrong solutions (--real)")
    arguments.add_argument("--tried", type=int, default=48, help="number of problems to attempt (--real)")
    arguments.add_argument("--least-rate", type=float, default=0.25, help="minimum share of right attempts (--real)")
    arguments.add_argument("--policy", choices=[EMBEDDED, WARMED_UP], default=EMBEDDED, help="the policy (--real)")
    arguments.add_argument(
        "--estimate", action="store_true", help="stop before the scan and print its token estimate (--real)"
    )
    arguments.add_argument("--scores", help="module:name of a function that scores tokens (--real)")


def scorer(spec: str | None) -> TokenScores | None:
    """Import the function named `module:name`, or None for None; raises ValueError for another format."""
    if spec is None:
        return None
    module, _, name = spec.partition(":")
    if not name:
        raise ValueError(f"scores must be module:name, got {spec!r}")
    scores: TokenScores = getattr(import_module(module), name)
    return scores


async def attempted(
    problems: Sequence[Problem], sampler: Sampler, checker: AnswerChecker, examples: Sequence[Example]
) -> list[Tried]:
    """Sixteen attempts at each problem, prompted with worked examples."""
    config = AttemptsConfig(n=N_ATTEMPTS, sampling=SAMPLING, max_tokens=MAX_TOKENS, examples=tuple(examples))

    async def attempt_problem(problem: Problem) -> Tried:
        return problem, await attempt(problem, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

    return list((await run_recipe(attempt_problem, problems, window=IN_FLIGHT)).rows)


def chosen(tried: Sequence[Tried], *, n: int, least_rate: float) -> list[Case]:
    """The `n` shortest wrong solutions, one per problem, of problems with a pass rate of at least `least_rate`."""
    cases = []
    for problem, attempts in tried:
        wrong = [
            attempt for attempt in attempts if attempt.verdict is Verdict.DIFFERENT and attempt.finish_reason == "eos"
        ]
        if wrong and pass_rate(attempts) >= least_rate:
            cases.append(Case(problem, attempts, min(wrong, key=lambda attempt: len(attempt.token_ids))))
    return sorted(cases, key=lambda case: (len(case.solution.token_ids), case.problem.problem_id))[:n]


def pass_rate(attempts: Sequence[Attempt]) -> float:
    """The share of right attempts."""
    return sum(attempt.verdict.is_right for attempt in attempts) / len(attempts)


def scan_tokens(cases: Sequence[Case], reference: Exhaustive) -> int:
    """An estimate of the scan's tokens, if each rollout is as long as the rest of the solution."""
    lengths = [len(case.solution.token_ids) for case in cases]
    return sum(reference.rollouts_per_step * length * (length - 1) // 2 for length in lengths)


async def compared(
    tried: Sequence[Tried],
    options: argparse.Namespace,
    *,
    bench: Bench,
    reference: Exhaustive,
    scores: Callable[[Sequence[Tried], Sequence[Case]], Sequence[Sequence[float]]] | None,
) -> dict[str, Any]:
    """Run every method on the chosen solutions, then the scan; returns figures by method."""
    cases = chosen(tried, n=options.solutions, least_rate=options.least_rate)
    if not cases:
        least = f"least-rate ({options.least_rate})"
        raise ValueError(f"none of {len(tried)} problems has a wrong solution and a pass rate of {least}: try more")
    right = [Attempted(sum(attempt.verdict.is_right for attempt in attempts), len(attempts)) for _, attempts in tried]
    strategy = await calibrated(
        SequentialTest(cap=LABEL_CAP), cases, tried=right, label=bench.label, pilot=len(cases), window=IN_FLIGHT
    )
    bench = replace(bench, tokens=replace(bench.tokens, priors=strategy.priors))
    estimate = {"solutions": len(cases), "scan_tokens": scan_tokens(cases, reference)}
    print(json.dumps(estimate), flush=True)

    score_lists = scores(tried, cases) if scores else [None] * len(cases)
    scored = {case.problem.problem_id: token_scores for case, token_scores in zip(cases, score_lists, strict=True)}

    async def by_methods(case: Case) -> list[dict[str, Any]]:
        solution = case.solution
        problem = {"problem_id": case.problem.problem_id, "base": pass_rate(case.attempts)}
        results = await bench.results(case, strategy, scored[case.problem.problem_id])
        return [problem | asdict(method) | {"text": solution.text} for method in results]

    searched = (await run_recipe(by_methods, cases, window=IN_FLIGHT)).rows
    rows = [row for case in searched for row in case]
    if options.estimate:
        return estimate | {"rows": rows}
    scans = (await run_recipe(lambda case: bench.scanned(case, reference), cases, window=2, on_done=_say)).rows
    by_problem = {case.problem.problem_id: scan for case, scan in zip(cases, scans, strict=True)}
    return estimate | judged(rows, by_problem)


def _say(done: int, total: int) -> None:
    print(f"scanned {done} of {total}", file=sys.stderr, flush=True)


def judged(rows: Sequence[dict[str, Any]], scans: dict[str, tuple[int | None, int]]) -> dict[str, Any]:
    """Precision, recall and cost of each method against the scan, and the underlying rows."""
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.Series("scan", [scans[row["problem_id"]][0] for row in rows], dtype=pl.Int64),
        pl.Series("scan_rollouts", [scans[row["problem_id"]][1] for row in rows]),
        pl.col("position").cast(pl.Int64),
    )
    hit = (pl.col("position") == pl.col("scan")).sum()
    figures = frame.group_by("method").agg(
        pl.len().alias("solutions"),
        (hit / pl.col("position").is_not_null().sum()).alias("precision"),
        (hit / pl.col("scan").is_not_null().sum()).alias("recall"),
        (pl.col("rollouts").sum() / pl.col("scan_rollouts").sum()).alias("rollouts_ratio"),
    )
    best = max(figures.to_dicts(), key=lambda row: (row["recall"], row["method"]))
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, float_precision=3):
        print(figures.sort("method"))
    keys = ("rollouts_ratio", "precision", "recall", "method")
    return {key: best[key] for key in keys} | {"methods": figures.sort("method").to_dicts(), "rows": frame.to_dicts()}


def bench_of(policy: Policy, engine: Pool, ledger: Ledger, checker: AnswerChecker) -> Bench:
    """The bench over one engine and ledger."""

    def sampler() -> CountedSampler:
        return CountedSampler(
            policy=policy.name,
            engine=engine,
            tokenizer=policy.tokenizer,
            ledger=ledger,
            context=CONTEXT,
            spare=lambda: engine.spare,
        )

    tokens = CriticalTokensConfig(
        sampling=SAMPLING, max_tokens=MAX_TOKENS, priors=Priors(), settings=CriticalTokenSettings()
    )
    return Bench(sampler=sampler, checker=checker, labels=LABELS, tokens=tokens)


def problems_for(options: argparse.Namespace) -> tuple[ProceduralProblems | MultiStepProblems, Sequence[Example]]:
    """The problem source, and the worked examples in the prompt."""
    if options.policy == WARMED_UP:
        return MultiStepProblems(name="multi_step", size=options.tried, seed=7, min_steps=4, max_steps=5), ()
    levels = {"min_terms": 3, "max_terms": 4, "min_digits": 1, "max_digits": 1}
    return ProceduralProblems(name="chain_sum", task="chain_sum", size=options.tried, seed=7, levels=levels), EXAMPLES


async def run(options: argparse.Namespace, reference: Exhaustive) -> dict[str, Any]:
    """Serve the policy, open the ledger, and compare."""
    policy = identify(options.policy)
    score = scorer(options.scores)
    scores = partial(score, policy, options.folder) if score else None
    settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
    options.folder.mkdir(parents=True, exist_ok=True)
    source, examples = problems_for(options)
    with LocalServer(settings, log_path=options.folder / "server.log") as server, AnswerChecker() as checker:
        problems = problems_of((await load_problems(source, checker=checker)).kept)
        client = server.client()
        async with Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet:
            pool = Pool(fleet, Slots(IN_FLIGHT), settings=RetrySettings())
            with Ledger(UPath(options.folder / "ledger" / policy.name)) as ledger:
                bench = bench_of(policy, pool, ledger, checker)
                tried = await attempted(problems, bench.sampler(), checker, examples)
                return await compared(tried, options, bench=bench, reference=reference, scores=scores)
