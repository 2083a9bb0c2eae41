"""The remote of a session: opened as the settings say, pulled before a seed computes anything, and pushed to while it works.

This module says when; what is pulled and pushed is in io_managers.sharing.
"""

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from io_managers.store.errors import RemoteError, StoreError
from io_managers.store.store import Store
from resources.errors import ConfigurationError
from resources.settings.config import Settings, absolute
from resources.wording import counted

if TYPE_CHECKING:
    from io_managers.sharing.attaching import RemoteRules
    from io_managers.sharing.pushing import Pushed
    from io_managers.sharing.remote import Pulled, Remote
    from io_managers.sharing.segments.signatures import Trust

logger = logging.getLogger(__name__)

# How often a seed pushes what it has finished, and pulls what others have. A machine that dies loses at most the work of so many
# seconds for the others (a judgement: a listing costs about as much as one request to a model).
_SECONDS = 5.0
# How many files that are not used are named where others are counted.
_NAMED = 3


@dataclass(slots=True)
class Shared:
    """What a run took from the remote, and pushed to it. twice: results that another host had computed at the same time."""

    adopted: int = 0
    pushed: int = 0
    twice: int = 0

    def sentence(self) -> str:
        """The same in words; "" if nothing was shared."""
        if not (self.adopted or self.pushed):
            return ""
        twice = f"; {counted(self.twice, 'result')} had been computed elsewhere at the same time" if self.twice else ""
        return f"Remote: {counted(self.adopted, 'result')} taken over, {self.pushed:,} pushed{twice}."


def open_remote(settings: Settings, store: Store) -> "Remote | None":
    """Let a store find in its remote what it does not have; None if no remote is set or used. Nothing is sent.

    A store that this user cannot write takes nothing over, so it is used as it is.
    """
    rules = settings.store
    if not rules.remote or rules.remote_access == "off" or not os.access(store.directory, os.W_OK):
        return None
    from io_managers.sharing.attaching import attach

    return attach(store, remote_rules(settings))


def remote_rules(settings: Settings) -> "RemoteRules":
    """How the settings say that the remote is used."""
    from io_managers.sharing.attaching import RemoteRules

    rules = settings.store
    return RemoteRules(
        rules.remote if "://" in rules.remote else str(absolute(Path(rules.remote), "store.remote")),
        rules.remote_access,
        rules.trusted_keys,
        rules.signing_key.get_secret_value().strip(),
        rules.unsigned == "accept",
        rules.remote_timeout_seconds,
        rules.redis_url.get_secret_value(),
        rules.redis_hours,
        rules.redis_largest_kb,
    )


def table_rules(settings: Settings, *, reads: bool) -> "RemoteRules":
    """How the settings say that the address of published tables is used. reads: the one that they are read from."""
    setting = "tables.read_from" if reads else "tables.publish_to"
    address = settings.tables.read_from if reads else settings.tables.publish_to
    return replace(
        remote_rules(settings),
        address=address if "://" in address else str(absolute(Path(address), setting)),
        access="read" if reads else settings.store.remote_access,
        redis_url="",
        setting=setting,
    )


@contextmanager
def refused_as_settings() -> Iterator[None]:
    """Turn a RemoteError in the body into a ConfigurationError: the address, the credentials or the network are wrong."""
    try:
        yield
    except RemoteError as error:
        raise ConfigurationError(str(error)) from error


def trust_of(settings: Settings, *, unsigned: bool = False) -> "Trust":
    """Whose results a home takes: the trusted keys and its own. unsigned: also results without a signature."""
    from io_managers.sharing.segments.signatures import SigningKey, Trust, parse_public

    rules = settings.store
    key = rules.signing_key.get_secret_value().strip()
    own = [SigningKey.parse(key).public] if key else []
    return Trust([*map(parse_public, rules.trusted_keys), *own], unsigned=unsigned or rules.unsigned == "accept")


