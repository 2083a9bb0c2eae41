"""The sink stage `lance_documents`: the table `documents`."""

from typing import Any

from resources.corpus.formats import PACKED, format_of
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.stage import sink_stage


@sink_stage(
    version="3",
    changes={
        "2": "The table has the judged summary, and columns for the verdict.",
        "3": "The table has the columns `copied`, `confidence` and `language`.",
    },
    table="documents",
    every_unit=True,
)
def lance_documents(
    document_id: str, content_digest: str, extracted_text: ExtractedText, judgements: Judgement, concepts: Concepts
) -> list[dict[str, Any]]:
    """One partition: the row of one document in the table `documents`, with its title, concepts and judged summary.

    It is written again when any of these changes, for all documents of a run in one commit.
    """
    from seed_assets.core.text.grammar.languages import language_of
    from seed_assets.core.text.header_block import header_end

    return [
        {
            "document_id": document_id,
            "title": extracted_text.title,
            "format": (format_of(document_id) or "").removeprefix(PACKED),
            "encoding": extracted_text.encoding or None,
            "language": language_of(extracted_text.text[header_end(extracted_text.text) :]) or None,
            "n_characters": len(extracted_text.text),
            "summary": judgements.summary,
            "verdict": judgements.verdict.decision,
            "score": judgements.verdict.score,
            "copied": judgements.verdict.copied,
            "confidence": judgements.verdict.confidence,
            "needs_review": judgements.needs_review,
            "concepts": [concept.name for concept in concepts.concepts],
            "content_digest": content_digest,
        }
    ]
