"""PPTX: slides in order with titles, lists, tables, notes and comments."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.extraction import extract
from tests.support.zip_files import TYPES, bomb, relations, zipped

SPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:mc="m" '
    f'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="{TYPES}" xmlns:c="c" xmlns:m="o"'
)


def shape(*paragraphs: str, kind: str | None = None, hidden: str = "0") -> str:
    holder = "" if kind is None else f'<p:ph type="{kind}"/>' if kind else "<p:ph/>"
    body = "".join(
        each if each.startswith("<a:p>") else f"<a:p><a:r><a:t>{each}</a:t></a:r></a:p>" for each in paragraphs
    )
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="n" hidden="{hidden}"/><p:nvPr>{holder}</p:nvPr></p:nvSpPr>'
        f"<p:txBody>{body}</p:txBody></p:sp>"
    )


def slide(*shapes: str, root: str = "sld", more: str = "") -> str:
    return f"<p:{root} {SPACES} {more}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:{root}>"


def frame(content: str) -> str:
    data = f"<a:graphic><a:graphicData>{content}</a:graphicData></a:graphic>"
    return f"<p:graphicFrame><p:nvGraphicFramePr/>{data}</p:graphicFrame>"


def cell(text: str) -> str:
    return f"<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"


def deck(*slides: str, parts: dict[str, str | bytes] | None = None) -> bytes:
    """A presentation whose slides stand in the archive in the opposite order."""
    last = len(slides)
    numbers = {f"r{place}": last - place for place in range(last)}
    listed = "".join(f'<p:sldId id="{256 + place}" r:id="r{place}"/>' for place in range(last))
    content: dict[str, str | bytes] = {
        "_rels/.rels": relations({"r": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation {SPACES}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            {name: ("slide", f"slides/slide{number}.xml") for name, number in numbers.items()}
        ),
        **{f"ppt/slides/slide{last - place}.xml": text for place, text in enumerate(slides)},
        **(parts or {}),
    }
    return zipped(content)


def text_of(*slides: str) -> str:
    return extract(deck(*slides), "pptx").text


def test_slides_are_read_in_their_order_with_what_belongs_to_them():
    marked = '<a:p><a:pPr lvl="1"/><a:r><a:t>10</a:t></a:r><a:r><a:rPr baseline="30000"/><a:t>6</a:t></a:r></a:p>'
    first = slide(
        shape("Text above the title"),
        shape("Gezeiten &amp; Größe", kind="ctrTitle"),
        shape("first", marked, "<a:p/>", "second", kind=""),
        shape("7", kind="sldNum"),
        shape("gone", hidden="1"),
    )
    second = slide(
        shape("Levels", kind="title"),
        frame(f"<a:tbl><a:tr>{cell('Gate')}{cell('cm')}</a:tr><a:tr>{cell('Upper')}{cell('4|5')}</a:tr></a:tbl>"),
        f"<p:grpSp><p:nvGrpSpPr/>{shape('in a group')}</p:grpSp>",
        f"<mc:AlternateContent><mc:Choice>{shape('chosen')}</mc:Choice><mc:Fallback>{shape('copy')}</mc:Fallback>"
        "</mc:AlternateContent>",
        '<p:pic><p:nvPicPr><p:cNvPr id="4" name="x" descr="The gate at noon"/></p:nvPicPr></p:pic>',
        frame('<c:chart r:id="c1"/>'),
    )
    chart = (
        "<c:chart xmlns:c='c' xmlns:a='a'><c:title><a:t>Tide</a:t></c:title><c:ser><c:tx>"
        "<c:pt idx='0'><c:v>cm</c:v></c:pt></c:tx>"
        "<c:cat><c:pt idx='0'><c:v>May</c:v></c:pt></c:cat><c:val><c:pt idx='0'><c:v>9</c:v></c:pt></c:val></c:ser></c:chart>"
    )
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/slide2.xml.rels": relations(
            {"n1": ("notesSlide", "../notesSlides/n1.xml"), "k1": ("comments", "../comments/k1.xml")}
        ),
        "ppt/slides/_rels/slide1.xml.rels": relations({"c1": ("chart", "../charts/chart1.xml")}),
        "ppt/charts/chart1.xml": chart,
        "ppt/notesSlides/n1.xml": slide(
            shape("3", kind="sldNum"), shape("Say it slowly.", "Twice.", kind="body"), root="notes"
        ),
        "ppt/comments/k1.xml": f"<p:cmLst {SPACES}><p:cm><p:text>Check it.</p:text></p:cm></p:cmLst>",
    }
    result = extract(deck(first, second, parts=parts), "pptx")
    assert result.title == "Gezeiten & Größe"
    assert result.text == (
        "# Gezeiten & Größe\n\nText above the title\n\n- first\n  - 10⁶\n- second\n\nNotes: Say it slowly.\n\nTwice.\n\n"
        "[Comment: Check it.]\n\n# Levels\n\n| Gate | cm |\n| --- | --- |\n| Upper | 4\\|5 |\n\nin a group\n\nchosen\n\n"
        "[Picture: The gate at noon]\n\n[Chart: Tide]\n\n|  | cm |\n| --- | --- |\n| May | 9 |"
    )
    assert result.warnings == ()


def test_items_that_are_numbered_have_their_numbers():
    numbered = [
        f'<a:p><a:pPr><a:buAutoNum startAt="3"/></a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>' for text in ("a", "b")
    ]
    assert text_of(slide(shape(*numbered))) == "3. a\n4. b"


def test_hidden_slides_and_damaged_ones_are_named():
    result = extract(deck(slide(shape("Shown")), slide(shape("Hidden"), more='show="0"'), "<broken"), "pptx")
    assert result.text == "Shown"
    assert result.warnings[0].startswith(
        "Slide 3 was not read: the PPTX is broken: ppt/slides/slide1.xml is not valid XML"
    )
    assert result.warnings[1] == "Slide 2 is hidden and not read."


def test_the_title_and_the_keywords_of_the_properties_are_read():
    core = "<p xmlns:d='d'><d:title>Proper title</d:title><d:keywords>tide, gate</d:keywords></p>"
    data = deck(slide(shape("Other", kind="title")), parts={"docProps/core.xml": core})
    assert extract(data, "pptx").title == "Proper title"
    assert read_fields(data, "pptx").fields == {"keywords": ("gate", "tide")}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (deck(slide(shape("x")))[:400], "broken or truncated"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old kind"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "encrypted and needs a password",
        ),
        (zipped({"a": "x"}), "without a presentation"),
        (
            zipped({"_rels/.rels": relations({"r": ("officeDocument", "d.xml")}), "d.xml": "<document/>"}),
            "another kind",
        ),
        (deck(slide("<p:grpSp>" * 5_000 + "</p:grpSp>" * 5_000)), "nested too deeply|no text"),
        (deck(slide()), "no text"),
    ],
)
def test_a_broken_presentation_is_named(data: bytes, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, "pptx")
    assert caught.value.remedy


def test_a_zip_bomb_is_named():
    with pytest.raises(DocumentError, match="ZIP bomb") as caught:
        extract(deck(slide(shape("x")), parts={"ppt/slides/slide1.xml": bomb()}), "pptx")
    assert caught.value.remedy


def test_entities_are_not_expanded():
    entities = '<!DOCTYPE a [<!ENTITY a "boom"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(DocumentError):
        text_of(entities + slide(shape("&b;")))


def test_pictures_without_descriptions_are_counted_but_for_small_ones():
    """Guards against slides that are screenshots of which nobody is warned."""

    def picture(width: int, height: int, description: str = "") -> str:
        return (
            f'<p:pic><p:nvPicPr><p:cNvPr id="4" name="x" descr="{description}"/></p:nvPicPr>'
            f'<p:spPr><a:xfrm><a:ext cx="{width}" cy="{height}"/></a:xfrm></p:spPr></p:pic>'
        )

    filled = '<p:sp><p:nvSpPr><p:cNvPr id="1" name="n"/></p:nvSpPr><p:spPr><a:blipFill/></p:spPr></p:sp>'
    pictures = picture(3_000_000, 2_000_000) + picture(3_000_000, 300_000) + picture(3_000_000, 2_000_000, "A gate")
    result = extract(deck(slide(shape("Text"), pictures, filled)), "pptx")
    assert result.text == "Text\n\n[Picture: A gate]"
    assert result.warnings == ("2 pictures without descriptions were not read.",)
    with pytest.raises(DocumentError, match="only pictures"):
        extract(deck(slide(picture(3_000_000, 2_000_000))), "pptx")
