"""Checks of entities. What belongs here: the checks that the stages of entities declare. What does not: running them
(check_run).
"""

from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.stages.entities.validity import misplaced


def _standing(published: PublishedResults) -> Finding:
    """Every mention of an entity must stand in the text of its document, and no entity may be without a mention."""
    finding = Finding()
    for unit, value, text in published.values_with("extracted_text", finding):
        if problem := misplaced(value, text.text):
            finding.offenders[unit] = problem
    return finding


STANDING = StageCheck("mentions_stand", "error", _standing)
