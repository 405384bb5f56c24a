import asyncio
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from pydantic import ValidationError
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from filters.answers.writing.notation import spelling
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.recipe import ProcessLabelsConfig, choose, label
from generators.process_labels.settings import Settings as LabelSettings
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.margins import margin_of
from generators.step_preference_pairs.recipe import StepPairsConfig, pair_steps
from generators.step_preference_pairs.records import LocatedError
from generators.step_preference_pairs.settings import Settings
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS, errors_of, step_pairs_table
from tests.fakes import EOS, CharTokenizer, ScriptedEngine

LAW = Sampling(temperature=1.0, seed=3)
MAX_TOKENS = 600
CONFIG = StepPairsConfig(sampling=LAW, max_tokens=MAX_TOKENS, settings=Settings())
ORIGIN = {"policy": "simulated", "round": "r1", "slice": "sums-0"}


def simulated(folder, n_problems=8, *, labelled=True):
    """Pairs of some simulated problems, after their labels or alone: (made, table, rollouts drawn for them, policy)."""
    policy = SimulatedPolicy()
    drawn = []

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            made = []
            for problem in (policy.problem(index) for index in range(n_problems)):
                attempts = await attempt(
                    problem, config=AttemptsConfig(n=8, sampling=LAW, max_tokens=MAX_TOKENS), **tools
                )
                if labelled:
                    labels = ProcessLabelsConfig(sampling=LAW, max_tokens=MAX_TOKENS, settings=LabelSettings())
                    chosen = choose(attempts, tokenizer=policy.tokenizer, config=labels).attempts
                    await label(problem, attempts, chosen, config=labels, strategy=Exhaustive(), **tools)
                before = sampler.counts.drawn
                errors = [true_error(one, policy) for one in attempts if one.verdict is Verdict.DIFFERENT][:2]
                if errors:
                    made.append(await pair_steps(problem, errors, config=CONFIG, **tools))
                drawn.append(sampler.counts.drawn - before)
            return made

    made = asyncio.run(work())
    table = step_pairs_table([pair for one in made for pair in one.pairs], "labels", ORIGIN)
    return made, table, sum(drawn), policy


def true_error(one, policy):
    return LocatedError(
        problem_id=one.problem_id,
        attempt_index=one.attempt_index,
        prompt_token_ids=one.prompt_token_ids,
        token_ids=one.token_ids,
        step_index=policy.first_error(one.prompt_token_ids + one.token_ids),
        pass_rate=0.5,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("ledger"))


def test_every_pair_keeps_the_laws_of_a_pair(made):
    problems, table, _, policy = made
    decode = policy.tokenizer.decode
    assert table.height >= 10
    assert STEP_PREFERENCE_PAIRS.validate(table).equals(table)
    for pair in (pair for one in problems for pair in one.pairs):
        start = len(pair.error.prompt_token_ids)
        prefix = pair.prefix_token_ids
        assert prefix[:start] == pair.error.prompt_token_ids
        wrong = pair.error.prompt_token_ids + pair.error.token_ids
        assert wrong[: len(prefix) + len(pair.rejected.token_ids)] == prefix + pair.rejected.token_ids
        assert decode(prefix[start:]) == pair.initial_reason_steps
        assert decode(pair.chosen.token_ids) == pair.chosen.text
        assert decode(pair.error.token_ids) == pair.initial_reason_steps + pair.rejected.full_text
        assert pair.chosen.full_text.startswith(pair.chosen.text)
        assert pair.rejected.full_text.startswith(pair.rejected.text)
        assert spelling(pair.chosen.text) != spelling(pair.rejected.text)
        assert pair.margin == margin_of(pair.margin.chosen, pair.margin.rejected)
        assert pair.tested == margin_of(pair.tested.chosen, pair.tested.rejected)
        assert pair.tested.low > 0 and pair.tested.value >= CONFIG.settings.min_margin
        for side, evidence in ((pair.chosen, pair.margin.chosen), (pair.rejected, pair.margin.rejected)):
            assert evidence.counts.n_rollouts == (0 if side.is_final else CONFIG.settings.published_rollouts)
        assert pair.is_stable


