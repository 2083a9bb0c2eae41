"""Records results of all documents of a folder in a home, as if they had been computed and published, without computing any.

    python -m benchmarks.many_records CORPUS HOME

Run it in a process of its own: the peak memory of a process counts in those that it starts. What is measured with such homes is
in many_documents.
"""

import hashlib
import random
import sqlite3
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from io_managers.store.action_cache import Provenance, action_row
from io_managers.store.fingerprint import Part
from io_managers.store.refs import Ref, ref_row
from io_managers.store.sqlite.schema import RETENTION_TABLES
from resources.settings.config import load_settings
from seed_assets.core.clusters.clusters import Categories, Category, Cluster, Clustering, Placement
from seed_assets.core.clusters.corpus_views import CategorizedConcepts
from seed_assets.engine.maintenance_due import maintenance_action
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import SOURCE, Stage, Units
from seed_assets.planning.plan import Plan, StagePlan, State
from seed_assets.session.session import Session

# With so many documents, a plan makes sure that nothing is left to do.
_PLANNED = 100_000
_CLUSTERS, _CATEGORIES, _NEAREST = 200, 25, 5


def make_records(corpus: Path, home: Path) -> None:
    """Record results of all documents of a folder in a home, as if they had been computed and published."""
    session = Session(load_settings({"home": home, "corpus": corpus}))
    pipeline, store = session.pipeline, session.store
    scan = session.corpus.scan()
    documents = sorted(scan.documents)
    parts: dict[str, Mapping[str, Part]] = {
        SOURCE: {d: pipeline.source_part(file.content_digest, file.format) for d, file in scan.documents.items()}
    }
    order = list(pipeline.stages.values())
    later = {stage.name: order[place + 1 :] for place, stage in enumerate(order)}
    published = PublishedCorpus(store)
    current: dict[str, State] = dict.fromkeys(documents, "current")
    states: dict[str, dict[str, State]] = {}
    with closing(sqlite3.connect(home / "store" / "store.db", isolation_level=None)) as rows:
        rows.execute("PRAGMA synchronous = OFF")
        rows.execute("PRAGMA cache_size = -1000000")
        for (name,) in rows.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('actions', 'refs')"
        ).fetchall():
            rows.execute(f"DROP INDEX {name}")
        for stage in pipeline.stages.values():
            if stage.kind == "maintenance":
                key = maintenance_action(pipeline, store, stage).key
                _put_refs(
                    rows, [Ref(stage.name, "", key, f"sha256:{key}", "", session.tables.state(stage.table) or "")]
                )
                continue
            if stage.units is not Units.DOCUMENTS:
                published = PublishedCorpus(store)
            units = documents if stage.units is Units.DOCUMENTS else _units(pipeline, stage, published)
            given = {
                name: {unit: looked_at.part(published, unit) for unit in units}
                if (looked_at := stage.corpus_inputs.get(name))
                else parts[name]
                for name in stage.inputs
            }
            keys = pipeline.templates[stage.name].keys(given, units)
            state = session.tables.state(stage.table) if stage.table else None
            if stage.kind == "sink":
                found = {unit: f"sha256:{key}" for unit, key in keys.items()}
            elif stage.units is Units.DOCUMENTS:
                found = {unit: f"sha256:{hashlib.sha256(key.encode()).hexdigest()}" for unit, key in keys.items()}
                _put_actions(rows, stage.name, keys, found)
            else:
                made = [
                    (pipeline.action(stage, _of(given, u)), _made_up(stage, u, documents), Provenance()) for u in units
                ]
                found = dict(zip(units, store.commit(made).result(), strict=True))
            states[stage.name] = current if units is documents else dict.fromkeys(units, "current")
            _put_refs(rows, (Ref(stage.name, u, keys[u], found[u], "", state or "") for u in units))
            parts[stage.name] = found
            needed = {name for one in later[stage.name] for name in one.inputs}
            parts = {name: values for name, values in parts.items() if name in needed}
        rows.executescript(RETENTION_TABLES)
    if len(documents) <= _PLANNED:
        found = session.plan()
        if left := {name: len(one.todo) for name, one in found.stages.items() if one.todo} | found.maintenance:
            raise SystemExit(f"The plan finds work in the generated home: {left}")
    # The first plan of so many documents takes long and 13 KB for each: what it would remember is recorded, too.
    stages = {name: StagePlan(pipeline.stages[name], one) for name, one in states.items()}
    plan = Plan(documents, stages, scan, set(), set(), {}, set(), placed=True)
    session.home.record_in_sync(plan.digest())
    whole, tables = session.whole_plan(), {s.table: session.tables.state(s.table) for s in order if s.table}
    if whole.begin(scan, tables):
        kinds = {stage.name: stage.kind == "value" for stage in order if stage.kind != "maintenance"}
        whole.keep(plan, {name: store.refs.digest(name, results=is_value) for name, is_value in kinds.items()}, {})
    session.close()


