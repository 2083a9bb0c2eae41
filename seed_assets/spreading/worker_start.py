"""How a worker process of a seed begins: until it has imported what it needs, which takes seconds, it dies with the seed.

Run as `python -P -m seed_assets.spreading.worker_start PIPE SEED_PID`.
"""

import sys

from seed_assets.core.workers.parent_death import die_with_parent


def main(pipe: int, seed_pid: int) -> None:
    """Serve the seed of this process number at the other end of the pipe."""
    die_with_parent(seed_pid)
    from seed_assets.spreading.worker import serve

    serve(pipe, seed_pid)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
