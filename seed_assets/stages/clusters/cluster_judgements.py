"""The stage `cluster_judgements`: it judges whether the members of a cluster support its summary."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from seed_assets.core.clusters.cluster_summarizing import ClusterSummary
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.revision import Reviser, judged
from seed_assets.core.judging.verdicts import Judgement, SourceText
from seed_assets.graph.stage import Units, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.clusters.cluster_inputs import MemberTexts
from seed_assets.stages.documents.checks import SHARE_REJECTED
from seed_assets.stages.documents.judgements import preview


def _shown(judgement: Judgement) -> Mapping[str, str]:
    wrong = [claim.text for claim in judgement.verdict.claims if not claim.is_supported]
    review = ", to be reviewed" if judgement.needs_review else ""
    return {
        "title": judgement.title,
        "verdict": f"{judgement.verdict.decision}{review}",
        "summary": judgement.summary,
        "not supported": "; ".join(wrong),
    }


@value_stage(version="1", preview=preview, units=Units.CLUSTERS, checks=(SHARE_REJECTED,), show=_shown)
async def cluster_judgements(
    member_texts: Annotated[Sequence[SourceText], MemberTexts()],
    cluster_summaries: ClusterSummary,
    *,
    cluster_judge: Judge,
    cluster_reviser: Reviser,
    reuse: Reuse,
) -> Judgement:
    """One partition: the verdict on the summary of each cluster of a type, and the summary that goes to the tables.

    A cluster's summary is judged as a document's is, with the members' summaries as its sources. It is judged again when the
    members, the summary or the judge change.
    """
    return await judged(
        cluster_summaries.summary,
        cluster_summaries.concepts,
        member_texts,
        cluster_judge,
        cluster_reviser,
        reuse,
        title=cluster_summaries.title,
    )
