"""How often Python's garbage collector scans the objects of a process of this project."""

import gc


def collect_rarely() -> None:
    """Let the collector scan new objects after every 100,000 of them, where Python's default is 700 to 2,000.

    Imports, and a plan of many documents, make up to a million long-lived objects. Scanning them often finds no garbage, and
    takes a tenth of the time. The numbers are a judgement. Call it at the start of a program.
    """
    gc.set_threshold(100_000, 20, 50)
