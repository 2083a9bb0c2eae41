"""Decoding: texts in many languages and encodings, zero bytes, damage, and files that are not text."""

import unicodedata

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.text.text_decoding import decode_text
from tests.core.reading.text.encoded_texts import TEXTS, USUAL_CODECS, WIDE_CODECS

# In Vietnamese as Windows stores it, an accent that marks the tone follows its letter.
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def encoded(text: str, codec: str) -> bytes:
    if codec != "cp1258":
        return text.encode(codec)
    pieces: list[str] = []
    for character in text:
        parts = unicodedata.normalize("NFD", character)
        letter = unicodedata.normalize("NFC", "".join(part for part in parts if part not in _TONES))
        pieces.append(letter + "".join(part for part in parts if part in _TONES))
    return "".join(pieces).encode(codec)


def decoded(data: bytes) -> str:
    return unicodedata.normalize("NFC", decode_text(data)[0])


@pytest.mark.parametrize("language", USUAL_CODECS)
def test_a_text_in_a_usual_encoding_of_its_language_is_read_exactly(language: str):
    """A wrong encoding gives wrong letters in every word, and everything after the text inherits them."""
    text = TEXTS[language]
    wrong = [codec for codec in USUAL_CODECS[language] if decoded(encoded(text, codec)) != text]
    wrong += [f"{codec}, longer" for codec in USUAL_CODECS[language] if decoded(encoded(text * 5, codec)) != text * 5]
    assert wrong == []


@pytest.mark.parametrize("language", TEXTS)
def test_utf16_and_utf32_need_no_mark_in_any_script(language: str):
    """Only Latin text has a zero in every second byte; of others, all bytes may be valid in other encodings."""
    text = TEXTS[language]
    texts = (text, text[:40], text[:12], text * 30)
    assert [(codec, each[:12]) for codec in WIDE_CODECS for each in texts if decoded(each.encode(codec)) != each] == []


def test_the_matrix_is_as_large_as_it_is_said_to_be():
    assert len(USUAL_CODECS) >= 40
    assert sum(map(len, USUAL_CODECS.values())) >= 90


@pytest.mark.parametrize(
    ("text", "codec", "named"),
    [
        ("It’s 5 o’clock.", "cp1252", "windows-1252"),
        ("Le prix est de 12 €, c'est déjà ça.", "iso8859_15", "iso-8859-15"),
        ("Zoë", "cp1252", "windows-1252"),
        ("And so on…", "cp1252", "windows-1252"),
        ("5 × 3 = 15 ± 1 µm at 50 °C", "cp1252", "windows-1252"),
        ("A brand™ and “another” – since 1990•", "cp1252", "windows-1252"),
        ("Price: 5 €", "iso8859_15", "iso-8859-15"),
        ("Dobrý den, příští schůze je v úterý.", "iso8859_2", "iso-8859-2"),
        ("Źródło jest tutaj, proszę śmiało pytać.", "iso8859_2", "iso-8859-2"),
        ("Çok güzel bir gün, teşekkür ederiz.", "cp1254", "windows-1254"),
    ],
)
def test_a_single_sentence_is_enough(text: str, codec: str, named: str):
    assert decode_text(text.encode(codec)) == (text, named)


def test_lines_of_plain_ascii_around_a_text_do_not_hide_its_language():
    lines = "2024-01-05 10:00:00 INFO started\n" * 400
    text = lines + TEXTS["Czech"] + "\n" + lines
    assert decode_text(text.encode("iso8859_2")) == (text, "iso-8859-2")


def test_a_damaged_byte_leaves_the_encoding_as_it_is():
    data = bytearray((TEXTS["Polish"] * 5).encode("cp1250"))
    data[200] = 0x81  # no character in this encoding
    text, encoding = decode_text(bytes(data))
    assert encoding == "windows-1250 (1 undecodable replaced)"
    assert text.count("\ufffd") == 1
    assert "Piekarka otworzyła sklep o szóstej rano" in text


@pytest.mark.parametrize(
    "zeros", [b"\x00", b"\x00\x00", b"\x00" * 4096, b"\x00" * 100_000], ids=["one", "two", "block", "most of the file"]
)
def test_zero_bytes_do_not_make_a_text_binary(zeros: bytes):
    """A crash or a log that was cut while it was written leaves blocks of them."""
    begin, end = "The gate was opened at dawn, früh am Tag. ", "Then the log goes on."
    assert decode_text(begin.encode() + zeros + end.encode())[0] == begin + end
    assert decode_text(zeros + begin.encode("cp1252"))[0] == begin


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(4)) * 50,
        b"\x00\x05\x00\x06" * 100,
        b"".join(number.to_bytes(2, "little") for number in range(1024, 1279)) * 3,
        b"\x7fELF\x02\x01\x01\x00\x00\x00 some words of a program",
    ],
)
def test_numbers_and_programs_are_no_text(data: bytes):
    with pytest.raises(DocumentError, match=r"binary|program"):
        decode_text(data)


_UTF8_LINE = "Größe und Übermut tun selten gut, sagte der Müller.\n"


@pytest.mark.parametrize(
    ("written", "undecodable"),
    [
        (_UTF8_LINE.encode() + b"caf\xe9", 1),
        ("The café is closed.\n".encode() + b"caf\xe9", 1),
        ("“Far too much” — he said.\n".encode() + b"caf\xe9", 1),
        ((_UTF8_LINE * 20).encode() + b"Die M\xfcller schlie\xdfen t\xe4glich.\n" * 3, 9),
        ("Вчера вечером открыли шлюз.".encode() + b"\xff", 1),
        ("昨天晚上港口的闸门打开了".encode() + b"\xff", 1),
    ],
    ids=["German", "one accent", "only signs", "lines of Windows-1252", "Russian", "Chinese"],
)
def test_utf8_with_a_few_other_bytes_is_utf8(written: bytes, undecodable: int):
    """Guards against a short file whose accents are all garbled for one wrong byte."""
    text, encoding = decode_text(written)
    assert text == written.decode("utf-8", "replace")
    assert encoding == f"utf-8 ({undecodable} undecodable replaced)"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("«\xa0Voilà été\xa0» dit-il à l’été, «\xa0là\xa0»", "cp1252"),
        ("„Spaß“ und „Gruß“ und „SCHÖ“ und „Größe“", "cp1252"),
        ("Він від нас. Ді ВІДІЙТИ ДІТІ. Від них.", "cp1251"),
        ("Её моё неё всё твоё её её её", "koi8_r"),
    ],
    ids=["French", "German", "Ukrainian", "Russian"],
)
def test_sequences_of_utf8_by_chance_do_not_make_a_text_utf8(text: str, codec: str):
    """Guards against evidence for UTF-8 in letters before quotation marks, and in letters of Cyrillic encodings."""
    assert decode_text(text.encode(codec))[0] == text


def test_a_text_in_ebcdic_is_read_if_its_country_does_not_matter():
    """Guards against Chinese signs in place of a text from a mainframe."""
    written = "Invoice No. 12: the gate (upper).\nTotal: 500.00\n"
    assert decode_text(written.encode("cp037")) == (written, "cp037")
    assert decode_text(written.encode("cp037").replace(b"\x25", b"\x15"))[0] == written
    with pytest.raises(DocumentError, match=r"EBCDIC.*UTF-8"):
        decode_text(_UTF8_LINE.encode("cp273"))
