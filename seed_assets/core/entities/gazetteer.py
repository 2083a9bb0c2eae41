"""The names and words by which names are typed offline, read from gazetteer.toml once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from io_managers.store.fingerprint import content_digest

_WORD_LISTS = ("titles", "roles", "positions", "technical", "times", "joining")
_FILE = Path(__file__).with_name("gazetteer.toml")


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """What is known of names beforehand; all words are case-folded.

    places: countries, regions, cities. demonyms: adjectives and peoples of places -> the place, or "". first_names: given names.
    heads: word of a name -> the type that it gives the name. beside: word near a name -> the type that it gives the name.
    The others: see the comments of gazetteer.toml.
    """

    places: frozenset[str]
    demonyms: Mapping[str, str]
    first_names: frozenset[str]
    heads: Mapping[str, str]
    beside: Mapping[str, str]
    titles: frozenset[str]
    roles: frozenset[str]
    positions: frozenset[str]
    technical: frozenset[str]
    times: frozenset[str]
    joining: frozenset[str]


@cache
def gazetteer() -> Gazetteer:
    """Return the gazetteer of the project."""
    found = tomllib.loads(_FILE.read_text("utf-8"))
    countries = {name.strip(): peoples for name, _, peoples in (c.partition(":") for c in _names(found["countries"]))}
    demonyms = {name.casefold(): "" for name in _names(found["regional"])}
    for country, peoples in countries.items():
        for people in peoples.split("/"):
            if people.strip():
                demonyms.setdefault(people.strip().casefold(), country.casefold())
    return Gazetteer(
        frozenset(name.casefold() for name in (*countries, *_names(found["places"]))),
        demonyms,
        frozenset(found["first_names"].split()),
        _by_word(found["heads"]),
        _by_word(found["beside"]),
        **{name: frozenset(found[name].split()) for name in _WORD_LISTS},
    )


@cache
def gazetteer_digest() -> str:
    """Return the digest of the file, which is a part of the keys of what is found with it."""
    return content_digest(_FILE.read_bytes())


def listed(words: str) -> frozenset[str]:
    """Return the words of a list that is written as a text."""
    return frozenset(words.split())


def _names(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split(",") if one.strip()]


def _by_word(lists: Mapping[str, str]) -> dict[str, str]:
    return {word: kind for kind, words in lists.items() for word in words.split()}
