"""Which of two accounts of each document the judge prefers.

What belongs here: asking about the documents of a comparison, within the budget of its run. What does not: the question itself
(core.judging.model_preference), and which judge is asked (comparing).
"""

import asyncio
from collections.abc import Mapping, Sequence

from resources.errors import DocumentError, StoppedError
from seed_assets.comparing.comparison import DocumentComparison, Side
from seed_assets.comparing.shown_results import account_in
from seed_assets.core.judging.model_preference import ModelPreference
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.engine.interrupts import Draining
from seed_assets.engine.runner import Runner
from seed_assets.memo.concurrently import all_of


def with_preferences(
    runner: Runner, judge: ModelPreference, documents: Sequence[DocumentComparison], sources: Mapping[str, SourceText]
) -> list[DocumentComparison]:
    """Return the documents with what the judge said; one of which it could not say anything has the reason.

    Each request is an action, so the same question is never paid twice. Raises ConfigurationError and StoreError.
    """

    async def ask(found: DocumentComparison) -> DocumentComparison:
        texts = _accounts(found)
        source = sources.get(found.document)
        if texts is None or source is None or " ".join(texts[0].split()) == " ".join(texts[1].split()):
            return found
        if reason := runner.stop_reason():
            return found.with_preference(None, f"not asked: {reason}")
        try:
            return found.with_preference(await judge.prefer(*texts, [source], runner.reuse))
        except StoppedError as error:
            return found.with_preference(None, f"not asked: {error.reason}")
        except DocumentError as error:
            return found.with_preference(None, str(error))

    async def ask_all() -> list[DocumentComparison]:
        try:
            return list(await all_of(ask(found) for found in documents))
        finally:
            await judge.endpoint.aclose()

    try:
        with asyncio.Runner() as loop, Draining(runner.stopping):
            return loop.run(ask_all())
    finally:
        runner.reuse.accounts.look_again()
        runner.reuse.accounts.keep_savings()


def _accounts(found: DocumentComparison) -> tuple[str, str] | None:
    """The published account and that of the changed settings: the last stage's, which is the one that readers see."""
    for one in reversed(found.stages):
        before, now = _account(one.before), _account(one.now)
        if before and now:
            return before, now
    return None


def _account(side: Side | None) -> str:
    return (account_in(side.value) if side else None) or ""
