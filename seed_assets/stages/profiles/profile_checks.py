"""Checks of profiles. What belongs here: the checks that these stages declare. What does not: running checks (check_run)."""

from seed_assets.core.profiles.passages import EntityPassages
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck

# As for other summaries; chosen by judgement.
_MOST_REJECTED = 0.2


def misplaced_passage(found: EntityPassages, text: str) -> str:
    """Return the problem with the passages of a text; "" if each stands where it is said to stand, white space aside."""
    for one in found.passages:
        if not 0 <= one.start < one.end <= len(text) or " ".join(text[one.start : one.end].split()) != one.text:
            return f"{one.text[:80]!r} is said to stand from {one.start} to {one.end}, and does not"
    return ""


def _passages(published: PublishedResults) -> Finding:
    """Every passage must stand in the text of its document."""
    finding = Finding()
    for unit, value, text in published.values_with("extracted_text", finding):
        if problem := misplaced_passage(value, text.text):
            finding.offenders[unit] = problem
    return finding


def _of_entities(published: PublishedResults) -> Finding:
    """Every profile must be of an entity, and have a passage; the same entity has one profile."""
    finding = Finding()
    for _, value, resolved in published.values_with("canonical_entities", finding):
        known = {entity.entity_id for entity in resolved.entities}
        seen: set[str] = set()
        for one in value.profiles:
            if one.entity_id not in known:
                finding.offenders[one.entity_id] = "there is no such entity"
            elif one.entity_id in seen:
                finding.offenders[one.entity_id] = "it has two profiles"
            elif not one.sources:
                finding.offenders[one.entity_id] = "its profile has no passage"
            seen.add(one.entity_id)
        finding.figures |= {"profiles": len(value.profiles), "left_out": value.left_out}
    return finding


def _rejected(published: PublishedResults) -> Finding:
    """At most a fifth of all profiles should need review by a person."""
    finding = Finding()
    for _, value in published.values(finding):
        flagged = {
            one.entity_id: one.judgement.verdict.decision for one in value.judgements if one.judgement.needs_review
        }
        finding.figures["needs_review"] = len(flagged)
        if len(flagged) > _MOST_REJECTED * len(value.judgements):
            finding.offenders |= flagged
    return finding


PASSAGES = StageCheck("passages_stand", "error", _passages)
OF_ENTITIES = StageCheck("of_entities", "error", _of_entities, quick=True)
REJECTED = StageCheck("share_rejected", "warning", _rejected, quick=True)
