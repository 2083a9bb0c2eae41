"""The stage `cluster_judgements`: whether the summary of a cluster says what its members say."""

from collections.abc import Sequence

from seed_assets.core.cluster_summarizing import ClusterSummary
from seed_assets.core.judging import Judge
from seed_assets.core.revision import Writer, judged
from seed_assets.core.verdicts import Judgement, SourceText
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage
from seed_assets.stages.judgements import told


@value_stage(version="1", preview=told, units="clusters", over=("clusters",))
async def cluster_judgements(
    member_texts: Sequence[SourceText],
    cluster_summaries: ClusterSummary,
    *,
    cluster_judge: Judge,
    cluster_reviser: Writer,
    reuse: Reuse,
) -> Judgement:
    """One partition: the verdict on the summary of each cluster of a type, and the summary that goes to the tables.

    As for documents, with the members' summaries for the text. Made again when the members, the summary or the judge
    change.
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
