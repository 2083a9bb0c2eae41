"""Groups of entities whose names differ and that may be one all the same. What belongs here: finding them in time that
grows with their number and not with its square. What does not: deciding about them (grouping).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from seed_assets.core.entities.name_types import PERSON
from seed_assets.core.entities.normal_names import acronyms
from seed_assets.core.entities.resolution.grouping import Group
from seed_assets.core.entities.resolution.local_entities import QUANTITIES

# A shorter name is like too many others; a longer one is a sentence.
_FEWEST_LETTERS, _MOST_LETTERS = 8, 60
_FEWEST_ACRONYM, _LONGEST_ACRONYM = 2, 8
# A form that so many groups share says nothing about any two of them.
_MOST_SHARING = 4


def candidates(groups: Sequence[Group]) -> Iterator[tuple[int, int]]:
    """Yield the indexes of two groups whose names are nearly alike, each pair once.

    These are persons with and without a middle name or with an initial, acronyms and what they stand for, and names that
    differ in one letter. Each kind is left out where several groups would do.
    """
    seen: set[tuple[int, int]] = set()
    for shared in (_by_ends(groups), _by_acronym(groups), _by_spelling(groups)):
        for places in shared.values():
            if 1 < len(places) <= _MOST_SHARING:
                for at, one in enumerate(places):
                    for other in places[at + 1 :]:
                        pair = (min(one, other), max(one, other))
                        if pair not in seen:
                            seen.add(pair)
                            yield pair


def _first(group: Group) -> tuple[str, str, str]:
    entity = group.members[0]
    return entity.normal, entity.key, entity.type


def _by_ends(groups: Sequence[Group]) -> dict[str, list[int]]:
    """Persons by their first and last names, and by the initial of the first."""
    shared: defaultdict[str, list[int]] = defaultdict(list)
    initials: set[str] = set()
    for at, group in enumerate(groups):
        normal, _, kind = _first(group)
        words = normal.split()
        if kind == PERSON and len(words) > 1:
            initial = f"{words[0][0]} {words[-1]}"
            shared[initial if len(words[0]) == 1 else f"{words[0]} {words[-1]}"].append(at)
            if len(words[0]) == 1:
                initials.add(initial)
    for at, group in enumerate(groups):
        normal, _, kind = _first(group)
        words = normal.split()
        if kind == PERSON and len(words) > 1 and len(words[0]) > 1 and f"{words[0][0]} {words[-1]}" in initials:
            shared[f"{words[0][0]} {words[-1]}"].append(at)
    return shared


def _by_acronym(groups: Sequence[Group]) -> dict[str, list[int]]:
    short = {
        key: at
        for at, group in enumerate(groups)
        for name, key, kind in [_first(group)]
        if " " not in name and _FEWEST_ACRONYM <= len(key) <= _LONGEST_ACRONYM and group.members[0].name.isupper()
    }
    shared: defaultdict[str, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        normal, _, kind = _first(group)
        if " " in normal and kind != PERSON and kind not in QUANTITIES:
            for acronym in acronyms(normal) & short.keys():
                if not shared[acronym]:
                    shared[acronym].append(short[acronym])
                shared[acronym].append(at)
    return {acronym: places for acronym, places in shared.items() if len(places) == 1 + 1}


def _by_spelling(groups: Sequence[Group]) -> dict[str, list[int]]:
    """Names without one of their letters: names that differ in one letter, or in the order of two, have one of these in
    common.
    """
    shared: defaultdict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        _, key, kind = _first(group)
        if _FEWEST_LETTERS <= len(key) <= _MOST_LETTERS and kind not in QUANTITIES:
            for form in {key, *(key[:place] + key[place + 1 :] for place in range(len(key)))}:
                shared[hash(form)].append(at)
    return {str(form): list(dict.fromkeys(places)) for form, places in shared.items() if len(places) > 1}
