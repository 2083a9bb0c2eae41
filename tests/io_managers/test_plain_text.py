"""Text of others cannot steer a terminal or hide anything; what people write, in any script, stays as it is."""

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.streams import _PlainFormatter
from io_managers.partition_events import shown_metadata
from io_managers.plain_text import as_markdown, escaped_json, plain, plain_lines, plain_values, seen_places
from resources.corpus.corpus import document_id
from resources.errors import ConfigurationError, DocumentError
from resources.tables.lance_errors import TableError
from seed_assets.core.concepts.model_concepts import _grounding
from seed_assets.core.text.quotations import locate
from tests.text_growth import growth

HOSTILE = {
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "eight-bit colour": ("\x9b31mred", "red"),
    "title of the window": ("a\x1b]0;owned\x07b", "ab"),
    "link of the terminal": ("\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\", "text"),
    "device control": ("\x1bP$q\x1b\\a", "a"),
    "unfinished sequence": ("a\x1b]0;b", "a]0;b"),
    "half a sequence": ("a\x1b", "a"),
    "cursor and bell": ("a\b\b\x07b\x7f", "ab"),
    "override": ("invoice\u202egnp.exe", "invoicegnp.exe"),
    "isolate": ("\u2066a\u2069\u2067b\u2069", "ab"),
    "marks of direction": ("a\u200e\u200f\u061cb", "ab"),
    "no width": ("pass\u200bword\u2060\ufeff\u00ad", "password"),
    "joiners between Latin letters": ("pass\u200cwo\u200drd", "password"),
    "a joiner at the edge": ("\u200dمی\u200c ", "می "),
    "tags": ("a\U000e0069\U000e006e\U000e007fb", "ab"),
    "selectors that carry data": ("a\ufe01\U000e0101b", "ab"),
    "more selectors than one": ("❤\ufe0f\ufe0e\ufe0f", "❤\ufe0f"),
    "fillers": ("a\u3164\u115f\uffa0b", "ab"),
    "a line that overwrites another": ("good\rbad", "good\nbad"),
    "separators of lines": ("a\u2028b\u2029c\x85d\x0be\x0cf", "a\nb\nc\nd\ne\nf"),
    "an undecodable byte": ("caf\udce9", "caf\\udce9"),
}
WRITTEN = [
    "می‌خواهم کتاب‌ها را بخوانم",
    "क्‍षेत्र और श्री",
    "ക്‍ഷ",
    "👩‍👩‍👧 🏳️‍🌈 ❤️‍🔥 👩🏽‍🚀 1️⃣",
    "葛\U000e0100飾区 שלום עולם مرحبا",
    "é e\u0301 ﬁ ½ ≤ — “so” …\n\tindented",
    "ᠮᠣᠩᠭᠣᠯ᠎ᠠ",
]


@pytest.mark.parametrize("found", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_steers_or_hides_is_taken_away(found: tuple[str, str]) -> None:
    text, shown = found
    assert plain_lines(text) == shown
    assert plain(text) == shown.replace("\n", " ")


@pytest.mark.parametrize("text", WRITTEN, ids=range(len(WRITTEN)))
def test_what_people_write_stays_as_it_is(text: str) -> None:
    """Joiners are spelling in Persian and in the scripts of India, and make one picture of several."""
    assert plain_lines(text) == text
    assert seen_places(text) is None


_troublesome = st.lists(
    st.one_of(
        st.sampled_from([text for text, _ in HOSTILE.values()]),
        st.sampled_from(list("\x1b[]mX;0\\\x07 \t\n\r\u200c\u200d\u202e\ufe0f\u200bаबم❤")),
        st.characters(),
    ),
    max_size=12,
).map("".join)


@given(_troublesome)
def test_nothing_that_steers_is_left_whatever_stood_around_it(text: str) -> None:
    shown = plain_lines(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n"]
    assert not {*"\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2060\ufeff"} & {*shown}
    assert "\n" not in plain(text)
    shown.encode()


@given(_troublesome)
def test_every_character_that_is_left_is_known_by_its_place(text: str) -> None:
    found = seen_places(text)
    if found is None:
        assert plain_lines(text) == text
        return
    shown, places = found
    assert shown == plain_lines(text)
    assert len(places) == len(shown) + 1
    assert places == sorted(places)
    assert all(text[at] == c for c, at in zip(shown, places, strict=False) if c not in "\n\\" and text[at] == c)


@pytest.mark.slow
@given(st.dictionaries(_troublesome, _troublesome))
def test_json_says_the_same_and_can_be_printed(value: dict[str, str]) -> None:
    document = escaped_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert plain(document) == document


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["\x1b", "\x1b[", "\x1b[0", "\x1b]", "\x1b]a", "\x9d", "\x9b ", "\u200c", "\ufe0f", "\r", " ", " \t", "`"]
)
def test_time_grows_as_the_text_does(piece: str) -> None:
    """A document of one sign must not hold a run up."""

    def call(text: str) -> None:
        for function in (plain, seen_places, escaped_json, as_markdown):
            function(text)

    assert growth(call, piece, 1 << 14, 1 << 16, doublings=2) == ""


def test_plain_data_is_made_plain_in_every_place() -> None:
    assert plain_values({"a\u200b": ["\x1b[1mb", ("c\u202e", 1)], "n": None}) == {"a": ["b", ("c", 1)], "n": None}


@pytest.mark.parametrize(
    "text",
    [
        "[click](javascript:alert(1))",
        "![x](http://evil.example/x.png)",
        "<script>alert(1)</script>",
        "http://evil.example and www.evil.example",
        "a | b\n--- | ---\n1 | 2",
        "# heading",
        "`code` and ``more``",
        "`",
        "[a]: data:text/html,x",
    ],
)
def test_in_markdown_a_text_is_one_code_span(text: str) -> None:
    """What is in a code span is no link, picture, table or HTML to CommonMark, and no address to what makes links of them."""
    shown = as_markdown(text)
    marks = shown[: len(shown) - len(shown.lstrip("`"))]
    assert shown.endswith(marks)
    inside = shown[len(marks) : -len(marks)]
    assert inside.strip() == plain(text).strip()
    assert marks not in inside.replace("`" * (len(marks) + 1), "")
    assert "\n" not in shown


def test_errors_are_plain_from_the_start() -> None:
    words = "said \x1b[31m\u202eno\nand more"
    for error in (DocumentError(words, words), ConfigurationError(words), TableError("t", words, words)):
        assert str(error) == plain(str(error))


def test_metadata_shows_nothing_that_steers() -> None:
    import dagster as dg

    shown = shown_metadata(
        {
            "preview": "a\x1b[31mb\u202e",
            "list": ["c\u200b"],
            "json": dg.MetadataValue.json({"d\u202e": ["e\x9b1m"]}),
            "text": dg.MetadataValue.text("f\x07"),
            "number": 3,
        }
    )
    assert shown["preview"] == "ab"
    assert shown["list"] == ["c"]
    assert shown["json"].data == {"d": ["e"]}
    assert shown["text"].text == "f"
    assert shown["number"] == 3


def test_a_log_line_cannot_steer_the_terminal() -> None:
    formatter = _PlainFormatter("%(message)s")
    try:
        raise ValueError("bad \x1b]0;owned\x07")
    except ValueError as error:
        record = logging.LogRecord("x", logging.WARNING, "", 1, "of %s", ("a\x1b[31m\u202eb",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    shown = formatter.format(record)
    assert shown.startswith("of ab\n")
    assert shown.endswith("ValueError: bad ")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("bidi\u202egnp.md", "bidi%E2%80%AEgnp.md"),
        ("zero\u200bwidth.md", "zero%E2%80%8Bwidth.md"),
        ("کتاب‌ها.md", "کتاب‌ها.md"),
    ],
)
def test_ids_of_documents_show_what_is_in_the_name(name: str, shown: str) -> None:
    """An id is a partition key, and so stands in tags and lists that nothing else makes plain."""
    assert document_id(name) == shown


def test_evidence_is_found_though_an_answer_is_kept_without_what_is_not_seen() -> None:
    """A model copies from a text with soft hyphens; what is kept of its answer has none."""
    part = "They co\u00adop\u200berate with\u202e the harbour. So it is."
    (found,) = _grounding(part)(
        {"concepts": [{"name": "aid", "kind": "term", "evidence": "cooperate with the harbour"}]}
    )
    assert part[found.start : found.end] == "co\u00adop\u200berate with\u202e the harbour"
    span = locate("cooperate with the harbour", part)
    assert span is not None
    assert part[span[0] : span[1]] == "co\u00adop\u200berate with\u202e the harbour"
