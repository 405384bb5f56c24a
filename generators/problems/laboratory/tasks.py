"""The tasks of the laboratory by name."""

from typing import Any, Literal, get_args

from generators.problems.laboratory.carries import Carries
from generators.problems.laboratory.chains import Chains
from generators.problems.laboratory.detours import Detours
from generators.problems.laboratory.law import Task
from generators.problems.laboratory.omissions import Omissions
from generators.problems.laboratory.slips import Slips

TaskName = Literal["chains", "carries", "detours", "slips", "omissions"]
NAMES: tuple[TaskName, ...] = get_args(TaskName)
TASKS: dict[TaskName, type[Task[Any]]] = {
    "chains": Chains,
    "carries": Carries,
    "detours": Detours,
    "slips": Slips,
    "omissions": Omissions,
}


def task_of(prompt: str) -> Task[Any]:
    """The task, with its default beliefs, that a prompt belongs to; raises ValueError if it is none of them."""
    title = prompt.partition(":")[0]
    for task in (make() for make in TASKS.values()):
        if getattr(task, "title", None) == title:
            return task
    raise ValueError(f"prompt must be one of the laboratory's, got {prompt[:40]!r}")
