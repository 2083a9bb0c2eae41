"""A list of known names from the entities that were found. What belongs here: which entities and names are in it.

What does not: reading such a list (known_list), which makes it a part of the keys of what is found with it.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable

from seed_assets.core.entities.normal_names import name_key, normal_name
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity
from seed_assets.core.entities.resolution.local_entities import QUANTITIES

# Names in a list are found whatever their capitals, so a single word that is no acronym would be found in other senses.
_FEWEST_WORDS, _FEWEST_SIGNS, _MOST_SIGNS = 2, 2, 200


def frozen_names(found: CanonicalEntities, types: Collection[str], most: int, fewest_documents: int) -> tuple[str, int]:
    """Return (a list of known names as CSV, the number of entities in it): those of most documents first.

    Left out are dates and amounts, names of one word unless they are acronyms, and namesakes, which a list cannot tell apart.

    types: the types that the list may have. most: the most entities, 0 for all. fewest_documents: the fewest documents of each.
    """
    counts = Counter(key for one in found.entities for key in {_key(name) for name in (one.name, *one.aliases)})

    def usable(names: Iterable[str]) -> list[str]:
        return [name for name in names if _says_enough(name) and counts[_key(name)] == 1]

    ranked = sorted(found.entities, key=lambda one: (-_documents(one), -one.mentions, one.entity_id))
    rows = [
        (one.name, one.type if one.type in types else "", "; ".join(usable(one.aliases)))
        for one in ranked
        if one.type not in QUANTITIES and _documents(one) >= fewest_documents and usable([one.name])
    ]
    kept = rows[:most] if most else rows
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("name", "type", "aliases"), *kept])
    return text.getvalue(), len(kept)


def _documents(one: CanonicalEntity) -> int:
    return len({member.document_id for member in one.members})


def _key(name: str) -> str:
    return name_key(normal_name(name))


def _says_enough(name: str) -> bool:
    acronym = name.isupper() and name.isalnum()
    short = len(name) < _FEWEST_SIGNS or len(name) > _MOST_SIGNS
    return not short and name.isprintable() and ";" not in name and (acronym or len(name.split()) >= _FEWEST_WORDS)
