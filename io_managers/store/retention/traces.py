"""Finds what a store has of some documents: what was made of them alone, and what was made of them together with others.

Three things lead from a document to a result: a ref or an origin with its id; its id in the inputs or in the value of a result,
as in a clustering; and, in the inputs of a result, the digest of a value that was found in this way. What another document has
as well is shared, and stays.

This module only reads. What was found is removed in `erasing`.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from io_managers.store.action_cache import WITH_COST
from io_managers.store.codecs.stored_bytes import Files, expand
from io_managers.store.retention.collection import cost_of
from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.rules import Removed
from io_managers.store.store import Store

_KEY = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Outcome(NamedTuple):
    """What one part of a home erased, or would erase, by its kind; and sentences about what it could not erase."""

    erased: Mapping[str, int]
    left: tuple[str, ...] = ()


@dataclass(slots=True)
class Traces:
    """What is to be erased.

    mentions: recognises the documents. keys: the actions, each after those through which it was found. units: (stage, unit) of
    what is published of them, also of other documents and of the corpus; earlier: the same of results that are not published any
    more. digests: of the values. shared: what else has results of the documents, which stay -> how many. own, others: by stage,
    the results of the documents, and those that were made of them together with others. request_keys: all actions that were made
    for the documents, whether or not they have a result.
    """

    mentions: Mentions
    keys: list[str] = field(default_factory=list[str])
    units: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    earlier: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    digests: set[str] = field(default_factory=set[str])
    shared: dict[str, int] = field(default_factory=dict[str, int])
    own: dict[str, Removed] = field(default_factory=dict[str, Removed])
    others: dict[str, Removed] = field(default_factory=dict[str, Removed])
    request_keys: set[str] = field(default_factory=set[str])

    @property
    def documents(self) -> tuple[str, ...]:
        """The ids of the documents."""
        return self.mentions.documents

    def units_of(self, stage: str) -> list[str]:
        """The units of a stage of which something published goes, sorted."""
        return sorted(unit for name, unit in self.units if name == stage)


def find_traces(
    store: Store,
    documents: Iterable[str],
    *,
    alone: Collection[str],
    continuing: Collection[str] = (),
    also: Collection[str] = (),
    known: Collection[str] = (),
) -> Traces:
    """Find what a store has of some documents. Raises StoreUnavailableError.

    alone: the stages whose results are made of one document and name no other. continuing: the stages whose results continue
    from the one before, of which nothing but ids and names goes on: such a result stays if it names no document, and only what
    was made inside of it at no cost goes. also: keys of further actions that hold something of the documents. known: see
    Mentions.
    """
    traces = Traces(Mentions(documents, known))
    with store.database.maintained() as connection:
        _Search(connection, Files(store.directory / "objects"), traces, alone, continuing).run(also)
    return traces


def known_documents(store: Store, document_stages: Collection[str]) -> set[str]:
    """All documents of which a store has something, also those that left the corpus. Raises StoreUnavailableError."""
    published = store.database.read("SELECT DISTINCT stage, partition FROM refs")
    others = {unit for stage, unit in published if stage not in document_stages}
    named = store.database.read("SELECT owner FROM origins UNION SELECT partition FROM failures")
    return {unit for stage, unit in published if stage in document_stages} | {
        unit for (unit,) in named if unit and unit not in others and not _KEY.fullmatch(unit)
    }


class _Search:
    def __init__(
        self,
        connection: sqlite3.Connection,
        files: Files,
        traces: Traces,
        alone: Collection[str],
        continuing: Collection[str],
    ) -> None:
        self._connection = connection
        self._files = files
        self._traces = traces
        self._alone = json.dumps(sorted(alone))
        self._continuing = continuing

    def run(self, also: Collection[str]) -> None:
        documents = set(self._traces.documents)
        forced = dict.fromkeys(also)
        forced.update(dict.fromkeys(self._naming()))
        while True:
            found = self._closure(documents, forced)
            kept = self._kept(documents, forced, found)
            self._traces.keys = [key for key in found if key not in kept]
            more = [key for key in self._made_of(self._digests()) if key not in forced and key not in self._traces.keys]
            if not more:
                break
            forced.update(dict.fromkeys(more))
        self._traces.request_keys = found.keys() - kept
        self._describe(documents, kept)

    def _rows(self, query: str, values: Iterable[str]) -> list[tuple]:
        """The rows of a query about some texts, which it names as `among`."""
        among = "(SELECT value FROM json_each(?))"
        return self._connection.execute(query.replace("among", among), (json.dumps(list(values)),)).fetchall()

    def _naming(self) -> Iterator[str]:
        """The actions whose inputs or values name a document."""
        mentions = self._traces.mentions
        for key, parts, digest, size_bytes, compressed, data in self._connection.execute(
            "SELECT action_key, parts, content_digest, size_bytes, compressed, data FROM actions LEFT JOIN objects"
            " USING (content_digest) WHERE stage NOT IN (SELECT value FROM json_each(?)) ORDER BY created_at",
            (self._alone,),
        ):
            if mentions.in_text(parts):
                yield key
                continue
            if data is None and size_bytes is not None:
                data = self._files.read(digest)
            if (
                data is not None
                and size_bytes is not None
                and mentions.in_bytes(expand(data, size_bytes, bool(compressed)))
            ):
                yield key

    def _made_of(self, digests: set[str]) -> list[str]:
        """The actions whose inputs name one of these values; of one that continues, what was made inside of it at no cost."""
        rows = self._connection.execute(
            "SELECT action_key, stage, parts FROM actions WHERE stage NOT IN (SELECT value FROM json_each(?))"
            " ORDER BY created_at",
            (self._alone,),
        )
        found = {key: stage for key, stage, parts in rows if not digests.isdisjoint(_DIGEST.findall(parts))}
        continued = [key for key, stage in found.items() if stage in self._continuing]
        inside = self._rows(
            "SELECT a.action_key FROM origins JOIN actions a USING (action_key) WHERE owner IN among"
            f" AND NOT {WITH_COST.replace('provenance', 'a.provenance')}",
            continued,
        )
        return [*(key for key in found if key not in continued), *(key for (key,) in inside)]

    def _closure(self, documents: set[str], forced: Iterable[str]) -> dict[str, None]:
        """The actions that were made for the documents or inside of what is erased in any case, in the order of discovery."""
        found = dict.fromkeys(
            key
            for (key,) in self._rows("SELECT action_key FROM refs WHERE state = '' AND partition IN among", documents)
        )
        found.update(dict.fromkeys(forced))
        frontier = [*documents, *found]
        while frontier:
            rows = self._rows(
                "SELECT action_key FROM origins WHERE owner IN among ORDER BY owner, action_key", frontier
            )
            frontier = list(dict.fromkeys(key for (key,) in rows if key not in found))
            found.update(dict.fromkeys(frontier))
        return found

    def _kept(self, documents: set[str], forced: Collection[str], found: Mapping[str, None]) -> dict[str, set[str]]:
        """Those of the found actions that something else has as well -> what that is; with all that they are made of."""
        owners: dict[str, set[str]] = defaultdict(set)
        inside: dict[str, set[str]] = defaultdict(set)
        for key, unit in self._rows("SELECT action_key, partition FROM refs WHERE action_key IN among", found):
            if unit not in documents:
                owners[key].add(unit)
        pairs = self._connection.execute(
            "SELECT owner, action_key FROM origins WHERE action_key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(found)),),
        ).fetchall()
        strangers = {owner for owner, _ in pairs if owner not in documents and owner not in found}
        alive = {
            key
            for (key,) in self._rows(
                "SELECT action_key FROM actions WHERE action_key IN among", filter(_KEY.fullmatch, strangers)
            )
        }
        for owner, key in pairs:
            if owner in found:
                inside[owner].add(key)
            elif owner in strangers and (owner in alive or not _KEY.fullmatch(owner)):
                owners[key].add(owner)
        kept: dict[str, set[str]] = {}
        waiting = [(key, who) for key, who in owners.items() if key not in forced]
        while waiting:
            key, who = waiting.pop()
            if not who <= kept.get(key, set()):
                kept.setdefault(key, set()).update(who)
                waiting += [(part, who) for part in inside[key] if part not in forced]
        return kept

    def _digests(self) -> set[str]:
        """The values of the actions that are to be erased, without those that another action has."""
        chosen = set(self._traces.keys)
        rows = self._rows(
            "SELECT content_digest, action_key FROM actions WHERE content_digest IN"
            " (SELECT content_digest FROM actions WHERE action_key IN among)",
            chosen,
        )
        return {digest for digest, _ in rows} - {digest for digest, key in rows if key not in chosen}

    def _describe(self, documents: set[str], kept: Mapping[str, set[str]]) -> None:
        traces = self._traces
        traces.digests = self._digests()
        erased = set(traces.keys)
        published = self._connection.execute("SELECT stage, partition, action_key FROM refs").fetchall()
        of_others: set[str] = set()
        for stage, unit, key in published:
            if unit in documents or key in erased:
                traces.units.add((stage, unit))
                if unit not in documents:
                    of_others.add(key)
        made_for = {
            (stage, owner)
            for stage, owner in self._rows(
                "SELECT stage, owner FROM origins JOIN actions USING (action_key) WHERE action_key IN among", erased
            )
            if not _KEY.fullmatch(owner)
        }
        # An interrupted erasure has dropped refs: what nothing is published of any more was published last.
        traces.earlier = {(stage, unit) for stage, unit, _ in published} & made_for - traces.units
        traces.units |= made_for - traces.earlier
        of_others |= self._inside(of_others, erased)
        for stage, key, provenance, size_bytes in self._rows(
            "SELECT a.stage, a.action_key, provenance, coalesce(length(data), size_bytes, 0) FROM actions a LEFT JOIN objects"
            " USING (content_digest) WHERE a.action_key IN among",
            traces.keys,
        ):
            figures = traces.others if key in of_others else traces.own
            figures.setdefault(stage, Removed()).add(cost_of(provenance, size_bytes))
        for name in chain.from_iterable(self._roots(kept)):
            traces.shared[name] = traces.shared.get(name, 0) + 1

    def _inside(self, keys: Collection[str], among: set[str]) -> set[str]:
        """The actions among these that were made inside of some others."""
        found: set[str] = set()
        frontier = list(keys)
        while frontier:
            rows = self._rows("SELECT action_key FROM origins WHERE owner IN among", frontier)
            frontier = [key for (key,) in rows if key in among and key not in found]
            found.update(frontier)
        return found

    def _roots(self, kept: Mapping[str, set[str]]) -> Iterator[set[str]]:
        """For each kept action, what its owners were made for in the end: documents and other units."""
        owners: dict[str, set[str]] = {}
        frontier = {owner for names in kept.values() for owner in names if _KEY.fullmatch(owner)}
        while frontier:
            rows = self._rows("SELECT action_key, owner FROM origins WHERE action_key IN among", frontier)
            rows += self._rows("SELECT action_key, partition FROM refs WHERE action_key IN among", frontier)
            owners |= {key: set[str]() for key in frontier}
            for key, owner in rows:
                owners[key].add(owner)
            frontier = {owner for _, owner in rows if _KEY.fullmatch(owner)} - owners.keys()
        for names in kept.values():
            roots, waiting, seen = set[str](), list(names), set[str]()
            while waiting:
                name = waiting.pop()
                if not _KEY.fullmatch(name):
                    roots.add(name)
                elif name not in seen:
                    seen.add(name)
                    waiting += owners.get(name, ())
            yield roots - set(self._traces.documents)
