import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.answers.checker import Verdict
from generators.critical_token_pairs.settings import Settings
from generators.critical_token_pairs.tokens.confirmation import (
    LOST_WITHOUT_TOKEN,
    NOT_LOST_WITH_TOKEN,
    without_token,
)
from generators.critical_token_pairs.tokens.nominees import (
    BEFORE_CRITICAL_TOKEN,
    BEHIND_CRITICAL_TOKEN,
    BUDGET_SPENT,
    CriticalTokensConfig,
    critical_tokens,
)
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.search.priors import Priors
from tests.wrong_solutions import LAW, MAX_TOKENS, tools, wrong_solution


def config_of(**changes):
    return CriticalTokensConfig(
        sampling=LAW, max_tokens=MAX_TOKENS, priors=Priors(), settings=Settings.model_validate(changes)
    )


CONFIG = config_of()
SCORES_ALONE = config_of(search=False)


def policy():
    return SimulatedPolicy(law=SimulatedLaw(base_rates=(0.7,), recovery_rate=0.0))


CASE = wrong_solution(policy())
LENGTH = len(CASE.solution.token_ids)


def low(*positions):
    """Scores that are low at some positions, lowest at the first named."""
    return [0.1 + 0.01 * positions.index(place) if place in positions else 0.9 for place in range(LENGTH)]


def found(folder, *, engine=None, case=CASE, step_range=CASE.step, scores=None, config=CONFIG):
    async def search():
        with tools(folder, engine or policy(), case) as (_, hands, sampler):
            made = await critical_tokens(
                case.problem, case.solution, step_range=step_range, scores=scores, config=config, **hands
            )
            return made, sampler.counts.drawn

    return asyncio.run(search())


@pytest.mark.parametrize("step_range", [CASE.step, None], ids=["wrong step", "whole response"])
def test_the_search_nominates_the_wrong_total_and_rollouts_confirm_it(tmp_path, step_range):
    made, drawn = found(tmp_path, step_range=step_range)
    token = made.critical
    assert (token.position, token.token_id) == (CASE.critical, CASE.solution.token_ids[CASE.critical])
    assert (token.nominated_by, token.score) == (("search",), None)
    assert token.value_with == 0.0
    assert token.value_without > 0.3
    assert token.n_with > 0
    assert token.n_without_correct == round(token.value_without * token.n_without)
    assert drawn < 0.05 * 64 * LENGTH


def test_scores_nominate_the_lowest_and_only_the_critical_one_is_confirmed(tmp_path):
    before, after = CASE.critical - 4, CASE.critical + 4
    made, _ = found(tmp_path, scores=low(before, CASE.critical, after, 0), config=SCORES_ALONE)
    assert [(token.position, token.confirmed) for token in made.tokens] == [(before, False), (CASE.critical, True)]
    assert made.dropped == ((before, NOT_LOST_WITH_TOKEN), (after, BEHIND_CRITICAL_TOKEN))
    assert made.critical.nominated_by == ("score",)
    assert made.critical.score == pytest.approx(0.11)


def test_the_lowest_score_is_tested_first_and_a_token_before_the_critical_one_needs_no_test(tmp_path):
    before, after = CASE.critical - 4, CASE.critical + 4
    made, _ = found(tmp_path, scores=low(after, CASE.critical, before), config=SCORES_ALONE)
    assert [(token.position, token.confirmed) for token in made.tokens] == [(CASE.critical, True), (after, False)]
    assert made.dropped == ((before, BEFORE_CRITICAL_TOKEN), (after, LOST_WITHOUT_TOKEN))


@pytest.mark.parametrize("budget", [1, 8, 256])
@pytest.mark.parametrize("step_range", [CASE.step, None], ids=["wrong step", "whole response"])
@pytest.mark.parametrize("places", [(3,), (-2, 3), (0, -4, 3)], ids=str)
def test_the_nominee_with_the_lowest_score_is_tested_in_every_solution(tmp_path, places, step_range, budget):
    lowest = [CASE.critical + place for place in places]
    made, _ = found(tmp_path, step_range=step_range, scores=low(*lowest), config=config_of(budget=budget))
    tested = {token.position: token.n_with + token.n_without for token in made.tokens}
    assert tested[lowest[0]] > 0
    scores = {token.position: token.score for token in made.tokens}
    untested = [position for position, _ in made.dropped if position not in tested]
    assert all(low(*lowest)[position] >= max(scores.values()) for position in untested if position in lowest)


def test_a_token_that_was_lost_before_it_came_is_not_critical(tmp_path):
    made, _ = found(tmp_path, scores=low(CASE.critical + 1), config=SCORES_ALONE)
    assert made.critical is None
    assert made.dropped == ((CASE.critical + 1, LOST_WITHOUT_TOKEN),)


def test_a_token_that_both_nominate_says_so(tmp_path):
    made, _ = found(tmp_path, scores=low(CASE.critical))
    assert made.critical.nominated_by == ("score", "search")


