"""Finding and computing actions: what of it no stage shows by itself."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.store import Store
from resources.endpoints.llm import Usage
from resources.errors import StoppedError
from seed_assets.memo.reuse import Reuse

TEMPLATE = KeyTemplate("answers", {"version": "1"})
ACTIONS = [TEMPLATE.action({"question": number}) for number in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


class Paid:
    """Answers with the question's number; `asked` are the keys that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, actions: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
        self.asked += [action.key for action in actions]
        own.costs.charge(Usage(requests=1, input_tokens=10, usd=0.5, model="m"))
        return [(f"answer {action.parts['question']}", "") for action in actions]


def values(reuse: Reuse, paid: Paid) -> list[Any]:
    return asyncio.run(reuse.values(ACTIONS, paid, str))


def test_a_damaged_value_is_computed_again_and_the_others_are_not(store: Store) -> None:
    """One flipped bit in one vector must not end the stage of ten thousand documents."""
    paid = Paid()
    first = values(Reuse(store), paid)
    digest = store.actions.lookup([ACTIONS[1].key])[ACTIONS[1].key].content_digest
    store.database.write(("UPDATE objects SET data = ? WHERE content_digest = ?", [(b"garbage", digest)])).result()
    paid.asked.clear()
    assert values(Reuse(store), paid) == first
    assert paid.asked == [ACTIONS[1].key]


def test_what_a_run_paid_itself_is_not_called_saved_when_it_comes_across_it_again(store: Store) -> None:
    """A second pass over the same documents would double what reuse seems to save."""
    paid = Paid()
    reuse = Reuse(store)
    values(reuse, paid)
    keys = [action.key for action in ACTIONS]
    for key in keys:
        reuse.accounts.note_made("summaries", key)
    reuse.note_found("summaries", reuse.finished(keys))
    reuse.accounts.keep_savings()
    later = Reuse(store)
    for _ in range(2):
        later.note_found("summaries", later.finished(keys))
    later.accounts.keep_savings()
    store.database.write().result()
    (account,) = [account for account in store.account.accounts() if account.saved]
    # The three share what the request cost that answered all of them.
    assert account.saved is not None
    assert (account.saved.results, account.saved.requests, account.saved.input_tokens) == (3, 1, 10)
    assert account.saved.usd == pytest.approx(0.5)


def test_waiting_for_another_process_can_be_stopped(store: Store, tmp_path: Path) -> None:
    """The first Ctrl-C went unheard where another seed held the lease."""
    other = Store(tmp_path)
    try:
        assert other.leases.take([ACTIONS[0].key])
        reasons = iter(["", "", "interrupted"])
        reuse = Reuse(store, stop_reason=lambda stage: next(reasons))
        paid = Paid()
        with pytest.raises(StoppedError, match="interrupted"):
            asyncio.run(reuse.records(ACTIONS[:1], paid))
        assert paid.asked == []
    finally:
        other.close()
