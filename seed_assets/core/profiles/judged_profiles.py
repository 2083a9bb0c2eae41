"""Judging profiles of entities by their passages. What belongs here: one judgement per profile, each an action of its own.

What does not: judges and revisers (core.judging), and writing profiles (profiles).
"""

from collections.abc import Sequence

import msgspec

from io_managers.store.fingerprint import Action, KeyTemplate, Part, content_digest
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.revision import Reviser, judged
from seed_assets.core.judging.verdicts import Claim, Judgement, SourceText, Verdict
from seed_assets.core.profiles.profiles import EntityProfile, EntityProfiles, ProfileSource
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

_JUDGEMENT = "entity_profile_judgement"


class ProfileJudgement(msgspec.Struct, frozen=True):
    """The verdict on a profile, with the description that goes to the tables. Its places are those in documents."""

    entity_id: str
    judgement: Judgement


class ProfileJudgements(msgspec.Struct, frozen=True):
    """The judgements of all profiles, by entity."""

    judgements: tuple[ProfileJudgement, ...]


async def judged_profiles(profiles: EntityProfiles, judge: Judge, reviser: Reviser, reuse: Reuse) -> ProfileJudgements:
    """Judge all profiles, and have those revised that are not accepted. Raises DocumentError, after all others are judged."""
    template = KeyTemplate(
        _JUDGEMENT, {"version": "1", "judge": dict(judge.identity), "reviser": dict(reviser.identity)}
    )

    async def judgement(one: EntityProfile) -> ProfileJudgement:
        # The passages are numbered, so that the names of documents decide nothing.
        sources = [SourceText(f"{number:03}", "", source.text) for number, source in enumerate(one.sources)]
        texts: list[Part] = [content_digest(source.text.encode()) for source in sources]

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Judgement, str]]:
            found = await judged(one.profile.description, (), sources, judge, reviser, own)
            return [(found, found.verdict.decision)]

        action = template.action({"description": content_digest(one.profile.description.encode()), "passages": texts})
        (found,) = await reuse.values([action], compute, Judgement)
        return ProfileJudgement(
            one.entity_id, msgspec.structs.replace(found, verdict=_placed(found.verdict, one.sources))
        )

    return ProfileJudgements(tuple(await all_of(judgement(one) for one in profiles.profiles)))


def _placed(verdict: Verdict, sources: Sequence[ProfileSource]) -> Verdict:
    """The verdict with the documents of its passages. The places are those of the whole passages, whose white space differs."""

    def placed(claim: Claim) -> Claim:
        if not claim.document_id:
            return claim
        source = sources[int(claim.document_id)]
        return msgspec.structs.replace(claim, document_id=source.document_id, start=source.start, end=source.end)

    return msgspec.structs.replace(verdict, claims=tuple(map(placed, verdict.claims)))
