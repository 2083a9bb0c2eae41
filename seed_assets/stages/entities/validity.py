"""Whether the entities of a document are valid, independently of the code that found them.

What belongs here: describing the problem. What does not: acting on it (the runner fails the document, and a check reports it).
"""

from seed_assets.core.entities.entities import Entities


def misplaced(found: Entities, text: str) -> str:
    """Return the problem with the entities of a text; "" if each mention is one of its entity's names, where it is said to
    stand.
    """
    for entity in found.entities:
        names = {entity.name, *entity.aliases}
        if not entity.mentions:
            return f"{entity.name[:80]!r} has no mention"
        for start, end in entity.mentions:
            if not 0 <= start < end <= len(text):
                return (
                    f"{entity.name[:80]!r} is said to stand from {start} to {end}; the text has {len(text)} characters"
                )
            if text[start:end] not in names:
                return f"where {entity.name[:80]!r} is said to stand, the text has {text[start:end][:80]!r}"
    return ""
