"""Which properties of the terminal decide how a report looks, so that a stored report can be printed again unchanged.

Reports are drawn in `progress`, whose imports are too slow for here.
"""

import os
import sys

# The environment variables that Rich reads.
_VARIABLES = ("COLUMNS", "LINES", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def view_of(*, as_json: bool) -> str:
    """A text that is the same for two reports if they look the same. Raises OSError if standard output is closed."""
    os.fstat(1)
    sizes: list[str] = []
    for number in (0, 1, 2):
        try:
            sizes.append("{} {}".format(*os.get_terminal_size(number)))
        except OSError:
            sizes.append("")
    said = [str(as_json), getattr(sys.stdout, "encoding", None) or "", str(os.isatty(1)), *sizes]
    said += [os.environ.get(name, "") for name in _VARIABLES]
    return "\n".join(said)


def seconds_in(seconds: float, *, as_json: bool) -> str:
    """The seconds that a seed took, as its report shows them."""
    return str(round(seconds, 3)) if as_json else f"{seconds:.1f}"
