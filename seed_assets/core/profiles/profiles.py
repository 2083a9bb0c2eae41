"""Profiles of entities. What belongs here: the types, the protocol of writers, the offline default, and that each is an action.

What does not: passages of a document (passages), profiles by a model (model_profiles), and judging profiles (core.judging).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from io_managers.store.fingerprint import Action, KeyTemplate, Part, content_digest
from resources.errors import DocumentError
from seed_assets.core.text.quotations import folded_words
from seed_assets.core.text.sentences import split_long
from seed_assets.core.text.words import count_words
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

# So many passages of one document come first, so that several documents are heard; and two with this share of their words in
# common say the same. Chosen by judgement.
_OF_DOCUMENT, _ALIKE = 2, 0.6
# Texts have at most a mention in so many characters; a third of what Re-DocRED has.
_CHARACTERS_PER_MENTION = 20
_PROFILE = "entity_profile"


@dataclass(frozen=True, slots=True)
class ProfileBounds:
    """Which entities get profiles: those with so many mentions, at most so many, each made from at most so many passages."""

    mentions: int = 3
    most: int = 1_000
    passages: int = 8

    def profiles(self, characters: int) -> int:
        """Return how many profiles documents with so many characters in all can have, for estimates."""
        return min(self.most, 1 + characters // (self.mentions * _CHARACTERS_PER_MENTION))


class ProfileSource(msgspec.Struct, frozen=True, array_like=True):
    """A passage that a profile is made from, in characters of a document."""

    document_id: str
    title: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ProfileMaterial:
    """An entity, and the passages that say most about it, the best first."""

    entity_id: str
    name: str
    type: str
    sources: tuple[ProfileSource, ...]

    def action(self, kind: str) -> Action:
        """The action of writing its profile: only what is said decides it, so a renamed document or another model does not.

        kind: see ProfileWriter.
        """
        passages: list[Part] = [content_digest(source.text.encode()) for source in self.sources]
        said: dict[str, Part] = {"name": self.name, "type": self.type, "passages": passages}
        return KeyTemplate(_PROFILE, {"version": "1", "kind": kind}).action(said)


class WrittenProfile(msgspec.Struct, frozen=True):
    """A description.

    writer: "extractive", or the name of the model. prompt_version: "" offline. written_on: the day (UTC, as 2026-01-31) on which
    the model answered; "" offline.
    """

    description: str
    writer: str
    prompt_version: str = ""
    written_on: str = ""


class EntityProfile(msgspec.Struct, frozen=True):
    """The profile of an entity, with the passages that it was made from, the best first."""

    entity_id: str
    name: str
    profile: WrittenProfile
    sources: tuple[ProfileSource, ...]


class EntityProfiles(msgspec.Struct, frozen=True):
    """All profiles, by entity.

    left_out: how many entities have no profile because of the bound. not_written: entities that a model did not describe, with
    the reason; they have sentences of their passages.
    """

    profiles: tuple[EntityProfile, ...]
    left_out: int = 0
    not_written: tuple[tuple[str, str], ...] = ()


class ProfileWriter(Protocol):
    """Describes an entity, with sentences of its documents or in a model's words."""

    @property
    def kind(self) -> Literal["extractive", "model"]:
        """Whether a model writes. Only this is in the key: a profile stays current when the model changes."""
        ...

    @property
    def words(self) -> int:
        """The most words of a description."""
        ...

    async def write(self, material: ProfileMaterial, reuse: Reuse) -> WrittenProfile:
        """Describe an entity. Raises DocumentError.

        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveProfileWriter:
    """Takes the best passages as they are, without a model; passages that say the same are taken once.

    words: the most words of a description. kind: see ProfileWriter.
    """

    words: int = 60
    kind: Literal["extractive", "model"] = "extractive"

    async def write(self, material: ProfileMaterial, reuse: Reuse | None = None) -> WrittenProfile:
        """See ProfileWriter."""
        return WrittenProfile(self.description(material.sources), self.kind)

    def description(self, sources: Sequence[ProfileSource]) -> str:
        """Return the first passages that fit, one after another; of a first one that is too long, its beginning."""
        taken: list[str] = []
        said: list[set[str]] = []
        left = self.words
        for source in sources:
            words, own = count_words(source.text), set(folded_words(source.text))
            if words > left or any(_alike(own, other) for other in said):
                continue
            taken.append(source.text)
            said.append(own)
            left -= words
        if not taken and sources:
            text = sources[0].text
            return text[: split_long(text, (0, len(text)), self.words)[0][1]]
        return " ".join(taken)


def _alike(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= _ALIKE * max(1, min(len(one), len(other)))


def best_sources(found: Iterable[tuple[float, ProfileSource]], most: int) -> tuple[ProfileSource, ...]:
    """Return the passages that say most about an entity, the best first: at most two of a document as long as others have some.

    found: passages with their scores. most: how many are returned at most. Passages of the same words are one.
    """
    ranked = sorted(found, key=lambda item: (-item[0], item[1].text, item[1].document_id, item[1].start))
    distinct = list({source.text: source for _, source in reversed(ranked)}.values())[::-1]
    counts: Counter[str] = Counter()
    first: list[ProfileSource] = []
    later: list[ProfileSource] = []
    for source in distinct:
        counts[source.document_id] += 1
        (first if counts[source.document_id] <= _OF_DOCUMENT else later).append(source)
    return tuple((first + later)[:most])


async def write_profiles(materials: Sequence[ProfileMaterial], writer: ProfileWriter, reuse: Reuse) -> EntityProfiles:
    """Write the profiles of entities; each is an action of its own, so that one whose passages stay is not written again.

    An entity that a model refuses to describe, or about which it gives no valid answer, has sentences of its passages instead.

    Raises DocumentError for a transient failure, after all others are written.
    """
    fallback = ExtractiveProfileWriter(writer.words)
    not_written: dict[str, str] = {}

    async def written(material: ProfileMaterial) -> EntityProfile:
        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[WrittenProfile, str]]:
            found = await writer.write(material, own)
            return [(found, found.description)]

        try:
            (profile,) = await reuse.values([material.action(writer.kind)], compute, WrittenProfile)
        except DocumentError as error:
            if error.transient:
                raise
            not_written[material.entity_id] = error.reason
            profile = await fallback.write(material)
        return EntityProfile(material.entity_id, material.name, profile, material.sources)

    found = await all_of(written(material) for material in materials)
    ordered = sorted(found, key=lambda one: one.entity_id)
    return EntityProfiles(tuple(ordered), not_written=tuple(sorted(not_written.items())))


def named_reasons(found: EntityProfiles) -> Mapping[str, str]:
    """Return by the name of an entity, why a model did not write its profile."""
    names = {one.entity_id: one.name for one in found.profiles}
    return {names[entity_id]: reason for entity_id, reason in found.not_written}
