"""The stage `entity_profile_judgements`: it judges whether the passages support the profiles of entities."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.revision import Reviser
from seed_assets.core.profiles.judged_profiles import ProfileJudgements, judged_profiles
from seed_assets.core.profiles.profiles import EntityProfiles
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Units, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.profiles.profile_checks import REJECTED

_SHOWN = 200


def _preview(found: ProfileJudgements) -> str:
    decisions = Counter(one.judgement.verdict.decision for one in found.judgements)
    return ", ".join(f"{decision} {count}" for decision, count in decisions.most_common()) or "no profiles"


def _shown(found: ProfileJudgements) -> Mapping[str, Any]:
    first = sorted(found.judgements, key=lambda one: (not one.judgement.needs_review, one.entity_id))[:_SHOWN]
    rows = [
        (
            one.entity_id,
            one.judgement.verdict.decision,
            "; ".join(claim.text for claim in one.judgement.verdict.claims if not claim.is_supported),
        )
        for one in first
    ]
    return {"judgements": ShownTable(("entity", "verdict", "not supported"), rows)}


@value_stage(version="1", preview=_preview, units=Units.CORPUS, show=_shown, checks=(REJECTED,))
async def entity_profile_judgements(
    entity_profiles: EntityProfiles, *, profile_judge: Judge, profile_reviser: Reviser, reuse: Reuse
) -> ProfileJudgements:
    """Not partitioned: the verdicts on the profiles of entities, and the descriptions that go to the table.

    A profile is judged as the summary of a cluster is, with its passages as the sources. Each judgement is an action of its own,
    so that a profile is judged again only when it, its passages or the judge change.
    """
    return await judged_profiles(entity_profiles, profile_judge, profile_reviser, reuse)
