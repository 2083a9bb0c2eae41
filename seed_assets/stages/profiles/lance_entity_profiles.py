"""The sink stage `lance_entity_profiles`, with its table."""

from typing import Any

from resources.tables.lance_schema import Column, TableSpec
from seed_assets.core.profiles.judged_profiles import ProfileJudgements
from seed_assets.core.profiles.profiles import EntityProfiles
from seed_assets.graph.stage import Units, sink_stage

_WRITTEN, _JUDGED = "entity_profiles", "entity_profile_judgements"
ENTITY_PROFILES = TableSpec(
    name="entity_profiles",
    key="entity_id",
    owner="",
    rows="one row an entity with a profile",
    columns=(
        Column("entity_id", "string", "the entity", _WRITTEN),
        Column("description", "string", "what the documents say of it, as it was judged", _JUDGED),
        Column("verdict", "string", "accept, copied, revise or reject", _JUDGED),
        Column("score", "float64", "the share of its claims that is supported; null if copied", _JUDGED, nullable=True),
        Column("needs_review", "bool", "whether a person should look at it", _JUDGED),
        Column("writer", "string", "the model, or `extractive`", "entity_profiles.writer"),
        Column(
            "prompt_version", "string", "the version of the prompt, empty offline", "entity_profiles.prompt_version"
        ),
        Column(
            "written_on", "string", "the day of the model's answer (UTC), empty offline", "entity_profiles.written_on"
        ),
        Column(
            "documents", "list<string>", "the document of each passage that it is made from", "entity_profiles.sources"
        ),
        Column("starts", "list<int64>", "where each passage begins in the extracted text", "entity_profiles.sources"),
        Column("ends", "list<int64>", "the offset after it", "entity_profiles.sources"),
        Column("content_digest", "string", "digest of what the row was written from", "lance_entity_profiles inputs"),
    ),
)


@sink_stage(version="1", table=ENTITY_PROFILES, units=Units.CORPUS)
def lance_entity_profiles(
    _: str, content_digest: str, entity_profiles: EntityProfiles, entity_profile_judgements: ProfileJudgements
) -> list[dict[str, Any]]:
    """Not partitioned: the table `entity_profiles`, with one row per profile; all rows are replaced together."""
    judged = {one.entity_id: one.judgement for one in entity_profile_judgements.judgements}
    rows: list[dict[str, Any]] = []
    for one in entity_profiles.profiles:
        judgement = judged[one.entity_id]
        rows.append(
            {
                "entity_id": one.entity_id,
                "description": judgement.summary,
                "verdict": judgement.verdict.decision,
                "score": judgement.verdict.score,
                "needs_review": judgement.needs_review,
                "writer": one.profile.writer,
                "prompt_version": one.profile.prompt_version,
                "written_on": one.profile.written_on,
                "documents": [source.document_id for source in one.sources],
                "starts": [source.start for source in one.sources],
                "ends": [source.end for source in one.sources],
                "content_digest": content_digest,
            }
        )
    return rows
