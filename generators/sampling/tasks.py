"""Wait for several coroutines together; the first failure cancels the rest and is raised as itself.

Knows nothing of what they do. (A bare TaskGroup raises a group, and callers here sort errors by their type.)
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def gather(coroutines: Iterable[Coroutine[Any, Any, Result]]) -> tuple[Result, ...]:
    """The results in order; raises the first error once every other coroutine has been cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return tuple(task.result() for task in tasks)
