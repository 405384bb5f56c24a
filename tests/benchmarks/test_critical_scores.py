from benchmarks.critical_methods import Case
from benchmarks.critical_scores import contrastive_scores
from generators.models.policy import identify
from tests.tiny_policy import tiny_attempts, tiny_policy


def test_every_token_of_a_response_has_a_score_by_adapters_that_never_saw_the_problem(tmp_path, capsys):
    policy = identify(str(tiny_policy(tmp_path / "tiny")))
    tried = tiny_attempts(4)
    cases = [Case(problem, tuple(attempts), attempts[2]) for problem, attempts in tried]
    scores = contrastive_scores(policy, tmp_path, tried, cases)
    assert [len(one) for one in scores] == [len(case.solution.token_ids) for case in cases]
    assert all(0 <= score <= 1 for one in scores for score in one)
    assert "negative model" in capsys.readouterr().err
    assert contrastive_scores(policy, tmp_path, tried, cases) == scores
    assert "negative model" not in capsys.readouterr().err
