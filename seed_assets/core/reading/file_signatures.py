"""Recognizing a file's kind by its first bytes: RTF under the name of a text, and other kinds for messages about wrong names.

What does not belong here: decoding.
"""

_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document of the old kind or an encrypted one"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def named_content(data: bytes) -> str | None:
    """Return the kind of a file with its article, such as "a PNG picture"; None if it is not recognized."""
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)


def is_rtf(data: bytes) -> bool:
    """Whether a file begins as RTF does."""
    return data[:256].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{\\rtf")
