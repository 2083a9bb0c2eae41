"""Characters of the fonts Symbol and Wingdings, which have codes of their own (F0xx). What does not belong here: runs.

Source: the Symbol encoding of Adobe's PostScript fonts, and Microsoft's tables of Wingdings with the Unicode characters that
were added for them. Signs without a name of their own in Unicode are left out.
"""

from collections.abc import Mapping

# From 0x20 on; "\0" where the font has no sign, or one that is a piece of a larger sign.
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
    + "\0" * 33
    + "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…│─↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\0〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭\0"
)
# A box that is ticked is ☒, whatever mark the font draws in it, as in the forms of word processors.
_WINGDINGS: Mapping[int, str] = {
    **dict(zip(range(0x21, 0x2B), "✏✂✁👓🕭🕮🕯🕿✆🖂", strict=True)),
    **dict(zip(range(0x36, 0x3F), "⌛🖮🖰🖲🖳🖴🖫🖬✇", strict=True)),
    **dict(zip(range(0x3F, 0x4D), "✍🖎✌🖏👍👎☜☞☝☟🖐☺😐☹", strict=True)),
    **dict(zip(range(0x4D, 0x5B), "💣☠🏳🏱✈☼💧❄🕆✞🕈✠✡☪", strict=True)),
    **dict(zip(range(0x6C, 0x79), "●🔾■□🞐❑❒⬧⧫◆❖⬥⌧", strict=True)),
    **dict(zip(range(0x80, 0x96), "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿", strict=True)),
    **dict(zip(range(0x9E, 0xA9), "·•⚫⚪🞆🞈◉◎🔿▪☐", strict=True)),
    **dict(zip(range(0xAA, 0xB0), "✦★✶✴✹✵", strict=True)),
    **dict(zip(range(0xDF, 0xFF), "←→↑↓↖↗↙↘←→↑↓↖↗↙↘⇦⇨⇧⇩⬄⇳⬁⬀⬃⬂▭▫✗✓☒☒", strict=True)),
    0x6F: "☐",
    0xA1: "○",
}
_WINGDINGS_2: Mapping[int, str] = {
    0x4F: "✗",
    0x50: "✓",
    0x51: "☒",
    0x52: "☒",
    0x53: "☒",
    0x54: "☒",
    0x96: "•",
    0x97: "●",
    0x98: "●",
    0x99: "○",
    0xA2: "▪",
    0xA3: "□",
    0x35: "☐",
    0x2A: "☐",
}
_FONTS: Mapping[str, Mapping[int, str]] = {
    "symbol": {0x20 + place: sign for place, sign in enumerate(_SYMBOL) if sign != "\0"},
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
}


def is_symbol_font(font: str) -> bool:
    """Whether the codes of a font are its own."""
    return font.strip().lower() in _FONTS


def symbol(font: str, code: int) -> str:
    """Return the Unicode character of a sign; "" if the sign is not known.

    code: as in the file, from 0x20 to 0xFF or from 0xF020 to 0xF0FF; the code of another character is that character.
    """
    own = code & 0xFF if code >> 8 in (0, 0xF0) else None
    table = _FONTS.get(font.strip().lower())
    if table is not None and own is not None:
        return table.get(own, "")
    return chr(code) if own is None or code >> 8 == 0 else ""


def in_symbol_font(text: str, font: str) -> str:
    """Return a run's text that is set in such a font; characters outside of its codes stay as they are."""
    return "".join(
        symbol(font, ord(character)) if ord(character) >> 8 in (0, 0xF0) else character for character in text
    )
