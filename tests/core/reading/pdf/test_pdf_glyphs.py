"""Signs that are placed one by one in fonts that no machine needs to have are text, in any predefined encoding.

What does not belong here: fonts that do not say which characters they show (test_pdf).
"""

import pytest

from seed_assets.core.reading.extraction import extract
from tests.support.pdf_files import Page, at, pdf

JAPANESE = "昨日の夕方、港の水門が開かれた。三隻の船が待つ。"
CHINESE = "昨天傍晚，港口的水闸打开了。三艘船在下面等待。"
TAIWANESE = "昨天傍晚，港口的水閘打開了。三艘船在下面等待。"
KOREAN = "어제 저녁 항구의 수문이 열렸다."
CASES = [
    *(("Japan1", name, "utf-16-be", JAPANESE) for name in ("UniJIS-UCS2-H", "UniJIS-UTF16-H", "UniJIS2004-UTF16-H")),
    *(("Japan1", name, codec, JAPANESE) for name, codec in (("90ms-RKSJ-H", "cp932"), ("EUC-H", "euc-jp"))),
    *(("GB1", name, "utf-16-be", CHINESE) for name in ("UniGB-UCS2-H", "UniGB-UTF16-H")),
    *(("GB1", name, codec, CHINESE) for name, codec in (("GBK-EUC-H", "gbk"), ("GBK2K-H", "gb18030"))),
    *(("CNS1", name, codec, TAIWANESE) for name, codec in (("UniCNS-UCS2-H", "utf-16-be"), ("ETen-B5-H", "big5"))),
    *(("Korea1", name, codec, KOREAN) for name, codec in (("UniKS-UCS2-H", "utf-16-be"), ("KSCms-UHC-H", "cp949"))),
]


def composite(ordering: str, encoding: str) -> tuple[str, str]:
    """The dictionaries of a font that is not in the file, and of its descendant, which is object 10."""
    font = f"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /{encoding} /DescendantFonts [10 0 R] >>"
    system = f"<< /Registry (Adobe) /Ordering ({ordering}) /Supplement 2 >>"
    return font, f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Any /CIDSystemInfo {system} /DW 1000 >>"


def placed(text: str, codec: str, *, downwards: bool = False) -> str:
    return "".join(
        f"BT /F1 14 Tf {200 if downwards else 20 + 14 * n} {380 - 14 * n if downwards else 350} Td "
        f"<{sign.encode(codec).hex()}> Tj ET\n"
        for n, sign in enumerate(text)
    )


@pytest.mark.parametrize(("ordering", "encoding", "codec", "text"), CASES)
def test_signs_that_are_placed_one_by_one_are_read(ordering: str, encoding: str, codec: str, text: str) -> None:
    font, descendant = composite(ordering, encoding)
    assert extract(pdf([placed(text, codec)], font=font, objects=[descendant]), "pdf").text == text
    whole = f"BT /F1 14 Tf 20 350 Td <{text.encode(codec).hex()}> Tj ET"
    assert extract(pdf([whole], font=font, objects=[descendant]), "pdf").text == text


def test_signs_that_are_placed_below_each_other_are_read() -> None:
    font, descendant = composite("Japan1", "UniJIS-UCS2-V")
    content = placed(JAPANESE, "utf-16-be", downwards=True)
    assert extract(pdf([content], font=font, objects=[descendant]), "pdf").text.replace("\n", "") == JAPANESE


def test_signs_are_read_among_text_of_another_font() -> None:
    font, descendant = composite("Japan1", "UniJIS-UCS2-H")
    latin = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    page = Page(
        placed("水門が開く", "utf-16-be") + at(20, 300, "The gate, at dawn").replace("/F1", "/F2"),
        more="/Resources << /Font << /F1 3 0 R /F2 11 0 R >> >>",
    )
    data = pdf([page], font=font, objects=[descendant, latin]).replace(
        b"/Resources << /Font << /F1 3 0 R >> /XObject << /Im1 10 0 R >> >>", b""
    )
    text = extract(data, "pdf").text
    assert text.split("\n") == ["水門が開く", "The gate, at dawn"]
