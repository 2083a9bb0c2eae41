"""What every command and every run begins with: the settings, and the parts that follow from them, opened when needed.

This module only puts the parts together. It does not import Dagster.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from io_managers.store.fingerprint import content_digest, encode_part, first_difference
from io_managers.store.shared import close_shared_store, shared_store
from io_managers.store.store import Store
from resources.corpus.corpus import Corpus, document_id
from resources.corpus.corpus_place import BucketAddress, BucketRules
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.home.home import Home
from resources.home.store_place import place_store
from resources.settings.config import Settings
from resources.tables.lance import LanceTables
from seed_assets.engine.maintenance_due import maintenance_todo
from seed_assets.engine.observer import Observer
from seed_assets.engine.runner import Asking, Runner, RunOptions
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import OfFiles, OfPrompts
from seed_assets.memo.budget import Budget
from seed_assets.memo.reuse import Reuse
from seed_assets.planning.plan import Plan
from seed_assets.planning.plan_memory import PlanMemory
from seed_assets.planning.planner import make_plan
from seed_assets.planning.whole_plan import WholePlan
from seed_assets.session.code_digest import code_digest
from seed_assets.session.declared_tables import check_declared_tables
from seed_assets.session.sharing import RemoteState, open_remote, remote_state
from seed_assets.wiring import JUDGE, build_pipeline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from io_managers.sharing.remote import Remote
    from resources.batches.open_batches import OpenBatches
    from resources.batches.stage_batches import StageBatches
    from resources.models.embedder import Embedder
    from retrieval.filters import ModifiedAt
    from retrieval.search import Searcher
    from seed_assets.core.calibration.calibration import Calibration
    from seed_assets.session.mirrored_tables import MirroredTables

logger = logging.getLogger(__name__)

# For how many documents a search checks which embedder made their vectors: enough to notice a change, in a few milliseconds.
_LOOKED_AT = 20
# A file that changed less than this before it was read may have changed after it, without another time (FAT counts in 2 s).
_SETTLED_NS = 2_000_000_000


class Session:
    """One home, its corpus and the pipeline over them."""

    def __init__(self, settings: Settings, pipeline: Pipeline | None = None) -> None:
        self._opened_ns = time.time_ns()
        self.settings = settings
        self.home = Home(settings.home)
        place_store(settings.home, settings.store.place)
        if open_still := self.home.keep_private(settings.corpus):
            logger.warning(open_still)
        self.pipeline = pipeline or build_pipeline(settings)

    @cached_property
    def corpus(self) -> Corpus:
        """The folder or bucket of documents."""
        rules = self.settings.corpus_bucket
        return Corpus(
            self.settings.corpus,
            self.home.corpus_index,
            self.settings.max_document_mb << 20,
            archives_are_folders=self.settings.archives_are_folders,
            bucket=BucketRules(
                rules.timeout_seconds,
                rules.requests,
                self.home.corpus_cache,
                rules.cache_mb << 20,
                self.settings.store.warn_free_mb << 20,
            ),
        )

    @cached_property
    def store(self) -> Store:
        """The store of the home; opening it creates it. What it does not have itself, it finds in its remote, if there is one."""
        store, rules = shared_store(self.home.store), self.settings.store
        store.free_space.warn_bytes, store.free_space.least_bytes = rules.warn_free_mb << 20, rules.least_free_mb << 20
        if rules.remote:
            open_remote(self.settings, store)
        return store

    @property
    def remote(self) -> "Remote | None":
        """The remote that the store is shared through; None if none is set or used."""
        return open_remote(self.settings, self.store) if self.settings.store.remote else None

    @property
    def remote_state(self) -> RemoteState | None:
        """What the home knows of its remote; None if it uses none. Nothing is sent."""
        return remote_state(self.settings, self.remote)

    @property
    def tables(self) -> LanceTables:
        """The tables of the knowledge base. Those of another home may be replaced: for one answer, ask once.

        Raises ConfigurationError if they are those of another home, and nothing was fetched yet.
        """
        return self._own_tables if self.mirrored is None else self.mirrored.tables()

    @cached_property
    def _own_tables(self) -> LanceTables:
        return LanceTables(self.home.lancedb, self.pipeline.tables)

    @cached_property
    def mirrored(self) -> "MirroredTables | None":
        """The tables that another home publishes, if this one only reads them."""
        if not self.settings.tables.read_from:
            return None
        from seed_assets.session.mirrored_tables import MirroredTables

        return MirroredTables(
            self.settings, self.home.mirror, self.pipeline.tables, lambda: self.store.leases.hold("mirrored tables")
        )

    def check_own(self) -> None:
        """Raise ConfigurationError if this home only reads tables of another one."""
        if self.settings.tables.read_from:
            raise ConfigurationError(
                f"{self.home.directory} only reads tables that are published at {self.settings.tables.read_from} "
                "(tables.read_from), so this is not done here. Do it in the home that publishes them."
            )

    def runner(self, options: RunOptions | None = None, observer: Observer | None = None) -> Runner:
        """Make a runner, which runs stages. Raises ConfigurationError if the home only reads tables of another one."""
        self.check_own()
        if not self.settings.store.enabled:
            options = replace(options or RunOptions(), no_cache=True)
        return Runner(
            self.store,
            self.pipeline,
            self.corpus,
            self.tables,
            options,
            observer,
            self._budget(options.max_usd if options else None),
            self._stage_batches(wait=options is None or not options.no_wait),
        )

    def _stage_batches(self, *, wait: bool) -> "StageBatches | None":
        """The batches of a run; None if none of its requests can be in one. wait: whether requests are added to batches."""
        modes = self.pipeline.batched if wait else {}
        if not modes and not self.store.batches.any():
            return None
        from resources.batches.stage_batches import StageBatches

        return StageBatches(self.store.batches, self.store.leases, self.home.batches, modes)

    @cached_property
    def open_batches(self) -> "OpenBatches":
        """The batches of this home that have not ended."""
        from resources.batches.batch_service import BatchAccess
        from resources.batches.open_batches import OpenBatches

        used = [one.endpoint.batch for one in self.pipeline.resources.values() if isinstance(one, Asking)]
        accesses = [batch for batch in used if isinstance(batch, BatchAccess)]
        return OpenBatches(self.store.batches, self.store.leases, self.home.batches, accesses)

    def _budget(self, max_usd: float | None) -> Budget:
        rules = self.settings.budget
        return Budget(
            max_usd if max_usd is not None else rules.run_usd or None,
            period_usd=rules.period_usd or None,
            period_days=rules.period_days,
            spent_since=lambda since: self.store.requests.spent_usd(since) + self.store.batches.promised_usd(),
            run_setting="--max-cost" if max_usd is not None else "budget.run_usd",
        )

    def reuse(self, no_cache: bool = False) -> Reuse:
        """Make the reuse outside of a run. The budget of the period and recorded failures hold as in a run.

        no_cache: compute everything once more, whatever is in the store.
        """
        return Reuse(self.store, no_cache=no_cache, budget=self._budget(None), asked_with=self.pipeline.asked_with)

    def known_documents(self) -> set[str]:
        """Return all documents for which anything is published."""
        return self.store.refs.partitions(stage.name for stage in self.pipeline.document_stages)

    def plan(
        self,
        *,
        verify: bool = False,
        retry_failed: bool = False,
        recomputed: Mapping[str, AbstractSet[str]] | None = None,
        recluster: bool = False,
        explained: AbstractSet[str] = frozenset(),
    ) -> Plan:
        """Plan what a run would do now; see make_plan.

        verify: read every file and form every key, instead of trusting sizes, times and what an earlier plan found. Raises
        ConfigurationError, also if a table that a stage declares is in use by another stage.
        """
        self.check_own()
        check_declared_tables(self.pipeline, self.store, self.tables)
        scan = self.corpus.scan(verify=verify)
        # If the user wants something to be checked or done once more, nothing is taken from memory.
        everything = verify or retry_failed or recomputed or recluster
        return make_plan(
            self.pipeline,
            self.store,
            scan,
            self._table_states(),
            retry_failed=retry_failed,
            recomputed=recomputed,
            recluster=recluster,
            memory=None if everything else PlanMemory(self.home.plan_memory, self.pipeline),
            whole=None if everything else self.whole_plan(),
            explained=explained,
        )

    def whole_plan(self) -> WholePlan:
        """The memory of a plan that found nothing to do."""
        return WholePlan(self.home.whole_plan, self.pipeline, self.store, self._conditions)

    def _conditions(self) -> str:
        """A digest of the code, the settings and the state of the files that decide a plan beside corpus and home."""
        # A digest of settings that shape requests also follows from keys, which the settings do not show.
        said = [code_digest(self.pipeline), self.settings.model_dump_json(), *sorted(self.pipeline.asked_with)]
        for path in self.deciding_files:
            with suppress(OSError):
                found = os.stat(path)
                said.append(f"{path} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}")
                if found.st_ctime_ns > self._opened_ns - _SETTLED_NS:
                    said.append(
                        uuid4().hex
                    )  # the pipeline may be of an earlier content: no other plan is of these conditions
        return content_digest(encode_part(said))

    @property
    def deciding_files(self) -> list[str]:
        """The files and folders outside of the home and the corpus that decide what is planned, or what it costs."""
        settings = self.settings
        return [
            str(path)
            for path in (
                settings.prices,
                *self.pipeline.files,
                *(path for one in self.pipeline.resources.values() if isinstance(one, OfFiles) for path in one.files),
                *([settings.clusters.table_path] if settings.clusters.table_path else []),
            )
        ]

    def keep_prompts(self) -> None:
        """Keep the texts of the prompts in use, so that a later change of one can be shown; see Store.keep_texts."""
        for resource in self.pipeline.resources.values():
            if isinstance(resource, OfPrompts):
                self.store.keep_texts(resource.prompt_texts)

    def maintenance_todo(self) -> dict[str, str]:
        """Return maintenance stage -> why it has to be run. The corpus is not scanned."""
        return maintenance_todo(self.pipeline, self.store, self._table_states())

    def searcher(self) -> "Searcher":
        """The searcher over the chunks. If a server embeds the query, that is an action like any other."""
        from resources.models.embedder import QueryEmbedder, WordLlamaEmbedder
        from retrieval.search import Searcher

        tables = self.tables
        self.check_embedder()
        embedder = self.query_embedder
        if isinstance(embedder, WordLlamaEmbedder):
            return Searcher(tables, embedder, modified_at=self.modified_at)
        if isinstance(embedder, QueryEmbedder):
            return Searcher(tables, WordLlamaEmbedder(), embedder.embed_query, self.modified_at)
        return Searcher(tables, WordLlamaEmbedder(), self._embed_query, self.modified_at)

    @property
    def modified_at(self) -> "ModifiedAt | None":
        """When the files of the documents were modified; None where there are only tables."""
        return None if self.mirrored is not None else self.corpus.modified_at

    def calibrate(self, labels: Path) -> "Calibration":
        """Measure how far the judge of documents agrees with people who labelled summaries in a file; see calibrate_file.

        Raises ConfigurationError, StoreError.
        """
        from seed_assets.core.calibration.calibration import calibrate_file
        from seed_assets.core.calibration.labelled_summaries import below

        judge = self.pipeline.resources[JUDGE]
        reuse, corpus = self.reuse(), self.settings.corpus
        read = self._reader_of_bucket() if isinstance(corpus, BucketAddress) else below(corpus)

        async def run() -> "Calibration":
            try:
                return await calibrate_file(labels, judge, reuse, read)
            finally:
                reuse.accounts.look_again()
                if isinstance(judge, Asking):
                    await judge.endpoint.aclose()

        try:
            return asyncio.run(run())
        except (DocumentError, StoppedError) as error:
            raise ConfigurationError(f"The labels could not be judged: {error}") from error

    def _reader_of_bucket(self) -> Callable[[str], bytes | None]:
        """What reads a document by the path of its object."""
        documents = self.corpus.scan().documents

        def read(name: str) -> bytes | None:
            source = documents.get(document_id(name))
            return self.corpus.read(source) if source is not None else None

        return read

    @property
    def query_embedder(self) -> "Embedder":
        """What made the vectors of the chunks, and makes that of a query."""
        return self.pipeline.resources[self._embedder]

    @cached_property
    def _embedder(self) -> str:
        """The name of the resource that made the vectors in the tables."""
        return next(stage.vectors for stage in self.pipeline.stages.values() if stage.vectors)

    def check_embedder(self) -> None:
        """Raise ConfigurationError if another embedder made the chunks' vectors: vectors of two models cannot be compared."""
        name = self._embedder
        if self.mirrored is not None:
            self.mirrored.check_embedder(self.pipeline.resources[name].identity)
            return
        stages = [stage.name for stage in self.pipeline.stages.values() if name in stage.uses]
        refs = [ref for stage in stages for ref in self.store.refs.get(stage).values()]
        now = dict(self.pipeline.resources[name].identity)
        for parts in self.store.actions.parts(
            ref.action_key for ref in refs[:: max(1, len(refs) // _LOOKED_AT)]
        ).values():
            before = parts.get(name)
            if isinstance(before, Mapping) and (difference := first_difference(before, now)):
                raise ConfigurationError(
                    f"The chunks were embedded by another embedder than the one in use ({difference}). Set the one that they "
                    "were seeded with, or run `seedbank seed`, and `seedbank seed --rebuild-sink` where it says so, with "
                    "this one."
                )

    def _embed_query(self, query: str) -> "NDArray[np.float32]":
        from seed_assets.stages.documents.embeddings import embed_texts

        embedder = self.pipeline.resources[self._embedder]
        reuse = self.reuse()

        async def embed() -> "NDArray[np.float32]":
            try:
                return await embed_texts([query], embedder, reuse)
            finally:
                await embedder.endpoint.aclose()

        try:
            return asyncio.run(embed())[0]
        except (DocumentError, StoppedError) as error:
            raise ConfigurationError(f"The query could not be embedded: {error}") from error

    def _table_states(self) -> dict[str, str | None]:
        return {stage.table: self.tables.state(stage.table) for stage in self.pipeline.stages.values() if stage.table}

    def close(self) -> None:
        """Close what was opened."""
        if "mirrored" in self.__dict__ and self.mirrored is not None:
            self.mirrored.close()
        close_shared_store(self.home.store)
        self.close_resources()

    def close_resources(self, besides: Iterable[Any] = ()) -> None:
        """Close the resources of the pipeline, and not the store. besides: resources that somebody else uses still."""
        kept = {id(resource) for resource in besides}
        for resource in self.pipeline.resources.values():
            if id(resource) in kept:
                continue
            close = getattr(resource, "close", None)
            if close is not None:
                close()
            if isinstance(resource, Asking):
                resource.endpoint.close()
