"""The entry point of `seedbank`: it answers a seed with nothing to do at once and leaves everything else to `cli.main`.

It checks whether the report of an earlier seed that had nothing to do is still valid, and prints it. Nothing here may take
long to import, and no command is defined here.
"""

import os
import sys
import time

from cli.views import seconds_in, view_of
from resources.collector import collect_rarely, leave_what_is_left
from seed_assets.seeding import standing_answer


def main() -> None:
    """Print the stored report of a seed with nothing to do, or run the command line."""
    started = time.perf_counter()
    status = _answered(sys.argv[1:], started)
    if status is not None:
        sys.exit(status)
    collect_rarely()
    from cli.main import main as run

    try:
        run()
    finally:
        leave_what_is_left()


def _answered(arguments: list[str], started: float) -> int | None:
    """Print a stored report that is still valid and return its exit status; None if the command has to run."""
    options = _options(arguments)
    if options is None or os.name != "posix":
        return None
    home_option, corpus, as_json = options
    home = standing_answer.home_of(home_option)
    path = standing_answer.place(home)
    if not os.path.exists(path):
        return None
    try:
        view = view_of(as_json=as_json)
        found = standing_answer.find(path, standing_answer.called(home_option, corpus), home, view)
        if found is None:
            return None
        status, before, after = found
        seconds = seconds_in(time.perf_counter() - started, as_json=as_json)
        left = f"{before}{seconds}{after}".encode("utf-8", "surrogateescape")
        while left:
            left = left[os.write(1, left) :]
    except (OSError, standing_answer.Unsettled):
        # The command itself meets the same problem with the files or the output, and reports it.
        return None
    return int(status)


def _options(arguments: list[str]) -> tuple[str | None, str | None, bool] | None:
    """(--home, --corpus, --json) of a seed without other options; None for any other command."""
    if arguments[:1] != ["seed"]:
        return None
    given: dict[str, str] = {}
    as_json = False
    left = iter(arguments[1:])
    for argument in left:
        name, equals, value = argument.partition("=")
        if argument == "--json":
            as_json = True
        elif name in ("--home", "--corpus"):
            value = value if equals else next(left, "")
            if not value or value.startswith("-"):
                return None
            given[name] = value
        else:
            return None
    return given.get("--home"), given.get("--corpus"), as_json


if __name__ == "__main__":
    main()
