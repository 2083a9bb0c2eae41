"""What a page of a DOCX shows is in its text: numbers, signs, formulas, boxes that are ticked, and what stands beside the body.

The files are written part by part, as word processors write them. What does not belong here: damaged files, and what all formats
have in common (test_extraction).
"""

import io
import zipfile
from collections.abc import Mapping

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.docx.document import read_docx
from seed_assets.core.reading.docx.docx_text import DocxText
from seed_assets.core.reading.docx.drawings import described

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{name}"'
    for prefix, name in {
        "w": W,
        "r": R,
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
        "dgm": "http://schemas.openxmlformats.org/drawingml/2006/diagram",
    }.items()
)
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def packed(
    body: str, parts: Mapping[str, str | bytes] | None = None, relations: Mapping[str, str] | None = None
) -> bytes:
    """A DOCX. parts: name below word/ -> content, with `<root>` for an element with all namespaces. relations: id -> part."""
    document = f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    links = "".join(f'<Relationship Id="{name}" Type="t" Target="{part}"/>' for name, part in (relations or {}).items())
    content: dict[str, str | bytes] = {
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r" Type="{R}/officeDocument" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": document,
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATIONS}">{links}</Relationships>',
        **{f"word/{name}": part for name, part in (parts or {}).items()},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return file.getvalue()


def read(
    body: str, parts: Mapping[str, str | bytes] | None = None, relations: Mapping[str, str] | None = None
) -> DocxText:
    return read_docx(packed(body, parts, relations))


def text_of(
    body: str, parts: Mapping[str, str | bytes] | None = None, relations: Mapping[str, str] | None = None
) -> str:
    return read(body, parts, relations).text


def root(name: str, content: str) -> str:
    return f"<{name} {NAMESPACES}>{content}</{name}>"


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(content: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{content if content.startswith('<') else run(content)}</w:p>"


def item(text: str, list_id: int = 1, level: int = 0) -> str:
    place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return paragraph(text, place) if text else f"<w:p><w:pPr>{place}</w:pPr></w:p>"


def numbering(
    *levels: tuple[str, str], more: str = "", lists: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
) -> str:
    written = "".join(
        f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>{more}</w:lvl>'
        for number, (form, text) in enumerate(levels)
    )
    return root("w:numbering", f'<w:abstractNum w:abstractNumId="0">{written}</w:abstractNum>{lists}')


def test_items_have_the_numbers_that_are_printed() -> None:
    found = text_of(
        item("Open") + item("Left", level=1) + item("Right", level=1) + item("Close") + item("Again", level=1),
        {"numbering.xml": numbering(("decimal", "%1."), ("lowerLetter", "%2)"))},
    )
    assert found == "1. Open\n  a) Left\n  b) Right\n2. Close\n  a) Again"


@pytest.mark.parametrize(
    ("form", "third"),
    [
        ("decimal", "3"),
        ("decimalZero", "03"),
        ("lowerRoman", "iii"),
        ("upperRoman", "III"),
        ("upperLetter", "C"),
        ("ordinal", "3rd"),
        ("decimalEnclosedCircle", "③"),
        ("russianLower", "в"),
        ("ideographDigital", "3"),
    ],
)
def test_numbers_have_the_form_of_their_level(form: str, third: str) -> None:
    found = text_of("".join(map(item, "abc")), {"numbering.xml": numbering((form, "%1"))})
    assert found.splitlines()[2] == f"{third} c"


def test_headings_have_the_numbers_of_their_style_and_titles_do_not() -> None:
    styles = root(
        "w:styles",
        "".join(
            f'<w:style w:styleId="H{level}"><w:name w:val="heading {level}"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr>'
            "</w:pPr></w:style>"
            for level in (1, 2)
        ),
    )
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:pStyle w:val="H{level + 1}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for level, text in enumerate(("%1", "%1.%2"))
    )
    lists = f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    body = "".join(
        paragraph(text, f'<w:pStyle w:val="H{level}"/>')
        for level, text in ((1, "Scope"), (1, "Gates"), (2, "Upper"), (2, "Lower"), (1, "Locks"), (2, "Old"))
    )
    found = read(body, {"styles.xml": styles, "numbering.xml": root("w:numbering", lists)})
    assert found.text.split("\n\n") == [
        *("# 1 Scope", "# 2 Gates", "## 2.1 Upper", "## 2.2 Lower", "# 3 Locks", "## 3.1 Old"),
    ]
    assert found.title == "Scope"


