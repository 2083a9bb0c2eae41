"""Several pieces of one document's work at once, so that a failed piece loses none of the others."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def all_of(pieces: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order. If some fail, the first error is raised after all have ended."""
    found = await asyncio.gather(*pieces, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return [one for one in found if not isinstance(one, BaseException)]
