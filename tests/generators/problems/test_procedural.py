import pytest

from generators.problems.procedural import ProceduralProblems
from generators.problems.source import SourceError

SMALL = {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 1}


def test_the_same_seed_makes_the_same_problems():
    first, again, other = (
        ProceduralProblems(name="sums", task="chain_sum", size=5, seed=seed, levels=SMALL).candidates().kept
        for seed in (7, 7, 8)
    )
    assert first.equals(again)
    assert not first.equals(other)
    assert first.height == 5


def test_a_problem_carries_its_exact_answer_and_what_it_was_made_with():
    made = ProceduralProblems(name="sums", task="chain_sum", size=20, levels=SMALL).candidates().kept
    for prompt, answer, level in made.select("prompt", "answer", "level").iter_rows():
        terms = prompt.partition(": ")[2].rstrip(" =").replace("- ", "-").replace("+ ", "").split()
        assert sum(map(int, terms)) == int(answer)
        assert level == f"num_terms={len(terms)}, num_digits=1"


@pytest.mark.parametrize(
    ("task", "levels", "message"),
    [
        ("chain_summ", {}, r"no task 'chain_summ': set task to a name such as chain_sum"),
        ("chain_sum", {"bogus": 1}, r"'chain_sum' refuses its levels .*bogus.*: correct them"),
        ("chain_sum", {"min_terms": -1}, r"'chain_sum' refuses its levels .*min_terms.*: correct them"),
    ],
)
def test_an_unknown_task_or_level_is_refused_in_one_sentence(task, levels, message):
    with pytest.raises(SourceError, match=message):
        ProceduralProblems(name="sums", task=task, size=2, levels=levels).candidates()


def test_settings_out_of_bounds_are_refused_by_name():
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        ProceduralProblems(name="sums", task="chain_sum", size=0)
