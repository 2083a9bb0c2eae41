"""Memory that is given back to the system."""

import sys
from pathlib import Path

import pytest

from resources.heap import give_memory_back, share_one_heap


def resident_bytes() -> int:
    """The resident memory of this process, from proc(5): the second number of statm, in pages of 4 KB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_freed_memory_that_lies_between_used_memory_is_given_back() -> None:
    """By itself the C library gives back only the end of its heap, so that a seed would keep the most that it ever needed."""
    share_one_heap()
    blocks = [bytes(2_000) for _ in range(40_000)]
    kept = blocks[::1_000]
    del blocks
    before = resident_bytes()
    give_memory_back()
    assert before - resident_bytes() > 40_000_000
    assert len(kept) == 40
