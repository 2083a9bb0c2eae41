"""Entities by rules: which names are found, what they are names of, and which are of one entity."""

from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from seed_assets.core.entities.entities import Entity, RuleEntityExtractor, entities_in
from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.entities.name_types import TYPES
from seed_assets.core.entities.normal_names import name_key, normal_name
from seed_assets.stages.entities.validity import misplaced

LEASE = (
    "This lease is made on January 5, 2021 between International Business Machines Corp. (IBM), a company registered in New "
    "York (the “Lessee”), and Acme Holdings Ltd. (the “Lessor”). The Lessee shall pay $1,200.50 per month to the Lessor. Lawyers "
    "of IBM at Smith & Wesson LLP agreed. Under the Data Protection Act 2018 the Lessor may keep 5% of it."
)


def found(text: str, title: str = "", known: dict[str, tuple[str, str]] | None = None) -> dict[str, Entity]:
    entities = entities_in(text, title, list(TYPES), known or {})
    assert misplaced(entities, text) == ""
    return {entity.name: entity for entity in entities.entities}


def test_a_contract_gives_its_parties_with_the_terms_that_it_defines() -> None:
    """A contract speaks of its parties by defined terms, which would otherwise be entities of their own."""
    entities = found(LEASE)
    lessee = entities["International Business Machines Corp"]
    assert (lessee.type, lessee.aliases) == ("organisation", ("IBM", "Lessee"))
    assert len(lessee.mentions) == 5
    assert entities["Acme Holdings Ltd"].aliases == ("Lessor",)
    kinds = {name: entity.type for name, entity in entities.items()}
    assert kinds["Smith & Wesson LLP"] == "organisation"
    assert kinds["New York"] == "place"
    assert kinds["Data Protection Act"] == "norm"
    assert (kinds["$1,200.50"], kinds["5%"]) == ("amount", "amount")
    assert entities["January 5, 2021"].normal == "2021-01-05"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Yesterday George W. Bush spoke. Then Bush left, and George Bush came back.", {"George W. Bush": 3}),
        ("He saw Martin Bush and Laura Bush. Then Bush left.", {"Martin Bush": 1, "Laura Bush": 1, "Bush": 1}),
        ("The World Bank (WB) lends. It is said that the WB lends more.", {"World Bank": 3}),
        (
            "We ran System Admin on it. Later SystemAdmin failed, as System admin does.",
            {"System Admin": 2, "System": 1},
        ),
        (
            "They met Dr. Anna Weber, director of Pluribus Ventures, in Berlin.",
            {"Anna Weber": 1, "Pluribus Ventures": 1, "Berlin": 1},
        ),
        (
            "We read King's College papers. The papers say that Obama knew, and so did Obama's White House.",
            {"King's College": 1, "Obama": 2, "White House": 1},
        ),
        (
            "It was sung by King Carol II of Romania, and then by others.",
            {"Carol II": 1, "Romania": 1},
        ),
    ],
)
def test_names_are_told_apart_and_put_together(text: str, names: dict[str, int]) -> None:
    counts = {name: len(entity.mentions) for name, entity in found(text).items()}
    assert names.items() <= counts.items()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("A speech of Maria Garcia, a chemist, was heard.", {"Maria Garcia": "person"}),
        ("They visited Zorbach, a village in Hesse.", {"Zorbach": "place"}),
        ("The novel “The Long Way Home” was read.", {"The Long Way Home": "work"}),
        ("It began with the Battle of Hastings.", {"Battle of Hastings": "event"}),
        ("She works for the University of Graz.", {"University of Graz": "organisation"}),
        ("The Swedish team won.", {"Swedish": "place"}),
    ],
)
def test_words_in_and_around_a_name_say_what_it_is(text: str, kinds: dict[str, str]) -> None:
    entities = found(text)
    assert {name: entities[name].type for name in kinds} == kinds


