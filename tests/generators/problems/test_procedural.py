import sys

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


PROMPT = "State the final answer to the following arithmetic problem: "


@pytest.mark.parametrize(
    ("seed", "levels", "made"),
    [
        (7, {"min_terms": 3, "max_terms": 3, "max_digits": 1}, [("6 + 0 - 1 =", "5"), ("6 + 2 + 3 =", "11")]),
        (0, {}, [("1663 - 5242 - 9376 - 8961 + 7634 =", "-14282"), ("4 - 1 - 7 =", "-4")]),
        (
            3,
            {"allow_negation": True, "max_terms": 9},
            [("-5 + 55 + 22 - 61 - 49 =", "-38"), ("-788 + 478 + -188 + -19 - -682 =", "165")],
        ),
    ],
)
def test_chains_of_a_seed_are_those_that_reasoning_gym_makes(seed, levels, made):
    found = ProceduralProblems(name="sums", task="chain_sum", size=2, seed=seed, levels=levels).candidates().kept
    assert found.select("prompt", "answer").rows() == [(PROMPT + chain, answer) for chain, answer in made]


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A package in the place of reasoning-gym, with one task."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "reasoning_gym"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "reasoning_gym").mkdir()
    (tmp_path / "reasoning_gym/__init__.py").touch()
    (tmp_path / "reasoning_gym/factory.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("reasoning_gym", "reasoning_gym.factory"):
        sys.modules.pop(name, None)


STAND_IN = """
DATASETS = {"doubles": None}


def create_dataset(task, *, size, seed, most=9):
    assert most > 0, "most must be positive"
    numbers = range(seed, seed + size)
    return [
        {"question": f"{n} + {n}?", "answer": str(2 * n), "metadata": {"n": n, "difficulty": {"n": (0, most)}}}
        for n in numbers
    ]
"""


def test_a_task_of_the_package_is_read_with_its_levels(stand_in):
    made = ProceduralProblems(name="doubles", task="doubles", size=2, seed=4).candidates().kept
    assert made.select("origin", "prompt", "answer", "level").rows() == [
        ("item 0", "4 + 4?", "8", "n=4"),
        ("item 1", "5 + 5?", "10", "n=5"),
    ]


@pytest.mark.parametrize(
    ("task", "levels", "message"),
    [
        ("chain_summ", {}, r"no task 'chain_summ': set task to a name such as chain_sum"),
        ("chain_sum", {"bogus": 1}, r"'chain_sum' refuses its levels .*bogus.*: correct them"),
        ("chain_sum", {"min_terms": -1}, r"'chain_sum' refuses its levels .*min_terms .* got -1.*: correct them"),
        ("chain_sum", {"min_digits": 5}, r"max_digits must be at least min_digits \(5\), got 4"),
        ("chain_sum", {"min_terms": "3"}, r"'chain_sum' refuses its levels .*: correct them"),
        ("doubles", {"most": 0}, r"'doubles' refuses its levels .*most.*: correct them"),
    ],
)
def test_an_unknown_task_or_level_is_refused_in_one_sentence(stand_in, task, levels, message):
    with pytest.raises(SourceError, match=message):
        ProceduralProblems(name="sums", task=task, size=2, levels=levels).candidates()


def test_a_task_whose_package_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    source = ProceduralProblems(name="sums", task="leg_counting", size=2)
    for ask in (source.candidates, source.fingerprint):
        with pytest.raises(SourceError, match=r"pip install 'stepmill\[reasoning-gym\]', or set task to chain_sum"):
            ask()
    assert ProceduralProblems(name="sums", task="chain_sum", size=2).candidates().kept.height == 2


def test_settings_out_of_bounds_are_refused_by_name():
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        ProceduralProblems(name="sums", task="chain_sum", size=0)