def test_lists_of_one_definition_go_on_counting_unless_they_state_their_start() -> None:
    lists = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="0"/>{override}</w:num>'
        for number, override in (
            (1, ""),
            (2, ""),
            (3, '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'),
        )
    )
    body = item("a") + item("b", 2) + item("", 2) + item("c", 1) + item("d", 3) + item("e", 3)
    found = text_of(body, {"numbering.xml": numbering(("decimal", "%1."), lists=lists)})
    assert found == "1. a\n2. b\n\n4. c\n7. d\n8. e", "an empty paragraph is counted and not printed"


def test_bullets_are_one_sign_whatever_their_font() -> None:
    assert text_of(item("a") + item("b"), {"numbering.xml": numbering(("bullet", "\uf0b7"))}) == "- a\n- b"
    assert text_of(item("a") + item("b")) == "- a\n- b"
    assert text_of(item("a"), {"numbering.xml": numbering(("none", ""))}) == "a"


def test_signs_of_symbol_fonts_are_letters_and_signs() -> None:
    def sign(font: str, code: str) -> str:
        return f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'

    assert text_of(paragraph(sign("Symbol", "F061") + sign("Symbol", "62") + sign("Symbol", "F0A3"))) == "αβ≤"
    assert (
        text_of(paragraph(sign("Wingdings", "F0FC") + sign("Wingdings", "F0E0") + sign("Wingdings 2", "F050"))) == "✓→✓"
    )
    assert text_of(paragraph(sign("Wingdings", "F0FE") + sign("Wingdings", "F0A8"))) == "☒☐"
    assert text_of(paragraph(run("\uf044T", '<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>'))) == "ΔΤ"
    assert text_of(paragraph(run("a") + sign("Nobody's", "F0FE") + sign("Symbol", "zz") + run("b"))) == "ab"


