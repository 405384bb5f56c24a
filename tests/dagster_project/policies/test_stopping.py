import pytest

from dagster_project.policies.stopping import progress
from dagster_project.settings.loop import LoopSettings
from generators.evaluation.figures import Evaluation
from generators.evaluation.recipe import ProblemResult

TRAINING = {"dataset": "attempts", "learning_rate": 1e-3, "steps": 1}


def loop(**settings):
    chosen = {"rounds": 9, "patience": 2, "evaluation": {"samples": 8, "k": 8}, "training": (TRAINING,), **settings}
    return LoopSettings.model_validate(chosen)


def evaluation(*right):
    problems = tuple(
        ProblemResult(problem_id=str(n), n=8, n_right=hits, n_votes=1, n_votes_right=0, tokens=8)
        for n, hits in enumerate(right)
    )
    return Evaluation(policy="p", made_from="x", k=8, problems=problems)


def policies(*shares):
    """Evaluations on forty problems of which each policy solves all eight times in so many tenths, else one time."""
    return [evaluation(*([8] * (4 * tenths) + [1] * (40 - 4 * tenths))) for tenths in shares]


@pytest.mark.parametrize(
    ("shares", "settings", "best", "why"),
    [
        ((2, 4, 6), {}, 2, None),
        ((2, 4, 6), {"rounds": 2}, 2, "2 of 2 rounds are made"),
        ((2, 4, 4), {}, 1, None),
        (
            (2, 4, 4, 4),
            {},
            1,
            "pass@1 has not gained more than 0 over round 1 in 2 rounds: raise loop.patience",
        ),
        ((2, 4, 3, 6, 6), {}, 3, None),
        ((2, 3), {"least_gain": 0.5}, 0, None),
        ((2, 8), {"least_gain": 0.2}, 1, None),
        ((6, 2), {"patience": 1}, 0, "pass@1 has not gained more than 0 over round 0 in 1 rounds"),
    ],
)
def test_a_loop_goes_on_while_a_policy_gains_over_the_best_so_far(shares, settings, best, why):
    found = progress(policies(*shares), loop(**settings))
    assert found.best == best
    assert (found.why or "").startswith(why or "")
    assert (found.why is None) == (why is None)


def test_small_gains_add_up_until_they_show():
    base = [8] * 8 + [1] * 32
    steps = [base, [8] * 9 + [1] * 31, [8] * 14 + [1] * 26]
    found = progress([evaluation(*right) for right in steps], loop(patience=2))
    assert (found.best, found.why) == (2, None)


def test_a_loop_ends_once_diversity_is_lost_whatever_pass_at_1_gains():
    before, after = evaluation(*[1] * 40), evaluation(*[8] * 20 + [0] * 20)
    found = progress([before, after], loop(most_lost_pass_at_k=0.1))
    assert found.why.startswith("pass@8 of round 1 is 0.500 ± 0.157 below the first policy's")
    assert progress([before, after], loop(most_lost_pass_at_k=0.6)).why is None
