"""Which documents have published results with warnings, such as a page that could not be read.

Warnings stand in the store beside each result, so no value is opened here. What a warning says is up to the stage that declares
it, and `cli` prints it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from io_managers.store.store import Store
from seed_assets.graph.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class WarnedDocument:
    """A document, a stage, and the warnings of the result that this stage has published of it, at least one."""

    document: str
    stage: str
    warnings: tuple[str, ...]


def warned_documents(pipeline: Pipeline, store: Store, documents: Collection[str]) -> list[WarnedDocument]:
    """Return those of these documents whose published results have warnings, sorted by name."""
    wanted = set(documents)
    return sorted(
        (
            WarnedDocument(document, stage.name, warnings)
            for stage in pipeline.document_stages
            if stage.warnings is not None
            for document, warnings in store.refs.warnings(stage.name).items()
            if document in wanted
        ),
        key=lambda one: one.document,
    )
