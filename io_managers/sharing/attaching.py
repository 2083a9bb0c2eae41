"""Opens a remote as the settings say, and lets a store find there what it does not have itself.

Nothing is sent or imported until something has to be fetched, pulled or pushed: a seed with nothing to do needs no network.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from io_managers.sharing.buckets.opening import open_bucket
from io_managers.sharing.read_through import SharedActions, SharedContent
from io_managers.sharing.redis_tier import RedisTier
from io_managers.sharing.remote import Access, Remote
from io_managers.sharing.remote_index import RemoteIndex
from io_managers.sharing.segments.signatures import SigningKey, Trust, parse_public
from io_managers.store.store import Store


@dataclass(frozen=True, slots=True)
class RemoteRules:
    """How a remote is used. address: see open_bucket. access: `auto`, `read` or `write`. setting: where the address comes from,
    for messages.

    trusted: the texts of public keys. signing_key: the text of a secret key, or "". unsigned: whether to take and push segments
    without a signature. timeout_seconds: for one request.
    """

    address: str
    access: str = "auto"
    trusted: Sequence[str] = ()
    signing_key: str = ""
    unsigned: bool = False
    timeout_seconds: float = 30.0
    redis_url: str = ""
    redis_hours: float = 24.0
    redis_largest_kb: int = 256
    setting: str = "store.remote"

    @property
    def source(self) -> str:
        """What an index belongs to: the remote, and whom its reader trusts."""
        own = hashlib.sha256(self.signing_key.encode()).hexdigest() if self.signing_key else ""
        return "\n".join((self.address, str(self.unsigned), own, *sorted(self.trusted)))


def attach(store: Store, rules: RemoteRules) -> Remote:
    """Let a store read through to a remote; a store that does so already keeps its own. Raises StoreUnavailableError."""
    if (attached := remote_of(store)) is not None:
        return attached
    remote = Remote(partial(open_access, rules), RemoteIndex(store.directory / "remote.db", rules.source))
    store.actions = SharedActions(store.database, remote)
    store.content = SharedContent(store.content, store.database, remote)
    return remote


def remote_of(store: Store) -> Remote | None:
    """The remote that a store reads through to; None if there is none."""
    return store.actions.remote if isinstance(store.actions, SharedActions) else None


def open_access(rules: RemoteRules) -> Access:
    """The bucket of a remote, and how it is used. Nothing is sent. Raises RemoteError."""
    bucket = open_bucket(rules.address, rules.timeout_seconds, rules.setting)
    signer = SigningKey.parse(rules.signing_key) if rules.signing_key else None
    unsigned = rules.unsigned or bucket.is_own()
    own = [signer.public] if signer else []
    trust = Trust([*map(parse_public, rules.trusted), *own], unsigned=unsigned)
    writable = rules.access == "write" or (rules.access == "auto" and not is_ci() and (signer is not None or unsigned))
    tier = (
        RedisTier(rules.redis_url, int(rules.redis_hours * 3600), rules.redis_largest_kb << 10)
        if rules.redis_url
        else None
    )
    return Access(bucket, trust, signer, writable, tier)


def is_ci() -> bool:
    """Whether this is a job of CI, which writes nowhere unless it is asked to."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
