"""Work that is done while its earlier results are still in use."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["prefetched"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_AHEAD = 2


def prefetched(
    function: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Generator[_Result, None, None]:
    """Yield a function's results in order, while a thread computes the next two."""
    pending: deque[Future[_Result]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="voicelstm-prefetching")
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
