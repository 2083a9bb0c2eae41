"""Checks of relationships. What belongs here: the checks that these stages declare, and what is wrong with the relations of a
document. What does not: running checks (check_run).
"""

from seed_assets.core.entities.entities import Entities
from seed_assets.core.relationships.relations import TOGETHER, Relation, Relations
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck


def unfounded(found: Relations, text: str, entities: Entities) -> str:
    """Return the problem with the relations of a text; "" if each has its two ends and its evidence there."""
    for one in found.relations:
        ends = (one.source, one.target)
        if one.source == one.target or not all(0 <= end < len(entities.entities) for end in ends):
            return f"a relation is between the entities {ends[0]} and {ends[1]} of {len(entities.entities)}"
        if problem := _misplaced(one, text):
            return problem
        spans = [span for end in ends for span in entities.entities[end].mentions]
        inside = [one.start <= start and end <= one.end for start, end in spans]
        own = len(entities.entities[one.source].mentions)
        named = any(inside[:own]), any(inside[own:])
        if not (all(named) if one.type == TOGETHER else any(named)):
            return f"the passage of {one.type!r} from {one.start} to {one.end} does not name its ends"
    return ""


def _misplaced(one: Relation, text: str) -> str:
    if not 0 <= one.start < one.end <= len(text):
        return f"{one.type!r} is said to stand from {one.start} to {one.end}; the text has {len(text)} characters"
    if one.type != TOGETHER and text[one.start : one.end] != one.evidence:
        return f"where {one.evidence[:80]!r} is said to stand, the text has {text[one.start : one.end][:80]!r}"
    return ""


def _evidence(published: PublishedResults) -> Finding:
    """The passage of every relation must stand in the text of its document."""
    finding = Finding()
    for unit, value, text in published.values_with("extracted_text", finding):
        if problem := next(filter(None, (_misplaced(one, text.text) for one in value.relations)), ""):
            finding.offenders[unit] = problem
    return finding


def _ends(published: PublishedResults) -> Finding:
    """Both ends of every relationship must be entities, and every relationship must have a source."""
    finding = Finding()
    for _, value, resolved in published.values_with("canonical_entities", finding):
        known = {entity.entity_id for entity in resolved.entities}
        for one in value.relationships:
            if gone := {one.source, one.target} - known:
                finding.offenders[one.relationship_id] = f"there is no {min(gone)}"
            elif not one.sources:
                finding.offenders[one.relationship_id] = "it has no source"
        finding.figures |= {"relationships": len(value.relationships), "left_out": value.left_out}
    return finding


EVIDENCE = StageCheck("evidence_stands", "error", _evidence)
ENDS = StageCheck("ends_exist", "error", _ends, quick=True)
