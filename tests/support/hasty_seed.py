"""`seedbank` that hardly waits before it sends a request again: `python -m tests.support.hasty_seed seed ...`

What belongs here: the shorter wait. What does not: any other difference from the command.
"""

from cli.main import main
from resources.endpoints import endpoint

if __name__ == "__main__":
    endpoint._FIRST_BACKOFF_SECONDS = 0.02
    main()
