"""Lists of known names from entities that were found: they can be read again, and have no name that has other senses."""

from pathlib import Path

from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity, Member
from seed_assets.core.entities.resolution.frozen_names import frozen_names

TYPES = ("person", "organisation")


def entity(name: str, *aliases: str, kind: str = "person", documents: int = 2, number: str = "") -> CanonicalEntity:
    members = tuple(Member(f"{at}.txt", 0, name) for at in range(documents))
    return CanonicalEntity(f"entity/{name}{number}", name, kind, aliases, documents, members)


def read(folder: Path, *entities: CanonicalEntity, most: int = 0, documents: int = 2) -> KnownNames:
    text, count = frozen_names(CanonicalEntities(entities), TYPES, most, documents)
    (folder / "known.csv").write_text(text)
    assert count == len(text.splitlines()) - 1
    return KnownNames(folder / "known.csv", TYPES)


def test_a_list_is_read_as_it_was_written_with_types_and_aliases(tmp_path: Path) -> None:
    found = read(
        tmp_path, entity("Acme, Inc.", "AI", "Acme Works", kind="organisation"), entity("Big Lake", kind="lake")
    )
    assert found.names == {
        "Acme, Inc.": ("organisation", "Acme, Inc."),
        "AI": ("organisation", "Acme, Inc."),
        "Acme Works": ("organisation", "Acme, Inc."),
        "Big Lake": ("", "Big Lake"),
    }


def test_single_words_namesakes_dates_and_strange_names_are_left_out(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        entity("Love", "True Love"),
        entity("Li Wei", number="1"),
        entity("Li Wei", number="2"),
        entity("3 March 1999", kind="date"),
        entity("Semi; Colon"),
        entity("Two\nLines"),
        entity("A " + "b" * 300),
        entity("Anna Weber", "Weber", "li wei", "A\x1bW"),
    )
    assert found.names == {"Anna Weber": ("person", "Anna Weber")}


def test_those_of_most_documents_come_first_within_bounds(tmp_path: Path) -> None:
    entities = [entity(f"Anna {name}", documents=count) for name, count in (("Aa", 1), ("Bb", 5), ("Cc", 3))]
    assert list(read(tmp_path, *entities).names) == ["Anna Bb", "Anna Cc"]
    assert list(read(tmp_path, *entities, most=1).names) == ["Anna Bb"]
    assert len(read(tmp_path, *entities, documents=1).names) == 3
    assert read(tmp_path).names == {}