def test_the_values_agree_with_the_true_ones(made):
    problems, _, _, policy = made
    held = [
        pair.margin.low - 1e-9 <= true_margin(pair, policy) <= pair.margin.high + 1e-9
        for one in problems
        for pair in one.pairs
    ]
    assert sum(held) >= 0.85 * len(held)


def true_margin(pair, policy):
    better, worse = (policy.value(pair.prefix_token_ids + side.token_ids) for side in (pair.chosen, pair.rejected))
    return better - worse


def test_pairs_of_one_prefix_have_chosen_steps_that_differ_in_more_than_spelling(made):
    for one in made[0]:
        by_error = {}
        for pair in one.pairs:
            by_error.setdefault(pair.error.attempt_index, []).append(spelling(pair.chosen.text))
        assert all(len(steps) == len(set(steps)) <= CONFIG.settings.pairs_per_error for steps in by_error.values())


def test_every_error_gives_a_pair_or_has_a_reason(made):
    for one in made[0]:
        told = {pair.error.attempt_index for pair in one.pairs} | {over.error.attempt_index for over in one.passed_over}
        assert told
        assert {over.reason for over in one.passed_over} <= {
            *("no_right_continuation", "sides_equal", "duplicate_chosen", "duplicate_error"),
            *("margin_too_small", "margin_not_sure"),
        }


def test_a_second_run_over_the_same_ledger_asks_for_nothing_and_gives_the_same_pairs(tmp_path):
    _, first, drawn, _ = simulated(tmp_path, 4)
    _, again, drawn_again, idle = simulated(tmp_path, 4)
    assert again.equals(first)
    assert (drawn > 0, drawn_again, idle.counts.sequences) == (True, 0, 0)


def test_labels_in_the_ledger_make_the_same_pairs_cheaper(tmp_path):
    _, alone, drawn_alone, _ = simulated(tmp_path / "alone", 6, labelled=False)
    _, shared, drawn_shared, _ = simulated(tmp_path / "shared", 6)
    assert shared.equals(alone)
    assert 0 < drawn_shared < drawn_alone


def test_located_errors_come_back_from_a_table_in_the_order_of_their_attempts():
    error = LocatedError(
        problem_id="p", attempt_index=2, prompt_token_ids=(1,), token_ids=(2, 3), step_index=1, pass_rate=0.5
    )
    first = replace(error, attempt_index=0)
    rows = [{name: getattr(one, name) for name in LocatedError.__slots__} for one in (error, first)]
    assert errors_of(pl.DataFrame(rows)) == {"p": [first, error]}


RIGHT = "1+2=3\n3+3=6\n\\boxed{6}"
WRONG = "1+2=4\n4+3=7\n\\boxed{7}"
SUMS = Problem(problem_id="p", source="s", prompt="1+2+3?", answer="6")


