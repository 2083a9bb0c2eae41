"""What some documents need, brought from the remote before a seed: their finished results, with the values.

What belongs here: which results these are, and the account of what is here afterwards. What does not: fetching them
(io_managers.sharing).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from io_managers.store.action_cache import ActionCache
from seed_assets.graph.pipeline import Phase
from seed_assets.session.session import Session

if TYPE_CHECKING:
    from io_managers.sharing.remote import Remote


@dataclass(slots=True)
class Warmed:
    """What is in the home afterwards of some documents.

    documents: those of the corpus that were asked for. unknown: names of no document of the corpus. whole: documents of which all
    results are here with their values. results, values, bytes: what was brought. there: results that were here before. missing:
    by stage, of how many documents a seed computes a result. failed: documents that failed, or wait for a batch, in a stage.
    lost: of how many results the remote has no right value.
    """

    documents: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    whole: int = 0
    results: int = 0
    values: int = 0
    bytes: int = 0
    there: int = 0
    missing: dict[str, int] = field(default_factory=dict[str, int])
    failed: int = 0
    lost: int = 0


def warm_documents(session: Session, remote: "Remote", documents: Sequence[str]) -> Warmed:
    """Bring the finished results of documents into the store, which the index of the remote is asked for. No result is computed.

    It concerns what is made of each document by itself; clusters and the like are made of all of them. Raises ConfigurationError,
    StoreError, RemoteError.
    """
    from io_managers.sharing.read_through import content_of
    from io_managers.sharing.transfers import take

    plan = session.plan()
    stages = [stage for stage in session.pipeline.of_phase(Phase.DOCUMENTS) if stage.kind == "value"]
    known = set(plan.documents)
    found = Warmed(
        [one for one in dict.fromkeys(documents) if one in known],
        [one for one in dict.fromkeys(documents) if one not in known],
    )
    keys: dict[tuple[str, str], str] = {}
    for stage in stages:
        finished = dict(plan.stages[stage.name].finished.items())
        keys |= {(stage.name, one): finished[one] for one in found.documents if one in finished}
    here, content = ActionCache(session.store.database), content_of(session.store)
    before = {key for key, digest in here.existing(keys.values()).items() if content.contains(digest)}
    found.there = len(before)
    taken = take(session.store, remote, set(keys.values()) - before)
    found.results, found.values, found.bytes = taken.results, taken.values, taken.bytes
    after = {key for key, digest in here.existing(keys.values()).items() if content.contains(digest)}
    found.lost = len(set(keys.values()) - after)
    missing: Counter[str] = Counter()
    for document in found.documents:
        lacking = [stage.name for stage in stages if keys.get((stage.name, document)) not in after]
        states = {plan.stages[name].states.get(document) for name in lacking}
        if states & {"failed", "blocked", "waiting"}:
            found.failed += 1
        else:
            missing.update(lacking)
        found.whole += not lacking
    found.missing = dict(missing)
    return found
