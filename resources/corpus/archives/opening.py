"""Opening an archive of any kind by what it is, not by its name. What does not belong here: the kinds of archives."""

from resources.corpus.archives.archive import Archive
from resources.corpus.archives.packing import is_packed, unpacked
from resources.corpus.archives.tar_archive import TarArchive, is_tar
from resources.corpus.archives.zip_archive import ZipArchive, is_zip
from resources.errors import DocumentError


def opened_archive(data: bytes, *, counted: bool = True) -> Archive:
    """Open a ZIP archive or a tar archive, which may be packed.

    counted: whether all files that are read from it together are limited; otherwise each is.

    Raises DocumentError if it is neither, is damaged, unpacks to too much, has too many files, or is a single document.
    """
    if is_packed(data):
        data = unpacked(data)
        if not (is_tar(data) or is_zip(data)):
            raise DocumentError(
                "the file is no archive of files: it holds a single packed file.",
                "Name it after what it holds, as in table.csv.gz.",
            )
    if is_tar(data):
        return TarArchive(data, counted=counted)
    if is_zip(data):
        archive = ZipArchive(data, counted=counted)
        if archive.is_office_file:
            raise DocumentError(
                "the file is an Office document or an EPUB book, not an archive of documents.",
                "Give it the suffix of what it is.",
            )
        return archive
    raise DocumentError(
        "the file is not a ZIP or tar archive, or it is damaged.",
        "Restore it from its source, or give it the suffix of what it is.",
    )
