"""What every command and every run begins with: the settings in force, and what they lead to, opened when asked for.

What belongs here: putting the parts together. What does not: any part, and Dagster.
"""

import asyncio
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from io_managers.store.fingerprint import first_difference
from io_managers.store.shared import close_shared_store, shared_store
from io_managers.store.store import Store
from resources.config import Settings
from resources.corpus import Corpus
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.home import Home
from resources.lance import LanceTables
from seed_assets.budget import Budget
from seed_assets.observer import Observer
from seed_assets.pipeline import Pipeline, build_pipeline
from seed_assets.planner import Plan, make_plan, upkeep_todo
from seed_assets.reuse import Reuse
from seed_assets.runner import Asking, Runner, RunOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retrieval.search import Searcher
    from seed_assets.core.calibration import Calibration


# Of how many documents a search looks at who embedded them.
_LOOKED_AT = 20


class Session:
    """One home, its corpus and the pipeline over them."""

    def __init__(self, settings: Settings, pipeline: Pipeline | None = None) -> None:
        self.settings = settings
        self.home = Home(settings.home)
        self.pipeline = pipeline or build_pipeline(settings)

    @cached_property
    def corpus(self) -> Corpus:
        """The folder of documents."""
        return Corpus(self.settings.corpus, self.home.corpus_index, self.settings.max_document_mb << 20)

    @cached_property
    def store(self) -> Store:
        """The store of the home; opening it creates it."""
        return shared_store(self.home.store)

    @cached_property
    def tables(self) -> LanceTables:
        """The knowledge base."""
        return LanceTables(self.home.lancedb)

    def runner(self, options: RunOptions | None = None, observer: Observer | None = None) -> Runner:
        """What runs stages."""
        return Runner(
            self.store,
            self.pipeline,
            self.corpus,
            self.tables,
            options,
            observer,
            self._budget(options.max_usd if options else None),
        )

    def _budget(self, max_usd: float | None) -> Budget:
        rules = self.settings.budget
        return Budget(
            max_usd if max_usd is not None else rules.run_usd or None,
            period_usd=rules.period_usd or None,
            period_days=rules.period_days,
            spent_since=self.store.requests.spent_usd,
        )

    def known_documents(self) -> set[str]:
        """All documents of which anything is published."""
        return self.store.refs.partitions(stage.name for stage in self.pipeline.document_stages)

    def plan(
        self,
        *,
        verify: bool = False,
        retry_failed: bool = False,
        anew: Mapping[str, AbstractSet[str]] | None = None,
        recluster: bool = False,
    ) -> Plan:
        """What a run would do now, see make_plan; with `verify` every file is read instead of trusting sizes and times."""
        scan = self.corpus.scan(verify=verify)
        return make_plan(
            self.pipeline,
            self.store,
            scan,
            self._table_states(),
            retry_failed=retry_failed,
            anew=anew,
            recluster=recluster,
        )

    def upkeep_todo(self) -> dict[str, str]:
        """Upkeep stage -> why it is to be run; the corpus is not looked at."""
        return upkeep_todo(self.pipeline, self.store, self._table_states())

    def searcher(self) -> "Searcher":
        """What searches the chunks; the vector of a query that a model embeds is an action as any other."""
        from resources.embedder import WordLlamaEmbedder
        from retrieval.search import Searcher

        self._check_embedder()
        embedder = self.pipeline.resources["embedder"]
        if isinstance(embedder, WordLlamaEmbedder):
            return Searcher(self.tables, embedder)
        return Searcher(self.tables, WordLlamaEmbedder(), self._embed_query)

    def calibrate(self, labels: Path) -> "Calibration":
        """How the judge of documents agrees with the people who labelled summaries in a file; see calibrate_file.

        Raises ConfigurationError, StoreError.
        """
        from seed_assets.core.calibration import calibrate_file

        judge = self.pipeline.resources["judge"]
        reuse = Reuse(self.store, budget=self._budget(None))

        async def run() -> "Calibration":
            try:
                return await calibrate_file(labels, judge, reuse, self.settings.corpus)
            finally:
                if isinstance(judge, Asking):
                    await judge.endpoint.aclose()

        try:
            return asyncio.run(run())
        except (DocumentError, StoppedError) as error:
            raise ConfigurationError(f"The labels could not be judged: {error}") from error

    def _check_embedder(self) -> None:
        """Raise ConfigurationError where the chunks were embedded by another: vectors of two models say nothing together."""
        refs = list(self.store.refs.get("embeddings").values())
        now = dict(self.pipeline.resources["embedder"].identity)
        for parts in self.store.actions.parts(
            ref.action_key for ref in refs[:: max(1, len(refs) // _LOOKED_AT)]
        ).values():
            before = parts.get("embedder")
            if isinstance(before, Mapping) and (difference := first_difference(before, now)):
                raise ConfigurationError(
                    f"The chunks were embedded by another embedder than the one in use ({difference}). Set the one that they "
                    "were seeded with, or run `seedbank seed`, and `seedbank seed --rebuild-sink` where it says so, with "
                    "this one."
                )

    def _embed_query(self, query: str) -> "NDArray[np.float32]":
        from seed_assets.stages.embeddings import embed_texts

        embedder = self.pipeline.resources["embedder"]
        # The period's budget holds for searches as well.
        reuse = Reuse(self.store, budget=self._budget(None))

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
        close_shared_store(self.home.store)
        for resource in self.pipeline.resources.values():
            close = getattr(resource, "close", None)
            if close is not None:
                close()
            if isinstance(resource, Asking):
                resource.endpoint.close()
