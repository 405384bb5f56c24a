"""Labels that are made again take in what others drew behind their steps; the first making takes in nothing."""

import asyncio

import pytest
from upath import UPath

from benchmarks.law_slice import LawSlice
from generators.attempts.settings import Settings as AttemptsSettings
from generators.engine.protocol import Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.settings import Settings
from generators.sampling.ledger import Ledger, LedgerKey
from generators.step_preference_pairs.settings import Settings as PairSettings

MAX_TOKENS = 1000
SEARCHED = Settings(audit=0)
PAIRED = PairSettings()


@pytest.fixture
def slice(tmp_path):
    engine = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5, 0.7)))
    one = LawSlice(engine=engine, questions=[engine.problem(index) for index in range(12)], folder=tmp_path)
    asyncio.run(one.make("attempts", AttemptsSettings(max_tokens=MAX_TOKENS)))
    return one


def labelled(slice, settings=SEARCHED):
    asyncio.run(slice.make("process_labels", settings))
    return slice.table("process_labels")


def paired(slice, settings=PAIRED):
    asyncio.run(slice.make("step_preference_pairs", settings))
    return slice.table("step_preference_pairs")


def n_further(rows):
    return int(rows["n_further"].list.sum().sum())


def stored_behind(slice, rows):
    """For each row and each of its inner steps, the consecutive rollouts in the ledger from index 0 on."""
    sampling = Sampling(**slice.recipe("attempts")["config"]["sampling"])
    with Ledger(UPath(slice.folder / "ledger")) as ledger:
        return [
            [
                len(ledger.held(LedgerKey(policy="simulated", prefix=prompt + ids[:end], sampling=sampling).digest()))
                for end in ends[:-1]
            ]
            for prompt, ids, ends in rows.select("prompt_token_ids", "token_ids", "step_ends").iter_rows()
        ]


def test_labels_made_again_count_every_consecutive_rollout_behind_their_steps(slice):
    first = labelled(slice)
    pairs = paired(slice)
    again = labelled(slice)
    assert pairs.height > 0
    assert n_further(first) == 0 < n_further(again)
    for row, stored in zip(again.iter_rows(named=True), stored_behind(slice, again), strict=True):
        drawn = [n + undecided for n, undecided in zip(row["n_rollouts"], row["n_undecided"], strict=True)]
        is_open = [reason != "refuted" for reason in row["stop_reasons"]]
        for index, n in enumerate(stored):
            assert drawn[index] == (n if is_open[index] else 0)
        earlier = first.filter(problem_id=row["problem_id"], attempt_index=row["attempt_index"])["n_rollouts"].item()
        further = row["n_further"]
        assert [n - more for n, more in zip(row["n_rollouts"], further, strict=True)] == earlier.to_list()
    assert slice.recipe("process_labels")["config"]["further_rollouts"] == n_further(again)


def test_what_is_published_of_pairs_is_no_evidence_for_labels(slice):
    first = labelled(slice)
    pairs = paired(slice, PairSettings(cap=8, published_rollouts=500))
    again = labelled(slice)
    assert pairs["rejected_n_rollouts"].max() == 500
    for pair in pairs.filter(~pairs["rejected_is_final_step"]).iter_rows(named=True):
        key = {"problem_id": pair["problem_id"], "attempt_index": pair["attempt_index"]}
        before, after = (rows.filter(**key)["n_rollouts"].item()[pair["step_index"]] for rows in (first, again))
        assert before <= after <= max(before, 8)


def test_from_the_second_making_on_labels_stay_as_they_are_and_draw_nothing(slice):
    labelled(slice)
    paired(slice)
    drawn = slice.engine.counts.sequences
    second, third = labelled(slice), labelled(slice)
    assert slice.engine.counts.sequences == drawn
    assert third.equals(second)


def test_a_first_making_does_not_depend_on_what_the_ledger_holds_already(slice):
    first = labelled(slice)
    paired(slice)
    (slice.folder / "process_labels.parquet").unlink()
    assert labelled(slice).equals(first)


def test_the_search_and_its_priors_take_no_evidence(slice):
    labelled(slice)
    before = slice.recipe("process_labels")["config"]["strategy"]
    paired(slice)
    labelled(slice)
    assert slice.recipe("process_labels")["config"]["strategy"] == before


@pytest.mark.parametrize("strategy", ["exhaustive", "omegaprm"])
def test_shares_keep_their_fixed_lots(slice, strategy):
    settings = Settings(audit=0, strategy=strategy, rollouts_per_step=4, budget=20)
    first = labelled(slice, settings)
    labelled(slice)
    paired(slice)
    assert labelled(slice, settings).equals(first)
