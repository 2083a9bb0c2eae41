"""The stage `judgements`: whether a document's summary and concepts say what the document says."""

from seed_assets.core.concepts import Concepts
from seed_assets.core.extraction import ExtractedText
from seed_assets.core.judging import Judge
from seed_assets.core.revision import Writer, judged
from seed_assets.core.summarizing import Summary
from seed_assets.core.verdicts import Judgement, SourceText
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage


def told(judgement: Judgement) -> str:
    """A line that shows a judgement."""
    verdict = judgement.verdict
    wrong = [claim.text for claim in verdict.claims if claim.status != "supported"]
    review = ", to be reviewed" if judgement.needs_review else ""
    return f"{verdict.decision}{review}, {verdict.score:.0%} of {len(verdict.claims)} claims; {'; '.join(wrong)}"


@value_stage(version="1", preview=told)
async def judgements(
    extracted_text: ExtractedText,
    summaries: Summary,
    concepts: Concepts,
    *,
    judge: Judge,
    reviser: Writer,
    reuse: Reuse,
) -> Judgement:
    """One partition: the verdict on one document's summary and concepts, and the summary that goes to the tables.

    Each claim is looked for in the document. A summary that falls short is written once more by whoever wrote it, shown
    what was not found, and judged again; what still falls short is kept and flagged for a person. Offline it is compared
    with the document's sentences; else a model reads both. Made again when the text, the summary, the concepts or the judge
    change.
    """
    source = SourceText("", extracted_text.title, extracted_text.text)
    return await judged(summaries.text, concepts.names, [source], judge, reviser, reuse)
