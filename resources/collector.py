"""When Python's garbage collector scans the objects of a process of this project."""

import gc


def collect_rarely() -> None:
    """Let the collector scan new objects after every 100,000 of them, where Python's default is 700 to 2,000.

    Imports, and a plan of many documents, make up to a million long-lived objects. Scanning them often finds no garbage, and
    takes a tenth of the time. The numbers are a judgement. Call it at the start of a program.
    """
    gc.set_threshold(100_000, 20, 50)


def leave_what_is_left() -> None:
    """Let the process end without a scan of all its objects. Call it at the end of a program, after everything is closed.

    Python scans them several times at its end, to find garbage whose memory is free a moment later: a fifth of the time of a
    command that prints one text. Functions of `atexit` and the ends of threads are as always.
    """
    gc.freeze()
