"""Which names of documents are recognised in texts and bytes, next to names of other documents that contain them."""

import json

import msgspec
import pytest

from io_managers.store.retention.mentions import Mentions

KNOWN = ["a.md", "my a.md", "a.md (old).md", "über, a.md", "b.md"]


@pytest.mark.parametrize("other", ["my a.md", "a.md (old).md", "über, a.md", "data.md", "a.md.bak", "x/a.md"])
def test_the_name_of_another_document_does_not_name_one_that_it_contains(other: str) -> None:
    """What was made of the other one would be computed again, which may cost money."""
    mentions = Mentions(["a.md"], KNOWN)
    for text in (
        other,
        json.dumps({"documents": [other, "b.md"]}),
        json.dumps(json.dumps([other])),
        f"{other}: it failed.",
    ):
        assert not mentions.in_text(text)
        assert not mentions.in_bytes(text.encode())
        assert mentions.without(text) == text
        assert mentions.in_text(f"{text} a.md")
        assert mentions.in_bytes(f"{text} a.md".encode())
        assert mentions.without(f"{text}, a.md") == f"{text}, (erased)"
    assert not mentions.in_bytes(msgspec.msgpack.encode({"members": [other]}))
    assert mentions.in_bytes(msgspec.msgpack.encode({"members": [other, "a.md"]}))


def test_a_name_that_no_other_document_has_is_recognised_between_words() -> None:
    """A message may have any words around a name."""
    assert Mentions(["a.md"], ["a.md", "b.md"]).in_text("The file my a.md cannot be read.")


def test_of_two_erased_names_the_longer_one_is_replaced_as_a_whole() -> None:
    mentions = Mentions(["a.md", "a.md (old).md", "my a.md"], KNOWN)
    assert mentions.without("a.md (old).md; my a.md; a.md") == "(erased); (erased); (erased)"
