"""How often Python's garbage collector runs, and how much memory the C library keeps.

What belongs here: what a program sets once, at its start, and giving memory back. What does not: what needs the memory.
"""

import gc
from collections.abc import Callable
from functools import cache

# The number of this parameter in glibc's <malloc.h>.
_M_ARENA_MAX = -8


def collect_rarely() -> None:
    """Let the collector scan new objects after every 100,000 of them, where Python's default is 700 to 2,000.

    Imports, and a plan of many documents, make up to a million long-lived objects. Scanning them often finds no garbage, and
    takes a tenth of the time. The numbers are a judgement. Call it at the start of a program.
    """
    gc.set_threshold(100_000, 20, 50)


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
def _function(name: str) -> "Callable[..., int] | None":
    """Return a function of the C library; None if it has no such function."""
    import ctypes

    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
