"""The stage `canonical_entities`: which entities of documents are one."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from resources.wording import counted
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, ResolutionRules, canonical, resolve
from seed_assets.core.entities.resolution.decisions_file import EntityDecisions
from seed_assets.core.entities.resolution.pair_judging import PairJudge
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Units, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.entities.entity_checks import DECIDED, SIZES, UNDECIDED
from seed_assets.stages.entities.entity_inputs import AllEntities, EntityMaterial

_SHOWN = 200


def _preview(found: CanonicalEntities) -> str:
    shared = sum(len({member.document_id for member in entity.members}) > 1 for entity in found.entities)
    return f"{counted(len(found.entities), 'entity', 'entities')}, {shared} of them in several documents"


def _shown(found: CanonicalEntities) -> Mapping[str, Any]:
    often = sorted(found.entities, key=lambda entity: (-len(entity.members), entity.entity_id))[:_SHOWN]
    rows = [(one.entity_id, one.name, one.type, len(one.members), ", ".join(one.aliases)) for one in often]
    kinds = Counter(entity.type for entity in found.entities)
    return {
        "types": ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()),
        "undecided_pairs": len(found.undecided),
        "pairs_looked_at": found.looked_at,
        "entities": ShownTable(("entity", "name", "type", "documents", "aliases"), rows),
    }


@value_stage(
    version="1", preview=_preview, units=Units.CORPUS, continues=True, show=_shown, checks=(SIZES, UNDECIDED, DECIDED)
)
async def canonical_entities(
    all_entities: Annotated[EntityMaterial, AllEntities()],
    *,
    resolution_rules: ResolutionRules,
    entity_decisions: EntityDecisions,
    pair_judge: PairJudge,
    reuse: Reuse,
) -> CanonicalEntities:
    """Not partitioned: the entities of all documents, each with its names and with the entities of documents that it consists of.

    Two of one name are one entity if their names say enough, or if their documents speak of the same; persons with common names
    need such a context. What people decided comes first; a model, if there is one, is asked about undecided pairs, each once. New
    and changed documents are compared with what is there, and nothing else is compared again; `seedbank seed --recluster` begins
    from scratch. An entity that stays mostly the same keeps its id.
    """
    entities, previous = all_entities.entities, all_entities.previous
    said = entity_decisions if entity_decisions.decisions else None
    judged = {(one, other): verdict for one, other, verdict in previous.judged} if previous else {}
    resolution = await asyncio.to_thread(resolve, entities, resolution_rules, previous, judged, said)
    if verdicts := await pair_judge.judge(resolution.to_judge(), reuse):
        judged |= verdicts
        resolution = await asyncio.to_thread(resolve, entities, resolution_rules, previous, judged, said)
    return await asyncio.to_thread(canonical, resolution)
