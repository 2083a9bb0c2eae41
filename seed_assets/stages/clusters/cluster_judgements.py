"""The stage `cluster_judgements`: it judges whether the members of a cluster support its summary."""

from collections.abc import Sequence
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


@value_stage(version="1", preview=preview, units=Units.CLUSTERS, checks=(SHARE_REJECTED,))
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
