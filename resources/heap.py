"""How much memory the C library keeps.

What belongs here: what a program sets once, at its start, and giving memory back. What does not: what needs the memory.
"""

from collections.abc import Callable
from functools import cache

# The number of this parameter in glibc's <malloc.h>.
_M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Let all threads take memory from one heap of the C library, where glibc's default is eight heaps for each core.

    What one thread frees, another one could not use otherwise: threads that do one thing after another would each keep as much
    as they ever needed. Call it before threads are started; with another C library it does nothing.
    """
    if (mallopt := _function("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return the memory that is free to the system; with another C library than glibc it does nothing."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


@cache
def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library; None if it has no such function."""
    import ctypes

    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