def scripted(folder, says, *errors, config=CONFIG):
    """Pairs of scripted errors (text, index of the first wrong step), and how many rollouts each text was asked for.

    `says` has for the text of a solution so far what its rollouts go on with, in turn; anything else goes on wrongly.
    """
    tokenizer, asked = CharTokenizer(), Counter()

    def script(text, seed):
        so_far = text.removeprefix("Q\n")
        asked[so_far] += 1
        turns = says.get(so_far, ["\\boxed{7}"])
        return turns[(asked[so_far] - 1) % len(turns)]

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="p", engine=ScriptedEngine(script), tokenizer=tokenizer, ledger=ledger)
            located = [
                LocatedError(
                    problem_id="p",
                    attempt_index=number,
                    prompt_token_ids=tokenizer.encode("Q\n"),
                    token_ids=(*tokenizer.encode(text), EOS),
                    step_index=step,
                    pass_rate=0.5,
                )
                for number, (text, step) in enumerate(errors)
            ]
            return await pair_steps(SUMS, located, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

    return asyncio.run(work()), asked


def reasons(made):
    return [(over.chosen_index, over.reason) for over in made.passed_over]


HELD = {"": [RIGHT], "1+2=3\n": ["3+3=6\n\\boxed{6}"]}


def test_the_first_step_of_a_right_continuation_is_paired_with_the_wrong_one(tmp_path):
    made, asked = scripted(tmp_path, HELD, (WRONG, 0))
    (pair,) = made.pairs
    assert (pair.initial_reason_steps, pair.chosen.text, pair.rejected.text) == ("", "1+2=3\n", "1+2=4\n")
    assert (pair.chosen.full_text, pair.rejected.full_text) == (RIGHT, WRONG)
    assert (pair.margin.chosen.value, pair.margin.rejected.value) == (1.0, 0.0)
    assert asked == {"": 16, "1+2=3\n": 4 + 8, "1+2=4\n": 4 + 8}
    assert set(reasons(made)) == {(index, "duplicate_chosen") for index in range(1, 16)}


def test_a_chosen_solution_that_states_a_false_equation_is_passed_over(tmp_path):
    says = HELD | {"": ["1+2=4 plus\n\\boxed{6}", "2+1=5\n\\boxed{6}", "1+2=3\n3+3=7\n\\boxed{6}", RIGHT]}
    made, _ = scripted(tmp_path, says, (WRONG, 0))
    assert [(pair.chosen_index, pair.chosen.text) for pair in made.pairs] == [(3, "1+2=3\n")]
    assert reasons(made)[1:3] == [(1, "false_equation"), (2, "false_equation")]


def test_the_continuation_that_a_step_was_picked_from_is_no_evidence_for_its_value(tmp_path):
    made, asked = scripted(tmp_path, {"": [RIGHT]}, (WRONG, 0))
    assert made.pairs == ()
    assert reasons(made)[0] == (0, "margin_too_small")
    assert asked["1+2=3\n"] == asked["1+2=4\n"] == CONFIG.settings.cap


def test_a_prefix_without_a_right_continuation_gives_no_pair_after_all_candidates(tmp_path):
    made, asked = scripted(tmp_path, {}, (WRONG, 1), config=replace(CONFIG, settings=Settings(candidates=6)))
    assert reasons(made) == [(None, "no_right_continuation")]
    assert asked == {"1+2=4\n": 6}


def test_a_continuation_that_was_cut_off_is_not_chosen(tmp_path):
    made, _ = scripted(tmp_path, {"": ["\\boxed{6}" + "." * MAX_TOKENS]}, (WRONG, 0))
    assert reasons(made) == [(None, "no_right_continuation")]


def test_a_step_that_differs_from_the_wrong_one_in_its_spacing_only_is_no_right_one(tmp_path):
    made, _ = scripted(tmp_path, {"": ["1 + 2 = 4\nNo, 3.\n\\boxed{6}"]}, (WRONG, 0))
    assert {reason for _, reason in reasons(made)} == {"sides_equal"}


def test_there_are_two_pairs_where_two_right_steps_really_differ(tmp_path):
    says = {
        "": [RIGHT, "1 + 2 = 3\n3+3=6\n\\boxed{6}", "Three.\n\\boxed{6}", "2+1=3\n\\boxed{6}"],
        "1+2=3\n": ["\\boxed{6}"],
        "Three.\n": ["\\boxed{6}"],
    }
    made, asked = scripted(tmp_path, says, (WRONG, 0))
    assert [(pair.chosen_index, pair.chosen.text) for pair in made.pairs] == [(0, "1+2=3\n"), (2, "Three.\n")]
    assert reasons(made) == [(1, "duplicate_chosen")]
    assert asked[""] == 4 and asked["2+1=3\n"] == 0


def test_an_error_is_given_up_after_two_margins_that_do_not_hold(tmp_path):
    turns = [f"{number}.\n\\boxed{{6}}" for number in ("One", "Two", "Three")]
    made, asked = scripted(tmp_path, {"": turns}, (WRONG, 0))
    assert reasons(made) == [(0, "margin_too_small"), (1, "margin_too_small")]
    assert asked[""] == 4 and asked["Three.\n"] == 0


def test_a_step_that_ends_the_solution_is_worth_what_it_came_to(tmp_path):
    made, asked = scripted(tmp_path, {"": ["\\boxed{6}"]}, (WRONG, 0))
    (pair,) = made.pairs
    assert (pair.chosen.is_final, pair.rejected.is_final) == (True, False)
    assert (pair.margin.chosen.value, pair.margin.chosen.counts.n_rollouts) == (1.0, 0)
    assert pair.chosen.token_ids[-1] == EOS and pair.chosen.text == "\\boxed{6}"
    assert asked == {"": 16, "1+2=4\n": 4 + 8}


def test_two_steps_that_end_their_solutions_take_no_rollouts(tmp_path):
    made, asked = scripted(tmp_path, {"1+2=3\n3+3=6\n": ["\\boxed{6}"]}, ("1+2=3\n3+3=6\n\\boxed{7}", 2))
    (pair,) = made.pairs
    assert (pair.margin.value, pair.margin.low, pair.margin.high) == (1.0, 1.0, 1.0)
    assert list(asked) == ["1+2=3\n3+3=6\n"]


def test_blank_lines_in_front_belong_to_the_chosen_step(tmp_path):
    says = {"": ["\n" + RIGHT], "\n1+2=3\n": ["\\boxed{6}"]}
    made, _ = scripted(tmp_path, says, (WRONG, 0))
    assert [pair.chosen.text for pair in made.pairs] == ["\n1+2=3\n"]


def test_two_solutions_that_go_wrong_by_the_same_step_are_one_error(tmp_path):
    other = "1+2=4\n4+3=8\n\\boxed{8}"
    made, _ = scripted(tmp_path, HELD, (WRONG, 0), (other, 0))
    assert [pair.error.attempt_index for pair in made.pairs] == [0]
    assert made.passed_over[-1].error.attempt_index == 1
    assert made.passed_over[-1].reason == "duplicate_error"


def test_a_right_step_is_in_one_pair_behind_a_prefix_however_many_errors_stand_there(tmp_path):
    other = "1+2=5\n5+3=8\n\\boxed{8}"
    made, _ = scripted(tmp_path, HELD, (WRONG, 0), (other, 0))
    assert [pair.error.attempt_index for pair in made.pairs] == [0]
    assert {over.reason for over in made.passed_over if over.error.attempt_index == 1} == {"duplicate_chosen"}


def test_a_step_without_a_decided_rollout_has_no_margin(tmp_path):
    says = {"": [RIGHT], "1+2=3\n": ["\\boxed{\\sum_i i}"]}
    made, _ = scripted(tmp_path, says, (WRONG, 0))
    assert reasons(made)[0] == (0, "margin_undecided")


def test_what_the_test_saw_and_what_is_published_are_counted_apart(tmp_path):
    turns = [*["\\boxed{6}"] * 4, *["\\boxed{7}", "\\boxed{6}"] * 4]
    made, _ = scripted(tmp_path, HELD | {"1+2=3\n": turns}, (WRONG, 0))
    table = step_pairs_table(made.pairs, "labels", ORIGIN)
    assert table.select("test_chosen_n_correct", "test_chosen_n_rollouts", "test_margin").row(0) == (4, 4, 1.0)
    assert table.select("chosen_n_correct", "chosen_n_rollouts", "value_margin").row(0) == (4, 8, 0.5)
    assert table["n_rollouts"].item() == 4 + 4 + 8 + 8


def test_a_pair_stays_however_little_the_held_out_rollouts_say_for_it(tmp_path):
    turns = [*["\\boxed{6}"] * 4, *["\\boxed{7}"] * 8]
    made, _ = scripted(tmp_path, HELD | {"1+2=3\n": turns}, (WRONG, 0))
    (pair,) = made.pairs
    assert (pair.tested.value, pair.margin.value) == (1.0, 0.0)


@pytest.mark.parametrize(
    "field", ["published_rollouts", "candidates", "lot", "pairs_per_error", "misses", "longest_step"]
)
def test_a_setting_out_of_bounds_is_named_with_its_value(field):
    with pytest.raises(ValidationError, match=rf"{field}\n  Input should be greater than or equal to 1.*input_value=0"):
        Settings(**{field: 0})


def test_a_cap_below_the_lot_is_refused():
    with pytest.raises(ValidationError, match=r"cap must be at least lot \(4\), got 3"):
        Settings(cap=3)


def test_an_error_without_a_place_is_refused():
    with pytest.raises(ValueError, match="step_index must be at least 0, got -1"):
        LocatedError(
            problem_id="p", attempt_index=0, prompt_token_ids=(1,), token_ids=(2,), step_index=-1, pass_rate=0.5
        )