def test_fields_of_forms_show_what_was_chosen() -> None:
    def field(data: str, result: str = "") -> str:
        return (
            f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
            f'<w:r><w:instrText> FORM </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{result}'
            '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        )

    choices = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="East"/><w:listEntry w:val="West"/></w:ddList>'
    body = paragraph(
        field("<w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox>")
        + run(" open ")
        + field("<w:checkBox><w:default w:val='0'/></w:checkBox>")
        + run(" shut, ")
        + field(choices)
        + run(", by ")
        + field("<w:textInput/>", run("Marta"))
    )
    assert text_of(body) == "☒ open ☐ shut, West, by Marta"


def test_placeholders_and_hidden_text_are_left_out() -> None:
    placeholder = (
        f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{run('Click here.')}</w:sdtContent></w:sdt>"
    )
    filled = f"<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{run('Marta')}</w:sdtContent></w:sdt>"
    block = (
        f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{paragraph('Type a text.')}</w:sdtContent></w:sdt>"
    )
    assert text_of(paragraph(run("Name: ") + placeholder + filled) + block) == "Name: Marta"
    styles = root("w:styles", '<w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>')
    body = paragraph(
        run("Seen")
        + run(" hidden", "<w:vanish/>")
        + run(" by style", '<w:rStyle w:val="Secret"/>')
        + run(" shown", '<w:vanish w:val="0"/>')
    )
    assert text_of(body, {"styles.xml": styles}) == "Seen shown"


def test_raised_and_lowered_text_is_not_run_into_the_line() -> None:
    up, down = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
    body = paragraph(
        run("10")
        + run("6", up)
        + run(" l of H")
        + run("2", down)
        + run("O, the 1")
        + run("st", up)
        + run(" x")
        + run("n", up)
        + run("+1", up)
    )
    assert text_of(body) == "10⁶ l of H₂O, the 1st xⁿ⁺¹"


def m(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        (f"<m:f><m:num>{m('1')}</m:num><m:den>{m('2')}</m:den></m:f>", "1/2"),
        (f"<m:f><m:num>{m('a+b')}</m:num><m:den>{m('2c')}</m:den></m:f>", "(a+b)/2c"),
        (f"<m:sSup><m:e>{m('10')}</m:e><m:sup>{m('6')}</m:sup></m:sSup>", "10^6"),
        (f"<m:sSubSup><m:e>{m('x')}</m:e><m:sub>{m('i')}</m:sub><m:sup>{m('n+1')}</m:sup></m:sSubSup>", "x_i^(n+1)"),
        (f"<m:rad><m:radPr/><m:deg/><m:e>{m('x+1')}</m:e></m:rad>", "√(x+1)"),
        (f"<m:rad><m:deg>{m('3')}</m:deg><m:e>{m('x')}</m:e></m:rad>", "root(3, x)"),
        (
            f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{m("i=1")}</m:sub><m:sup>{m("n")}</m:sup>'
            f"<m:e>{m('i')}</m:e></m:nary>",
            "∑_(i = 1)^n i",
        ),
        (f"<m:d><m:e>{m('a')}</m:e></m:d>", "(a)"),
        (f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e>{m("a")}</m:e></m:d>', "[a]"),
        (
            f"<m:d><m:e><m:m><m:mr><m:e>{m('1')}</m:e><m:e>{m('0')}</m:e></m:mr><m:mr><m:e>{m('0')}</m:e>"
            f"<m:e>{m('1')}</m:e></m:mr></m:m></m:e></m:d>",
            "(1, 0; 0, 1)",
        ),
        (f"<m:func><m:fName>{m('sin')}</m:fName><m:e>{m('x')}</m:e></m:func>", "sin x"),
        (f'<m:acc><m:accPr><m:chr m:val="&#x20d7;"/></m:accPr><m:e>{m("v")}</m:e></m:acc>', "vec(v)"),
        (f"<m:limLow><m:e>{m('lim')}</m:e><m:lim>{m('x→0')}</m:lim></m:limLow>", "lim_(x → 0)"),
    ],
)
def test_formulas_are_written_so_that_they_can_be_read(formula: str, written: str) -> None:
    assert text_of(paragraph(f"{run('It is ')}<m:oMath>{formula}</m:oMath>{run('.')}")) == f"It is {written}."


def test_a_formula_nested_without_end_takes_no_stack() -> None:
    deep = "<m:f><m:num>" * 3_000 + m("1") + "</m:num></m:f>" * 3_000
    with pytest.raises(RecursionError, match="nested"):
        read(paragraph(f"<m:oMath>{deep}</m:oMath>"))
    deep = "<m:f><m:num>" * 100 + m("1") + f"</m:num><m:den>{m('2')}</m:den></m:f>" * 100
    assert "1" in text_of(paragraph(f"<m:oMath>{deep}</m:oMath>"))


def test_merged_cells_keep_the_columns_under_each_other() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    def row(*cells: str, properties: str = "") -> str:
        return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"

    wide, starts, goes_on = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    body = (
        row(cell("Gate"), cell("Level", wide), cell("Keeper"))
        + row(cell("East", starts), cell("1.9"), cell("2.1"), cell("Marta"))
        + row(cell("", goes_on), cell("2.0"), cell("2.2"), cell("Karl"))
        + row(cell("3.1"), cell("Ilse"), properties='<w:gridBefore w:val="2"/>')
    )
    assert text_of(f"<w:tbl>{body}</w:tbl>").splitlines() == [
        "| Gate | Level |  | Keeper |",
        "| --- | --- | --- | --- |",
        "| East | 1.9 | 2.1 | Marta |",
        "|  | 2.0 | 2.2 | Karl |",
        "|  |  | 3.1 | Ilse |",
    ]


def test_a_table_in_a_cell_stays_in_its_row() -> None:
    def rows(*cells: list[str]) -> str:
        return "".join(f"<w:tr>{''.join(f'<w:tc>{cell}<w:p/></w:tc>' for cell in row)}</w:tr>" for row in cells)

    inner = f"<w:tbl>{rows([paragraph('Level'), paragraph('1.9')], [paragraph('Flow'), paragraph('3')])}</w:tbl>"
    body = rows(
        [paragraph("Gate"), paragraph("Measured")], [paragraph("East"), inner], [paragraph("West"), paragraph("-")]
    )
    assert text_of(f"<w:tbl>{body}</w:tbl>").splitlines() == [
        "| Gate | Measured |",
        "| --- | --- |",
        "| East | Level, 1.9; Flow, 3 |",
        "| West | - |",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chunk.html", "<html><body><p>The spring tide came at noon and filled the basin.</p></body></html>"),
        ("chunk.txt", "The spring tide came at noon and filled the basin."),
        (
            "chunk.mht",
            "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n"
            "Content-Transfer-Encoding: quoted-printable\n\n<p>The spring tide came at =\nnoon and filled the basin.</p>\n"
            "--b--\n",
        ),
        ("chunk.docx", packed(paragraph("The spring tide came at noon and filled the basin."))),
    ],
)
def test_imported_files_stand_where_they_are_imported(name: str, content: str | bytes) -> None:
    found = text_of(paragraph("Before") + '<w:altChunk r:id="x"/>' + paragraph("After"), {name: content}, {"x": name})
    assert found == "Before\n\nThe spring tide came at noon and filled the basin.\n\nAfter"


