"""RTF: every word and cell of the text, whatever wrote it; nothing of pictures, hidden text and instructions."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.extraction import extract

FONTS = (
    r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset2 Symbol;}"
    r"{\f2\fcharset204{\*\falt Times}Cyr;}{\f3\fcharset128 Mincho;}}"
)


def rtf(body: str, head: str = "") -> bytes:
    return (r"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + head + "\n" + body + "}").encode("latin-1")


def text_of(body: str, head: str = "") -> str:
    return extract(rtf(body, head), "rtf").text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"Gr\'f6\'dfe", "Größe"),
        (r"Gr\u246?\u223?e", "Größe"),
        (r"Gr\uc1\u246\'f6\u223\'dfe \'e9 and", "Größe é and"),
        (r"Gr{\uc2\u246 oe}\u223 se", "Größe"),
        (r"Gr\uc0\u246 \u223 e", "Größe"),
        (r"\u-10179?\u-8704? \u26085?", "😀 日"),
        (r"\f2\'cf\'f0\'e8\'e2\'e5\'f2\f0 .", "Привет."),
        (r"\f3\'93\'fa\'96\{\f0  \{x\} \\ y", "日本 {x} \\ y"),
        (r"\f1 a\f0  \f1\u61538?", "α β"),
        (r"\lquote a\rquote\~b\emdash c\_d\-e\tab f", "‘a’ b—c-de\tf".replace("’ b", "’\u00a0b")),
        (r"a\v hidden\v0 b {\v hidden {\b more}}c\deleted gone\deleted0 d", "ab cd"),
        (r"10{\super 6} or 10\super 3\nosupersub  kg, x{\up6 n}{\b\up6 +k}, H{\sub 2}O", "10⁶ or 10³ kg, x^(n+k), H₂O"),
        (r"a{\dn 1} {\super a}\sub b", "a₁ ª_b"),
        (r"10\super 6\super0  l{\super 2 }m, a{\up1  word} b\super 2\plain  c", "10⁶ l² m, a word b² c"),
        (r"In 1911{\super\footnote See the ledger}.", "In 1911.\n\nSee the ledger"),
        (r"a\line b\par c\page d", "a\nb\n\nc\n\nd"),
        ("a\\\nb", "a\n\nb"),
        ("one\nword\r\ns", "onewords"),
        (r"Bin {\*\shppict{\pict\pngblip\bin4 }}{\x}}here {\nonshppict{\pict 0102}}", "Bin here"),
        (r"{\field{\*\fldinst HYPERLINK \'22http://x\'22}{\fldrslt the link}}", "the link"),
        (r"{\*\unknown gone}{\xe index entry}kept{\*\bkmkstart mark}", "kept"),
        (r"{\object{\*\objdata 0105}{\result shown}}", "shown"),
        (r"{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt\pard In a box\par}}{\shprslt copy}}", "In a box"),
    ],
)  # fmt: skip
def test_characters_and_groups(body: str, text: str):
    assert text_of(body) == text


def test_headings_lists_tables_notes_and_headers_are_in_their_places():
    result = extract(
        rtf(
            r"{\header\pard Harbour office\par}{\footer\pard Page {\field{\*\fldinst PAGE}{\fldrslt 3}} of 4\par}"
            r"\pard\plain\s1 Tides\par \pard\plain\s2\outlinelevel1 Levels\par"
            r"\pard\plain Water{\footnote\pard\plain{\super\chftn} Since 1904.} rises.\par"
            r"{\listtext\f1\'b7\tab}First\par{\listtext\f1\'b7\tab}Second\par{\pntext 2.\tab}Numbered\par"
            r"\pard{\*\atnauthor Ann}{\*\annotation\pard Check it.}\par"
            r"\trowd\cellx1\cellx2\pard\intbl Gate\cell Level\par in cm\cell\row"
            r"\trowd\cellx1\cellx2\pard\intbl Upper | old\cell {4}\cell\row\pard After.\par",
            r"{\stylesheet{\ql\snext0 Normal;}{\s1\sbasedon0 heading 1;}{\*\cs10 Default;}}"
            r"{\info{\author X}{\upr{\title Gr??e}{\*\ud{\title Gr\u246?\u223?e der Flut}}}{\doccomm no}}",
        ),
        "rtf",
    )
    assert result.title == "Größe der Flut"
    assert result.text == (
        "# Tides\n\n## Levels\n\nWater rises.\n\n- First\n- Second\n2. Numbered\n\n"
        "| Gate | Level in cm |\n| --- | --- |\n| Upper \\| old | 4 |\n\nAfter.\n\n"
        "Since 1904.\n\n[Comment by Ann: Check it.]\n\nHarbour office"
    )
    assert result.warnings == ()


def test_a_table_at_the_end_and_one_that_is_not_ended_are_read():
    assert text_of(r"\trowd\pard\intbl a\cell b\cell\row") == "| a | b |"
    assert text_of(r"\trowd\pard\intbl a\cell b\cell c") == "| a | b | c |"


@pytest.mark.parametrize("format", ["rtf", "text", "markdown"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n"])
def test_rtf_is_read_under_the_name_of_a_text_as_well(start: bytes, format: str):
    data = start + rb"{\rtf1\ansi{\fonttbl\f0 Helvetica;}\f0\pard The gate is open.\par }"
    assert extract(data, format).text == "The gate is open."
    assert read_fields(data, format).fields == {}


def test_rtf_in_utf8_is_read():
    assert extract("{\\rtf1 Größe 日本}".encode(), "rtf").text == "Größe 日本"


def test_a_truncated_file_is_read_with_a_warning():
    result = extract(rtf(r"The gate is open.\par {\b It")[:-1], "rtf")
    assert result.text == "The gate is open.\n\nIt"
    assert result.warnings == ("The file ends before its last group does; it is read up to there.",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"plain", "is not RTF"),
        (b"PK\x03\x04", "ZIP archive"),
        (rb"{\rtf1 {\*\gone x}}", "no text"),
        (b"{\\rtf1 " + b"{" * 100_000, "nested too deeply"),
    ],
)
def test_other_files_are_named(data: bytes, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, "rtf")
    assert caught.value.remedy
