"""Archives: their files as parts, and what hostile archives give."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from tests.support.archive_files import tarred
from tests.support.zip_files import zipped

FILES = {
    "tide/notes.md": "# Ebb\n\nThe gate is shut.",
    "tide/levels.csv": "Gate,cm\nUpper,4\n",
    "tide/Größe.txt": "Die Flut kommt.",
    "tide/tool.bin": b"\x00\x01",
    "tide/.hidden.md": "nobody sees this",
    "__MACOSX/tide/._notes.md": "nor this",
    "tide/.DS_Store": b"\x00",
}
TEXT = (
    "# tide/Größe.txt\n\nDie Flut kommt.\n\n# tide/levels.csv\n\nGate; cm\n\nGate: Upper; cm: 4\n\n"
    "# tide/notes.md\n\n# Ebb\n\nThe gate is shut."
)
UNREAD = "Files of the archive that have no reader are not read: tide/tool.bin."


def plain(data: bytes) -> bytes:
    return data


def reason_of(data: bytes, format: str = "archive") -> str:
    with pytest.raises(DocumentError) as caught:
        extract(data, format)
    assert caught.value.remedy
    return caught.value.reason


@pytest.mark.parametrize("packed", [plain, gzip.compress, bz2.compress, lzma.compress])
def test_every_file_of_a_tar_archive_is_a_part_with_its_path(packed: Callable[[bytes], bytes]):
    result = extract(packed(tarred(FILES)), "archive")
    assert (result.text, result.title, result.warnings) == (TEXT, "tide", (UNREAD,))


def test_every_file_of_a_zip_archive_is_a_part_with_its_path():
    result = extract(zipped(FILES), "archive")
    assert (result.text, result.title, result.warnings) == (TEXT, "tide", (UNREAD,))


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_document_is_read_in_its_format(packed: Callable[[bytes], bytes]):
    assert extract(packed(b"Gate,cm\nUpper,4\n"), "packed csv").text == "Gate; cm\n\nGate: Upper; cm: 4"
    assert extract(packed(b"a") + packed(b"b"), "packed text").text == "ab"


def test_a_zip_archive_that_is_packed_once_more_is_read():
    assert extract(gzip.compress(zipped({"a.txt": "Text."})), "archive").text == "# a.txt\n\nText."


def test_an_archive_is_called_by_its_folder_or_its_documents():
    assert extract(zipped({"a/b.md": "# The ebb\n\nText."}), "archive").title == "The ebb"
    assert extract(zipped({"a/b.md": "# Ebb", "a/c.md": "# Flood", "d.bin": "x"}), "archive").title == "a"
    assert extract(zipped({"b.md": "# Ebb", "a/c.txt": "word " * 30}), "archive").title == "c.txt; Ebb"


def test_warnings_of_a_part_name_it():
    result = extract(zipped({"a.md": "---\ntitle: [\n---\nText.", "b.jsonl": '{"a": 1}\nx\n'}), "archive")
    assert [warning.partition(": ")[0] for warning in result.warnings] == ["a.md", "b.jsonl"]


def test_archives_and_mails_inside_of_each_other_are_read():
    message = EmailMessage()
    message["Subject"] = "Levels"
    message.set_content("See the archive.")
    message.add_attachment(
        zipped({"x/deep.txt": "Deep text."}), maintype="application", subtype="zip", filename="levels.zip"
    )
    inner = gzip.compress(tarred({"mail.eml": message.as_bytes(), "note.md.gz": gzip.compress(b"A note.")}))
    result = extract(zipped({"all.tar.gz": inner}), "archive")
    assert result.text == (
        "# all.tar.gz\n\n# mail.eml\n\nSubject: Levels\n\nSee the archive.\n\n# levels.zip\n\n# x/deep.txt\n\nDeep text.\n\n"
        "# note.md.gz\n\nA note."
    )
    assert result.warnings == ()


def test_archives_inside_of_each_other_without_end_are_named():
    data = zipped({"a.md": "Innermost."})
    for number in range(9):
        data = zipped({f"{number}.md": f"Level {number}.", "in.zip": data})
    result = extract(data, "archive")
    assert "Level 8." in result.text
    assert "Innermost" not in result.text
    assert "files are inside each other too deeply" in result.warnings[0]


# Names


def zip_with_name(raw: bytes, extra: bytes = b"") -> bytes:
    """An archive whose only file has these bytes as its name, without the flag of UTF-8."""
    stand_in = b"x" * (len(raw) - 4) + b".txt"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo(stand_in.decode())
        entry.extra = extra
        archive.writestr(entry, "Text.")
    return file.getvalue().replace(stand_in, raw)


def unicode_path(raw: bytes, name: str) -> bytes:
    field = b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + name.encode()
    return b"\x75\x70" + len(field).to_bytes(2, "little") + field


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (zip_with_name("Größe.txt".encode()), "Größe.txt"),
        (zip_with_name("Größe.txt".encode("cp437")), "Größe.txt"),
        (zip_with_name(b"Gr??e 1.txt", unicode_path(b"Gr??e 1.txt", "潮.txt")), "潮.txt"),
        (zip_with_name(b"Other 1.txt", unicode_path(b"Gr??e 1.txt", "潮.txt")), "Other 1.txt"),
        (zip_with_name(b"tide\\gate\\low.txt"), "tide/gate/low.txt"),
        (zipped({"/abs/./low.txt": "Text."}), "abs/low.txt"),
        (zipped({"C:/abs/low.txt": "Text."}), "abs/low.txt"),
        (tarred({"/abs//low.txt": "Text."}), "abs/low.txt"),
        (tarred({"Gr\udcf6\udcdfe.txt": "Text."}), "Größe.txt"),
        (tarred({f"{'long ' * 60}name.txt": "Text."}), f"{'long ' * 60}name.txt"),
    ],
)
def test_names_in_any_encoding_are_read_as_paths_below_the_archive(data: bytes, path: str):
    assert extract(data, "archive").text == f"# {path}\n\nText."


def test_of_files_with_one_path_the_last_is_read():
    expected = ("# a.txt\n\nnew", ("1 file of the archive has the path of a later one and is not read.",))
    tar = tarred({"a.txt": "old", "./a.txt": "new"})
    for data in (tar, zipped({"a.txt": "old", "./a.txt": "new"})):
        result = extract(data, "archive")
        assert (result.text, result.warnings) == expected


# Hostile archives


def test_paths_that_lead_out_links_and_devices_are_named_and_not_read():
    tar = tarred(
        {"good.txt": "Good.", "../../etc/bad.txt": "out"},
        [
            ("link.txt", "/etc/hostname", tarfile.SYMTYPE),
            ("hard.txt", "good.txt", tarfile.LNKTYPE),
            ("away.txt", "/etc/hostname", tarfile.LNKTYPE),
            ("device.txt", "", tarfile.CHRTYPE),
            ("pipe.txt", "", tarfile.FIFOTYPE),
            ("folder.txt", "", tarfile.DIRTYPE),
        ],
    )
    result = extract(tar, "archive")
    assert result.text == "# good.txt\n\nGood.\n\n# hard.txt\n\nGood."
    assert [warning.partition(" was not read: ")[0] for warning in result.warnings] == [
        "away.txt", "device.txt", "link.txt", "pipe.txt", "…/…/etc/bad.txt",
    ]  # fmt: skip
    assert "leads out of the archive" in result.warnings[-1]


def test_a_link_in_a_zip_archive_is_not_followed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("link.txt")
        entry.create_system = 3
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/hostname")
        archive.writestr("a.txt", "Good.")
    result = extract(file.getvalue(), "archive")
    assert result.text == "# a.txt\n\nGood."
    assert result.warnings == ("link.txt was not read: it is a link or a device. Unpack the archive into the folder.",)


def encrypted(data: bytes, name: bytes) -> bytes:
    """The archive with the flag of encryption on one file."""
    found = bytearray(data)
    place = found.index(b"PK\x01\x02")
    while found[place + 46 : place + 46 + len(name)] != name:
        place = found.index(b"PK\x01\x02", place + 1)
    found[place + 8] |= 1
    return bytes(found)


def test_encrypted_and_damaged_files_are_named():
    data = zipped({"a.txt": "Good.", "b.txt": "Secret.", "c.txt": "Broken text " * 20})
    data = encrypted(data, b"b.txt")
    place = data.index(b"c.txt") + len(b"c.txt")
    data = data[:place] + bytes([data[place] ^ 0xFF, data[place + 1] ^ 0xFF]) + data[place + 2 :]
    result = extract(data, "archive")
    assert result.text == "# a.txt\n\nGood."
    assert result.warnings[0].startswith("b.txt was not read: it is encrypted.")
    assert result.warnings[1].startswith("c.txt was not read: it cannot be unpacked")
    assert reason_of(encrypted(zipped({"b.txt": "x"}), b"b.txt")) == "the archive is encrypted."


@pytest.mark.slow
def test_a_bomb_is_not_unpacked():
    bomb = b"a" * (17 << 20)
    result = extract(zipped({"a.txt": "Good.", "z.txt": bomb}), "archive")
    assert result.text == "# a.txt\n\nGood."
    assert "as ZIP bombs do" in result.warnings[0]
    assert "as ZIP bombs do" in reason_of(zipped({"z.txt": bomb}))
    many = zipped({f"{number}.txt": b"\n" * (8 << 20) + b"a" for number in range(6)})
    assert sum("as ZIP bombs do" in warning for warning in extract(many, "archive").warnings) == 5
    for packed in (gzip.compress, bz2.compress, lzma.compress):
        assert "packed as bombs are" in reason_of(packed(tarred({"z.txt": bomb})))
        assert "packed as bombs are" in reason_of(packed(bomb), "packed text")


@pytest.mark.slow
def test_an_archive_of_very_many_files_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "Text.")
    one = file.getvalue()
    entry = one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    start = one.index(b"PK\x01\x02")
    end = b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + (len(entry) * 100_001).to_bytes(4, "little")
    many = one[:start] + entry * 100_001 + end + start.to_bytes(4, "little") + b"\x00\x00"
    assert "100,000 are allowed" in reason_of(many)
    header = tarred({"a.txt": ""})[:512]
    assert "100,000 are allowed" in reason_of(header * 100_001 + bytes(1024))


@pytest.mark.slow
def test_of_very_many_files_a_part_is_read():
    result = extract(tarred({f"{number:05}.txt": "a" for number in range(10_003)}), "archive")
    assert result.text.count("# ") == 10_000
    assert result.warnings[0].startswith("10000.txt was not read: the document has more than 10,000 parts.")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zipped({"a.txt": "Text."})[:-30], "damaged or truncated"),
        (tarred({"a.txt": "Text. " * 200})[:900], "damaged or truncated"),
        (tarred({"a.txt": "a", "b.txt": "b"})[:1300], "first 1 files cannot be read"),
        (gzip.compress(tarred({"a.txt": "Text."}))[:-9], "damaged or truncated"),
        (lzma.compress(tarred({"a.txt": "Text."}))[:-9], "damaged or truncated"),
        (bz2.compress(tarred({"a.txt": "Text."}))[:-9], "damaged or truncated"),
        (gzip.compress(b"only text"), "holds a single packed file"),
        (b"Rar!\x1a\x07\x00", "not a ZIP or tar archive"),
        (zipped({}), "the archive is empty"),
        (zipped({"a.bin": b"\x00", "b": "x"}), "no file of the archive can be read. Files of the archive that have no"),
        (
            zipped({"a.pdf": b"%PDF-1.4"}),
            "no file of the archive can be read. a.pdf was not read: the PDF is truncated",
        ),
        (zipped({"[Content_Types].xml": "x", "word/document.xml": "x"}), "an Office document"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(data: bytes, reason: str):
    assert reason in reason_of(data)


def test_a_tar_archive_whose_files_overlap_ends():
    """A negative size leads the parser of the library back to the same file again and again."""
    header = bytearray(tarred({"a.txt": "Text."})[:512])
    header[124:136] = b"\xff" * 10 + (-512 & 0xFFFF).to_bytes(2, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\x00 " % sum(header)
    assert "damaged or truncated" in reason_of(bytes(header) + bytes(1024))


def with_extended_header(content: bytes) -> bytes:
    """A tar archive whose file has this extended header."""
    entry = tarfile.TarInfo("PaxHeader")
    entry.type = tarfile.XHDTYPE
    entry.size = len(content)
    return entry.tobuf() + content.ljust(-(-len(content) // 512) * 512, b"\x00") + tarred({"a.txt": "1" * 300})


@pytest.mark.parametrize(
    "content", [b"1" * 40_000_000, b"1" * 100_000, b"30 GNU.sparse.realsize=100\n", b"x" * 2_000_000]
)
def test_headers_for_which_the_library_takes_hours_are_refused(content: bytes):
    assert "one of its headers is too long, or describes a sparse file" in reason_of(with_extended_header(content))


def test_extended_headers_are_read():
    assert (
        extract(with_extended_header("20 path=Größe.txt\n".encode()), "archive").text == f"# Größe.txt\n\n{'1' * 300}"
    )


def test_text_that_is_not_packed_is_named():
    assert "not packed" in reason_of(b"plain text", "packed text")
