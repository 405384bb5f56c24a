"""Work on blocks of rows side by side: in processes of this machine, or as tasks of a Ray cluster.

What follows from a problem's rows depends on no other problem, so blocks can be worked on anywhere. They come back in
their order, and at most twice as many as there are workers are under way.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Maps a function of a module over items; what the function raises is raised."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the results in the order of the items."""
        ...


class Here:
    """Works in this process, one item after the other."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        return map(function, items)


HERE = Here()


class _Elsewhere:
    """Gives items to `submit`, and takes their results in order from what it returns, by `result`."""

    def __init__(self, n: int, submit: Callable[..., Any], result: Callable[[Any], Any]) -> None:
        self._n, self._submit, self._result = n, submit, result

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        under_way: deque[Any] = deque()
        for item in items:
            under_way.append(self._submit(function, item))
            if len(under_way) >= 2 * self._n:
                yield self._result(under_way.popleft())
        while under_way:
            yield self._result(under_way.popleft())


def workers(n: int, *, on_ray: bool = False) -> AbstractContextManager[Workers]:
    """`n` workers for the time of a `with`; one of this machine is this process itself.

    On Ray, they are tasks of the cluster at `RAY_ADDRESS`, or of one that is started here. Raises ModuleNotFoundError
    without the extra `ray`.
    """
    if n < 1:
        raise ValueError(f"workers must be at least 1, got {n}")
    if on_ray:
        return _on_ray(n)
    return _processes(n) if n > 1 else _here()


@contextmanager
def _here() -> Iterator[Workers]:
    yield HERE


@contextmanager
def _processes(n: int) -> Iterator[Workers]:
    with ProcessPoolExecutor(n, mp_context=get_context("spawn")) as pool:
        yield _Elsewhere(n, pool.submit, lambda future: future.result())


@contextmanager
def _on_ray(n: int) -> Iterator[Workers]:
    import ray

    was_there = ray.is_initialized()
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    task = ray.remote(_called)
    try:
        yield _Elsewhere(n, task.remote, ray.get)
    finally:
        if not was_there:
            ray.shutdown()


def _called(function: Callable[[Any], Any], item: object) -> object:
    return function(item)