def _units(pipeline: Pipeline, stage: Stage, published: PublishedCorpus) -> list[str]:
    if stage.units is Units.CLUSTERS:
        return list(pipeline.clusters(published))
    return list(pipeline.cluster_types) if stage.units is Units.CLUSTER_TYPES else [""]


def _of(given: Mapping[str, Mapping[str, Part | None]], unit: str) -> dict[str, Part]:
    return {name: part for name, parts in given.items() if (part := parts[unit]) is not None}


def _put_actions(rows: sqlite3.Connection, stage: str, keys: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Record finished actions, without the parts of their keys, to save space."""
    now = time.time()
    units = sorted(keys, key=keys.__getitem__)
    columns = "action_key, stage, content_digest, type_name, parts, provenance, created_at, seal, parts_seal"
    rows.execute("BEGIN")
    rows.executemany(
        f"INSERT OR REPLACE INTO actions ({columns}, provenance_seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (action_row(keys[unit], stage, digests[unit], "", "{}", "{}", now) for unit in units),
    )
    rows.execute("COMMIT")


def _put_refs(rows: sqlite3.Connection, refs: Iterable[Ref]) -> None:
    columns = "stage, partition, action_key, content_digest, state, run_id, published_at, seal"
    rows.execute("BEGIN")
    rows.executemany(
        f"INSERT OR REPLACE INTO refs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (ref_row(ref, time.time()) for ref in refs),
    )
    rows.execute("COMMIT")


def _made_up(stage: Stage, unit: str, documents: Sequence[str]) -> Clustering | CategorizedConcepts | str:
    """A clustering, or the categories; something else for any other stage, whose values no plan opens."""
    if not stage.finds and stage.returns is not CategorizedConcepts:
        return f"{stage.name} of {unit}"
    draw = random.Random(7)
    if stage.returns is CategorizedConcepts:
        groups = tuple(Category(f"category/{n}", f"group {n}", (f"concept {n}",)) for n in range(1, _CATEGORIES + 1))
        of = {document: (groups[number % _CATEGORIES].category_id,) for number, document in enumerate(documents)}
        return CategorizedConcepts(Categories(groups, _CATEGORIES + 1), of)
    members: list[list[str]] = [[] for _ in range(_CLUSTERS)]
    placements: dict[str, Placement] = {}
    for number, document in enumerate(documents):
        members[number % _CLUSTERS].append(document)
        nearest = tuple((documents[draw.randrange(len(documents))], round(draw.random(), 4)) for _ in range(_NEAREST))
        placements[document] = Placement(f"{unit}/{number % _CLUSTERS + 1}", 0.5, (), nearest)
    clusters = tuple(Cluster(f"{unit}/{n + 1}", tuple(one)) for n, one in enumerate(members))
    return Clustering(unit, clusters, placements, _CLUSTERS + 1, len(documents))


if __name__ == "__main__":
    make_records(Path(sys.argv[1]), Path(sys.argv[2]))
