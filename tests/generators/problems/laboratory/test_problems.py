import asyncio

import pytest

from filters.answers.checker import AnswerChecker
from generators.problems.laboratory.law import worked
from generators.problems.laboratory.problems import LaboratoryProblems
from generators.problems.laboratory.tasks import NAMES, TASKS
from generators.problems.loading import load_problems
from generators.problems.source import SourceError


def prompts(**settings):
    return LaboratoryProblems(**{"name": "laboratory", "task": "chains", "size": 200} | settings).prompts()


def test_parts_never_overlap_even_where_all_problems_of_a_task_are_drawn():
    few = {"task": "chains", "levels": {"min_steps": 1, "max_steps": 2}, "size": 30}
    parts = [
        set(prompts(part=part, seed=seed, **few)) for part in ("policy", "training", "evaluation") for seed in (0, 1)
    ]
    assert not (parts[0] | parts[1]) & (parts[2] | parts[3] | parts[4] | parts[5])
    assert not (parts[2] | parts[3]) & (parts[4] | parts[5])


def test_the_same_seed_gives_the_same_problems_and_another_one_others():
    assert prompts(seed=3) == prompts(seed=3)
    assert set(prompts(seed=3)) != set(prompts(seed=4))


@pytest.mark.parametrize("task", NAMES)
def test_every_gold_answer_verifies_and_is_that_of_the_worked_solution(task):
    async def load():
        with AnswerChecker() as checker:
            return await load_problems(LaboratoryProblems(name=task, task=task, size=40), checker=checker)

    loaded = asyncio.run(load())
    assert loaded.kept.height == 40
    for prompt, answer, level in loaded.kept.select("prompt", "answer", "level").iter_rows():
        solution = worked(TASKS[task](), prompt)
        assert solution[-1] == f"The answer is \\boxed{{{answer}}}."
        assert len(solution) - 1 == int(level)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"size": 0}, "size must be at least 1, got 0"),
        ({"task": "riddles"}, "task must be one of chains, carries, detours, slips, omissions, got 'riddles'"),
        ({"part": "test"}, "part must be one of policy, training, evaluation, got 'test'"),
        ({"levels": {"rate": 1}}, "levels may have min_steps and max_steps, got 'rate'"),
        ({"levels": {"min_steps": 0}}, "min_steps must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        prompts(**settings)


def test_more_problems_than_there_are_is_an_error_with_their_number():
    with pytest.raises(SourceError, match=r"size of source laboratory must be at most \d+ with levels"):
        prompts(size=1000, levels={"min_steps": 1, "max_steps": 1})
