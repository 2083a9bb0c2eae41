"""The sink stage `lance_judgements`: the table `judgements`."""

from typing import Any

from seed_assets.core.judging.verdicts import Judgement
from seed_assets.graph.stage import sink_stage


@sink_stage(version="2", changes={"2": "The table has the columns `copied` and `confidence`."}, table="judgements")
def lance_judgements(document_id: str, content_digest: str, judgements: Judgement) -> list[dict[str, Any]]:
    """One partition: the rows of one document's judged claims in the table `judgements`, each with its passage.

    They are written again when the judgement changes, for all documents of a run in one commit.
    """
    return [
        {
            "claim_id": f"{document_id}#{index}",
            "document_id": document_id,
            "index": index,
            "kind": claim.kind,
            "claim": claim.text,
            "status": claim.status,
            "confidence": claim.confidence,
            "passage": claim.passage or None,
            "start": claim.start if claim.passage else None,
            "end": claim.end if claim.passage else None,
            "judge": judgements.verdict.judge,
            "content_digest": content_digest,
        }
        for index, claim in enumerate(judgements.verdict.claims)
    ]
