"""Sends 200 requests to a model that answers after 50 ms, with the code that is imported; guard starts it as a process.

What belongs here: the requests. What does not: measuring a request with the store and all limits (model_client).
"""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.endpoints.llm import Turn

REQUESTS = 200
LATENCY_SECONDS = 0.05


async def main() -> None:
    """Send the requests, and check that each was answered."""
    from benchmarks.model_client import AT_ONCE, asked, opened, questions, seconds_at_once, served
    from io_managers.store.store import Store
    from seed_assets.memo.reuse import Reuse

    with served(LATENCY_SECONDS) as url, tempfile.TemporaryDirectory() as directory:
        async with opened(url, Path(directory)) as model:
            with closing(Store(Path(directory) / "store")) as store:
                reuse, answered = Reuse(store), 0

                async def ask(turns: "Sequence[Turn]") -> None:
                    nonlocal answered
                    await asked(model, turns, reuse)
                    answered += 1

                await seconds_at_once(AT_ONCE, questions(REQUESTS, seed=5), ask)
                if answered != REQUESTS:
                    raise SystemExit(f"{answered} of {REQUESTS} requests were answered.")


if __name__ == "__main__":
    asyncio.run(main())
