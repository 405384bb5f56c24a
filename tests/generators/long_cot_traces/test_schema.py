import pytest

from filters.schema import SchemaError
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_SAMPLES, LONG_COT_TRACES, QUERY_MIX

ORIGIN = {"sampling": "{}", "max_tokens": 8, "policy": "p", "round": "r", "slice": "s-0"}
BY_POLICY = {"thoughts_closed_by": "policy", "closing_token_start": None, "closing_token_end": None}
BY_RECIPE = {"thoughts_closed_by": "recipe", "closing_token_start": 0, "closing_token_end": 1}
BY_NOBODY = BY_POLICY | {"thoughts_closed_by": None}
SAMPLE = {
    "problem_id": "a",
    "source": "s",
    "sample_index": 0,
    "prompt_token_ids": [1],
    "token_ids": [2, 3],
    **BY_POLICY,
    "text": "<think>t</think>u",
    "finish_reason": "eos",
    "malformed": None,
    "internal_thoughts": "t",
    "external_solution": "u",
    "scored_by": "verifier",
    "score": 1.0,
    "verdict": "equal",
    "extracted": "4",
    "found_by": "box",
    "stage": None,
    "reason": None,
    **ORIGIN,
}
REWARDED = {"scored_by": "armorm", "score": -2.5, "verdict": None, "extracted": None, "found_by": None}
MALFORMED = {"malformed": "truncated", "internal_thoughts": None, "external_solution": None, "score": None}
TRACE = {
    "problem_id": "a",
    "source": "s",
    "prompt": "2+2?",
    "answer": "4",
    "also_accepted": [],
    "level": None,
    "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "<think>t</think>u"}],
    "internal_thoughts": "t",
    "external_solution": "u",
    "topic": None,
    "difficulty": "easy",
    "scored_by": "verifier",
    "score": 1.0,
    "verdict": "equal",
    "extracted": "4",
    "found_by": "box",
    "n_verification": 1,
    "n_backtracking": 1,
    "n_subgoal_setting": 0,
    "n_backward_chaining": 0,
    "behaviours": ["backtracking", "verification"],
    "behaviour_starts": [0, 7],
    "behaviour_ends": [4, 12],
    "judge_n_verification": None,
    "judge_n_backtracking": None,
    "judge_n_subgoal_setting": None,
    "judge_n_backward_chaining": None,
    "behaviour_judge": None,
    "sample_index": 0,
    "prompt_token_ids": [1],
    "token_ids": [2, 3],
    **BY_POLICY,
    **ORIGIN,
}
NO_BEHAVIOUR = {
    "n_verification": 0,
    "n_backtracking": 0,
    "behaviours": [],
    "behaviour_starts": [],
    "behaviour_ends": [],
}
PAIR = {
    "problem_id": "a",
    "source": "s",
    "prompt": [{"role": "user", "content": "2+2?"}],
    "answer": "4",
    "also_accepted": [],
    "chosen": [{"role": "assistant", "content": "4"}],
    "rejected": [{"role": "assistant", "content": "5"}],
    "chosen_index": 0,
    "chosen_reward": 2.0,
    "chosen_score": 1.0,
    "chosen_verdict": "equal",
    "chosen_malformed": None,
    "chosen_thoughts_closed_by": "policy",
    "rejected_index": 3,
    "rejected_reward": 0.0,
    "rejected_score": None,
    "rejected_verdict": None,
    "rejected_malformed": "no_closing_tag",
    "rejected_thoughts_closed_by": None,
    "reward_margin": 2.0,
    "scored_by": "verifier",
    **ORIGIN,
}
MIXED = {
    "problem_id": "a",
    "criteria": [True, False, True],
    "n_criteria": 2,
    "topic": "algebra",
    "pass_rate": None,
    "difficulty": None,
    "is_kept": True,
    "why": "criteria_met",
}


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (LONG_COT_SAMPLES, SAMPLE),
        (LONG_COT_SAMPLES, SAMPLE | REWARDED),
        (LONG_COT_SAMPLES, SAMPLE | MALFORMED | {"verdict": None}),
        (LONG_COT_SAMPLES, SAMPLE | MALFORMED | BY_NOBODY | {"verdict": None}),
        (LONG_COT_SAMPLES, SAMPLE | BY_RECIPE),
        (LONG_COT_SAMPLES, SAMPLE | {"verdict": "timeout", "score": None}),
        (LONG_COT_SAMPLES, SAMPLE | {"verdict": "no_answer", "score": 0.0}),
        (LONG_COT_TRACES, TRACE),
        (LONG_COT_TRACES, TRACE | REWARDED | {"answer": "", "topic": "letters"}),
        (LONG_COT_TRACES, TRACE | NO_BEHAVIOUR | BY_RECIPE),
        (LONG_COT_TRACES, TRACE | {"behaviour_judge": "j"}),
        (LONG_COT_TRACES, TRACE | {"behaviour_judge": "j", "judge_n_backtracking": 2}),
        (LONG_COT_PAIRS, PAIR),
        (LONG_COT_PAIRS, PAIR | {"answer": "", "scored_by": "armorm", "chosen_verdict": None}),
        (QUERY_MIX, MIXED),
        (QUERY_MIX, MIXED | {"criteria": None, "n_criteria": None}),
    ],
)
def test_a_sound_row_passes_and_an_empty_table_too(table, row):
    assert table.frame([row]).rows(named=True) == [row]
    assert table.validate(table.frame([])).columns == list(row)
    assert all(column.meaning for column in table.columns.values())


