"""OpenDocument spreadsheets, presentations and flat files: every cell and every slide, and nothing that is not shown."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from tests.support.zip_files import bomb, zipped

URN = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(
    f'xmlns:{name}="{URN}:{space}:1.0"'
    for name, space in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
        ("presentation", "presentation"), ("svg", "svg-compatible"), ("meta", "meta"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip
STYLES = (
    '<office:automatic-styles><style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    '<style:style style:name="dp2"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>'
    "</office:automatic-styles>"
)


def content(kind: str, body: str, root: str = "document-content", meta: str = "") -> str:
    return (
        f"<office:{root} {SPACES}>{meta}{STYLES}<office:body><office:{kind}>{body}</office:{kind}></office:body>"
        f"</office:{root}>"
    )


def packed(kind: str, body: str) -> bytes:
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content(kind, body)})


def cell(text: str, attributes: str = "", more: str = "") -> str:
    return f"<table:table-cell {attributes}>{more}<text:p>{text}</text:p></table:table-cell>"


def row(*cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


NOTE = "<office:annotation><dc:creator>Ann</dc:creator><text:p>Check it.</text:p></office:annotation>"
SHEET = (
    '<table:table table:name="Pegel März"><table:table-column/><table:shapes><draw:frame><draw:text-box><text:p>In a box'
    "</text:p></draw:text-box></draw:frame></table:shapes><table:table-header-rows>"
    + row(cell("Tor"), cell("cm"), cell("Tag"), cell("Anteil"), cell("offen"))
    + "</table:table-header-rows>"
    + row(
        cell("Oben"),
        cell("4,5", 'office:value-type="float" office:value="4.5"', NOTE),
        cell("31.01.24", 'office:value-type="date" office:date-value="2024-01-31"'),
        cell("12 %", 'office:value-type="percentage" office:value="0.12"'),
        cell("WAHR", 'office:value-type="boolean" office:boolean-value="true"'),
    )
    + row(
        cell("Unten"),
        '<table:table-cell table:number-columns-repeated="2"/>',
        '<table:covered-table-cell><text:p>covered</text:p></table:covered-table-cell>',
        cell("nein"),
        '<table:table-cell table:number-columns-repeated="16000"/>',
    )
    + row(cell("Mitte"), cell("7", 'office:value-type="float" office:value="7"'), repeated=2)
    + row('<table:table-cell table:number-columns-repeated="16384"/>', repeated=1_048_000)
    + "</table:table>"
    + '<table:table table:name="Geheim" table:style-name="ta2">' + row(cell("hidden")) + "</table:table>"
)  # fmt: skip
TEXT = (
    "# Pegel März\n\nTor; cm; Tag; Anteil; offen\n\n"
    "Tor: Oben; cm: 4.5; Tag: 2024-01-31; Anteil: 12 %; offen: true\n\n"
    "Tor: Unten; offen: nein\n\nTor: Mitte; cm: 7\n\nTor: Mitte; cm: 7\n\nIn a box\n\n[Comment on B2: Check it.]"
)
HIDDEN = "Hidden sheets are not read: Geheim."


def test_every_cell_of_a_spreadsheet_is_read():
    result = extract(packed("spreadsheet", SHEET), "ods")
    assert (result.text, result.warnings) == (TEXT, (HIDDEN,))


def test_a_flat_file_is_read_as_a_packed_one():
    meta = "<office:meta><dc:title>Pegel</dc:title></office:meta>"
    data = b'<?xml version="1.0"?>\n' + content("spreadsheet", SHEET, "document", meta).encode()
    result = extract(data, "ods")
    assert (result.text, result.title, result.warnings) == (TEXT, "Pegel", (HIDDEN,))
    flat = content("text", "<text:h>Größe</text:h><text:p>Die Flut.</text:p>", "document").encode()
    assert extract(flat, "odt").text == "# Größe\n\nDie Flut."


def box(text: str, attributes: str = "") -> str:
    return f"<draw:frame {attributes}><draw:text-box>{text}</draw:text-box></draw:frame>"


def p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def test_every_slide_of_a_presentation_is_read_with_its_notes():
    slides = (
        "<draw:page>"
        + box(p("Die Flut<office:annotation><text:p>why?</text:p></office:annotation>"), 'presentation:class="title"')
        + box("<text:list><text:list-item>" + p("eins") + "<text:list><text:list-item>" + p("tief")
              + "</text:list-item></text:list></text:list-item></text:list>", 'presentation:class="outline"')
        + "<draw:frame><table:table>" + row(cell("Tor"), cell("cm")) + row(cell("Oben"), cell("4"))
        + "</table:table></draw:frame>"
        + "<draw:g><draw:custom-shape>" + p("In a shape") + "</draw:custom-shape></draw:g>"
        + box(p("7"), 'presentation:class="page-number"')
        + box(p("Click here"), 'presentation:class="subtitle" presentation:placeholder="true"')
        + "<presentation:notes>" + box(p("Say it slowly."), 'presentation:class="notes"') + "</presentation:notes>"
        + '</draw:page><draw:page draw:style-name="dp2">' + box(p("hidden")) + "</draw:page><draw:page>"
        + box(p("Last")) + "</draw:page>"
    )  # fmt: skip
    result = extract(packed("presentation", slides), "odp")
    assert result.title == "Die Flut"
    assert result.text == (
        "# Die Flut\n\n- eins\n  - tief\n\n| Tor | cm |\n| --- | --- |\n| Oben | 4 |\n\nIn a shape\n\nNotes: Say it slowly.\n\n"
        "[Comment: why?]\n\nLast"
    )
    assert result.warnings == ("Slide 2 is hidden and not read.",)


XXE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "expanded">]>'


def test_entities_are_not_expanded():
    body = '<table:table table:name="T">' + row(cell("a&x;b"), cell("c&y;d")) + "</table:table>"
    for data in (
        zipped({"content.xml": XXE + content("spreadsheet", body)}),
        (XXE + content("spreadsheet", body, "document")).encode(),
    ):
        try:
            text = extract(data, "ods").text
        except DocumentError:
            continue
        assert "expanded" not in text
        assert text.startswith("# T\n\na")


@pytest.mark.parametrize(
    ("data", "format", "reason"),
    [
        (packed("text", ""), "ods", "an OpenDocument file of another kind, not an ODS"),
        (packed("spreadsheet", ""), "odp", "an OpenDocument file of another kind, not an ODP"),
        (b"<?xml version='1.0'?><a>b</a>", "ods", "XML, but not an ODS"),
        (b"<office:document", "odp", "not valid XML"),
        (b"%PDF-1.7", "ods", "not an ODS: it is a PDF"),
        (zipped({"content.xml": "<a/>", "META-INF/manifest.xml": "<a><encryption-data/></a>"}), "ods", "needs a password"),
        (content("text", "<text:span>" * 300_000, "document").encode(), "odt", "not valid XML|nested too deeply"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(data: bytes, format: str, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, format)
    assert caught.value.remedy


def test_a_zip_bomb_is_named():
    with pytest.raises(DocumentError, match="ZIP bomb") as caught:
        extract(zipped({"content.xml": bomb()}), "ods")
    assert caught.value.remedy


def test_rows_and_cells_that_repeat_without_end_are_bounded():
    wide = (
        '<table:table table:name="T">' + row(cell("a", 'table:number-columns-repeated="999999999"')) + "</table:table>"
    )
    with pytest.raises(DocumentError, match="16,384 cells"):
        extract(packed("spreadsheet", wide), "ods")
    long = '<table:table table:name="T">' + row(cell("a"), repeated=99_999_999) + "</table:table>"
    with pytest.raises(DocumentError, match="1,048,576 rows"):
        extract(packed("spreadsheet", long), "ods")
    many = '<table:table table:name="T">' + row(cell("a"), repeated=1_000_000) + "</table:table>"
    assert extract(packed("spreadsheet", many), "ods").text.count("\na") == 10_000


def test_merged_hidden_and_zero_padded_cells_are_read_as_they_are_shown():
    merged = 'table:number-rows-spanned="2"'
    hidden = '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>'
    body = (
        f'<table:table table:name="Gates">{hidden}'
        + row(cell("Region"), cell("Secret"), cell("Number"))
        + row(cell("North", merged), cell("x"), cell("00012", 'office:value-type="float" office:value="12"'))
        + row("<table:covered-table-cell/>", cell("y"), cell("13", 'office:value-type="float" office:value="13"'))
        + row(cell("South"), cell("z"), cell("14", 'office:value-type="float" office:value="14"'))
        + row(cell("gone"), cell("z"), cell("15")).replace(
            "<table:table-row", '<table:table-row table:visibility="filter"'
        )
        + "</table:table>"
    )
    result = extract(packed("spreadsheet", body), "ods")
    assert result.text == (
        "# Gates\n\nRegion; Number\n\nRegion: North; Number: 00012\n\nRegion: North; Number: 13\n\nRegion: South; Number: 14"
    )
    assert result.warnings == ("Hidden rows and columns are not read: Gates (1 row, 1 column).",)


def test_slides_of_pictures_are_counted():
    picture = '<draw:frame svg:width="10cm" svg:height="8cm"><draw:image/></draw:frame>'
    slides = f"<draw:page>{box(p('Text'))}{picture}</draw:page><draw:page>{picture}</draw:page>"
    assert extract(packed("presentation", slides), "odp").warnings == (
        "2 pictures without descriptions were not read.",
    )
    with pytest.raises(DocumentError, match="only pictures"):
        extract(packed("presentation", f"<draw:page>{picture}</draw:page>"), "odp")
