import argparse
import asyncio

import polars as pl
import pytest
from upath import UPath

from benchmarks import critical_real
from benchmarks.critical_real import attempted, bench_of, chosen, compared, judged, scan_tokens, scorer
from benchmarks.critical_rounds import stand_in_scores, token_round, true_position
from benchmarks.critical_tokens import figures
from filters.answers.checker import AnswerChecker, Verdict
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.pool import Pool, RetrySettings
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import MODEL, SimulatedServer
from generators.engine.simulated.statement import SimulatedProblems
from generators.engine.simulated.vocabulary import VALUES
from generators.engine.slots import Slots
from generators.models.policy import identify
from generators.sampling.ledger import Ledger
from generators.search.exhaustive import Exhaustive

OPTIONS = argparse.Namespace(solutions=2, least_rate=0.25, estimate=False)
REFERENCE = Exhaustive(rollouts_per_step=8)


def two_steps():
    law = SimulatedLaw(base_rates=(0.6,), recovery_rate=0.0, mean_fillers=0.5)
    return SimulatedPolicy(law=law, problems=SimulatedProblems(min_steps=2, max_steps=3))


def over_the_server(folder, work):
    """What `work(bench, tried)` gives over a simulated server and a ledger, and the sequences that it drew."""

    async def serve():
        policy = two_steps()
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            async with (
                SimulatedServer(policy) as server,
                VLLMClient(server.url, model=MODEL, settings=ClientSettings()) as client,
            ):
                pool = Pool(client, Slots(16), settings=RetrySettings())
                bench = bench_of(identify("simulated"), pool, ledger, checker)
                tried = await attempted([policy.problem(index) for index in range(6)], bench.sampler(), checker, ())
                return await work(bench, tried), policy.counts.sequences

    return asyncio.run(serve())


def test_the_real_part_compares_over_a_server_and_goes_on_from_its_folder(tmp_path, capsys):
    def low_totals(tried, cases):
        return [[0.1 if token_id in VALUES else 0.9 for token_id in case.solution.token_ids] for case in cases]

    def work(bench, tried):
        return compared(tried, OPTIONS, bench=bench, reference=REFERENCE, scores=low_totals)

    made, drawn = over_the_server(tmp_path, work)
    assert {row["method"] for row in made["methods"]} == {"scores", "search", "both", "search without labels"}
    assert made["recall"] > 0
    assert len(made["rows"]) == 4 * made["solutions"] == 8
    assert f'"scan_tokens": {made["scan_tokens"]}' in capsys.readouterr().out
    again, drawn_again = over_the_server(tmp_path, work)
    assert (again, drawn_again) == (made, 0)
    assert drawn > 0


def test_without_scores_the_searches_alone_are_compared_and_an_estimate_stops_before_the_scan(tmp_path):
    def work(bench, tried):
        options = argparse.Namespace(**{**vars(OPTIONS), "estimate": True})
        return compared(tried, options, bench=bench, reference=REFERENCE, scores=None)

    made, _ = over_the_server(tmp_path, work)
    assert {row["method"] for row in made["rows"]} == {"search", "search without labels"}
    assert "recall" not in made


def test_the_shortest_wrong_solutions_of_problems_that_are_solved_sometimes_are_chosen(tmp_path):
    async def work(bench, tried):
        return tried

    tried, _ = over_the_server(tmp_path, work)
    cases = chosen(tried, n=3, least_rate=0.25)
    lengths = [len(case.solution.token_ids) for case in cases]
    assert lengths == sorted(lengths)
    assert len({case.problem.problem_id for case in cases}) == len(cases) == 3
    for case in cases:
        wrong = [one for one in case.attempts if one.verdict is Verdict.DIFFERENT]
        assert len(case.solution.token_ids) == min(len(one.token_ids) for one in wrong)
    assert scan_tokens(cases, REFERENCE) == sum(8 * length * (length - 1) // 2 for length in lengths)
    assert chosen(tried, n=3, least_rate=1.0) == []


def test_no_wrong_solution_at_all_is_said():
    with pytest.raises(ValueError, match=r"none of 0 problems has a wrong solution and a pass rate of least-rate"):
        asyncio.run(compared([], OPTIONS, bench=None, reference=REFERENCE, scores=None))


def row(method, position, scan, *, base=0.7, variant="flat", rollouts=50):
    return {
        "problem_id": f"{scan}",
        "method": method,
        "position": position,
        "scan": scan,
        "truth": scan,
        "base": base,
        "variant": variant,
        "recovery": 0.0,
        "n_tokens": 40,
        "rollouts": rollouts,
        "label_rollouts": 10,
        "scan_rollouts": 2500,
    }


ROWS = [
    row("search", 7, 7),
    row("search", None, 9),
    row("search", 4, 5),
    row("scores", 7, 7),
    row("scores", None, 9),
    row("scores", None, 5, rollouts=75),
    row("scores", 1, 2, base=0.3, rollouts=75),  # below the base rates that are judged; its rollouts count
]


def test_the_figures_are_those_of_the_method_with_the_best_recall():
    found = figures(pl.DataFrame(ROWS))
    assert (found["method"], found["recall"], found["precision"]) == ("search", 1 / 3, 1 / 2)
    assert found["rollouts_ratio"] == 150 / 7500
    (scores,) = (each for each in found["flat_high_base"] if each["method"] == "scores")
    assert (scores["recall"], scores["precision"]) == (1 / 3, 1.0)


def test_the_real_figures_are_held_against_the_scan():
    rows = [{key: value for key, value in each.items() if key != "scan"} for each in ROWS[:3]]
    made = judged(rows, {"7": (7, 2500), "9": (9, 2500), "5": (5, 2500)})
    assert {key: made[key] for key in ("precision", "recall", "rollouts_ratio", "method")} == {
        "precision": 1 / 2,
        "recall": 1 / 3,
        "rollouts_ratio": 150 / 7500,
        "method": "search",
    }


def test_a_scorer_is_named_by_module_and_name():
    assert scorer(None) is None
    assert scorer("benchmarks.critical_real:pass_rate") is critical_real.pass_rate
    with pytest.raises(ValueError, match="scores must be module:name, got 'benchmarks'"):
        scorer("benchmarks")


@pytest.mark.parametrize("variant", ["flat", "rising"])
def test_the_truth_of_a_round_is_the_total_of_the_first_wrong_step(variant):
    made, cases = token_round(variant, 0.0, 8)
    engine = made.policy()
    for case in cases:
        prompt, response = case.solution.prompt_token_ids, case.solution.token_ids
        position = true_position(engine, case)
        assert response[position] in VALUES
        assert engine.first_error(prompt + response[:position]) is None
        assert engine.first_error(prompt + response[: position + 1]) is not None
    assert cases


def test_the_stand_in_scores_are_lower_at_the_critical_token_most_of_the_time():
    made, cases = token_round("flat", 0.0, 40)
    lower = n = 0
    for case in cases:
        critical = true_position(made.policy(), case)
        scores = stand_in_scores(case, critical)
        others = [score for place, score in enumerate(scores) if place != critical]
        lower, n = lower + sum(scores[critical] < score for score in others), n + len(others)
    assert 0.85 < lower / n < 0.98
