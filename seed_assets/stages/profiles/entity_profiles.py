"""The stage `entity_profiles`: a description of each entity that the documents say enough about."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from resources.wording import counted
from seed_assets.core.profiles.profiles import (
    EntityProfiles,
    ProfileWriter,
    named_reasons,
    write_profiles,
)
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Units, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.profiles.profile_checks import OF_ENTITIES
from seed_assets.stages.profiles.profile_inputs import BestPassages, Described

_SHOWN = 200


def _shown(found: EntityProfiles) -> Mapping[str, Any]:
    rows = [(one.entity_id, one.name, one.profile.description) for one in found.profiles[:_SHOWN]]
    return {"profiles": ShownTable(("entity", "name", "description"), rows)}


def _warnings(found: EntityProfiles) -> Sequence[str]:
    warnings = [
        f"The model did not describe {name}, so its profile is made of sentences of its documents: {reason}"
        for name, reason in named_reasons(found).items()
    ]
    if found.left_out:
        more = counted(found.left_out, "entity has", "entities have")
        warnings.insert(0, f"{more} no profile because of the bound. Raise `entities.most_profiles`.")
    return warnings


@value_stage(
    version="1",
    preview=lambda value: counted(len(value.profiles), "profile"),
    units=Units.CORPUS,
    reuse="inputs",
    show=_shown,
    checks=(OF_ENTITIES,),
    warnings=_warnings,
)
async def entity_profiles(
    described: Annotated[Described, BestPassages()], *, profile_writer: ProfileWriter, reuse: Reuse
) -> EntityProfiles:
    """Not partitioned: descriptions of the entities that are mentioned often enough, each made from the passages about it.

    Each profile is an action of its own, which is decided by the name, the type and the best passages of the entity, and by
    whether a model writes. So a profile is written again when these change, and never because of another model or prompt, or of
    documents that say less about the entity. Offline it consists of sentences of the documents. With a model there is one request
    per entity.
    """
    found = await write_profiles(described.materials, profile_writer, reuse)
    return msgspec.structs.replace(found, left_out=described.left_out)
