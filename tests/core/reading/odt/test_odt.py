"""ODT: every word of the text in its place, and nothing that the document does not show."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from tests.support.zip_files import bomb, zipped

URN = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(
    f'xmlns:{name}="{URN}:{space}:1.0"'
    for name, space in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("style", "style"),
        ("draw", "drawing"),
        ("svg", "svg-compatible"),
        ("meta", "meta"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip
STYLES = (
    '<style:style style:name="Hid"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="Up"><style:text-properties style:text-position="super 58%"/></style:style>'
    '<style:style style:name="P1" style:parent-style-name="Title"/>'
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix=")"/>'
    '<text:list-level-style-number text:level="2" style:num-format="a"/></text:list-style>'
    '<text:list-style style:name="L2"><text:list-level-style-bullet text:level="1"/></text:list-style>'
)


def odt(body: str, **parts: str | bytes) -> bytes:
    named: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {SPACES}><office:automatic-styles>{STYLES}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        **{name.replace("__", "/").replace("_xml", ".xml"): part for name, part in parts.items()},
    }
    return zipped(named)


def text_of(body: str) -> str:
    return extract(odt(body), "odt").text


def p(text: str, style: str = "Standard") -> str:
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def cells(*texts: str) -> str:
    return (
        "<table:table-row>"
        + "".join(f"<table:table-cell>{p(text)}</table:table-cell>" for text in texts)
        + "</table:table-row>"
    )


def test_headings_lists_tables_notes_and_comments_are_in_their_places():
    header = (
        f"<office:document-styles {SPACES}><style:header>{p('Harbour')}</style:header><style:footer>"
        f"{p('Page <text:page-number>3</text:page-number> of 9')}</style:footer></office:document-styles>"
    )
    body = (
        "<text:tracked-changes><text:deletion>" + p("deleted") + "</text:deletion></text:tracked-changes>"
        + p("Gezeiten", "P1")
        + '<text:h text:outline-level="2">Größe &amp; Maß</text:h>'
        + p('Water<text:note><text:note-citation>1</text:note-citation><text:note-body>' + p("Since 1904.") + "</text:note-body>"
            "</text:note> rises<office:annotation><dc:creator>Ann</dc:creator>" + p("Check it.") + "</office:annotation>.")
        + '<text:list text:style-name="L1"><text:list-item>' + p("first") + "<text:list><text:list-item>" + p("inner")
        + "</text:list-item></text:list></text:list-item><text:list-item>" + p("second") + "</text:list-item></text:list>"
        + '<text:list text:style-name="L2"><text:list-item>' + p("bullet") + "</text:list-item></text:list>"
        + "<table:table><table:table-column/><table:table-header-rows>" + cells("Gate", "cm") + "</table:table-header-rows>"
        + cells("Upper | old", "4") + "</table:table>"
        + p('<draw:frame><draw:text-box>' + p("In a box") + "</draw:text-box></draw:frame>")
        + p("<draw:frame><draw:image/><svg:desc>The gate at noon</svg:desc></draw:frame>")
    )  # fmt: skip
    result = extract(odt(body, styles_xml=header), "odt")
    assert result.title == "Gezeiten"
    assert result.text == (
        "# Gezeiten\n\n## Größe & Maß\n\nWater rises.\n\n1) first\n  a. inner\n2) second\n\n- bullet\n\n"
        "| Gate | cm |\n| --- | --- |\n| Upper \\| old | 4 |\n\nIn a box\n\n[Picture: The gate at noon]\n\n"
        "Since 1904.\n\n[Comment by Ann: Check it.]\n\nHarbour"
    )
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ('10<text:span text:style-name="Up">6</text:span> m', "10⁶ m"),
        ('a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d', "a  b\tc\nd"),
        ("one\n   word", "one word"),
        ('a <text:span text:style-name="Hid">hidden</text:span>b', "a b"),
        ("<text:ruby><text:ruby-base>港</text:ruby-base><text:ruby-text>minato</text:ruby-text></text:ruby>", "港"),
        ('<text:a xlink:href="http://x">the <text:span>link</text:span></text:a>', "the link"),
        ("<text:bookmark-start/>x<text:placeholder>fill in</text:placeholder>", "x"),
    ],
)
def test_what_is_inside_a_paragraph(inside: str, text: str):
    assert text_of(p(inside)) == text


def test_hidden_paragraphs_and_sections_are_left_out():
    hidden = '<text:section text:display="none">' + p("hidden") + "</text:section>"
    assert text_of(
        p("shown") + p("hidden", "Hid") + hidden + "<text:section>" + p("in a section") + "</text:section>"
    ) == ("shown\n\nin a section")


def test_formulas_are_read_and_other_objects_counted():
    frames = "".join(f'<draw:frame><draw:object xlink:href="./Object {number}"/></draw:frame>' for number in (1, 2))
    math = '<math xmlns="m"><semantics><mi>E</mi><annotation encoding="StarMath 5.0">E = m c^2</annotation></semantics></math>'
    data = odt(p(f"Energy: {frames}"), **{"Object 1__content_xml": math, "Object 2__content_xml": "<chart/>"})
    result = extract(data, "odt")
    assert result.text == "Energy: E = m c^2"
    assert result.warnings == ("1 embedded object, such as a chart, is not read.",)


def test_the_title_of_the_properties_counts_first():
    meta = f"<office:document-meta {SPACES}><office:meta><dc:title>Proper title</dc:title></office:meta></office:document-meta>"
    assert extract(odt(p("x"), meta_xml=meta), "odt").title == "Proper title"


def test_repeated_cells_make_no_text_of_any_length():
    row = f'<table:table-row table:number-rows-repeated="999999999">{cells("a", "b")[17:]}'
    many = f'<table:table-cell table:number-columns-repeated="999999">{p("x")}</table:table-cell>'
    assert (
        len(text_of(f"<table:table>{row}{cells('c', 'd')}<table:table-row>{many}</table:table-row></table:table>"))
        < 2_000
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (odt(p("x"))[:200], "broken or truncated"),
        (zipped({"a": "x"}), "without an OpenDocument file"),
        (odt(p("x"), **{"META-INF__manifest_xml": "<m><encryption-data/></m>"}), "encrypted and needs a password"),
        (odt(p("x"), content_xml="<a><body><spreadsheet/></body></a>"), "of another kind"),
        (odt(p("x"), content_xml="<a"), "not valid XML"),
        (odt("<text:section>" * 5_000 + "</text:section>" * 5_000), "nested too deeply"),
        (odt("<text:section>" * 1_500 + p("x") + "</text:section>" * 1_500), "nested too deeply"),
        (odt(""), "no text"),
    ],
)
def test_a_broken_file_is_named(data: bytes, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, "odt")
    assert caught.value.remedy


def test_a_zip_bomb_is_named():
    with pytest.raises(DocumentError, match="ZIP bomb") as caught:
        extract(odt(p("x"), content_xml=bomb()), "odt")
    assert caught.value.remedy


def test_pictures_without_descriptions_are_counted_but_for_small_ones():
    def frame(width: str, inside: str = "<draw:image/>") -> str:
        return f'<draw:frame svg:width="{width}" svg:height="3in">{inside}</draw:frame>'

    body = frame("10cm") + frame("15mm") + frame("80%") + frame("9cm", "<draw:image/><svg:desc>The gate</svg:desc>")
    result = extract(odt(p("Text" + body)), "odt")
    assert result.text == "Text\n\n[Picture: The gate]"
    assert result.warnings == ("2 pictures without descriptions were not read.",)
    with pytest.raises(DocumentError, match="only pictures"):
        extract(odt(p(frame("10cm"))), "odt")
