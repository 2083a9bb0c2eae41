"""Checks of entities. What belongs here: the checks that the stages of entities declare. What does not: running them
(check_run).
"""

from resources.wording import counted
from seed_assets.core.entities.normal_names import name_key, normal_name
from seed_assets.core.entities.resolution.decisions_file import SAME
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.stages.entities.validity import misplaced

# A warning is given if there are more guesses for each entity; chosen by judgement.
_MOST_UNDECIDED = 0.2


def _standing(published: PublishedResults) -> Finding:
    """Every mention of an entity must stand in the text of its document, and no entity may be without a mention."""
    finding = Finding()
    for unit, value, text in published.values_with("extracted_text", finding):
        if problem := misplaced(value, text.text):
            finding.offenders[unit] = problem
    return finding


def _sizes(published: PublishedResults) -> Finding:
    """No entity may be without a member, or have more than the settings allow, and no member may be in two entities."""
    finding = Finding()
    largest = published.resource("canonical_entities.resolution_rules").largest
    for _, value in published.values(finding):
        seen: dict[tuple[str, int], str] = {}
        for entity in value.entities:
            if not 0 < len(entity.members) <= largest:
                finding.offenders[entity.entity_id] = f"it has {counted(len(entity.members), 'member')}"
            for member in entity.members:
                other = seen.setdefault((member.document_id, member.index), entity.entity_id)
                if other != entity.entity_id:
                    finding.offenders[entity.entity_id] = f"a member of {member.document_id} is in {other} as well"
        finding.figures |= {
            "entities": len(value.entities),
            "largest": max((len(entity.members) for entity in value.entities), default=0),
        }
    return finding


def _undecided(published: PublishedResults) -> Finding:
    """Few pairs of entities should be guesses; `seedbank entities list --similar` shows them for people to decide."""
    finding = Finding()
    for unit, value in published.values(finding):
        share = len(value.undecided) / len(value.entities) if value.entities else 0.0
        finding.figures |= {"undecided_pairs": len(value.undecided), "share_undecided": round(share, 4)}
        if share > _MOST_UNDECIDED:
            finding.offenders[unit or "the corpus"] = f"{counted(len(value.undecided), 'pair')} are undecided"
    return finding


def _decided(published: PublishedResults) -> Finding:
    """No pair of entities may contradict what people decided."""
    finding = Finding()
    decisions = published.resource("canonical_entities.entity_decisions").decisions
    for _, value in published.values(finding):
        of: dict[str, set[str]] = {}
        for entity in value.entities if decisions else ():
            for name in (entity.name, *entity.aliases):
                of.setdefault(name_key(normal_name(name)), set()).add(entity.entity_id)
        for one in decisions:
            first, second = (of.get(key, set[str]()) for key, _ in one.sides)
            if one.decision == SAME and not one.document and not one.other_document and len(first | second) > 1:
                finding.offenders[f"{one.name}, {one.other}"] = "they are to be one entity, and are not"
            if one.decision != SAME and one.sides[0][0] != one.sides[1][0] and first & second and not one.document:
                finding.offenders[f"{one.name}, {one.other}"] = "they are to be different, and are one entity"
        finding.figures["decisions"] = len(decisions)
    return finding


STANDING = StageCheck("mentions_stand", "error", _standing)
SIZES = StageCheck("sizes", "error", _sizes, quick=True)
UNDECIDED = StageCheck("undecided", "warning", _undecided, quick=True)
DECIDED = StageCheck("as_decided", "error", _decided, quick=True)