def test_nothing_is_nominated_above_the_bound(tmp_path):
    made, drawn = found(tmp_path, scores=[0.9] * LENGTH, config=SCORES_ALONE)
    assert (made.tokens, made.dropped, drawn) == ((), (), 0)


def test_where_the_step_is_another_one_the_whole_response_is_searched(tmp_path):
    made, _ = found(tmp_path, step_range=(0, 5))
    assert made.critical.position == CASE.critical
    assert made.tokens[0].position < 5


def test_the_tests_of_all_nominees_share_one_budget(tmp_path):
    lost = [CASE.critical + places for places in (1, 2, 3)]
    config = config_of(search=False, budget=40)
    made, drawn = found(tmp_path, scores=low(*lost), config=config)
    assert made.dropped[0] == (lost[0], LOST_WITHOUT_TOKEN)
    assert made.dropped[-1] == (lost[-1], BUDGET_SPENT)
    assert sum(token.n_with + token.n_without for token in made.tokens) == 40
    assert drawn <= 2 * 40  # an alternative is a draw of its own


def test_the_last_token_has_the_solutions_own_outcome(tmp_path):
    made, _ = found(tmp_path, scores=low(LENGTH - 1), config=SCORES_ALONE)
    (token,) = made.tokens
    assert (token.n_with, token.value_with, token.confirmed) == (1, 0.0, False)
    assert made.dropped == ((LENGTH - 1, LOST_WITHOUT_TOKEN),)


def test_what_nominated_a_token_is_no_part_of_its_confirmation(tmp_path):
    seen = []

    class Watched(SimulatedPolicy):
        async def generate(self, request):
            seen.append(request)
            return await super().generate(request)

    made, _ = found(tmp_path, engine=Watched(law=policy().law), step_range=None)
    end = CASE.solution.prompt_token_ids + CASE.solution.token_ids[: CASE.critical + 1]
    assert sum(request.prefix == end for request in seen) > made.critical.n_with


def test_the_alternatives_are_drawn_without_the_token(tmp_path):
    async def drawn():
        with tools(tmp_path, policy(), CASE) as (rollouts, _, _):
            outcomes = await without_token(rollouts, CASE.solution.token_ids, CASE.critical, start=0, n=200)
            return sum(outcomes)

    engine = policy()
    prompt, response = CASE.solution.prompt_token_ids, CASE.solution.token_ids[: CASE.critical]
    # Without one of the wrong totals, the true one comes a little more often.
    assert asyncio.run(drawn()) / 200 == pytest.approx(engine.value(prompt + response), abs=0.12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nth=st.integers(0, 40),
    with_step=st.booleans(),
    lowest=st.one_of(st.none(), st.lists(st.integers(0, 20), min_size=1, max_size=4, unique=True)),
    lot=st.integers(1, 4),
)
def test_a_second_run_over_a_ledger_draws_nothing_and_says_the_same(tmp_path_factory, nth, with_step, lowest, lot):
    folder = tmp_path_factory.mktemp("ledger")
    case = wrong_solution(policy(), nth)
    length = len(case.solution.token_ids)
    settled = {
        "case": case,
        "step_range": case.step if with_step else None,
        "scores": None if lowest is None else [0.1 if place in lowest else 0.9 for place in range(length)],
        "config": config_of(lot=lot, cap=40),
    }
    first, _ = found(folder, **settled)
    idle = policy()
    again, drawn = found(folder, engine=idle, **settled)
    assert (again, drawn, idle.counts.sequences) == (first, 0, 0)
    assert sum(token.confirmed for token in first.tokens) <= 1
    dropped = {position for position, _ in first.dropped}
    assert dropped.isdisjoint({first.critical.position} if first.critical else set())
    assert {token.position for token in first.tokens if not token.confirmed} <= dropped


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"verdict": Verdict.EQUAL}, "is equal and ended by eos: pass finished wrong ones"),
        ({"verdict": Verdict.NO_ANSWER}, "is no_answer and ended by eos"),
        ({"finish_reason": "length"}, "is different and ended by length"),
        ({"prompt_token_ids": (1,)}, "answers another prompt than the root"),
        ({"token_ids": tuple(CASE.solution.token_ids) * 99}, r"tokens, outside 2 to max_tokens \(600\)"),
    ],
)
def test_an_attempt_that_is_not_a_finished_wrong_one_is_refused(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        found(tmp_path, case=replace(CASE, solution=replace(CASE.solution, **changed)))


def test_scores_must_be_one_a_token(tmp_path):
    with pytest.raises(ValueError, match=rf"scores must have one number per token of the response \({LENGTH}\), got 2"):
        found(tmp_path, scores=[0.1, 0.2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"confidence": 0.4}, "confidence must be above 0.5 and below 1, got 0.4"),
        ({"give_up": 0.2}, r"give_up must be above 0 and below 1 - confidence \(0.05\), got 0.2"),
        ({"never": 0.2}, r"never \(0.2\) must be above 0 and below least \(0.1\)"),
        ({"least": 1.5}, r"below least \(1.5\), which is at most 1"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_named_with_their_values(changes, message):
    with pytest.raises(ValueError, match=message):
        config_of(**changes)
