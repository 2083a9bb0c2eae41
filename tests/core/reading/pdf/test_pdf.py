"""What a page of a PDF shows is in its text or is named: forms, notes, accents, order of lines, unreadable pages, titles.

What does not belong here: damaged files, and what all formats have in common (test_extraction).
"""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.pdf.hyphenation import joined_hyphens
from seed_assets.core.reading.pdf.legibility import is_legible
from seed_assets.core.reading.pdf.line_order import drawn_backwards, turned_around
from tests.support.pdf_files import Page, at, lines, pdf

PICTURE = (
    "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\n"
    "stream\n0\nendstream"
)
SCAN = "q 400 0 0 400 0 0 cm /Im1 Do Q"
# Letters by their numbers in a font, as a text layer has them that says nothing of its characters.
CODES = "7KHKDUERXUPDVWHURI9HOOLQRSHQHGWKHVOXLFHJDWHDWGDZQEHFDXVHWKHVSULQJWLGHKDGILOOHG"


def read(data: bytes) -> ExtractedText:
    return extract(data, "pdf")


def reason_of(data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        read(data)
    return str(caught.value)


def field(kind: str, rect: str, more: str) -> str:
    return f"<< /Type /Annot /Subtype /Widget /FT /{kind} /Rect [{rect}] /F 4 {more} >>"


def form(*fields: str, content: str) -> bytes:
    first = 12
    references = " ".join(f"{first + place} 0 R" for place in range(len(fields)))
    return pdf([Page(content, list(fields))], catalog=f"/AcroForm << /Fields [{references}] >>")


def test_each_page_begins_where_it_is_said_to() -> None:
    found = read(
        pdf([lines("First page."), lines("It takes 30 grams of"), lines("water. Then more."), "", lines("End.")])
    )
    assert found.text == "First page.\n\nIt takes 30 grams of\nwater. Then more.\n\nEnd."
    assert [found.text[start:][:5].strip() for start in found.page_starts] == ["First", "It ta", "water", "End", "End."]


def test_a_word_that_is_divided_by_a_page_is_joined_and_belongs_to_the_first() -> None:
    found = read(pdf([lines("He wrote the measure-"), lines("ments into the ledger.")]))
    assert (
        found.text == "He wrote the measurements\ninto the ledger."
        or found.text == "He wrote the measurements into the ledger."
    )
    assert found.text[found.page_starts[1] :].strip().startswith("into")


def test_values_of_forms_stand_after_their_labels() -> None:
    found = read(
        form(
            field("Tx", "150 338 380 352", "/T (vessel) /V (Corran Maid)"),
            field("Tx", "150 318 380 332", "/T (draught) /V (1.85 metres)"),
            field("Tx", "150 298 380 312", "/T (empty)"),
            field("Tx", "150 278 380 292", "/T (secret) /V (hunter2) /Ff 8192"),
            field("Ch", "150 258 380 272", "/T (lock) /Ff 131072 /Opt [[(e) (East)] [(w) (West)]] /V (w)"),
            content=" ".join(
                at(20, 340 - 20 * place, label)
                for place, label in enumerate(("Name of vessel:", "Draught:", "Left blank:", "Password:", "Lock:"))
            ),
        )
    )
    assert found.text.split("\n") == [
        *("Name of vessel: Corran Maid", "Draught: 1.85 metres", "Left blank:", "Password:", "Lock: West"),
    ]


def test_boxes_show_whether_they_are_ticked() -> None:
    ticked = "/T (a{n}) /V /{state} /AS /{state} /AP << /N << /On 10 0 R /Off 10 0 R >> >>"
    found = read(
        form(
            field("Btn", "20 338 32 350", ticked.format(n=1, state="On")),
            field("Btn", "20 318 32 330", ticked.format(n=2, state="Off")),
            field("Btn", "20 298 90 310", "/T (send) /Ff 65536"),
            content=at(40, 340, "Gate inspected") + at(40, 320, "Gate greased"),
        )
    )
    assert found.text == "☒ Gate inspected\n☐ Gate greased"


def test_a_box_is_ticked_if_the_appearance_that_is_named_is_not_that_of_an_empty_box() -> None:
    # The names of the appearance and of the value differ, which pdfium takes for "not checked".
    ticked = field("Btn", "20 338 32 350", "/T (a) /V /yes /AS /yes /AP << /N << /On 10 0 R >> >>")
    assert read(form(ticked, content=at(40, 340, "Gate inspected"))).text == "☒ Gate inspected"


def test_a_page_of_fields_without_any_other_text_is_read_from_the_top_down() -> None:
    fields = (
        field("Tx", "20 218 300 232", "/T (b) /V (Below)"),
        field("Btn", "20 318 32 330", "/T (c) /V /On /AS /On /AP << /N << /On 10 0 R >> >>"),
        field("Tx", "40 318 300 332", "/T (a) /V (Above)"),
    )
    assert read(form(*fields, content="")).text == "☒\nAbove\nBelow"
    empty = field("Btn", "20 318 32 330", "/T (c) /V /Off /AS /Off /AP << /N << /On 10 0 R >> >>")
    assert "no text layer" in reason_of(form(empty, content=""))


def test_fields_are_read_though_the_file_names_no_form() -> None:
    fields = [
        field("Tx", "110 338 300 352", "/T (a) /V (Marta)"),
        field("Tx", "110 318 300 332", "/T (b) /V (hunter2) /Ff 8192"),
        field("Btn", "20 298 32 310", "/T (c) /V /On /AS /On /AP << /N << /On 10 0 R >> >>"),
    ]
    content = at(20, 340, "Name:") + at(20, 320, "Password:") + at(40, 300, "Greased")
    assert read(pdf([Page(content, fields)])).text == "Name: Marta\nPassword:\n☒ Greased"


def test_a_value_is_not_put_into_a_word_that_its_field_lies_over() -> None:
    over = field("Tx", "29 338 300 352", "/T (a) /V (Marta)")
    assert read(form(over, content=at(20, 340, "Name of ship"))).text == "Name Marta of ship"


def test_text_boxes_stand_in_their_place_and_notes_follow_the_page() -> None:
    def annotation(kind: str, more: str) -> str:
        return f"<< /Type /Annot /Subtype /{kind} {more} >>"

    page = Page(
        at(20, 340, "The gate log") + at(20, 200, "The end"),
        [
            annotation("FreeText", "/Rect [20 260 200 300] /Contents (Repaired on 4 May by Marta.)"),
            annotation("Text", "/Rect [300 340 320 360] /Contents (Ask the archive.) /T (Ilse)"),
            annotation("Highlight", "/Rect [20 200 60 214] /Contents (Check this.)"),
            annotation("Link", "/Rect [20 200 60 214] /Contents (nothing)"),
            annotation("FreeText", "/Rect [20 100 200 120] /Contents (Hidden) /F 2"),
        ],
    )
    found = read(pdf([page, lines("Next page.")]))
    assert found.text == (
        "The gate log\nRepaired on 4 May by Marta.\nThe end\n\n[Note by Ilse: Ask the archive.]\n\n[Note: Check this.]\n\n"
        "Next page."
    )


def test_accents_that_are_drawn_over_letters_are_joined_with_them() -> None:
    # The u of Muller begins at 54 and is 6.7 wide; the accent is drawn over its middle, after the line.
    content = at(20, 340, "The Muller mill") + at(55.3, 340, "\xa8") + at(20, 300, "x ^ y and ~ 7")
    assert read(pdf([content])).text == "The Müller mill\nx ^ y and ~ 7"


def test_lines_that_are_drawn_from_the_bottom_up_are_read_from_the_top_down() -> None:
    texts = [f"Line {number} of the page." for number in range(6)]
    upwards = " ".join(at(20, 300 - 20 * number, text) for number, text in reversed(list(enumerate(texts))))
    assert read(pdf([Page(upwards, more="/Rotate 90")])).text.split("\n") == texts


def test_a_page_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    pages = [lines("First page."), SCAN, lines("Third page."), "", lines("Fifth page.")]
    found = read(pdf(pages, objects=[PICTURE]))
    assert found.text == "First page.\n\nThird page.\n\nFifth page."
    assert found.warnings == ("1 of 5 pages holds no text: it is a picture or a scan (page 2).",)
    assert len(found.page_starts) == 5
    garbled = read(pdf([lines("First page."), lines(CODES, CODES), lines("Third page.")]))
    assert garbled.text == "First page.\n\nThird page."
    assert "1 of 3 pages cannot be read" in garbled.warnings[0]
    lost = read(pdf([lines("First page."), lines("Second.")], kids=["10 0 R", "5 0 R", "12 0 R"]))
    assert lost.text == "First page.\n\nSecond."
    assert lost.warnings == ("1 of 3 pages is damaged (page 2).",)


def test_pages_that_the_number_of_pages_leaves_out_are_read() -> None:
    data = pdf([lines("First."), lines("Third.")], kids=["10 0 R", "5 0 R", "12 0 R"]).replace(b"/Count 3", b"/Count 2")
    found = read(data)
    assert found.text == "First.\n\nThird."
    assert found.warnings == ("1 of 3 pages is damaged (page 2).",)


LEFT = [f"Left line {number} goes on with some more words" for number in range(8)]
RIGHT = [f"Right line {number} says what it has to say" for number in range(8)]


def by_rows(*columns: list[str], across: float = 190) -> str:
    """Operators that draw columns line by line, each line of all columns before the next."""
    rows = zip(*columns, strict=True)
    return "".join(
        at(20 + across * place, 300 - 14 * number, text, 7)
        for number, row in enumerate(rows)
        for place, text in enumerate(row)
    )


def test_columns_that_are_drawn_row_by_row_are_read_one_after_the_other() -> None:
    headline = at(20, 340, "A headline that goes over both of the columns of this page", 11)
    end = at(20, 150, "And a last line below them, which goes over both columns again", 11)
    found = read(pdf([headline + by_rows(LEFT, RIGHT) + end]))
    assert found.text.split("\n") == [
        "A headline that goes over both of the columns of this page",
        *LEFT,
        *RIGHT,
        "And a last line below them, which goes over both columns again",
    ]
    three = [[f"Column {name}, line {number}, some words" for number in range(8)] for name in "abc"]
    assert read(pdf([by_rows(*three, across=130)])).text.split("\n") == [line for column in three for line in column]


def test_columns_that_are_drawn_one_after_the_other_stay() -> None:
    left = "".join(at(20, 300 - 14 * number, text, 7) for number, text in enumerate(LEFT))
    right = "".join(at(210, 300 - 14 * number, text, 7) for number, text in enumerate(RIGHT))
    assert read(pdf([left + right])).text.split("\n") == [*LEFT, *RIGHT]


def test_a_document_most_of_which_cannot_be_read_is_a_failure_that_names_its_pages() -> None:
    reason = reason_of(pdf([lines("Scanned by the library.")] + [SCAN] * 9, objects=[PICTURE]))
    assert "9 of 10 pages hold no text" in reason
    assert "pages 2 to 10" in reason
    assert "ocrmypdf" in reason
    assert "cannot be read" in reason_of(pdf([lines(CODES, CODES)]))
    assert "none of its 2 pages" in reason_of(pdf([], kids=["5 0 R", "6 0 R"]))
    assert "no text layer (a scan)" in reason_of(pdf([SCAN], objects=[PICTURE]))


def test_a_form_that_only_a_program_can_show_is_named() -> None:
    waits = lines("Please wait...", "If this message is not replaced, your viewer cannot show it.", "See Adobe.")
    xfa = "<< /Length 30 >>\nstream\n<xdp:xdp xmlns:xdp='x'></xdp:xdp>\nendstream"
    data = pdf([waits], catalog="/AcroForm << /Fields [] /XFA 10 0 R >>", objects=[xfa])
    assert "XFA" in reason_of(data)


def test_the_files_of_a_portfolio_are_parts_of_it() -> None:
    inner = pdf([lines("The text of the part.")]).decode("latin-1")
    file = f"<< /Type /EmbeddedFile /Length {len(inner)} >>\nstream\n{inner}\nendstream"
    other = "<< /Type /EmbeddedFile /Length 5 >>\nstream\nabcde\nendstream"
    names = "/Names << /EmbeddedFiles << /Names [(part.pdf) 12 0 R (sheet.xls) 13 0 R] >> >>"
    specs = [
        f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F {n} 0 R >> >>"
        for name, n in (("part.pdf", 10), ("sheet.xls", 11))
    ]
    objects = [file, other, *specs]
    found = read(pdf([lines("Open it in a program.")], catalog=f"{names} /Collection << >>", objects=objects))
    assert (
        found.text
        == "Open it in a program.\n\n# part.pdf\n\nThe text of the part.\n\n[File of the portfolio: sheet.xls]"
    )
    assert found.warnings == ("Files of the portfolio that have no reader are not read: sheet.xls.",)
    attached = read(pdf([lines("An invoice.")], catalog=names, objects=objects))
    assert attached.text == "An invoice.\n\n[Attached file: part.pdf]\n\n[Attached file: sheet.xls]"
    assert attached.warnings == ()


def test_the_files_of_a_portfolio_are_read_in_their_formats() -> None:
    """A portfolio holds spreadsheets, notes and mails as often as PDFs."""
    files = {
        "notes.md": "# The lower gate\n\nIt is open.",
        "levels.csv": "Gate,Level\nEast,4\n",
        "bad.docx": "no archive",
    }
    streams = [f"<< /Type /EmbeddedFile /Length {len(text)} >>\nstream\n{text}\nendstream" for text in files.values()]
    specs = [f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F {n} 0 R >> >>" for n, name in enumerate(files, 10)]
    listed = " ".join(f"({name}) {n} 0 R" for n, name in enumerate(files, 13))
    catalog = f"/Names << /EmbeddedFiles << /Names [{listed}] >> >> /Collection << >>"
    found = read(pdf([lines("Open it in a program.")], catalog=catalog, objects=[*streams, *specs]))
    assert found.text == (
        "Open it in a program.\n\n# notes.md\n\n# The lower gate\n\nIt is open.\n\n"
        "# levels.csv\n\nGate; Level\n\nGate: East; Level: 4\n\n[File of the portfolio: bad.docx]"
    )
    assert [warning.partition(":")[0] for warning in found.warnings] == [
        "bad.docx, a file of the portfolio, was not read"
    ]


BODY = lines(*[f"Line {number} of an ordinary page of text about the lock." for number in range(9)], top=300)


@pytest.mark.parametrize(
    "given",
    [
        "Book1",
        "Layout 1",
        "Print",
        "test",
        "10811.exe",
        "scan0001",
        "C:\\\\reports\\\\a.doc",
        "20240131_1204",
        "untitled",
        "Acr3F2A",
        "",
    ],
)
def test_a_title_that_a_program_gave_loses_against_large_print(given: str) -> None:
    content = at(20, 350, "Annual report of the lock", 22) + BODY
    assert read(pdf([content], title=given)).title == "Annual report of the lock"


@pytest.mark.parametrize("given", ["The lock of Vellin", "Report 2024 on the lock", "Sluices"])
def test_a_title_that_somebody_gave_is_kept(given: str) -> None:
    content = at(20, 350, "Annual report on sluices", 22) + BODY
    assert read(pdf([content], title=given)).title == given


def test_large_print_of_several_lines_is_one_title() -> None:
    content = at(20, 370, "Annual report", 22) + at(20, 345, "of the lock", 22) + BODY
    assert read(pdf([content])).title == "Annual report of the lock"
    assert read(pdf([BODY])).title == "Line 0 of an ordinary page of text about the lock."


@pytest.mark.parametrize(
    ("text", "legible"),
    [
        ("The harbour master of Vellin opened the sluice gate at dawn, because the tide had come. " * 3, True),
        ("Вчера вечером открыли шлюз в гавани, потому что прилив наполнил верхний бассейн. " * 3, True),
        ("昨日の夕方、港の水門が開かれた。三隻の船が下で待っていた。昼までに水は二メートル下がった。" * 3, True),
        ("https://example.org/a/very/long/address/that/never/ends?with=arguments&and=more " * 8, True),
        ("1.85 2.10 3.70 4.15\n9.11 8.20 7.33 6.01\n" * 10, True),
        ("Abc. \ue000\ue001\ue002", True),
        ("", True),
        (CODES * 3, False),
        ("\ufffd" * 50, False),
        ("\ue123\ue124 \ue125", False),
        ("T\x01h\x02e\x0f h\x03a\x04r\x05b\x06our " * 10, False),
        ("xkcd qwrt pfgh bnmk zxcv lkjh " * 20, False),
        ("ᚠᚢ अआ 한국 ሀለ กข აბ ab гд " * 20, False),
    ],
)
def test_what_looks_like_writing_is_told_from_codes(text: str, legible: bool) -> None:
    assert is_legible(text) is legible


def test_hebrew_that_is_drawn_backwards_is_turned_around() -> None:
    backwards = "למנב םינוכיסה לע חוד\nתרושקת 2021 (דויצ) ABC def קפס"
    assert drawn_backwards(backwards)
    assert turned_around(backwards) == "דוח על הסיכונים בנמל\nספק ABC def (ציוד) 2021 תקשורת"
    assert not drawn_backwards("דוח על הסיכונים בנמל")
    assert not drawn_backwards("The gate log")


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("a well\ufffeknown book", "a well-known book"),
        ("for well\ufffeness", "for wellness"),
        ("self-\nmade", "self-made"),
        ("measure-\nments", "measurements"),
        ("see http://a.example/long-\npath/x.html and", "see http://a.example/long-path/x.html and"),
        ("(ftp://a.example/no\ufffereply) or post-\nmaster", "(ftp://a.example/no-reply) or postmaster"),
        ("www.a.example/2024-\n05-\n01", "www.a.example/2024-05-01"),
        ("pre- and post-\nwar gates", "pre- and post-war gates"),
        ("pre-\nwar", "pre-war"),
        ("Vor- und Nach-\nteile", "Vor- und Nachteile"),
        ("a 10-\nyear plan, COVID-\n19, 1990-\n2000", "a 10-year plan, COVID-19, 1990-2000"),
        ("Marta Ilsen-\nOude", "Marta Ilsen-Oude"),
        ("he said-\nThe end", "he said-\nThe end"),
        ("her mother-in-\nlaw, up-to-\ndate, well-estab-\nlished", "her mother-in-law, up-to-date, well-established"),
        ("anti-\ninflammatory, anti-\nbody", "anti-inflammatory, antibody"),
        ("NATO-\nled", "NATO-led"),
        ("two-\nstage, two-\nfold, computer-\nbased, un-\nknown", "two-stage, twofold, computer-based, unknown"),
        ("long-\nterm, long-\nitude, thresh-\nold, high-\nlight", "long-term, longitude, threshold, highlight"),
        ("measure-\n\ufdd0ments here", "measurements\ufdd0 here"),
    ],
)
def test_words_are_joined_and_compounds_kept(text: str, joined: str) -> None:
    assert joined_hyphens(text) == joined


def test_a_scan_with_a_notice_in_its_text_layer_is_not_taken_for_a_page_of_text() -> None:
    notice = "Generated on 4 May 2024 for the harbour library of Vellin, which has scanned it. Public domain in all countries."
    scan, small = (f"{drawn} {lines(notice, size=6)}" for drawn in (SCAN, "q 40 0 0 40 0 0 cm /Im1 Do Q"))
    for page, warned in [(scan, True), (small, False)]:
        found = read(pdf([page, lines("A page with letters.")], objects=[PICTURE]))
        assert notice.split()[0] in found.text
        assert (found.warnings != ()) == warned
