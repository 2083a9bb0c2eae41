"""Whether a process dies with its parent. This module imports almost nothing, so that a process can ask for it before it
imports what takes seconds.
"""

import ctypes
import os
import signal
import sys

# From Linux's <sys/prctl.h>: a process gets a signal when its parent dies.
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Let this process be killed when its parent dies; other systems than Linux cannot do that.

    parent_pid: the number of the parent. If it has died already, this process ends at once.
    """
    _set_signal(signal.SIGKILL)
    end_without_parent(parent_pid)


def outlive_parent() -> None:
    """Let this process go on when its parent dies."""
    _set_signal(0)


def end_without_parent(parent_pid: int) -> None:
    """End this process at once if its parent has died."""
    if os.getppid() != parent_pid:
        os._exit(1)


def _set_signal(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
