"""Run several coroutines concurrently; the first failure cancels the rest and is raised as it is.

A bare TaskGroup raises an exception group, but callers here distinguish errors by type.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def gather(coroutines: Iterable[Coroutine[Any, Any, Result]]) -> tuple[Result, ...]:
    """The results in order; raises the first error after every other coroutine has been cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return tuple(task.result() for task in tasks)