def test_nouns_with_capitals_are_no_names() -> None:
    """German writes all nouns with capitals; a rule for capitals would make each of them an entity."""
    entities = found(
        "Die Bundeskanzlerin Angela Merkel traf gestern in Berlin den Vorstand der Siemens AG. Der Hund des Nachbarn bellte den "
        "ganzen Tag, und die Sonne schien auf das Haus der Familie. Der Vertrag vom 3. Oktober 1990 gilt noch immer für alle."
    )
    assert entities.keys() == {"Angela Merkel", "Berlin", "Siemens AG", "3. Oktober 1990"}


def test_known_names_are_found_in_any_script_and_with_their_types() -> None:
    known = {
        "清华大学": ("organisation", "清华大学"),
        "Tsinghua": ("organisation", "清华大学"),
        "the Lane Project": ("other", "the Lane Project"),
    }
    entities = found("李伟是清华大学的教授。Tsinghua 很大。we like the lane project.", known=known)
    assert [entities["清华大学"].type, entities["清华大学"].aliases] == ["organisation", ("Tsinghua",)]
    assert entities["the lane project"].type == "other"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\x01\x02 Hello \u202eWorld Corp\u202c, \ufeff and \u0000.",
        "A" * 5_000 + " is a name. " + "Ä" * 5_000,
        "ذهب محمد إلى القاهرة في 2010 مع شركة النور.",
        "שלום לכם מתל אביב.",
        "John Smith " * 2_000,
        "(" * 500 + "“" * 500 + '"' * 500,
        "𝐉𝐨𝐡𝐧 met ǅungla and ß.",
    ],
    ids=["empty", "control", "long names", "Arabic", "Hebrew", "all equal", "signs", "letters"],
)
def test_any_text_is_read(text: str) -> None:
    """A document of strange characters must not fail, and no mention may be misplaced in it."""
    assert all(len(name) <= 700 for name in found(text))


@pytest.mark.slow
def test_a_document_of_fifty_thousand_entities_is_read() -> None:
    text = " ".join(f"They met Mr. Kuno Name{i:05} of Corp{i:05} Inc. today, as is known." for i in range(25_000))
    assert len(found(text)) == 50_000


def test_only_types_that_are_wanted_are_found() -> None:
    entities = entities_in(LEASE, "", ["organisation", "date"], {})
    assert {entity.type for entity in entities.entities} == {"organisation", "date"}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("System Admin", "SystemAdmin"),
        ("system admin", "System-Admin"),
        ("Acme Inc.", "ACME"),
        ("U.S.A.", "USA"),
        ("the United Nations", "United Nations"),
        ("Ｆｕｌｌ Width", "Full Width"),
        ("Siemens AG", "Siemens"),
    ],
)
def test_spellings_of_one_name_have_one_key(name: str, other: str) -> None:
    assert name_key(normal_name(name)) == name_key(normal_name(other))


@pytest.mark.parametrize(("name", "other"), [("Data Act", "Dat Act"), ("Company", "Inc"), ("Python 2", "Python 3")])
def test_different_names_have_different_keys(name: str, other: str) -> None:
    assert name_key(normal_name(name)) != name_key(normal_name(other))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("names\nAcme\n", "no column `name`"),
        ("name,type\nAcme,firm\n", "type 'firm' in line 2"),
        ("name,type\n,person\n", "names nothing in line 2"),
        (f"name\n{'x' * 300}\n", "300 characters in line 2"),
        ('name,type\n"Acme,person\n', "not valid CSV"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_list_of_known_names_that_cannot_be_used_is_refused(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    path = tmp_path / "known.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=problem):
        _ = RuleEntityExtractor(TYPES, KnownNames(path, TYPES)).identity


def test_the_known_names_are_in_the_key_and_the_order_of_their_lines_is_not(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    digests: list[str] = []
    for content in ("name,type,aliases\nAcme,,A;B\nBeta,,\n", "name,type,aliases\nBeta,,\nAcme,,B;A\n", "name\nBeta\n"):
        path.write_text(content)
        digests.append(KnownNames(path, TYPES).digest)
    assert digests[0] == digests[1] != digests[2]
    with pytest.raises(ConfigurationError, match="cannot be read"):
        _ = KnownNames(tmp_path / "none.csv", TYPES).digest
