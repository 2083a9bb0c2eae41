"""Texts in EBCDIC, the encoding of IBM's mainframes. What does not belong here: all other encodings.

Its letters, digits and most usual signs are the same in all countries. Brackets, accents and some other signs are not, and a
file does not say of which country it is.
"""

from resources.errors import DocumentError

_LOWER = bytes([*range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA)])
_UPPER = bytes([*range(0xC1, 0xCA), *range(0xD1, 0xDA), *range(0xE2, 0xEA)])
_DIGITS = bytes(range(0xF0, 0xFA))
_BLANKS = b"\x40\x05\x0c\x0d\x15\x25"
_SIGNS = b"\x4b\x4c\x4d\x4e\x50\x5c\x5d\x5e\x60\x61\x6b\x6c\x6d\x6e\x6f\x7a\x7d\x7e\x7f"
_IN_ALL_COUNTRIES = _LOWER + _UPPER + _DIGITS + _BLANKS + _SIGNS
# The numbers were chosen by judgement: the least share of such bytes, of letters, digits and blanks, and of blanks alone.
_LEAST_USUAL, _LEAST_WORDS, _LEAST_BLANK = 0.9, 0.8, 0.04
_LEAST_BYTES = 16
_SAMPLE_BYTES = 65_536


def decode_ebcdic(data: bytes) -> str | None:
    """Return the text of a file in EBCDIC; None for other files.

    Raises DocumentError if it has characters that are others in each country.
    """
    sample = data[:_SAMPLE_BYTES]
    # Letters and blanks of EBCDIC are neither those of ASCII nor of an encoding that includes it.
    if len(sample) < _LEAST_BYTES or b" " in sample or b"\n" in sample:
        return None
    if (
        _share(sample, _IN_ALL_COUNTRIES) < _LEAST_USUAL
        or _share(sample, _LOWER + _UPPER + _DIGITS + _BLANKS) < _LEAST_WORDS
        or _share(sample, b"\x40") < _LEAST_BLANK
    ):
        return None
    if data.translate(None, _IN_ALL_COUNTRIES):
        raise DocumentError(
            "the file is in EBCDIC, with characters that are others in each country.",
            "Save it as UTF-8, for example with `iconv -f IBM037 -t UTF-8` (IBM273 for German, IBM297 for French).",
        )
    return data.decode("cp037").replace("\r\x85", "\n").replace("\x85", "\n")


def _share(sample: bytes, counted: bytes) -> float:
    return 1 - len(sample.translate(None, counted)) / len(sample)
