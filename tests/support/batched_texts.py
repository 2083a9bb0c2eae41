"""Summaries of texts that are asked for in batches, as a stage asks: `python -m tests.support.batched_texts FOLDER URL COUNT`

What belongs here: the runs of such a stage over a store of their own. What does not: the server (batch_server) and assertions.
"""

import sys
import time
from pathlib import Path

from io_managers.store.fingerprint import KeyTemplate
from resources.batches import submission
from resources.batches.batch_service import BatchAccess
from resources.batches.open_batches import OpenBatches
from resources.batches.stage_batches import StageBatches
from resources.errors import WaitingError
from resources.settings.model_settings import BatchMode
from seed_assets.core.prompting.structured_output import ask
from seed_assets.memo.budget import Budget
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Made, Reuse
from tests.support.model_world import SCHEMA, ModelWorld, check, question

STAGE = KeyTemplate("summaries", {"version": "1"})
PRICES = (
    'as_of = 2026-01-01\n[models]\n"scripted" = { input = 2.0, output = 8.0, batch_input = 1.0, batch_output = 4.0 }\n'
)


class Texts:
    """Asks for summaries of texts as a stage does. Each call of `run` is a run of its own."""

    def __init__(self, folder: Path, url: str, mode: BatchMode = "always") -> None:
        """url: of a BatchServer."""
        prices = folder / "prices.toml"
        prices.write_text(PRICES)
        self.world = ModelWorld(folder, url, prices=prices)
        self.mode: BatchMode = mode
        self.store = self.world.store
        self.records = self.store.batches
        access = self.world.model().endpoint.batch
        assert isinstance(access, BatchAccess)
        self.open = OpenBatches(self.records, self.store.leases, folder / "batches", [access])
        self._folder = folder / "batches"
        # What sending the batches of the last run took of a processor.
        self.sending_seconds = 0.0

    def run(
        self, *texts: str, budget: Budget | None = None, interrupted: bool = False, mode: BatchMode | None = None
    ) -> list[str]:
        """The summaries that are there after a run; "" for a text that waits. Batches that were begun are left alone."""
        modes: dict[str, BatchMode] = {"summaries": mode or self.mode}
        batches = StageBatches(self.records, self.store.leases, self._folder, modes)
        reuse = self.world.reuse(batched=batches, budget=budget)

        async def one(text: str) -> str:
            async def compute(_: object, own: Reuse) -> list[Made]:
                return [(await ask(self.world.model(), question(text), SCHEMA, check, own), "")]

            action = STAGE.action({"text": text})
            try:
                (found,) = await reuse.values([action], compute, str)
            except WaitingError:
                return ""
            return found

        async def every() -> list[str]:
            batches.begin()
            try:
                found = await all_of(one(text) for text in texts)
                began = time.process_time()
                alone = await batches.end(reuse.costs, interrupted=interrupted)
                self.sending_seconds = time.process_time() - began
                if alone:
                    found = await all_of(one(text) for text in texts)
                return found
            finally:
                await batches.end(reuse.costs, interrupted=True)

        found = self.world.run(every())
        self.store.forget_used_replies()
        return found

    def usd(self, outcome: str) -> float:
        """What was paid for answers that came in this way."""
        return sum(one.usd or 0.0 for one in self.world.attempts() if one.outcome == outcome)


def texts_of(count: int) -> list[str]:
    """So many different texts."""
    return [f"Text {number} about bread and water." for number in range(count)]


def main() -> None:
    """Look at the batches once, make one run, and print how many texts wait. A batch that may have begun is soon given up."""
    submission.UNKNOWN_SECONDS, submission._LOOKS_SECONDS = 0.3, (0.1,)
    folder, url, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    texts = Texts(folder, url)
    with texts.world:
        texts.open.look()
        print(texts.run(*texts_of(count)).count(""), flush=True)


if __name__ == "__main__":
    main()