def test_an_imported_file_that_cannot_be_read_is_a_warning() -> None:
    body = paragraph("Before") + '<w:altChunk r:id="x"/>'
    found = read(body, {"chunk.bin": b"\x00\x01"}, {"x": "chunk.bin"})
    assert found.text == "Before"
    (warning,) = found.warnings
    assert "chunk.bin" in warning
    assert ".bin files" in warning
    assert read(body, {}, {"x": "gone.html"}).text == "Before"


def test_a_document_that_imports_itself_ends() -> None:
    inner = packed(paragraph("Inner"))
    for _ in range(6):
        inner = packed(paragraph("Outer") + '<w:altChunk r:id="x"/>', {"chunk.docx": inner}, {"x": "chunk.docx"})
    found = read_docx(inner)
    assert found.text.count("Outer") == 4
    assert any("too deeply" in warning for warning in found.warnings)


def test_comments_and_notes_follow_the_text() -> None:
    comments = root(
        "w:comments",
        f'<w:comment w:id="0" w:author="Ilse">{paragraph("Check the figure.")}{paragraph("In the archive.")}</w:comment>'
        f'<w:comment w:id="1">{paragraph("Agreed.")}</w:comment>',
    )
    notes = root(
        "w:footnotes",
        f'<w:footnote w:type="separator">{paragraph("-")}</w:footnote><w:footnote>{paragraph("See 1911.")}</w:footnote>',
    )
    found = text_of(paragraph("The flood."), {"comments.xml": comments, "footnotes.xml": notes})
    assert found.split("\n\n") == [
        *("The flood.", "See 1911.", "[Comment by Ilse: Check the figure. In the archive.]", "[Comment: Agreed.]"),
    ]


def test_headers_and_footers_stand_once_without_page_numbers() -> None:
    def field(name: str) -> str:
        return f'<w:fldSimple w:instr=" {name} ">{run("7")}</w:fldSimple>'

    complex_field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("7")}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    tab = "<w:r><w:tab/></w:r>"
    parts = {
        "header1.xml": root("w:hdr", paragraph(run("File No. HT-117") + tab + run("Page ") + field("PAGE"))),
        "header2.xml": root("w:hdr", paragraph("File No. HT-117") + paragraph("The flood of 1911")),
        "footer1.xml": root(
            "w:ftr", paragraph(run("- ") + complex_field + run(" of ") + field("NUMPAGES") + run(" -"))
        ),
        "header3.xml": root("w:hdr", paragraph("Of no section")),
    }
    kinds = {"a": "header", "b": "header", "c": "footer"}
    links = "".join(f'<w:{kind}Reference r:id="{name}" w:type="default"/>' for name, kind in kinds.items())
    found = text_of(
        paragraph("The flood of 1911") + f"<w:sectPr>{links}</w:sectPr>",
        parts,
        {"a": "header1.xml", "b": "header2.xml", "c": "footer1.xml"},
    )
    assert found.split("\n\n") == ["The flood of 1911", "File No. HT-117"]


