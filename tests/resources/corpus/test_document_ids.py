"""What documents are called: the names of their files, so that Dagster can take them and no two become one."""

import os
import unicodedata

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from hypothesis import assume, example, given
from hypothesis import strategies as st

from resources.corpus.corpus import document_id
from seed_assets.orchestration.partitions import DOCUMENTS


def paths() -> st.SearchStrategy[str]:
    """Relative paths as os.fsdecode gives them, of any bytes, made of what is troublesome more often than not."""
    troublesome = st.sampled_from(
        [b"%", b",", b".", b"..", b"...", b"\n", b"%2C", b"\xc3", b"\xcc\x81", b"e", "é".encode()]
    )
    part = st.lists(
        st.one_of(troublesome, st.binary(max_size=3), st.text(max_size=2).map(_encoded)), min_size=1, max_size=8
    )
    parts = st.lists(part.map(b"".join), min_size=1, max_size=3)
    return parts.map(lambda parts: os.fsdecode(b"/".join(parts).replace(b"\0", b"0")) + ".md")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "ignore")


@given(paths(), paths())
@example("a,b.md", "a%2Cb.md")
@example("a...b.md", "a%2E..b.md")
@example("a....md", "a...md")
@example(os.fsdecode(b"\xc2.md"), "\u0082.md")
@pytest.mark.slow
def test_two_names_have_two_ids_unless_they_differ_in_nothing_but_normalisation(one: str, other: str) -> None:
    assume(unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other))
    assert document_id(one) != document_id(other)


@pytest.mark.slow
@given(paths())
@example("é.md")
@example("e\u0301.md")
def test_forms_of_one_name_have_one_id(name: str) -> None:
    assert len({document_id(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}) == 1


@pytest.mark.slow
@given(paths(), paths())
def test_an_id_survives_what_dagster_and_its_command_line_split_at(one: str, other: str) -> None:
    first, last = document_id(one), document_id(other)
    for name in (first, last):
        assert "..." not in name
        assert "," not in name
        assert not [character for character in name if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]
        name.encode()
        assert name.endswith(".md")
    assert f"{first}...{last}".split("...") == [first, last]


@pytest.mark.integration
def test_dagster_takes_every_id_as_a_partition_key() -> None:
    """Any that it refused, or gave back otherwise, would be a document that no run can be for."""
    ids: list[str] = []
    collecting = given(paths())(lambda name: ids.append(document_id(name)))
    collecting()
    ids = sorted(set(ids))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("documents", ids)
        assert set(instance.get_dynamic_partitions("documents")) == set(ids)
        with partition_loading_context(dynamic_partitions_store=instance):
            order = list(DOCUMENTS.get_partition_keys())
            ends = dg.PartitionKeyRange(order[0], order[-1])
            assert list(DOCUMENTS.get_partition_keys_in_range(ends)) == order


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes/plain.md", "notes/plain.md"),
        ("with space, comma.md", "with space%2C comma.md"),
        ("wait...what....md", "wait%2E..what%2E%2E..md"),
        ("two..dots.md", "two..dots.md"),
        ("100%.md", "100%25.md"),
        ("line\nbreak\ttab.md", "line%0Abreak%09tab.md"),
        ("e\u0301.md", "é.md"),
        (os.fsdecode(b"latin\xe9.md"), "latin%E9.md"),
        ("\u0085\u2028.md", "%C2%85%E2%80%A8.md"),
        ("👩\u200d🌾 #1 [x] 'q' \"q\".md", "👩\u200d🌾 #1 [x] 'q' \"q\".md"),
        ("CON.txt", "CON.txt"),
    ],
)
def test_ids_stay_what_they_are(name: str, expected: str) -> None:
    """They are partition keys and stand in the tables: another spelling would be another document."""
    assert document_id(name) == expected