@dataclass(frozen=True, slots=True)
class RemoteState:
    """What a home knows of its remote. results: how many it has. adopted: by stage, how many of them this home uses.

    pulled_at: when this was learnt, in seconds since 1970; None if never. refused: files and values that are not used, and why.
    """

    address: str
    results: int
    adopted: dict[str, int]
    pulled_at: float | None
    refused: dict[str, str]

    def sentences(self) -> list[str]:
        """The same in words."""
        if self.pulled_at is None:
            return [f"The remote {self.address} was not looked at yet; the next seed with something to do pulls it."]
        when = datetime.fromtimestamp(self.pulled_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        used = sum(self.adopted.values())
        lines = [
            f"The remote {self.address} has {counted(self.results, 'result')} (as of {when}); {used:,} of them are used here."
        ]
        lines += [f"Not used: {name}: {reason}" for name, reason in list(self.refused.items())[:_NAMED]]
        if len(self.refused) > _NAMED:
            lines.append(f"{len(self.refused) - _NAMED:,} more are not used; `seedbank cache pull` names them all.")
        return lines


def remote_state(settings: Settings, remote: "Remote | None") -> RemoteState | None:
    """What the home knows of its remote, without asking it; None if it uses none."""
    if remote is None:
        return None
    known = remote.index.known()
    refused = {name: reason for name, reason in remote.index.segments().items() if reason}
    return RemoteState(
        settings.store.remote,
        known.results,
        dict(remote.index.adopted()),
        known.pulled_at,
        refused | dict(remote.index.withheld()),
    )


def pull(remote: "Remote", *, again: bool = True) -> "Pulled":
    """Bring the index of a remote up to date, and warn of files that are not used. Raises ConfigurationError.

    A remote that cannot be read ends the command: an empty one must never be assumed, since everything would be paid again.
    """
    with refused_as_settings():
        pulled = remote.pull(again=again)
    _warn_of(pulled.refused, "%s in the remote was not used: %s")
    return pulled


@contextmanager
def sharing(settings: Settings, store: Store, remote: "Remote | None") -> Iterator[Shared]:
    """Push what is finished, and pull what others have finished, every few seconds while the body runs, and at its end.

    A remote that fails meanwhile ends nothing: what is finished is in the store, and the next push takes it along.
    """
    shared = Shared()
    if remote is None:
        yield shared
        return
    before = remote.index.known().adopted
    worker = _Worker(settings, store, remote, shared)
    worker.start()
    try:
        yield shared
    finally:
        worker.end()
        shared.adopted = remote.index.known().adopted - before
        _warn_of(remote.index.withheld(), "The value %s of the remote was not used: %s. It was computed here.")


def _warn_of(refused: Mapping[str, str], sentence: str) -> None:
    for name, reason in list(refused.items())[:_NAMED]:
        logger.warning(sentence, name, reason)
    if len(refused) > _NAMED:
        logger.warning("%d more were not used; `seedbank cache pull` names them all.", len(refused) - _NAMED)


class _Worker:
    """The thread that pushes and pulls beside a run."""

    def __init__(self, settings: Settings, store: Store, remote: "Remote", shared: Shared) -> None:
        self._private = settings.store.private_stages
        self._store = store
        self._remote = remote
        self._shared = shared
        self._last_row = 0
        self._ended = threading.Event()
        self._failed = ""
        self._thread = threading.Thread(target=self._work, name="seedbank-sharing", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        last = False
        while not last:
            last = self._ended.wait(_SECONDS)
            try:
                self._remote.pull()
                if self._remote.access.writable:
                    self._push()
                self._failed = ""
            except StoreError as error:
                if str(error) != self._failed:
                    logger.warning("%s What is finished stays in this home, and is pushed by the next seed.", error)
                self._failed = str(error)

    def _push(self) -> None:
        from io_managers.sharing.pushing import push

        pushed: Pushed = push(self._store, self._remote, self._private, self._last_row)
        self._last_row = pushed.last_row
        self._shared.pushed += pushed.results
        self._shared.twice += pushed.twice
