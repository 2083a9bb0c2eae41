"""Stores that share a remote: homes of several hosts, in one process.

What belongs here: opening them, committing results. What does not: assertions.
"""

from collections.abc import Callable
from pathlib import Path

from io_managers.sharing.attaching import remote_of
from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.pushing import Pushed, push
from io_managers.sharing.read_through import SharedActions, SharedContent
from io_managers.sharing.remote import Access, Remote
from io_managers.sharing.remote_index import RemoteIndex
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.store import Store

KEY = SigningKey.parse("secret:" + "07" * 32)
OTHER = SigningKey.parse("secret:" + "08" * 32)


class Host:
    """A store of its own, and the remote that it shares with others."""

    def __init__(
        self,
        folder: Path,
        opened: Callable[[], Bucket],
        *,
        key: SigningKey | None = KEY,
        trust: Trust | None = None,
        writable: bool = True,
    ) -> None:
        self.store = Store(folder / "store")
        trust = trust or Trust([KEY.public])
        index = RemoteIndex(folder / "store" / "remote.db", str(sorted(trust.keys)))
        self.remote = Remote(lambda: Access(opened(), trust, key, writable), index)
        self.store.actions = SharedActions(self.store.database, self.remote)
        self.store.content = SharedContent(self.store.content, self.store.database, self.remote)
        assert remote_of(self.store) is self.remote

    def commit(self, number: int, value: object = None, *, stage: str = "summaries", usd: float = 0.01) -> Action:
        """Commit the result of an action. value: a text that says its number, unless another one is given."""
        action = action_of(number, stage)
        provenance = Provenance(seconds=1.0, requests=1, usd=usd, preview=f"number {number}")
        self.store.commit([(action, value or f"value {number}", provenance)]).result()
        return action

    def push(self) -> Pushed:
        """Learn what the remote has, and push the rest."""
        self.remote.check_writable()
        self.remote.pull()
        return push(self.store, self.remote)

    def value(self, action: Action) -> object:
        """The value of a finished action; None if the action is a miss."""
        record = self.store.actions.lookup([action.key]).get(action.key)
        return self.store.load(record.content_digest, str) if record else None

    def close(self) -> None:
        """Close the store and the index."""
        self.store.close()


def action_of(number: int, stage: str = "summaries") -> Action:
    """An action that differs from those of other numbers."""
    return KeyTemplate(stage, {"version": "1"}).action({"text": f"text {number}"})
