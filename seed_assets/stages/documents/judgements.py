"""The stage `judgements`: it judges whether a document supports its summary and concepts."""

from collections.abc import Mapping
from typing import Any

import msgspec

from resources.wording import counted
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.revision import Reviser, judged
from seed_assets.core.judging.verdicts import Judgement, SourceText
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.scanned_page import SURE_CONFIDENCE
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.documents.checks import SHARE_REJECTED


def preview(judgement: Judgement) -> str:
    """Return a line that shows a judgement."""
    verdict = judgement.verdict
    review = ", to be reviewed" if judgement.needs_review else ""
    of_text = sum(claim.kind == "claim" for claim in verdict.claims)
    if verdict.decision == "copied":
        said = f"{counted(of_text, 'claim')} word for word from the source, not judged"
    else:
        said = f"{verdict.score:.0%} of {counted(len(verdict.claims), 'claim')} supported"
    if verdict.copied and verdict.decision != "copied":
        said += f", {verdict.copied:.0%} of {of_text} copied"
    if verdict.confidence is not None:
        said += f", confidence {verdict.confidence:.2f} (by wording only: weak evidence)"
    wrong = [claim.text for claim in verdict.claims if not claim.is_supported]
    return "; ".join([f"{verdict.decision}{review}, {said}", *wrong])


def claims_of(judgement: Judgement) -> ShownTable:
    """Return the claims of a judgement with what the source says of each; a passage that repeats its claim is left out."""
    claims = [claim for claim in judgement.verdict.claims if claim.kind == "claim" or not claim.is_supported]
    rows = [(claim.status, claim.text, claim.passage_beside) for claim in claims]
    return ShownTable(("status", "claim", "passage"), rows)


def _shown(judgement: Judgement) -> Mapping[str, Any]:
    revised = {"revised_summary": judgement.summary} if judgement.first is not None else {}
    return {"claims": claims_of(judgement), **revised}


@value_stage(version="1", preview=preview, checks=(SHARE_REJECTED,), show=_shown)
async def judgements(
    extracted_text: ExtractedText,
    summaries: Summary,
    concepts: Concepts,
    *,
    judge: Judge,
    reviser: Reviser,
    reuse: Reuse,
) -> Judgement:
    """One partition: the verdict on one document's summary and concepts, and the summary that goes to the tables.

    Each claim is looked for in the document. A summary that falls short is revised once by the model that wrote it, which is
    shown what was not found, and judged again; if it still falls short, it is kept and flagged for review. Offline, claims
    that are copied from the document are not judged, and others are compared with its sentences; otherwise a model reads
    both. A document of which a page was read with doubt by OCR is flagged for review as well. A summary is judged again when
    the text, the summary, the concepts or the judge change.
    """
    source = SourceText("", extracted_text.title, extracted_text.text)
    judgement = await judged(summaries.text, concepts.names, [source], judge, reviser, reuse)
    # A judge compares the summary with the text, and cannot know whether the text is what the page says.
    scans = extracted_text.scans
    is_doubtful = any(scan.confidence < SURE_CONFIDENCE for scan in scans) or bool(scans and extracted_text.warnings)
    return msgspec.structs.replace(judgement, needs_review=True) if is_doubtful else judgement