@pytest.mark.parametrize(
    ("table", "row", "rule"),
    [
        (LONG_COT_SAMPLES, SAMPLE | {"sample_index": -1}, "sample_index: not_negative"),
        (LONG_COT_SAMPLES, SAMPLE | {"internal_thoughts": None}, "internal_thoughts: of_well_formed"),
        (LONG_COT_SAMPLES, SAMPLE | {"external_solution": None}, "external_solution: of_well_formed"),
        (LONG_COT_SAMPLES, SAMPLE | REWARDED | MALFORMED | {"score": 2.0}, "score: of_well_formed"),
        (LONG_COT_SAMPLES, SAMPLE | REWARDED | {"score": float("nan")}, "score: finite"),
        (LONG_COT_SAMPLES, SAMPLE | {"score": 0.0}, "score: follows_verdict"),
        (LONG_COT_SAMPLES, SAMPLE | {"score": None}, "score: follows_verdict"),
        (LONG_COT_SAMPLES, SAMPLE | {"verdict": "timeout"}, "score: follows_verdict"),
        (LONG_COT_SAMPLES, SAMPLE | REWARDED | {"verdict": "maybe"}, "verdict: known"),
        (LONG_COT_SAMPLES, SAMPLE | {"reason": "not_the_best"}, "reason: of_a_stage"),
        (LONG_COT_SAMPLES, SAMPLE | BY_NOBODY, "thoughts_closed_by: of_well_formed"),
        (LONG_COT_SAMPLES, SAMPLE | BY_RECIPE | {"closing_token_end": 2}, "closing_token_end: inside"),
        (LONG_COT_SAMPLES, SAMPLE | BY_RECIPE | {"closing_token_end": 0}, "closing_token_end: inside"),
        (LONG_COT_SAMPLES, SAMPLE | BY_RECIPE | {"closing_token_start": -1}, "closing_token_start: not_negative"),
        (LONG_COT_TRACES, TRACE | BY_NOBODY, "thoughts_closed_by: not_null"),
        (LONG_COT_TRACES, TRACE | {"thoughts_closed_by": "reader"}, "thoughts_closed_by: known"),
        (LONG_COT_TRACES, TRACE | {"closing_token_start": 0}, "closing_token_start: of_the_recipe"),
        (LONG_COT_TRACES, TRACE | BY_RECIPE | {"closing_token_end": None}, "closing_token_end: of_the_recipe"),
        (LONG_COT_TRACES, TRACE | {"internal_thoughts": " "}, "internal_thoughts: not_blank"),
        (LONG_COT_TRACES, TRACE | {"external_solution": "\n"}, "external_solution: not_blank"),
        (LONG_COT_TRACES, TRACE | {"messages": TRACE["messages"][:1]}, "messages: user_then_assistant"),
        (LONG_COT_TRACES, TRACE | REWARDED | {"score": None}, "score: not_null"),
        (LONG_COT_TRACES, TRACE | {"verdict": "different", "score": 0.0}, "verdict: equal_where_verified"),
        (LONG_COT_TRACES, TRACE | {"answer": " "}, "answer: where_verified"),
        (LONG_COT_TRACES, TRACE | REWARDED, "answer: where_verified"),
        (LONG_COT_TRACES, TRACE | REWARDED | {"answer": "", "verdict": "equal"}, "verdict: of_the_verifier"),
        (LONG_COT_TRACES, TRACE | {"difficulty": "so-so"}, "difficulty: known"),
        (LONG_COT_TRACES, TRACE | {"behaviour_starts": [0]}, "behaviour_starts: one_per_behaviour"),
        (LONG_COT_TRACES, TRACE | {"behaviour_ends": [4, 7]}, "behaviour_ends: behind_starts"),
        (LONG_COT_TRACES, TRACE | {"n_verification": 2}, "behaviours: counted"),
        (LONG_COT_TRACES, TRACE | {"judge_n_verification": 1}, "judge_n_verification: of_a_judge"),
        (
            LONG_COT_TRACES,
            TRACE | {"behaviour_judge": "j", "judge_n_backtracking": -1},
            "judge_n_backtracking: of_a_judge",
        ),
        (LONG_COT_PAIRS, PAIR | {"reward_margin": 0.0}, "reward_margin: above_zero"),
        (LONG_COT_PAIRS, PAIR | {"reward_margin": 1.0}, "reward_margin: of_the_rewards"),
        (LONG_COT_PAIRS, PAIR | {"chosen_malformed": "repeated_tags"}, "chosen_malformed: never"),
        (LONG_COT_PAIRS, PAIR | {"answer": ""}, "answer: where_verified"),
        (LONG_COT_PAIRS, PAIR | {"scored_by": "armorm"}, "answer: where_verified"),
        (LONG_COT_PAIRS, PAIR | {"rejected_index": 0}, "rejected_index: another"),
        (QUERY_MIX, MIXED | {"n_criteria": 3}, "n_criteria: counts_them"),
        (QUERY_MIX, MIXED | {"why": ""}, "why: not_blank"),
    ],
)
def test_a_broken_rule_is_named(table, row, rule):
    with pytest.raises(SchemaError, match=f"{table.name}.{rule} is broken by 1 of 1 rows"):
        table.frame([row])