def test_diagrams_charts_and_descriptions_of_pictures_are_text() -> None:
    def point(text: str, kind: str = "node") -> str:
        return f'<dgm:pt type="{kind}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'

    def values(*found: str) -> str:
        return (
            "<c:strCache>"
            + "".join(f'<c:pt idx="{n}"><c:v>{v}</c:v></c:pt>' for n, v in enumerate(found))
            + "</c:strCache>"
        )

    data = root("dgm:dataModel", point("Inspect") + point("", "pres") + point("Grease"))
    series = (
        f"<c:tx>{values('Level')}</c:tx><c:cat>{values('May', 'June')}</c:cat><c:val>{values('4.1', '3.2')}</c:val>"
    )
    title = "<c:title><a:p><a:r><a:t>Water in the basin</a:t></a:r></a:p></c:title>"
    body = (
        paragraph('<w:r><w:drawing><wp:inline><dgm:relIds r:dm="d"/></wp:inline></w:drawing></w:r>')
        + paragraph(
            '<w:r><w:drawing><wp:inline><wp:docPr id="1" descr="A gate, half open"/><c:chart r:id="c"/></wp:inline>'
            "</w:drawing></w:r>"
        )
        + paragraph("After")
    )
    found = text_of(
        body,
        {"diagrams/data1.xml": data, "charts/chart1.xml": root("c:chart", f"{title}<c:ser>{series}</c:ser>")},
        {"d": "diagrams/data1.xml", "c": "charts/chart1.xml"},
    )
    assert found.split("\n\n") == [
        "- Inspect\n- Grease",
        "[Picture: A gate, half open]",
        "[Chart: Water in the basin]",
        "|  | Level |\n| --- | --- |\n| May | 4.1 |\n| June | 3.2 |",
        "After",
    ]


def picture(width: int, height: int, description: str = "") -> str:
    """A picture in a drawing; its sizes are in 1/360000 of a centimetre."""
    return (
        f'<w:r><w:drawing><wp:inline><wp:extent cx="{width}" cy="{height}"/><wp:docPr id="1" descr="{description}"/>'
        "<a:graphic><a:graphicData><a:pic/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )


_OLD_PICTURE = (
    '<w:r><w:pict><w:shape style="width:200pt;height:3in" alt="{}"><w:imagedata r:id="a"/></w:shape></w:pict></w:r>'
)


def test_pictures_without_descriptions_are_counted_but_for_small_ones() -> None:
    """Guards against a screenshot that nobody is warned of, and against a warning for each logo and line."""
    large = picture(3_000_000, 2_000_000)
    body = paragraph("Text") + paragraph(large + _OLD_PICTURE.format("")) + paragraph(picture(3_000_000, 300_000))
    body += paragraph(picture(3_000_000, 2_000_000, "A gate") + _OLD_PICTURE.format("A lock"))
    header = root("w:hdr", paragraph(large))
    section = '<w:sectPr><w:headerReference r:id="h"/></w:sectPr>'
    found = read(body + section, {"header1.xml": header}, {"h": "header1.xml"})
    assert found.text == "Text\n\n[Picture: A gate]\n\n[Picture: A lock]"
    assert found.warnings == ("2 pictures without descriptions were not read.",)
    one = read(paragraph("Text") + paragraph(picture(0, 0)))
    assert one.warnings == ("1 picture without a description was not read.",)


def test_a_document_that_holds_only_pictures_says_so() -> None:
    with pytest.raises(DocumentError, match=r"only pictures.*PNG.*PDF"):
        read(paragraph(picture(3_000_000, 200_000)))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("A gate, half open", "A gate, half open"),
        ("A gate\n\nDescription automatically generated with medium confidence", "A gate"),
        ("scan0001.JPG", ""),
        ("Picture 3", ""),
        ("", ""),
    ],
)
def test_a_description_that_a_program_wrote_is_none(written: str, kept: str) -> None:
    assert described(written) == kept
