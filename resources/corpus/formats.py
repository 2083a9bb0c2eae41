"""The file name suffixes of documents and their formats, and of files that people have to save in another format first."""

from collections.abc import Mapping
from types import MappingProxyType

from resources.wording import counted

PICTURE = "picture"
"""The format of files that are pictures."""
# By suffix in lower case. A format is named after its reader, so several suffixes can share one.
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "text",
        ".text": "text",
        ".rst": "text",
        ".md": "markdown",
        ".markdown": "markdown",
        ".tex": "latex",
        ".adoc": "asciidoc",
        ".asciidoc": "asciidoc",
        ".org": "org",
        ".html": "html",
        ".htm": "html",
        ".xhtml": "html",
        ".docx": "docx",
        ".docm": "docx",
        ".dotx": "docx",
        ".dotm": "docx",
        ".pdf": "pdf",
        ".png": PICTURE,
        ".jpg": PICTURE,
        ".jpeg": PICTURE,
        ".tif": PICTURE,
        ".tiff": PICTURE,
        ".webp": PICTURE,
        ".eml": "mail",
        ".mbox": "mail",
        ".msg": "msg",
        ".mhtml": "mhtml",
        ".mht": "mhtml",
        ".csv": "csv",
        ".tsv": "csv",
        ".json": "json",
        ".jsonl": "json",
        ".ndjson": "json",
        ".ipynb": "notebook",
        ".srt": "subtitles",
        ".vtt": "subtitles",
        ".rtf": "rtf",
        ".xlsx": "xlsx",
        ".xlsm": "xlsx",
        ".xltx": "xlsx",
        ".xltm": "xlsx",
        ".epub": "epub",
        ".odt": "odt",
        ".ott": "odt",
        ".fodt": "odt",
        ".ods": "ods",
        ".ots": "ods",
        ".fods": "ods",
        ".odp": "odp",
        ".otp": "odp",
        ".fodp": "odp",
        ".pptx": "pptx",
        ".pptm": "pptx",
        ".ppsx": "pptx",
        ".ppsm": "pptx",
        ".potx": "pptx",
        ".potm": "pptx",
        ".zip": "archive",
        ".tar": "archive",
        ".tgz": "archive",
        ".tbz2": "archive",
        ".txz": "archive",
    }
)

PACKED = "packed "
"""Begins the format of a single document that is packed: "packed csv" is that of `levels.csv.gz`."""
# What packs a single file; the suffix before says what is packed.
_PACKING = frozenset({".gz", ".bz2", ".xz"})

# Programs store them in formats of their own. Some of these suffixes have other meanings as well (keys of certificates), so
# such files are not documents that fail; a seed names them with what can be done.
REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        ".doc": "Save such files in a word processor as DOCX.",
        ".xls": "Save such files in a spreadsheet program as XLSX or CSV.",
        ".ppt": "Save such files in a presentation program as PPTX or PDF.",
        ".pages": "Export such files from Pages as DOCX or PDF.",
        ".numbers": "Export such files from Numbers as XLSX or CSV.",
        ".key": "Export those that are presentations from Keynote as PPTX or PDF.",
        ".7z": "Unpack such files into the folder, or save them as ZIP.",
        ".rar": "Unpack such files into the folder, or save them as ZIP.",
    }
)


def format_of(name: str) -> str | None:
    """Return the format of a document by the suffix of its name, or by both of `.csv.gz`; None if it is no document."""
    stem, dot, last = name.rpartition(".")
    suffix = f".{last}".lower() if dot else ""
    if suffix not in _PACKING:
        return SUFFIXES.get(suffix)
    _, dot, inner = stem.rpartition(".")
    format = SUFFIXES.get(f".{inner}".lower()) if dot else None
    return format if format in (None, "archive") else PACKED + format


def is_format(format: str) -> bool:
    """Whether format_of returns this for some name."""
    return format.removeprefix(PACKED) in _FORMATS and format != f"{PACKED}archive"


def suffixes() -> list[str]:
    """Return the suffixes of documents for people, those of packed files last."""
    return [*SUFFIXES, *(f".*{packing}" for packing in sorted(_PACKING))]


_FORMATS = frozenset(SUFFIXES.values())


def remedies_for(counts: Mapping[str, int]) -> list[str]:
    """Return one sentence for each suffix of files that can be saved in another format.

    counts: how many files were skipped, by suffix; others are left out.
    """
    return [
        f"{counted(count, f'{suffix} file is', f'{suffix} files are')} not read. {REMEDIES[suffix]}"
        for suffix, count in sorted(counts.items())
        if suffix in REMEDIES
    ]


def not_read(suffix: str) -> str:
    """Say that files with a suffix are not read, and what to do with them if that is known. suffix: in lower case."""
    return " ".join(
        (f"Files with the suffix {suffix} are not read.", *([REMEDIES[suffix]] if suffix in REMEDIES else []))
    )
