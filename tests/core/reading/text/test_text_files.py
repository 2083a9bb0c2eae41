"""Plain text: what terminals, typewriters, printers and paged documents put between the words."""

import msgspec
import pytest

from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.text.chunking import Chunker


def text_of(content: str | bytes) -> str:
    return extract(content.encode() if isinstance(content, str) else content, "text").text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\x1b[31mERROR\x1b[0m gate \x1b[1;33m2\x1b[0m stuck\n\x1b[2K\x1b[1GDone\n", "ERROR gate 2 stuck\nDone"),
        ("\x1b[38;2;255;100;0mtrue colour\x1b[m \x1b[38:5:208mpalette\x1b[0;39m", "true colour palette"),
        ("\x1b]0;title\x07ok \x1b]8;;https://example.org\x1b\\a link\x1b]8;;\x1b\\", "ok a link"),
        ("\x1b(B\x1b)0plain\x1b=\x1b7\x1b8", "plain"),
        ("left\x1b[20Gright\x1b[5Cfurther", "left right further"),
        ("\x9b31mred\x9b0m", "red"),
        ("an escape without an end \x1b", "an escape without an end"),
        ("N\bNA\bAM\bME\bE\n\n_\bw_\bo_\br_\bd b\bbo\bol\bld\bd", "NAME\n\nword bold"),
        ("u\b_n\b_d\b_e\b_r", "under"),
        ("b\bb\bb\bbold +\bo item", "bold o item"),
        ("progress 10%\b\b\b20%\b\b\b30%", "progress 30%"),
    ],
)
def test_a_text_is_what_a_terminal_shows(raw: str, text: str):
    assert text_of(raw) == text


def test_a_manual_page_is_no_binary_file():
    """Every second byte or so of its headings is a control character."""
    bold = "".join(f"{letter}\b{letter}" for letter in "SYNOPSIS AND DESCRIPTION")
    assert text_of(bold) == "SYNOPSIS AND DESCRIPTION"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Unter\u00adnehmen und Frei\u200bberufler\u2060innen", "Unternehmen und Freiberuflerinnen"),
        ("Unter\u00ad\n  nehmen", "Unternehmen"),
        ("\u202aleft\u202c \u2066isolated\u2069 \u200fmark\ufeff", "left isolated mark"),
        ("\ufb01nancial o\ufb03ce, \ufb02ag, \ufb06", "financial office, flag, st"),
        ("\ufef7\ufedf\ufedd \ufedb\ufe98\ufe8e\ufe8f", "أللل كتاب".replace("أللل", "\u0644\u0623\u0644\u0644")),
        ("\ufb2a\ufb2e", "\u05e9\u05c1\u05d0\u05b7"),
        ("10² m, ½ cup, № 5, ™, ﹪", "10² m, ½ cup, № 5, ™, ﹪"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष 👩\u200d💻 ❤\ufe0f\u200d🔥", "क्\u200dष 👩\u200d💻 ❤\ufe0f\u200d🔥"),
        ("in\u200cvisible\u200d join\u200der", "invisible joiner"),
        ("shown\U000e0048\U000e0049", "shown"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
    ],
)
def test_what_is_not_seen_goes_and_ligatures_are_letters(raw: str, text: str | None):
    assert text_of(raw) == (raw if text is None else text)
    assert normalised(text_of(raw)) == text_of(raw)


BODY = [
    "The gate was opened at dawn. The water rose, and the keeper wrote the level into the",
    "ledger, which his grandfather had begun. He was not alone.",
    "Nobody had seen such a flood, although there had been worse ones in other years.",
]


def pages(header: str, footer: str, end: str) -> str:
    """Three pages; the sentence on the first one continues on the second."""
    return "".join(
        f"{header.format(number)}\n\n\n   {body}\n\n\n{footer.format(number)}\n{end}"
        for number, body in enumerate(BODY, 1)
    )


@pytest.mark.parametrize(
    ("header", "footer", "end"),
    [
        (
            "RFC 9999          The Gate Protocol        May 2024",
            "Harbour & Lock      Informational     [Page {}]",
            "\f\n",
        ),
        ("RFC 9999          The Gate Protocol        May 2024", "Harbour & Lock      Informational     [Page {}]", ""),
        ("Annual Report of the Lock", "- {} -", "\f"),
        ("Annual Report of the Lock", "Page {} of 3", "\f"),
        ("Schleusenbericht                    Seite {}", "Wasseramt", "\f"),
        ("{}     ANNUAL REPORT", "Internal use only", "\f"),
    ],
)
def test_running_lines_of_pages_are_no_text(header: str, footer: str, end: str):
    text = text_of(pages(header, footer, end))
    for word in (
        "[Page",
        "RFC 9999",
        "Annual",
        "ANNUAL",
        "Seite",
        "Harbour",
        "Informational",
        "Internal",
        "Wasseramt",
        "- 2",
        "Page 2",
    ):
        assert word not in text
    assert "the level into the\n   ledger, which" in text
    assert text.count("\n\n") == 1
    assert all(body in text for body in BODY)


@pytest.mark.parametrize(
    "raw",
    [
        "int one(void) {\n  return 1;\n}\n\f\nint two(void) {\n  return 2;\n}\n\f\nint three(void) {\n  return 3;\n}\n",
        "Chapter 1\n\nThe gate.\n\fChapter 2\n\nThe lock.\n\fChapter 3\n\nThe sea.\n",
        "- 1 -\nA list of numbers\n- 5 -\nand another one\n- 3 -\n",
        "See [Page 3] and\n[Page 9] of the book.\n",
    ],
)
def test_lines_that_are_repeated_for_another_reason_stay(raw: str):
    assert text_of(raw).split() == raw.split()


def test_an_encoded_text_without_warnings_has_the_bytes_that_it_had_before_there_were_any():
    """Other bytes would be another digest, and everything after the text would be computed again."""

    class Before(msgspec.Struct, frozen=True):
        text: str
        title: str
        encoding: str = ""

    encode = msgspec.msgpack.Encoder(order="deterministic").encode
    for fields in (("text", "title", "utf-8"), ("text", "", "")):
        assert encode(ExtractedText(*fields)) == encode(Before(*fields))
        assert msgspec.msgpack.decode(encode(Before(*fields)), type=ExtractedText) == ExtractedText(*fields)
    warned = ExtractedText("text", "title", "utf-8", ("A sentence.",))
    assert msgspec.msgpack.decode(encode(warned), type=ExtractedText) == warned


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["The gate opens at dawn, früh. ", "a", "語", "<!-- a -->", "(data:a/b,"])
def test_a_line_of_a_megabyte_is_read_and_cut_whole(unit: str):
    """Time is measured in test_text_growth; here no character may be lost."""
    raw = unit * (1_000_000 // len(unit))
    result = extract(raw.encode(), "text")
    assert result.text == raw.rstrip()
    chunks = Chunker().chunk(result.text, result.title).chunks
    assert max(len(chunk.text) for chunk in chunks) <= 1000
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(raw.split())
