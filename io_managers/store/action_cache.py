"""Action key -> the digest of its result, and where that came from.

What belongs here: looking up and recording actions. What does not: values (content_store) and which result is current
for a partition (refs).
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from io_managers.store.database import Database, Write
from io_managers.store.fingerprint import Action, Part

_COSTS = ("requests", "input_tokens", "output_tokens", "usd", "unpriced")
# SQLite takes 32,766 parameters a statement; a JSON array has no limit and is as fast.
_AMONG = "FROM actions WHERE action_key IN (SELECT value FROM json_each(?))"


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is worth knowing of how a result came to be; none of it decides the result.

    seconds: how long computing took; requests, input_tokens, output_tokens, usd: what was paid for it; unpriced: those of
    the requests whose price is unknown; model: who was asked. preview: a line for people.
    """

    seconds: float = 0.0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    preview: str = ""
    unpriced: int = 0
    model: str = ""


class ActionRecord(msgspec.Struct, frozen=True):
    """A finished action. type_name: `module:qualname` of its value's class."""

    key: str
    content_digest: str
    provenance: Provenance
    type_name: str


class ActionCache:
    """The table of finished actions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lookup(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """The finished ones among these action keys, in one query."""
        wanted = _encoder.encode(list(keys)).decode()
        return {
            key: ActionRecord(key, digest, _provenance(provenance), type_name)
            for key, digest, provenance, type_name in self._database.read(
                f"SELECT action_key, content_digest, provenance, type_name {_AMONG}", (wanted,)
            )
        }

    def existing(self, keys: Iterable[str]) -> dict[str, str]:
        """Action key -> content digest of the finished ones: `lookup` without provenance, for plans of many keys."""
        wanted = _encoder.encode(list(keys)).decode()
        return dict(self._database.read(f"SELECT action_key, content_digest {_AMONG}", (wanted,)))

    def paid(self, keys: Iterable[str]) -> Provenance:
        """What was paid for these finished actions in all; nothing else of them."""
        wanted = _encoder.encode(list(keys)).decode()
        sums = ", ".join(f"TOTAL(json_extract(provenance, '$.{name}'))" for name in _COSTS)
        ((requests, input_tokens, output_tokens, usd, unpriced),) = self._database.read(
            f"SELECT {sums} {_AMONG} AND json_valid(provenance)", (wanted,)
        )
        return Provenance(0.0, int(requests), int(input_tokens), int(output_tokens), usd, unpriced=int(unpriced))

    def parts(self, keys: Iterable[str]) -> dict[str, Mapping[str, Part]]:
        """What the keys of finished actions were made of, as read back from JSON."""
        wanted = _encoder.encode(list(keys)).decode()
        rows = self._database.read(f"SELECT action_key, parts {_AMONG}", (wanted,))
        found: dict[str, Mapping[str, Part]] = {}
        for key, parts in rows:
            # Damaged ones can only fail to explain something.
            with suppress(msgspec.MsgspecError):
                found[key] = _parts_decoder.decode(parts)
        return found

    @staticmethod
    def put(
        action: Action, content_digest: str, type_name: str, provenance: Provenance, *, replace: bool = False
    ) -> Write:
        """The row to commit for a finished action. Unless `replace`, the first result recorded for a key stays."""
        return (
            f"INSERT OR {'REPLACE' if replace else 'IGNORE'} INTO actions"
            " (action_key, stage, content_digest, type_name, parts, provenance, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    action.key,
                    action.stage,
                    content_digest,
                    type_name,
                    _encoder.encode(action.parts).decode(),
                    _encoder.encode(provenance).decode(),
                    time.time(),
                )
            ],
        )


def _plain(part: object) -> object:
    if isinstance(part, Mapping):
        return dict(part)
    raise TypeError(f"A {type(part).__qualname__} is no part of a key.")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_provenance_decoder = msgspec.json.Decoder(Provenance)
_parts_decoder = msgspec.json.Decoder(dict[str, Any])


def _provenance(encoded: str) -> Provenance:
    try:
        return _provenance_decoder.decode(encoded)
    except msgspec.MsgspecError:  # damaged; it decides nothing, and the value proves itself by its digest
        return Provenance()
