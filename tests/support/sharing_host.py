"""A host that commits results, pushes and pulls until it is killed: `python -m tests.support.sharing_host HOME REMOTE FIRST`.

It prints the number of each result that is committed, and `pushed N` after a push of all below N.
"""

import sys
from itertools import count
from pathlib import Path

from io_managers.sharing import pushing
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from tests.support.sharing import Host

_EACH = 3


def main(home: Path, remote: Path, first: int) -> None:
    """Work for ever."""
    # Compaction is what a kill could hurt the most, so it comes often.
    pushing._MOST_SEGMENTS = 3
    host = Host(home, lambda: FolderBucket(remote))
    for number in count(first):
        host.commit(number)
        print(number, flush=True)
        if number % _EACH == 0:
            host.push()
            print(f"pushed {number}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
