"""The sink stage `lance_concepts`: the table `concepts`."""

from typing import Any

from seed_assets.core.concepts.concepts import Concepts
from seed_assets.graph.stage import sink_stage


@sink_stage(version="2", changes={"2": "The table has the column `kind`."}, table="concepts")
def lance_concepts(document_id: str, content_digest: str, concepts: Concepts) -> list[dict[str, Any]]:
    """One partition: the rows of one document's concepts in the table `concepts`.

    They are written again when the concepts change, for all documents of a run in one commit.
    """
    return [
        {
            "concept_id": f"{document_id}#{rank}",
            "document_id": document_id,
            "rank": rank,
            "name": concept.name,
            "kind": concept.kind or None,
            "score": concept.score,
            "count": concept.count,
            "start": concept.start,
            "end": concept.end,
            "content_digest": content_digest,
        }
        for rank, concept in enumerate(concepts.concepts)
    ]
