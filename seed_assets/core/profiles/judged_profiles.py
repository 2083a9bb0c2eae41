"""Judging profiles of entities by their passages. What belongs here: one judgement per profile, each an action of its own.

What does not: judges and revisers (core.judging), and writing profiles (profiles).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from io_managers.store.fingerprint import Action, KeyTemplate, Part
from resources.endpoints.llm import Usage
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.revision import Reviser, judged
from seed_assets.core.judging.verdicts import Claim, Judgement, SourceText, Verdict
from seed_assets.core.profiles.profiles import EntityProfile, EntityProfiles, ProfileSource
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

_JUDGEMENT = "entity_profile_judgement"
# Used for estimates: the characters of a passage; chosen by judgement.
_PASSAGE_CHARACTERS = 180


class ProfileJudgement(msgspec.Struct, frozen=True):
    """The verdict on a profile, with the description that goes to the tables. Its places are those in documents."""

    entity_id: str
    judgement: Judgement


class ProfileJudgements(msgspec.Struct, frozen=True):
    """The judgements of all profiles, by entity."""

    judgements: tuple[ProfileJudgement, ...]


@dataclass(frozen=True, slots=True)
class ProfileJudging:
    """Judges profiles, and has those revised that are not accepted.

    most: the most profiles. passages: the most passages of one.
    """

    judge: Judge
    reviser: Reviser
    most: int = 1_000
    passages: int = 8

    @property
    def identity(self) -> Mapping[str, Part]:
        """The identities of the judge and of the reviser."""
        return {"judge": dict(self.judge.identity), "reviser": dict(self.reviser.identity)}

    async def judged(self, profiles: EntityProfiles, reuse: Reuse) -> ProfileJudgements:
        """Judge all profiles. Raises DocumentError, after all others are judged."""
        found = await all_of(self._judged(one, reuse) for one in profiles.profiles)
        return ProfileJudgements(tuple(found))

    async def _judged(self, one: EntityProfile, reuse: Reuse) -> ProfileJudgement:
        # The passages are numbered, so that the names of documents decide nothing.
        sources = [SourceText(f"{number:03}", "", source.text) for number, source in enumerate(one.sources)]
        texts: list[Part] = [source.text for source in sources]
        action = KeyTemplate(_JUDGEMENT, {"version": "1", **self.identity}).action(
            {"description": one.profile.description, "passages": texts}
        )

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Judgement, str]]:
            found = await judged(one.profile.description, (), sources, self.judge, self.reviser, own)
            return [(found, found.verdict.decision)]

        (found,) = await reuse.values([action], compute, Judgement)
        placed = msgspec.structs.replace(found, verdict=_placed(found.verdict, one.sources))
        return ProfileJudgement(one.entity_id, placed)


@dataclass(frozen=True, slots=True)
class PricedProfileJudging(ProfileJudging):
    """The same with a judge and a reviser that ask models."""

    def estimate(self, characters: int) -> Usage:
        """The most that judging all profiles can cost, whatever the length of the documents; see Priced."""
        cost = Usage()
        for asked in (self.judge, self.reviser):
            one: Usage = asked.estimate(self.passages * _PASSAGE_CHARACTERS)  # pyright: ignore[reportAttributeAccessIssue]
            for _ in range(self.most):
                cost.add(one)
        return cost


def _placed(verdict: Verdict, sources: Sequence[ProfileSource]) -> Verdict:
    """The verdict with the documents of its passages. The places are those of the whole passages, whose white space differs."""

    def placed(claim: Claim) -> Claim:
        if not claim.document_id:
            return claim
        source = sources[int(claim.document_id)]
        return msgspec.structs.replace(claim, document_id=source.document_id, start=source.start, end=source.end)

    return msgspec.structs.replace(verdict, claims=tuple(map(placed, verdict.claims)))
