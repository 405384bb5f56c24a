from pathlib import Path

from benchmarks.laboratory import figures
from dagster_project.settings.file import load_settings
from generators.engine.protocol import Completion, Generation

RIGHT = "(a): 3 up 1 is 4\nThe answer is \\boxed{4}."
WRONG = "(a): 3 up 1 is 5\nThe answer is \\boxed{5}."


def generation(*texts):
    return Generation(completions=tuple(Completion(token_ids=(1,), text=text, finish_reason="eos") for text in texts))


def test_figures_are_shares_of_solutions_of_votes_and_of_problems():
    found = figures(
        "chains",
        ["Chain: 3\n(a): up 1"] * 3,
        [generation(RIGHT, RIGHT), generation(WRONG, RIGHT), generation(WRONG, WRONG)],
    )
    assert (found["pass_1"], found["majority_8"], found["pass_2"]) == (0.5, 0.333, 0.667)


def test_the_settings_of_a_round_ask_for_problems_that_the_policy_never_saw_and_hold_others_out():
    settings = load_settings(Path("benchmarks/laboratory.toml"))
    assert settings.policy.model == "laboratory"
    assert {source.problems.part for source in settings.sources} == {"training"}
    assert {held_out.problems.part for held_out in settings.evaluation_sets} == {"evaluation"}
