"""Which names of one document are of one entity. What belongs here: the rules, and names that a text defines. What does not:
entities over documents.

Names are of one entity if they have the same key, if one is the acronym of the other, if the text defines one by the other
("International Business Machines (IBM)", "Acme Ltd. (the “Lessee”)"), or if one is the last word of a person's name and of
no other name. Similar spellings are not enough: measured, they lower the quality.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from seed_assets.core.entities.gazetteer import gazetteer
from seed_assets.core.entities.name_types import ORGANISATION, PERSON, best_type, name_cues
from seed_assets.core.entities.normal_names import acronyms, name_key, normal_name
from seed_assets.core.text.words import Span

# A definition in brackets: an acronym, or a term in quotation marks.
_TERM = re.compile(
    r"\s?\([^()\"“„«\n]{0,60}?(?:the |der |die |das |le |la )?[\"“„«]([^\"”“»\n()]{2,60})[\"”“»][^()\n]{0,30}\)"
)
_ACRONYM = re.compile(r"\s?\(\s?([A-Z][A-Za-z.&-]{1,11})\s?[);,]")
# A term may be defined behind a clause ("a company registered in Delaware"), so far behind a name, in characters.
_CLAUSE = 200
_SHORT: Final = 2
_LONGEST_ACRONYM = 8


def defined_names(text: str, spans: Sequence[Span]) -> Iterator[tuple[Span, str]]:
    """Yield (span of a name, the acronym or term that the text defines for it), in order.

    spans: of the names, sorted.
    """
    for at, (start, end) in enumerate(spans):
        match = _ACRONYM.match(text, end)
        if match is not None and _abbreviates(match[1], text[start:end]):
            yield (start, end), match[1]
            continue
        if at + 1 < len(spans) and best_type(name_cues(text[slice(*spans[at + 1])])) in (PERSON, ORGANISATION):
            limit = min(spans[at + 1][0], end + _CLAUSE)
        else:
            limit = end + _CLAUSE
        line_end = text.find("\n", end, limit)
        place = text.find("(", end, line_end if line_end >= 0 else limit)
        if place < 0 or best_type(name_cues(text[start:end])) not in (PERSON, ORGANISATION):
            continue
        match = _TERM.match(text, place)
        if match is not None:
            yield (start, end), match[1].strip()


def _abbreviates(acronym: str, name: str) -> bool:
    return acronym.replace(".", "").replace("&", "").casefold() in acronyms(normal_name(name))


class NameGroups:
    """Names of one document in groups, each of which is one entity."""

    def __init__(self, names: Iterable[str]) -> None:
        """names: all mentions as they stand."""
        counts = Counter(names)
        self._parents: dict[str, str] = {}
        self._keys = {name: self._add(name) for name in counts}
        self._by_key: dict[str, str] = {}
        for name in sorted(counts, key=lambda one: (-len(one.split()), -counts[one], one)):
            self._by_key.setdefault(self._keys[name], name)
        self._join_acronyms()
        self._join_last_words()

    def key(self, name: str) -> str:
        """The key of a name's group."""
        return self._root(self._keys[name])

    def join(self, name: str, other: str) -> None:
        """Put two names into one group."""
        self._unite(self._keys.setdefault(name, self._add(name)), self._keys.setdefault(other, self._add(other)))

    def _add(self, name: str) -> str:
        key = name_key(normal_name(name)) or name
        self._parents.setdefault(key, key)
        return key

    def _root(self, key: str) -> str:
        while self._parents[key] != key:
            self._parents[key] = self._parents[self._parents[key]]
            key = self._parents[key]
        return key

    def _unite(self, key: str, other: str) -> None:
        self._parents[self._root(key)] = self._root(other)

    def _join_acronyms(self) -> None:
        long: defaultdict[str, set[str]] = defaultdict(set)
        for key, name in self._by_key.items():
            if " " in name:
                for acronym in acronyms(normal_name(name)):
                    long[acronym].add(key)
        for key, name in self._by_key.items():
            letters = name.replace(".", "")
            if _SHORT <= len(letters) <= _LONGEST_ACRONYM and letters.isupper() and len(found := long[key]) == 1:
                self._unite(key, next(iter(found)))

    def _join_last_words(self) -> None:
        known = gazetteer()
        normal = {key: normal_name(name) for key, name in self._by_key.items()}
        people: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for key, name in normal.items():
            words = name.split()
            if len(words) > 1 and best_type(name_cues(self._by_key[key])) == PERSON:
                people[words[0], words[-1]].append(key)
        by_last: defaultdict[str, set[str]] = defaultdict(set)
        for (_, last), keys in people.items():
            # "George Bush" and "George W. Bush", but not two other middle names.
            if len(keys) == _SHORT and any(len(normal[key].split()) == _SHORT for key in keys):
                self._unite(*keys)
            by_last[last].update(map(self._root, keys))
        for key, name in normal.items():
            found = by_last.get(name, set())
            if len(found) == 1 and name not in known.places and name not in known.demonyms:
                self._unite(key, next(iter(found)))


def members(groups: NameGroups, names: Sequence[str]) -> Mapping[str, list[int]]:
    """Return the indexes of the names in each group, by the group's key, in the order of its first name."""
    found: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        found.setdefault(groups.key(name), []).append(at)
    return found
