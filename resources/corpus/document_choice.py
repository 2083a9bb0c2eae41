"""Which files of a corpus are documents, by their names: hidden files, suffixes and `.seedbankignore`.

Where the files lie does not matter. The module must be fast to import, since a seed with nothing to do needs little else.
"""

from resources.corpus.formats import REMEDIES, SUFFIXES, format_of
from resources.corpus.skipped_files import SkippedFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resources.errors import ConfigurationError

IGNORE_FILE = ".seedbankignore"


class Ignored:
    """The patterns of `.seedbankignore`, with the syntax of .gitignore.

    Only the file in the corpus root is read. Patterns and names are compared in NFC, since a name typed in an editor and
    the same name on disk may differ in normalisation.
    """

    def __init__(self, lines: list[str]) -> None:
        """lines: the lines of the file. Raises ValueError for an invalid pattern."""
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines([_nfc(line) for line in lines])

    def __call__(self, relative: str) -> bool:
        """Whether a path is ignored. The path of a folder ends with a slash."""
        return self._spec.match_file(_nfc(relative))


def ignored_by(data: bytes, place: str) -> Ignored:
    """The patterns in the bytes of a `.seedbankignore`.

    place: where it lies, for messages. Raises ConfigurationError if it is no such file, since ignored files would otherwise
    become documents.
    """
    try:
        return Ignored(data.decode("utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        raise wrong(
            f"{place} is not UTF-8 (byte {error.start:,}). Save it as UTF-8 with one pattern per line, as in .gitignore."
        ) from error
    except ValueError as error:
        raise wrong(f"{place}: {error}. The syntax is that of .gitignore.") from error


class DocumentChoice:
    """Decides about one file or folder after the other, and counts those that are no documents."""

    def __init__(self, ignored: Ignored | None) -> None:
        self._ignored = ignored
        self.skipped = SkippedFiles()

    def takes_folder(self, folder: str) -> bool:
        """Whether the files below a folder may be documents. folder: its path relative to the root; it is not hidden."""
        if self._ignored is not None and self._ignored(folder + "/"):
            self.skipped.ignored += 1
            return False
        return True

    def is_hidden(self, name: str, relative: str) -> bool:
        """Whether a file or folder is hidden. name: the last part of its path `relative`."""
        if name[0] != ".":
            return False
        self.skipped.hidden += relative != IGNORE_FILE
        return True

    def takes_file(self, name: str, relative: str) -> bool:
        """Whether a file is a document, if it is not hidden and its folder is taken. name: the last part of `relative`."""
        _, dot, suffix = name.rpartition(".")
        known = f".{suffix}".lower() if dot else ""
        # A file that is ignored is not named with what can be done about its format.
        is_document = known in SUFFIXES or format_of(name) is not None
        if not is_document and known not in REMEDIES:
            self.skipped.add_suffix(suffix if dot else "")
            return False
        if self._ignored is not None and self._ignored(relative):
            self.skipped.ignored += 1
            return False
        if not is_document:
            self.skipped.add_suffix(suffix)
        return is_document


def wrong(message: str) -> "ConfigurationError":
    """A ConfigurationError, whose module is imported only when there is one."""
    from resources.errors import ConfigurationError

    return ConfigurationError(message)


def _nfc(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", text)
