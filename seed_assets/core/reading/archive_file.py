"""Archives as documents: each file in a format that has a reader is a part below a heading with its path.

What does not belong here: the archive itself (resources.corpus.archives), and what all parts have in common (document_parts).
"""

from collections.abc import Mapping
from itertools import islice

from resources.corpus.archives.archive import Archive
from resources.corpus.archives.opening import opened_archive
from resources.corpus.formats import format_of
from resources.errors import DocumentError
from resources.wording import counted
from seed_assets.core.reading.document_parts import DocumentParts, ReadPart
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.text.normal_text import normalised

# A file with more is not read; a judgement, the same as the default of `max_document_mb`.
_MOST_FILE_BYTES = 64 * 2**20
# More titles are cut off.
_MOST_TITLES = 20


def read_archive(data: bytes, read_part: ReadPart) -> ExtractedText:
    """Read the files of an archive, sorted by their paths.

    The title is the folder that all files are in; otherwise the titles of the files, one after the other. Warnings name each
    file that was not read, with the reason, and those in formats without a reader. Hidden files, and what macOS adds, are
    left out.

    Raises DocumentError for an archive that is damaged, and for one without a file that can be read.
    """
    archive = opened_archive(data)
    if not archive.files:
        raise DocumentError("the archive is empty.", "Restore it from its source, or remove it.")
    titles: dict[str, str] = {}
    found = ""

    def read(part: bytes, format: str) -> ExtractedText:
        nonlocal found
        text = read_part(part, format)
        found = text.title
        return text

    parts = DocumentParts(read, "Files of the archive that have no reader are not read")
    blocks: list[str] = []
    for path in archive.files:
        if block := _block(archive, path, parts):
            blocks.append(block)
            titles[path] = found or path.rpartition("/")[2]
    if not blocks:
        raise _nothing_read(archive, parts)
    if archive.repeated:
        files = counted(archive.repeated, "file of the archive has", "files of the archive have")
        parts.warn(f"{files} the path of a later one and {'is' if archive.repeated == 1 else 'are'} not read.")
    return ExtractedText(normalised("\n\n".join(blocks)), _title(titles), "", parts.warnings())


def _block(archive: Archive, path: str, parts: DocumentParts) -> str:
    format = format_of(path)
    if format is None:
        parts.without_reader(path)
        return ""
    try:
        if archive.files[path].size_bytes > _MOST_FILE_BYTES:
            raise DocumentError(f"it has more than {_MOST_FILE_BYTES >> 20} MB.", "Unpack it into the folder.")
        return parts.block(path, format, archive.read(path))
    except DocumentError as error:
        parts.warn(f"{path} was not read: {error}")
        return ""


def _nothing_read(archive: Archive, parts: DocumentParts) -> DocumentError:
    problems = {file.problem for file in archive.files.values()}
    if problems == {"it is encrypted"}:
        return DocumentError("the archive is encrypted.", "Unpack it and save it without a password.")
    reason = parts.warnings()[0].rstrip(".")
    return DocumentError(
        f"no file of the archive can be read. {reason[:400]}.",
        "Put files in formats that are read into it, or list it in .seedbankignore.",
    )


def _title(titles: Mapping[str, str]) -> str:
    """Return the title of an archive. titles: of the files that were read, by path."""
    paths = list(titles)
    folder, slash, _ = paths[0].partition("/")
    if len(paths) > 1 and slash and all(path.startswith(f"{folder}/") for path in paths):
        return folder
    return "; ".join(islice(titles.values(), _MOST_TITLES))
